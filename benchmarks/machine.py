"""On what machine a benchmark ran, in a line, as figures mean little without it."""

import os
import platform
from pathlib import Path

import numpy as np
import shapely


def machine() -> str:
    """Processor, cores, memory, and the versions of what computes."""
    processor = _named("/proc/cpuinfo", "model name") or platform.machine()
    return (
        f"{processor}, {len(os.sched_getaffinity(0))} cores, "
        f"{_kilobytes('MemTotal') / 2**20:.0f} GB; {platform.system()}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, GEOS {shapely.geos_version_string}"
    )


def available_bytes() -> int:
    """What memory there is for a new program without any other giving up some (proc_meminfo(5))."""
    return 1024 * _kilobytes("MemAvailable")


def _kilobytes(name: str) -> int:
    return int(_named("/proc/meminfo", name).split()[0])


def _named(path: str, name: str) -> str:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
