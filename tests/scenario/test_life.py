"""The life of a site as a machine: whatever happens in whatever order, nothing is lost.

Trees change, savesets of all levels are written, locked, removed and expire, commands
are killed and disks are full, the clock leaps and goes back; beside it runs a model
that holds the tree as of each saveset. `--hypothesis-seed N` repeats a run.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import BIN
from conftest import Site as Shell
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from killing import KILLER
from trees import differences, snapshot

from sesam.catalog import savesets
from sesam.catalog.db import open_catalog
from sesam.client.objects import Existing
from sesam.errors import Protected, TargetUnusable
from sesam.service import backup, check, keeping, newday, repair, restore
from sesam.service.asking import Request
from sesam.service.fetching.choice import Wish
from sesam.service.ground.site import Site
from sesam.terms import Level

NAMES = st.sampled_from(["a", "b", "c", "d/e", "d/f", "d/g/h", "i\nj", "k\\l"])
CHANGES = ("write", "append", "remove", "directory", "link", "symlink", "mode", "move")
FOREVER = date.max


@dataclass
class Known:
    """What the model knows of a saveset."""

    name: str
    base: str
    level: str
    at: datetime
    eol: date
    tree: dict[bytes, dict[str, Any]]
    locked: bool = False


class Life(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="life."))
        self.source = self.top / "source"
        self.source.mkdir()
        self.shell = Shell(self.top / "site")
        self.shell.sm("setup init", "--zone", "UTC")
        self.shell.sm("task add", "tree", "--source", self.source)
        self.shell.sm("media pool modify", "DISK", "--retention", 5)
        self.offset = timedelta()
        catalog = open_catalog(f"sqlite:///{self.top}/site/var/db/sesam.db")
        self.site = Site(str(self.top / "site"), catalog, self.clock)
        self.known: dict[str, Known] = {}
        self.restored = 0
        newday.run(self.site, newday.Run(), dry_run=False, confirm=True)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def teardown(self) -> None:
        if hasattr(self, "site"):
            self.site.catalog.close()
            shutil.rmtree(self.top)

    # -- what happens ----------------------------------------------------------------

    @rule(
        name=NAMES, other=NAMES, what=st.sampled_from(CHANGES), size=st.integers(0, 9)
    )
    def change(self, name: str, other: str, what: str, size: int) -> None:
        path, second = self.source / name, self.source / other
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            second.parent.mkdir(parents=True, exist_ok=True)
            _change(what, path, second, os.urandom(1 << (2 * size)))
        except OSError:
            pass  # what stands there does not allow it: then nothing happens

    @rule(level=st.sampled_from([None, *Level]))
    def back_up(self, level: Level | None) -> None:
        self._back_up(level)

    def _back_up(self, level: Level | None) -> str:
        done = backup.start(self.site, Request("tree", level), backup.Run())
        assert done["state"] == "ok"
        self._learn()
        if level in (Level.FULL, Level.COPY):
            assert done["level"] == level
        return str(done["saveset"])

    @rule(step=st.integers(1, 40), level=st.sampled_from(["INCR", "FULL"]))
    def die(self, step: int, level: str) -> None:
        words = ["durable", "", str(step), "backup", "start", "tree", "--level", level]
        self._run([sys.executable, KILLER, *words])
        repair.settle(self.site)
        self._learn()

    @rule(blocks=st.integers(1, 20))
    def fill_the_disk(self, blocks: int) -> None:
        limit = blocks << 12
        self._run(
            [BIN / "sm_backup", "start", "tree", "--level", "FULL"],
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)
            ),
        )
        repair.settle(self.site)
        self._learn()

    @precondition(lambda self: self.known)
    @rule(data=st.data(), dependents=st.booleans())
    def remove(self, data: st.DataObject, dependents: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.known)))
        above = self._above(name)
        refused = any(self.known[one].locked for one in {name, *above})
        refused |= bool(above) and not dependents
        try:
            plan = keeping.plan(self.site, [name], with_dependents=dependents)
        except Protected:
            assert refused
            return
        assert not refused
        assert {row["saveset"] for row in plan.rows()} == {name, *above}
        keeping.remove(self.site, plan, keeping.Run())
        for one in {name, *above}:
            del self.known[one]

    @precondition(lambda self: self.known)
    @rule(data=st.data(), locked=st.booleans())
    def lock(self, data: st.DataObject, locked: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.known)))
        keeping.lock(self.site, name, locked=locked)
        self.known[name].locked = locked

    @precondition(lambda self: self.known)
    @rule(data=st.data(), days=st.integers(-9, 9))
    def give_another_eol(self, data: st.DataObject, days: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.known)))
        eol = self.clock().date() + timedelta(days=days)
        keeping.set_eol(self.site, name, eol)
        self.known[name].eol = eol

    @rule(days=st.integers(0, 2))
    def let_days_pass(self, days: int) -> None:
        self.offset += timedelta(days=days)
        self._expire(newday.run(self.site, newday.Run(), dry_run=False, confirm=False))

    @rule()
    def leap(self) -> None:
        """A clock that leaps deletes nothing before somebody says that it is right."""
        self.offset += timedelta(days=40)
        done = newday.run(self.site, newday.Run(), dry_run=False, confirm=False)
        assert (done["state"], done["deleted"]) == ("warning", 0)
        self._expire(newday.run(self.site, newday.Run(), dry_run=False, confirm=True))

    @precondition(lambda self: self.known)
    @rule(data=st.data(), hours=st.integers(1, 200), level=st.sampled_from(Level))
    def go_back(self, data: st.DataObject, hours: int, level: Level) -> None:
        """A clock that goes back deletes nothing; backups and restores go on."""
        self.offset -= timedelta(hours=hours)
        done = newday.run(self.site, newday.Run(), dry_run=False, confirm=False)
        assert (done["state"], done["deleted"]) == ("warning", 0)
        name = data.draw(st.sampled_from(sorted(self.known)))
        with pytest.raises(Protected):
            keeping.plan(self.site, [name], with_dependents=True)
        self._back_up(level)
        self._is_whole(Wish(b"", saveset=name), self.known[name])
        self._expire(newday.run(self.site, newday.Run(), dry_run=False, confirm=True))

    @precondition(lambda self: os.geteuid() == 0)  # mounts need root
    @rule(level=st.sampled_from([None, *Level]), eighths=st.integers(1, 9))
    def bring_back_onto_a_full_disk(self, level: Level | None, eighths: int) -> None:
        """What had no room is brought back by the next restore, and all elsewhere."""
        (self.source / "large").write_bytes(os.urandom(1 << 16))
        name = self._back_up(level)
        contents = [one.get("content", b"") for one in self.known[name].tree.values()]
        room = sum(map(len, contents)) * eighths // 8
        with _small_disk(self.top / "small", room) as target:
            try:
                self._restore(Wish(b"", saveset=name), target)
            except TargetUnusable:
                _mount(target, "remount,size=100%")
                self._restore(Wish(b"", saveset=name), target)
            self._holds(target, self.known[name])
        self._is_whole(Wish(b"", saveset=name), self.known[name])

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.known)))
        self._is_whole(Wish(b"", saveset=name), self.known[name])

    @precondition(lambda self: self.known)
    @rule(data=st.data(), later=st.integers(0, 300_000))
    def bring_back_a_moment(self, data: st.DataObject, later: int) -> None:
        """By start times as the catalog has them, whatever the clock has done."""
        one = self.known[data.draw(st.sampled_from(sorted(self.known)))]
        at = one.at + timedelta(seconds=later)
        started = [one for one in self.known.values() if one.at <= at]
        last = max(started, key=lambda one: one.at)
        self._is_whole(Wish(b"", task="tree", at=at), last)

    # -- what holds ------------------------------------------------------------------

    @invariant()
    def the_catalog_and_the_store_agree(self) -> None:
        if hasattr(self, "site"):
            held = {one.name for one in self.shell.store().iterdir() if one.is_dir()}
            assert held == set(self.known)

    @invariant()
    def the_site_is_sound(self) -> None:
        if hasattr(self, "site"):
            rows = check.check_site(self.site, repair=False)
            bad = [row for row in rows if row["state"] != "ok"]
            assert [row for row in bad if row["check"] != "stores"] == []

    def _run(self, command: list[Any], **more: Any) -> None:
        env = {**self.shell.environment(), "SESAM_NOW": self.clock().isoformat()}
        subprocess.run(command, env=env, capture_output=True, timeout=60, **more)

    def _learn(self) -> None:
        """Take in the savesets that are new: they hold the tree as it is now."""
        for one in savesets.list_savesets():
            if one.name not in self.known:
                (copy,) = one.copies
                level = one.level.value
                self.known[one.name] = Known(
                    one.name, one.base, level, one.started_at, copy.eol, {}
                )
                self.known[one.name].tree = snapshot(self.source)

    def _is_whole(self, wish: Wish, one: Known) -> None:
        self.restored += 1
        target = self.top / f"back{self.restored}"
        self._restore(wish, target)
        self._holds(target, one)
        shutil.rmtree(target)

    def _restore(self, wish: Wish, target: Path) -> None:
        wish = Wish(
            os.fsencode(target),
            saveset=wish.saveset,
            task=wish.task,
            at=wish.at,
            existing=Existing.KEEP,
        )
        restore.start(self.site, wish, restore.Watch(passphrase=str))

    def _holds(self, target: Path, one: Known) -> None:
        back = snapshot(target / str(self.source).lstrip("/"))
        assert differences(one.tree, back) == []

    def _above(self, name: str) -> set[str]:
        """All that builds on a saveset."""
        found = {one.name for one in self.known.values() if one.base == name}
        return found.union(*(self._above(one) for one in found))

    def _chain(self, name: str) -> set[str]:
        base = self.known[name].base
        return {name, *(self._chain(base) if base else ())}

    def _expire(self, done: dict[str, Any]) -> None:
        """Hold what newday has deleted against what it had to."""
        today = self.site.backup_day(self.clock())
        inside = [one for one in self.known.values() if one.level != "COPY"]
        newest = max(inside, key=lambda one: one.at, default=None)
        kept = self._chain(newest.name) if newest else set()
        going = {name for name in self.known if self._eol(name) < today} - kept
        assert done["deleted"] == len(going)
        for one in going:
            del self.known[one]

    def _eol(self, name: str) -> date:
        all_of_it = [self.known[one] for one in {name, *self._above(name)}]
        return max(FOREVER if one.locked else one.eol for one in all_of_it)


@contextlib.contextmanager
def _small_disk(where: Path, size_bytes: int) -> Iterator[Path]:
    where.mkdir()
    _mount(where, f"size={size_bytes}")
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", where], check=True)
        where.rmdir()


def _mount(where: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", where], check=True)


def _change(what: str, path: Path, other: Path, content: bytes) -> None:
    if what == "write":
        path.write_bytes(content)
    elif what == "append":
        with open(path, "ab") as file:
            file.write(content)
    elif what == "remove":
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif what == "directory":
        path.mkdir()
    elif what == "link":
        os.link(path, other)
    elif what == "symlink":
        path.symlink_to(other.name)
    elif what == "mode":
        path.chmod(0o600 | content[0] & 0o177)
    else:
        path.rename(other)


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_short_life() -> None:
    run(examples=6, steps=25)


@pytest.mark.campaign
def test_many_lives() -> None:
    run(examples=400, steps=60)
