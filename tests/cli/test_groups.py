"""A group of tasks: one that fails holds up no other."""

from pathlib import Path

from conftest import Site
from trees import small_tree


def test_a_task_that_fails_is_a_row_and_the_others_are_backed_up(
    site: Site, tmp_path: Path
) -> None:
    source = small_tree(tmp_path / "source", files=3)
    for name, path in (("a", source), ("b", tmp_path / "gone"), ("c", source)):
        site.sm("task add", name, "--source", path)
    site.sm("task group add", "all", "--task", "a", "--task", "b", "--task", "c")
    done = site.sm("backup start", "--group", "all", "--format", "json", code=51)
    rows = done.json
    assert [(one["task"], one["state"]) for one in rows] == [
        ("a", "ok"), ("b", "error"), ("c", "ok"),
    ]  # fmt: skip
    assert "gone" in rows[1]["message"]
    assert done.error["exit_code"] == 51
    assert len(site.json("backup list")) == 2


def test_a_group_without_tasks_is_refused(site: Site) -> None:
    site.sm("task group add", "none")
    assert "no task" in site.sm("backup start", "--group", "none", code=2).err
