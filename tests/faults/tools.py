"""The system's tools that faults are made with; where one is missing or forbidden the test is skipped by name."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SHIMS = Path(__file__).with_name("shims")


def run(*command: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a tool; its output is for the message where it fails."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


# ------------------------------------------------------------------------------------------------------ strace


@functools.cache
def can_trace() -> bool:
    """Say whether strace is here and may trace."""
    return bool(shutil.which("strace")) and run("strace", "-e", "trace=none", "true", check=False).returncode == 0


def strace(*options: str, output: object = os.devnull) -> list[str]:
    """Give the beginning of a command line that is traced, children too."""
    if not can_trace():
        pytest.skip("cannot trace")
    return ["strace", "-f", "-qq", "-o", str(output), *options]  # --seccomp-bpf is faster, and injects nothing


def kill_at(calls: str, number: int) -> list[str]:
    """Let the process be killed when it enters the `number`th of these system calls."""
    return strace("-e", f"trace={calls}", "-e", f"inject={calls}:signal=KILL:when={number}")


def fail(calls: str, error: str, when: str = "1+", **options: str) -> list[str]:
    """Let these system calls fail with an error: `when` is as in strace's manual."""
    more = "".join(f":{name}={value}" for name, value in options.items())
    return strace("-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={when}{more}")


# ------------------------------------------------------------------------------------------------------ file systems

MAKERS = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"]}
SMALLEST_MB = {"ext4": 32, "xfs": 320, "btrfs": 128}


def found(tool: str) -> bool:
    """Say whether a tool is on the path, or where only root looks."""
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is not None


def make_image(path: Path, kind: str, size_mb: int = 0) -> Path:
    """Make a file system in a file; skip where this kernel or machine has none of this kind."""
    known = Path("/proc/filesystems").read_text(encoding="utf-8").split()
    if kind not in known or not found(MAKERS[kind][0]):
        pytest.skip(f"needs a file system: {kind}")
    with open(path, "wb") as file:
        file.truncate((size_mb or SMALLEST_MB[kind]) << 20)
    os.environ["PATH"] = os.environ["PATH"] + ":/usr/sbin:/sbin"
    run(*MAKERS[kind], path)
    return path


@contextmanager
def mounted(source: object, target: Path, *options: str) -> Iterator[Path]:
    """Mount, and unmount whatever happens."""
    target.mkdir(exist_ok=True)
    done = run("mount", *options, source, target, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.strip()}"[:100])
    try:
        yield target
    finally:
        run("umount", "-l" if os.path.ismount(target) else "-f", target, check=False)


def tmpfs(target: Path, size: str) -> object:
    """Mount a small file system in memory."""
    return mounted("none", target, "-t", "tmpfs", "-o", f"size={size}")


# ------------------------------------------------------------------------------------------------------ shims


@functools.cache
def _built(name: str, folder: str) -> str:
    target = os.path.join(folder, f"{name}.so")
    run("gcc", "-shared", "-fPIC", "-O1", "-o", target, SHIMS / f"{name}.c", "-ldl")
    return target


def shim(name: str, folder: Path) -> dict[str, str]:
    """Build a library that stands before libc; give the environment that loads it."""
    if shutil.which("gcc") is None:
        pytest.skip("cannot build: needs gcc")
    return {"LD_PRELOAD": _built(name, str(folder))}


# ------------------------------------------------------------------------------------------------------ memory

PROBE = """
import json, _testcapi
for number in range(1, 60):
    _testcapi.set_nomemory(number, number + 1)
    try:
        json.dumps({"a": 1}, separators=(",", ":"))
    except (MemoryError, SystemError):
        pass
    finally:
        _testcapi.remove_mem_hooks()
"""


@functools.cache
def json_survives() -> bool:
    """Say whether the interpreter's own json outlives allocations that fail: that of CPython 3.13.0 does not."""
    return subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=False).returncode == 0


def need_failing_allocations() -> Any:
    """Give the module that makes allocations fail; skip where there is none, or the interpreter itself does not outlive them."""
    testcapi = pytest.importorskip("_testcapi", reason="needs _testcapi")
    if not json_survives():
        pytest.skip(
            "needs _testcapi and a json that survives it: this interpreter's own crashes where an allocation fails"
        )
    return testcapi
