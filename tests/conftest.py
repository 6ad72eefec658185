"""What tests of several rooms share: a private site, its commands as real processes."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from postgres import Postgres
from tapelib import TapeLibrary

BIN = Path(__file__).resolve().parent.parent / "bin"


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The JSON error: the last line of stderr."""
        return json.loads(self.err.strip().splitlines()[-1])


@dataclass
class Site:
    """A site of its own; `sm("backup start", ...)` runs a command of it."""

    root: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        # Buffers as an admin has them, or what waits in one too long is not found.
        clean = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith("SESAM_") and k != "PYTHONUNBUFFERED"
        }
        return {**clean, "SESAM_ROOT": str(self.root), **self.env}

    def sm(
        self, words: str, *arguments: object, code: int | None = 0, **more: Any
    ) -> Done:
        """Run `sm_<words> ARGUMENTS`; code -- the exit code to expect, None = any.

        `sepuler` is called by its own name.
        """
        program, *verbs = words.split()
        done = subprocess.run(
            [str(_starter(program)), *verbs, *map(_word, arguments)],
            env=self.environment(),
            capture_output=True,
            timeout=120,
            **({} if "input" in more else {"stdin": subprocess.DEVNULL} | more),
            **({"input": more["input"]} if "input" in more else {}),
        )
        found = Done(done.returncode, _text(done.stdout), _text(done.stderr))
        assert "Traceback" not in found.err, found.err
        assert code is None or found.code == code, (words, found)
        return found

    def json(self, words: str, *arguments: object, code: int | None = 0) -> Any:
        """Run a command with `--format json` and return what it prints."""
        return self.sm(words, *arguments, "--format", "json", code=code).json

    def popen(self, words: str, *arguments: object, **more: Any) -> subprocess.Popen:
        """Start a command and do not wait for it."""
        program, *verbs = words.split()
        return subprocess.Popen(
            [str(_starter(program)), *verbs, *map(_word, arguments)],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )

    def backup(self, source: Path | bytes, name: str = "tree", *options: str) -> dict:
        """Add a task if there is none yet, back it up, return what start prints."""
        if self.sm("task show", name, code=None).code:
            self.sm("task add", name, "--source", source, *options)
        done = self.sm("backup start", name, "--format", "json", code=None)
        assert done.code in (0, 3), done
        return done.json

    def store(self) -> Path:
        """The directory of the data store `default`."""
        return self.root / "store"


def _starter(program: str) -> Path:
    return BIN / (program if program == "sepuler" else f"sm_{program}")


def _word(argument: object) -> str | bytes:
    return argument if isinstance(argument, bytes) else str(argument)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A fresh site in UTC."""
    made = Site(tmp_path / "site")
    made.sm("setup init", "--zone", "UTC")
    return made


@pytest.fixture
def other_site(tmp_path: Path) -> Site:
    """A second site that knows nothing of the first."""
    made = Site(tmp_path / "other")
    made.sm("setup init", "--zone", "UTC")
    return made


@pytest.fixture
def inside(site: Site) -> Iterator[Any]:
    """The site as the services see it, opened in this process."""
    from sesam.catalog.db import open_catalog
    from sesam.service.ground.site import Site as Opened

    catalog = open_catalog(f"sqlite:///{site.root}/var/db/sesam.db")
    yield Opened(str(site.root), catalog, lambda: datetime.now(UTC))
    catalog.close()


@pytest.fixture
def library() -> Iterator[TapeLibrary]:
    """A tape library of this test."""
    one = TapeLibrary()
    yield one
    one.close()


@pytest.fixture
def taped(site: Site, library: TapeLibrary) -> Site:
    """A site with a library, a drive of it, and the labelled pool LTO."""
    site.sm("media group add", "LTO")
    site.sm("media loader add", "lib", "--device", library.changer)
    site.sm(
        "media drive add", "d1", "--device", library.url(1), "--loader", "lib",
        "--position", 0, "--group", "LTO",
    )  # fmt: skip
    site.sm("media pool add", "LTO", "--group", "LTO", "--block-size", "64K")
    slots = [word for slot in (1, 2, 3) for word in ("--slot", str(slot))]
    site.sm("media init", "--pool", "LTO", "--loader", "lib", *slots)
    return site


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test run."""
    one = Postgres()
    yield one
    one.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A catalog that does not exist yet, on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalog.db?timeout=5"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that takes seconds to back up; nobody changes it."""
    source = tmp_path_factory.mktemp("many")
    for number in range(20000):
        (source / f"file{number:05d}").write_bytes(b"%d" % number)
    return source


@pytest.fixture
def catalog(catalog_url: str) -> Iterator[Any]:
    """A new catalog, open."""
    from sesam.catalog.db import open_catalog

    one = open_catalog(catalog_url, create=True)
    yield one
    one.close()
