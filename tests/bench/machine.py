"""What the figures were measured on, and with which versions."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import systems
from systems import System


def facts(work: Path) -> dict[str, Any]:
    """Return processors, memory, kernel, the file system of `work`, Python."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "cpus": os.cpu_count(),
        "cpu": model.group(1).strip() if model else platform.machine(),
        "memory_gib": round(int(memory.group(1)) / (1 << 20)) if memory else 0,
        "kernel": platform.release(),
        "filesystem": _said(["df", "--output=fstype", str(work)]).split()[-1],
        "python": platform.python_version(),
    }


def version(system: System) -> str:
    return _said(["bash", "-c", system.version], environment(system))


def environment(system: System, state: str = "") -> dict[str, str]:
    """Return what commands of a system see; none of the caller's site is in it."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SESAM_")}
    own = {key: value.replace("@STATE@", state) for key, value in system.env.items()}
    return {
        **clean,
        "PATH": f"{systems.BIN}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "BENCH": str(systems.BENCH),
        **own,
    }


def _said(command: list[str], env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return " ".join(done.stdout.split())
