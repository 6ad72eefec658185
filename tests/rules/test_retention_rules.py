"""Laws of retention, and the cases that explain them."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesam.errors import Protected
from sesam.rules.removal import parted, removal
from sesam.rules.retention import (
    NEVER,
    HeldCopy,
    Holding,
    Verdict,
    dependents_first,
    effective_eols,
    expiry,
)
from sesam.terms import CopyState, Level

START = datetime(2027, 1, 1, 20, tzinfo=UTC)
DAY = date(2027, 3, 1)
OK, MISSING, DAMAGED = CopyState.OK, CopyState.MISSING, CopyState.DAMAGED


def copy(number: int, eol: int, state: CopyState = OK, medium: str = "s") -> HeldCopy:
    """eol -- days after DAY."""
    return HeldCopy(number, "DISK", (medium,), state, DAY + timedelta(days=eol))


def held(name: str, *copies: HeldCopy, **more: object) -> Holding:
    """A saveset; the number in its name says when it began."""
    number = int("".join(c for c in name if c.isdigit()) or 0)
    facts: dict = {
        "task": "etc", "level": Level.FULL, "good": True, "base": "", "locked": False,
        "started_at": START + timedelta(hours=number), "stored_bytes": 1, **more,
    }  # fmt: skip
    if facts["base"]:
        facts["level"] = Level.INCR
    return Holding(name=name, copies=copies or (copy(number, -1),), **facts)


def judged(savesets: list[Holding], **more: object) -> list[Verdict]:
    facts: dict = {"tasks": frozenset(), "busy": {}, "fixed": {}, **more}
    return expiry(savesets, backup_day=DAY, **facts)


def going(savesets: list[Holding], **more: object) -> set[int]:
    return {one.copy.id for one in judged(savesets, **more) if one.delete}


def why(savesets: list[Holding], **more: object) -> dict[str, str]:
    verdicts = judged(savesets, **more)
    return {one.saveset.name: one.reason for one in verdicts if not one.delete}


# -- the cases -----------------------------------------------------------------------


@pytest.mark.parametrize(("eol", "goes"), [(-1, {1}), (0, set()), (1, set())])
def test_a_copy_is_expired_on_the_backup_day_after_its_eol(
    eol: int, goes: set[int]
) -> None:
    assert going([held("F1", copy(1, eol))]) == goes


def test_a_base_is_kept_as_long_as_what_builds_on_it() -> None:
    chain = [held("F1"), held("I2", base="F1"), held("I3", copy(3, 5), base="I2")]
    assert effective_eols(chain) == dict.fromkeys(
        ("F1", "I2", "I3"), DAY + timedelta(days=5)
    )
    assert going(chain) == set()
    assert why(chain)["F1"] == (
        'the last copy, and "I3" builds on it and has EOL 2027-03-06'
    )


def test_each_copy_expires_by_its_own_eol_but_the_last() -> None:
    two = held("F1", copy(1, -5), copy(2, 9))
    assert going([two]) == {1}
    base = held("F1", copy(1, -5), copy(2, -2), copy(3, -9))
    assert going([base, held("I9", copy(9, 1), base="F1")]) == {1, 3}


def test_the_copy_that_stays_is_one_that_can_be_read() -> None:
    base = held("F1", copy(1, -5), copy(2, 9, MISSING), copy(3, -9, DAMAGED))
    assert going([base]) == {3}
    base = held("F1", copy(1, -5, DAMAGED), copy(2, -1, MISSING))
    assert going([base, held("I9", copy(9, 1), base="F1")]) == {2}
    assert going([base]) == {1, 2}


def test_a_locked_saveset_and_what_it_builds_on_never_go() -> None:
    chain = [held("F1"), held("I2", base="F1"), held("I3", base="I2")]
    chain[1] = chain[1]._replace(locked=True)
    assert effective_eols(chain)["F1"] == NEVER
    assert going(chain) == {3}
    assert why(chain)["I2"] == "it is locked"
    assert "is locked" in why(chain)["F1"]
    locked = held("F1", copy(1, -5), copy(2, 9), locked=True)
    assert going([locked]) == set()


def test_the_newest_good_saveset_of_a_task_stays_with_what_it_builds_on() -> None:
    rows = [
        held("F1"),
        held("F2"),
        held("I3", base="F2"),
        held("C4", level=Level.COPY),
        held("F5", good=False),
        held("F6", task="gone"),
    ]
    assert going(rows, tasks=frozenset({"etc"})) == {1, 4, 5, 6}
    assert going(rows) == {1, 2, 3, 4, 5, 6}


def test_a_newest_one_that_is_missing_does_not_let_the_last_readable_go() -> None:
    rows = [held("F1"), held("F2"), held("F3", copy(3, -1, MISSING))]
    assert going(rows, tasks=frozenset({"etc"})) == {1}
    assert why(rows, tasks=frozenset({"etc"}))["F2"].endswith(
        'it is the newest of task "etc" that can be read'
    )
    broken = [*rows, held("I4", base="F3"), held("I5", copy(5, 9), base="I4")]
    assert 2 not in going(broken, tasks=frozenset({"etc"}))


def test_what_is_in_use_stays_and_what_it_builds_on() -> None:
    chain = [held("F1"), held("I2", base="F1"), held("F3")]
    kept = why(chain, busy={"I2": "is being read by job 7"})
    assert kept["I2"] == "it is being read by job 7"
    assert going(chain, busy={"I2": "is being read by job 7"}) == {3}


def test_nothing_goes_from_a_medium_that_is_fixed() -> None:
    two = held("F1", copy(1, -1, medium="a"), copy(2, -1, medium="b"))
    fixed = {"b": "belongs to another site"}
    assert going([two, held("I3", base="F1")], fixed=fixed) == {1, 3}
    assert why([two], fixed=fixed)["F1"] == (
        'it lies on "b", which belongs to another site'
    )


def test_a_copy_that_is_being_written_is_left_alone() -> None:
    assert going([held("F1", copy(1, -1, CopyState.WRITING))]) == set()


def test_a_base_that_is_gone_stops_nothing() -> None:
    assert going([held("I2", base="F1")]) == {2}


def test_a_hundred_thousand_savesets_are_judged_in_a_second_or_two() -> None:
    rows = []
    for number in range(100_000):
        base = f"S{number - 1}" if number % 100 else ""
        rows.append(
            held(
                f"S{number}",
                copy(number, number % 50 - 40),
                base=base,
                task=f"t{number // 1000}",
            )
        )
    began = time.process_time()
    found = judged(rows, tasks=frozenset({"t1", "t2"}))
    assert time.process_time() - began < 4
    assert len(found) == 80_000


# -- removal -------------------------------------------------------------------------


def test_a_base_is_not_removed_unless_its_dependents_go_with_it() -> None:
    chain = [held("F1"), held("I2", base="F1"), held("I3", base="I2")]
    with pytest.raises(Protected, match='"F1" is the base of "I3", "I2"') as found:
        removal(chain, ["F1"], with_dependents=False)
    assert "--with-dependents" in found.value.hint
    gone = removal(chain, ["F1"], with_dependents=True)
    assert [one.name for one in gone] == ["I3", "I2", "F1"]
    gone = removal(chain, ["I2", "I3"], with_dependents=False)
    assert [one.name for one in gone] == ["I3", "I2"]


def test_a_locked_one_is_never_removed_nor_dragged_along() -> None:
    chain = [held("F1"), held("I2", base="F1"), held("I3", base="I2", locked=True)]
    for names in (["I3"], ["F1"]):
        with pytest.raises(Protected, match=r'"I3".* is locked'):
            removal(chain, names, with_dependents=True)
    removal([held("F1", locked=True), held("I2", base="F1")], ["I2"],
            with_dependents=False)  # fmt: skip


def test_many_dependents_are_counted() -> None:
    rows = [held("F0"), *(held(f"I{n}", base="F0") for n in range(1, 15))]
    with pytest.raises(Protected, match="and 4 more"):
        removal(rows, ["F0"], with_dependents=False)


def test_what_goes_is_parted_by_what_was_named() -> None:
    rows = [held("F1"), held("I2", base="F1"), held("I3", base="F1")]
    order = removal(rows, ["F1", "I2"], with_dependents=True)
    parts = [
        (name, [one.name for one in of]) for name, of in parted(order, ["F1", "I2"])
    ]
    assert parts == [("I2", ["I2"]), ("F1", ["I3", "F1"])]


# -- the laws ------------------------------------------------------------------------


@st.composite
def catalogs(draw: st.DrawFn) -> list[Holding]:
    """Any chains: a base may be any saveset, or one that is gone; any states."""
    rows: list[Holding] = []
    number = 0
    for at in range(draw(st.integers(1, 12))):
        copies = []
        for _ in range(draw(st.integers(1, 3))):
            number += 1
            state = draw(st.sampled_from([OK, OK, OK, MISSING, DAMAGED]))
            medium = draw(st.sampled_from(["s", "s", "s", "fixed"]))
            copies.append(copy(number, draw(st.integers(-3, 3)), state, medium))
        bases = ["", "", *(one.name for one in rows), "none"]
        rows.append(
            held(
                f"S{at}",
                *copies,
                base=draw(st.sampled_from(bases)),
                locked=draw(st.integers(0, 9)) == 0,
                good=draw(st.integers(0, 4)) > 0,
                task=draw(st.sampled_from(["etc", "web"])),
                started_at=START + timedelta(hours=draw(st.integers(0, 20))),
            )
        )
    return draw(st.permutations(rows))


FIXED = {"fixed": "is write-protected"}
TASKS = frozenset({"etc"})


def left(rows: list[Holding], verdicts: list[Verdict]) -> dict[str, Holding]:
    gone = {one.copy.id for one in verdicts if one.delete}
    kept = {}
    for one in rows:
        copies = tuple(c for c in one.copies if c.id not in gone)
        if copies:
            kept[one.name] = one._replace(copies=copies)
    return kept


@given(catalogs())
def test_the_eol_of_a_base_is_never_before_that_of_its_dependents(
    rows: list[Holding],
) -> None:
    eols = effective_eols(rows)
    for one in rows:
        assert eols[one.name] >= max(c.eol for c in one.copies)
        assert eols[one.name] == NEVER or not one.locked
        if one.base in eols:
            assert eols[one.base] >= eols[one.name]


@given(catalogs())
def test_nothing_goes_that_something_needs(rows: list[Holding]) -> None:
    verdicts = judged(rows, tasks=TASKS, fixed=FIXED)
    kept = left(rows, verdicts)
    before = {one.name for one in rows}
    eols = effective_eols(rows)
    newest: dict[str, Holding] = {}
    for one in sorted(rows, key=lambda one: one.started_at):
        if one.good and one.task in TASKS:
            newest[one.task] = one
    for one in rows:
        if one.locked:
            assert kept[one.name] == one
        if any(c.state is OK for c in one.copies) and eols[one.name] >= DAY:
            assert any(c.state is OK for c in kept[one.name].copies)
    for one in kept.values():
        assert one.base in kept or one.base not in before
    for task in TASKS & newest.keys():
        assert any(
            one.good and one.started_at == newest[task].started_at
            for one in kept.values()
        )


@given(catalogs())
def test_every_copy_past_its_eol_is_judged_once_and_no_other(
    rows: list[Holding],
) -> None:
    verdicts = judged(rows, tasks=TASKS, fixed=FIXED)
    past = sorted(c.id for one in rows for c in one.copies if c.eol < DAY)
    assert sorted(one.copy.id for one in verdicts) == past
    assert all(one.reason for one in verdicts)
    assert all(one.copy.media == ("s",) for one in verdicts if one.delete)


@given(catalogs())
def test_dependents_go_first_whatever_the_order(rows: list[Holding]) -> None:
    place = {one.name: at for at, one in enumerate(dependents_first(rows))}
    assert len(place) == len(rows)
    for one in rows:
        if one.base in place:
            assert place[one.name] < place[one.base]


@given(catalogs())
def test_judged_again_at_once_nothing_more_goes(rows: list[Holding]) -> None:
    verdicts = judged(rows, tasks=TASKS, fixed=FIXED)
    again = list(left(rows, verdicts).values())
    assert going(again, tasks=TASKS, fixed=FIXED) == set()
