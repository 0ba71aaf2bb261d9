"""Find the script to run, and the words that a plain Python would run it by."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import NamedTuple

from runfolio.errors import UsageError
from runfolio.model.names import printable, shown

_PYTHON_NAMES = (".py", ".pyw", ".pyc", ".pyz")
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class Script(NamedTuple):
    """What to run: the words behind `python`, and the name that its runs go by where they have no experiment."""

    words: list[str]
    stem: str


def script_at(path: str, arguments: Sequence[str] = ()) -> Script:
    """Take a Python file.

    Raises:
        UsageError: it is missing, a folder, or no Python.
    """
    _check_python()
    if os.path.isdir(path):
        raise UsageError(f"{shown(path)} is a folder; name the script in it, or run a package by -m")
    if not os.path.exists(path):
        raise UsageError(f"there is no file {shown(path)}{_hint(path)}")
    if not path.lower().endswith(_PYTHON_NAMES) and not _asks_for_python(path):
        raise UsageError(
            f"{shown(path)} is no Python script: its name does not end in .py, its first line does not ask for python"
        )
    stem = printable(os.path.splitext(os.path.basename(path))[0])
    # Python would take a name that begins with a dash for an option.
    return Script([f".{os.sep}{path}" if path.startswith("-") else path, *arguments], stem)


def module_named(name: str, arguments: Sequence[str] = ()) -> Script:
    """Take a module, as `python -m` does; whether it is there, Python itself will say.

    Raises:
        UsageError: this is no module's name.
    """
    _check_python()
    if not _MODULE.fullmatch(name):
        raise UsageError(f"{shown(name)} is no name of a module; give it as in package.module, without .py")
    stem = name.removesuffix(".__main__").rpartition(".")[2]
    return Script(["-m", name, *arguments], stem)


def _check_python() -> None:
    if not sys.executable:
        raise UsageError("this Python does not know its own executable, so it cannot start a script")


def _asks_for_python(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            first = file.readline(256)
    except OSError as trouble:
        raise UsageError(f"{shown(path)} cannot be read: {trouble.strerror}") from trouble
    return first.startswith(b"#!") and b"python" in first


def _hint(path: str) -> str:
    """Name the file that was meant, where one has nearly this name."""
    from difflib import get_close_matches

    folder, name = os.path.split(path)
    try:
        there = [found for found in os.listdir(folder or ".") if found.endswith(_PYTHON_NAMES)]
    except OSError:
        return ""
    near = get_close_matches(name, there, n=1)
    return f"; did you mean {shown(os.path.join(folder, near[0]))}?" if near else ""
