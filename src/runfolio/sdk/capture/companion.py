"""Start the process that looks for what takes longer, beside the script.

The script pays one `posix_spawn`; nothing in it waits for the companion, and nothing depends on it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

PATH_VARIABLE = "RUNFOLIO_CAPTURE_PATH"
"""Hands the script's `sys.path` to the companion, which looks there for packages and imports none of them."""

_PATH_MAX = 100_000  # Linux takes 128 KiB for one variable
_PYTHONS = ("python", "pypy", "graalpy")
_DROPPED = ("RUNFOLIO_RUN_ID", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONWARNINGS")


def spawn(store_dir: str, run_id: str, fields: Iterable[str], cwd: str, attempt: int = 1) -> int | None:
    """Start the companion process and return its pid, or None where that cannot be.

    It ends by itself within a minute and exits with 0. The caller reaps it: `os.waitpid(pid, os.WNOHANG)`.

    Args:
        store_dir: The store that has the run.
        run_id: The run, to which the companion writes through a journal of its own.
        fields: Which of `fields.SLOW` to look for; none starts no process.
        cwd: Where the script was started.
        attempt: The attempt whose surroundings these are.
    """
    names = ",".join(fields)
    command = command_of(__name__.rpartition(".")[0], os.path.abspath(store_dir), run_id, names, cwd, str(attempt))
    if not names or command is None or not hasattr(os, "posix_spawn"):
        return None
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    try:
        # A process group of its own: a Ctrl-C in the terminal is meant for the script.
        return os.posix_spawn(command[0], command, environment_of(), file_actions=null, setpgroup=0, setsigmask=())
    except (OSError, ValueError):  # no process to be had; a NUL in a path
        return None


def command_of(module: str, *arguments: str) -> list[str] | None:
    """Give the command that runs a module of this package by this interpreter, or None where there is none."""
    python = _python()
    return [python, "-m", module, *arguments] if python else None


def _python() -> str | None:
    """Return this interpreter, or None where Python lives inside another program, which would be started instead."""
    name = os.path.basename(sys.executable or "").lower()
    return sys.executable if name.startswith(_PYTHONS) and not getattr(sys, "frozen", False) else None


def environment_of() -> dict[str, str]:
    """Return the script's environment, so made that the companion imports no file from the working directory."""
    environment = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    environment["PYTHONSAFEPATH"] = "1"
    environment["PYTHONPATH"] = os.pathsep.join(_import_path(environment.get("PYTHONPATH", "")))
    path = os.pathsep.join(folder for folder in sys.path if isinstance(folder, str) and folder)
    if len(path) < _PATH_MAX:
        environment[PATH_VARIABLE] = path
    return environment


def _import_path(given: str) -> list[str]:
    """Return the absolute folders of a PYTHONPATH, and before them the one that this package was loaded from.

    Not where that is a folder of installed packages, which the interpreter finds by itself: before the standard library
    it would hide some of that.
    """
    root = os.path.abspath(__file__)
    for _ in __name__.split("."):
        root = os.path.dirname(root)
    is_installed = os.path.basename(root) in ("site-packages", "dist-packages")
    folders = [folder for folder in given.split(os.pathsep) if os.path.isabs(folder)]
    return folders if is_installed or root in folders else [root, *folders]
