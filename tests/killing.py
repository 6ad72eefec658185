"""Commands that are killed at a step: before a system call, or behind a sync."""

import signal
import subprocess
import sys
from pathlib import Path

from conftest import Site

# A system call, a part of its path, and at which of these calls the command dies.
Step = tuple[str, str, int]
KILLER = Path(__file__).with_name("killer.py")


def killed_at(site: Site, step: Step, words: str, *arguments: object) -> None:
    """Run `sm_<words> ARGUMENTS` until the step is reached; it must be reached."""
    command = [*map(str, step), *words.split(), *map(str, arguments)]
    running = subprocess.run(
        [sys.executable, KILLER, *command],
        env=site.environment(),
        capture_output=True,
        timeout=120,
    )
    assert running.returncode == -signal.SIGKILL, (step, running.stderr)
