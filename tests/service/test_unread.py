"""Listings that nobody reads go; one that somebody reads just now stays."""

import os
from pathlib import Path
from typing import Any

from conftest import Site

from sesam.service import unread


def test_a_listing_that_is_used_between_plan_and_drop_stays(
    site: Site, inside: Any, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    path = site.root / f"var/lis/{site.backup(source)['saveset']}.listing.zst"
    other = path.with_name("SF20200101000000000@AAAAAAAAAAA.listing.zst")
    other.touch()
    os.utime(path, (1, 1))
    planned = unread.unused(inside)
    assert {one.path for one in planned} == {str(path), str(other)}
    os.utime(path)
    assert unread.drop(planned) == 1
    assert path.exists()
    assert not other.exists()
