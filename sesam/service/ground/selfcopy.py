"""A fresh copy of the catalog, for the site's own backup to take along."""

import contextlib
import os

from sesam.catalog.schema import take_copy
from sesam.catalog.tables import database
from sesam.errors import CatalogError
from sesam.service.ground.site import Site, make_private

DIRECTORY = "var/copy"
_NAME, _NEW = "catalog", "new"
SUFFIXES = (".db", ".dump")


def refresh(site: Site) -> str:
    """Copy the whole catalog into var/copy; return the file. Raises CatalogError.

    SQLite: `catalog.db`; PostgreSQL: `catalog.dump`, for pg_restore. What was there
    stays until the new copy is whole.
    """
    directory = site.path(DIRECTORY)
    try:
        make_private(directory)
        made = take_copy(database.obj, os.path.join(directory, _NEW))
        suffix = os.path.splitext(made)[1]
        path = os.path.join(directory, _NAME + suffix)
        os.rename(made, path)
        for other in SUFFIXES:
            if other != suffix:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(directory, _NAME + other))
    except OSError as error:
        raise CatalogError(
            f'no copy of the catalog can be kept in "{directory}": {error.strerror}'
        ) from error
    return path


def found_in(root: str) -> str:
    """Return the copy that lies below a site's root, "" where there is none."""
    for suffix in SUFFIXES:
        path = os.path.join(root, DIRECTORY, _NAME + suffix)
        if os.path.exists(path):
            return path
    return ""
