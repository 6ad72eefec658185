"""Settings of the site: what they are, and changing them."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sesam.catalog import site as settings
from sesam.catalog.db import without_password
from sesam.rules.difference import difference
from sesam.rules.settings import check
from sesam.service.ground.audit import record
from sesam.service.ground.site import Site


def show(here: Site) -> dict[str, Any]:
    """Return what the site is, and its settings."""
    return {
        "root": here.root,
        "catalog": without_password(here.catalog.url),
        "zone": settings.get(settings.ZONE),
        "newday": settings.get(settings.NEWDAY),
        "client": settings.get(settings.CLIENT),
        "pool": settings.get(settings.POOL),
        **asdict(settings.settings()),
    }


def modify(here: Site, values: Mapping[str, Any]) -> None:
    """Change settings; what is not given stays. Raises WrongUsage."""

    def change() -> None:
        was = settings.settings()
        made = replace(was, **values)
        check(made)
        settings.put_settings(made)
        if made != was:
            changed = difference(asdict(was), asdict(made))
            record(here, "modify settings", "site", changed)

    here.catalog.apply(change)
