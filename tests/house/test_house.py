"""What every room and every command keeps to."""

import importlib
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from conftest import BIN, Site

from sesam import errors
from sesam.cli.family import FORMATS

TOP = BIN.parent
STARTERS = sorted(
    one for one in BIN.iterdir() if one.name.startswith(("sm_", "sepuler"))
)
LONGEST = 300


def commands() -> Iterator[tuple[str, click.Command]]:
    for starter in STARTERS:
        module = importlib.import_module(
            f"sesam.cli.{starter.name.removeprefix('sm_')}"
        )
        yield from below(
            getattr(module, starter.name.removeprefix("sm_")), starter.name
        )


def below(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from below(one, f"{path} {name}")


COMMANDS = list(commands())


def test_the_starters_are_one_and_the_same_file() -> None:
    assert len({one.read_bytes() for one in STARTERS}) == 1
    assert len(STARTERS) >= 9


def test_each_starter_is_installed_by_pip_too() -> None:
    setup = (TOP / "setup.cfg").read_text()
    for one in STARTERS:
        module = one.name.removeprefix("sm_")
        assert f"{one.name} = sesam.cli.{module}:main" in setup


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[c[0] for c in COMMANDS])
def test_every_command_has_help_with_an_example(
    path: str, command: click.Command
) -> None:
    example = getattr(command, "example", "")
    assert path.split()[0] in example
    with click.Context(command, info_name=path) as context:
        shown = command.get_help(context)
    assert f"Example:\n  {example.splitlines()[0][:40]}" in shown
    assert command.help
    for one in command.params:
        if isinstance(one, click.Option):
            assert one.help, (path, one.opts)


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[c[0] for c in COMMANDS])
def test_every_option_is_in_the_manual(path: str, command: click.Command) -> None:
    page = (TOP / "man" / f"{path.split()[0]}.8").read_text().replace("\\-", "-")
    words = path.split()[1:]
    if words and not isinstance(command, click.Group):
        name = re.escape(" ".join(words))
        sections = re.split(r"^\.SS ", page, flags=re.M)
        (page,) = [one for one in sections if re.match(name + r"[ \n]", one)]
    for one in command.params:
        if isinstance(one, click.Option) and one.name != "version":
            for name in (*one.opts, *one.secondary_opts):
                assert name in page, (path, name)


def test_an_example_of_each_command_can_be_parsed() -> None:
    for path, command in COMMANDS:
        if isinstance(command, click.Group):
            continue
        for line in command.example.splitlines():  # type: ignore[attr-defined]
            assert path in line, (path, line)


def test_exit_codes_are_in_range_and_listed_in_the_manual() -> None:
    page = (TOP / "man/sesam.7").read_text()
    listed = {int(hit) for hit in re.findall(r"^(\d+)\|", page, flags=re.M)}
    found = {errors.OK, errors.BUG, errors.USAGE, errors.WARNINGS}
    for one in vars(errors).values():
        if inspect.isclass(one) and issubclass(one, errors.SesamError):
            assert one.exit_code in (2, 75, 130) or 10 <= one.exit_code < 70, one
            found.add(one.exit_code)
    assert found == listed


@pytest.mark.parametrize("page", sorted((TOP / "man").iterdir()), ids=lambda p: p.name)
def test_a_manual_page_has_no_faults(page: Path) -> None:
    done = subprocess.run(
        ["man", "--warnings=mac,escape,missing,el", "-l", str(page)],
        capture_output=True,
        text=True,
        env={"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(done.stdout) > 1000
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_pages_that_a_page_names_exist() -> None:
    pages = {one.name for one in (TOP / "man").iterdir()}
    for page in (TOP / "man").iterdir():
        text = page.read_text().replace("\\-", "-")
        for name, section in re.findall(r"\\fB(s[me][a-z_-]+)\\fR\((\d)\)", text):
            assert f"{name}.{section}" in pages, (page.name, name)


@pytest.mark.parametrize("path", sorted((TOP / "sesam").rglob("*.py")), ids=str)
def test_a_file_holds_one_idea(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= LONGEST
    if path.name != "__init__.py":
        assert lines[0].startswith(('"""', 'r"""'))


def test_the_clock_is_read_in_one_place() -> None:
    for path in (TOP / "sesam").rglob("*.py"):
        if path.name == "site.py" and path.parent.name == "cli":
            continue
        text = path.read_text()
        assert "datetime.now" not in text, path
        assert "time.time" not in text, path


def test_the_example_of_a_first_site_runs(tmp_path: Path) -> None:
    source = tmp_path / "home"
    (source / ".cache").mkdir(parents=True)
    (source / ".cache/x").write_text("not kept")
    (source / "letter").write_text("kept")
    site = Site(tmp_path / "site", {"PATH": f"{BIN}:/usr/bin:/bin"})
    done = subprocess.run(
        [TOP / "examples/first-site.sh", tmp_path / "store", source, tmp_path / "back"],
        env=site.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    back = tmp_path / "back" / str(source).lstrip("/")
    assert (back / "letter").read_text() == "kept"
    assert not (back / ".cache").exists()


def test_completion_is_there_for_the_shell() -> None:
    done = subprocess.run(
        [BIN / "sm_backup"],
        env={"_SM_BACKUP_COMPLETE": "bash_source", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert "complete -o nosort" in done.stdout


def test_the_forms_of_output_are_those_of_the_manual() -> None:
    page = (TOP / "man/sesam.7").read_text()
    for form in FORMATS:
        assert f"\\fB{form}\\fR" in page


def test_readme_names_every_command_or_where_it_is() -> None:
    readme = (TOP / "README.md").read_text()
    page = (TOP / "man/sesam.7").read_text()
    for starter in STARTERS:
        assert starter.name in readme or starter.name in page
    for word in ("bin/quickstart", "bin/test", "sesam(7)", "sesam-saveset(5)"):
        assert word in readme
