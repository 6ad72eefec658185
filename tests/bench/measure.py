"""What one command costs: seconds, processor time, peak memory of all its processes.

Seconds and processor time come from wait4(2). Memory is the resident set, from /proc,
of the command and all below it, looked at every 20 to 100 ms: the highest sum, or the
highest mark of a single process where that is more. Pages that processes share count
for each of them. A command too short for a look has what wait4 says of its largest
process, which is never less than the bench itself has.
"""

import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

TICK = os.sysconf("SC_CLK_TCK")
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.1


def run(
    command: str, env: dict[str, str], log: Path, timeout: float = 3600
) -> dict[str, Any]:
    """Run a line of bash to its end; output goes to the log.

    Returns wall, user and sys in seconds, rss_mib, rc (-9: ended at the timeout) and
    others: the share of all processors that went to anything else meanwhile.
    """
    with log.open("ab") as output:
        output.write(f"\n$ {command}\n".encode())
        output.flush()
        busy, began = _busy_seconds(), time.perf_counter()
        child = subprocess.Popen(
            ["bash", "-c", f"set -o pipefail; {command}"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            peak_kib = _watch(child.pid, began, timeout)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    used = usage.ru_utime + usage.ru_stime
    spare = max(0.0, _busy_seconds() - busy - used)
    return {
        "rc": child.returncode,
        "wall": round(wall, 4),
        "user": round(usage.ru_utime, 3),
        "sys": round(usage.ru_stime, 3),
        "rss_mib": round((peak_kib or usage.ru_maxrss) / 1024, 1),
        "others": round(spare / wall / (os.cpu_count() or 1), 3),
    }


def _watch(pid: int, began: float, timeout: float) -> int:
    """Look at the memory of the tree below `pid` until it ends; its peak in KiB."""
    handle = os.pidfd_open(pid)
    ended = select.poll()
    ended.register(handle, select.POLLIN)
    family, peak = {pid}, 0
    try:
        while True:
            elapsed = time.perf_counter() - began
            pause = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, elapsed / 20))
            if ended.poll(pause * 1000):
                return peak
            if elapsed > timeout:
                os.killpg(pid, signal.SIGKILL)
            peak = max(peak, _resident_kib(family))
    finally:
        os.close(handle)


def _resident_kib(family: set[int]) -> int:
    """Memory of the processes of `family`, to which their children are added.

    One whose parent has ended stays a member; one that has ended is dropped.
    """
    total = highest = 0
    todo = list(family)
    while todo:
        pid = todo.pop()
        try:
            children = _children(pid) - family
            now, mark = _memory(pid)
        except OSError:
            family.discard(pid)
            continue
        family |= children
        todo += children
        total, highest = total + now, max(highest, mark)
    return max(total, highest)


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children") as file:
            found.update(map(int, file.read().split()))
    return found


def _memory(pid: int) -> tuple[int, int]:
    """KiB resident now, and at most so far; nothing of a process that has ended."""
    with open(f"/proc/{pid}/status") as file:
        facts = dict(line.split(":", 1) for line in file)
    now, mark = (facts.get(key, "0 kB").split()[0] for key in ("VmRSS", "VmHWM"))
    return int(now), int(mark)


def _busy_seconds() -> float:
    """Processor seconds that this machine has worked so far."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, soft = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + soft) / TICK


def flush(path: Path) -> float:
    """Write to disk what the file system of `path` holds back; seconds it took."""
    began = time.perf_counter()
    subprocess.run(["sync", "-f", path], check=True)
    return time.perf_counter() - began


def wait_for_quiet(patience: float) -> None:
    """Wait until others leave three quarters of the machine, `patience` s at most."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        busy = _busy_seconds()
        time.sleep(0.3)
        if (_busy_seconds() - busy) / 0.3 / (os.cpu_count() or 1) < 0.25:
            return
