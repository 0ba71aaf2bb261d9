"""The machine and the versions behind a table, in one line and without any path."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from bench.lab import SOURCE


def machine_line(folder: str, load: float) -> str:
    """Describe processor, memory, kernel, the file system of `folder`, Python, the packages, and how busy it was."""
    cores = os.cpu_count()
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = ".".join(platform.release().split("-")[0].split(".")[:2])
    packages = [f"{name} {_version(name)}" for name in ("orjson", "numpy", "duckdb")]
    return ", ".join(
        [
            f"{cores} cores ({_processor()})",
            f"{memory_gib:.0f} GiB",
            f"{platform.system()} {kernel}",
            _file_system(folder),
            f"{platform.python_implementation()} {platform.python_version()}",
            *packages,
            f"runfolio {_runfolio_version()}",
            f"load {load:.1f} at the start",
        ]
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as info:
            return next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def _file_system(folder: str) -> str:
    """Name the type of the deepest mount that holds `folder`."""
    folder = os.path.realpath(folder)
    best = ("", "unknown file system")
    try:
        with open("/proc/self/mounts") as mounts:
            for line in mounts:
                point, kind = line.split()[1:3]
                if (folder + "/").startswith(point.rstrip("/") + "/") and len(point) > len(best[0]):
                    best = (point, kind)
    except OSError:
        pass
    return best[1]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _runfolio_version() -> str:
    words: dict[str, str] = {}
    try:
        with open(os.path.join(SOURCE, "runfolio", "_version.py")) as file:
            exec(file.read(), words)  # our own two lines
    except OSError:
        return "absent"
    return next(
        (text for name, text in words.items() if "version" in name.lower() and isinstance(text, str)), "unknown"
    )
