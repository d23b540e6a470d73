"""CPU time by process accounting, and facts about the machine that spends it."""

import os
import platform
from contextlib import suppress
from pathlib import Path

import psutil


def cpu_seconds(pid: int) -> float:
    """User and system time spent so far by process `pid`: all threads, all descendants.

    Children that have ended are in their parent's share, so the figure never falls. Its
    resolution is a clock tick (10 ms on Linux).

    Raises:
        psutil.NoSuchProcess: `pid` is gone.
    """
    root = psutil.Process(pid)
    total = sum(root.cpu_times()[:4])
    for child in root.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(child.cpu_times()[:4])
    return total


def machine_facts(data_directory: Path) -> dict[str, str | int | float]:
    """What a reader needs to judge the figures; `data_directory` is where the journal goes."""
    return {
        "cpu": _cpu_model(),
        "cores": usable_cores(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
        "data_filesystem": _filesystem(data_directory),
    }


def busy_seconds() -> float:
    """CPU seconds the whole machine has spent so far on anything but idling."""
    times = psutil.cpu_times()
    return sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_model() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _filesystem(directory: Path) -> str:
    """The type of the filesystem under `directory`; a journal on tmpfs costs next to nothing."""
    where = directory.resolve()
    mounts = [
        (Path(part.mountpoint), part.fstype)
        for part in psutil.disk_partitions(all=True)
        if where.is_relative_to(part.mountpoint)
    ]
    return max(mounts, key=lambda mount: len(mount[0].parts))[1] if mounts else "unknown"
