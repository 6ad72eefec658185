"""Rows that are made the short way are those that the long way makes."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import Site
from hypothesis import given
from hypothesis import strategies as st
from trees import hostile_tree

from sesam.saveset.listing import stamp
from sesam.service.fetching.rowtexts import Stamps, file_time

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
)
STAMPERS = {zone: Stamps(ZoneInfo(zone)).stamp for zone in ZONES}


@given(
    zone=st.sampled_from(ZONES),
    ns=st.integers(-(10**18), 10**19)
    | st.integers(1_300_000_000, 1_900_000_000).map(lambda seconds: seconds * 10**9),
)
def test_a_time_is_the_same_on_both_ways(zone: str, ns: int) -> None:
    assert STAMPERS[zone](stamp(ns).decode()) == file_time(ns, ZoneInfo(zone))


@pytest.mark.parametrize("merged", [(), ("--merged",)])
def test_all_rows_of_a_hostile_tree_are_the_same(
    site: Site, tmp_path: Any, merged: tuple[str, ...]
) -> None:
    source = hostile_tree(tmp_path / "source")
    site.backup(source)
    (source / "empty").write_bytes(b"now")
    saveset = site.json("backup start", "tree")["saveset"]
    short = site.json("backup files", saveset, *merged)
    long = site.json("backup files", saveset, "/", *merged)
    assert short == long
    assert len(short) > (20 if merged else 0)
