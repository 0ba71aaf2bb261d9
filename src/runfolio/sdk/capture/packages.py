"""Capture which Python packages are installed, from the names of their metadata folders: none is imported."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator

from .companion import PATH_VARIABLE
from .repository import open_regular

PACKAGES_MAX = 10_000
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?\Z")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+!-]{0,99}\Z")
_HEADER = re.compile(rb"(?m)^(Name|Version):[ \t]*(\S+)")
_HEADER_BYTES_MAX = 4_096


def capture_packages(path: Iterable[str] | None = None) -> dict[str, str]:
    """Return the version of each package on the script's path, by normalised name; it never raises.

    Args:
        path: The folders to look in; by default those that the script handed over, else our own.
    """
    try:
        return _found(path if path is not None else _path())
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def _path() -> list[str]:
    """Return the script's `sys.path`, or this process's."""
    given = os.environ.get(PATH_VARIABLE)
    return given.split(os.pathsep) if given else sys.path


def _found(path: Iterable[str]) -> dict[str, str]:
    """Collect the packages; as in an import, the first on the path is the one that counts."""
    packages: dict[str, str] = {}
    for folder in dict.fromkeys(path):
        for name, version in _of_folder(folder):
            if len(packages) < PACKAGES_MAX and _NAME.match(name) and _VERSION.match(version):
                packages.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return dict(sorted(packages.items()))


def _of_folder(folder: str) -> Iterator[tuple[str, str]]:
    """Yield the name and version of each package whose metadata lie in a folder.

    Source: PyPA "Recording installed projects" and "Binary distribution format": `NAME-VERSION.dist-info`;
    setuptools for `.egg-info`, whose version may stand inside only.
    """
    try:
        entries = os.listdir(folder or os.curdir)
    except OSError:  # a zip file, or a folder that is gone
        return
    for entry in entries:
        stem, suffix = os.path.splitext(entry)
        if suffix not in (".dist-info", ".egg-info"):
            continue
        name, dash, version = stem.partition("-")
        if suffix == ".dist-info" and dash:
            yield name, version
        elif suffix == ".egg-info":
            yield _of_egg(os.path.join(folder, entry))


def _of_egg(path: str) -> tuple[str, str]:
    """Read the name and version in an `.egg-info`, which is a file or a folder with one."""
    file = open_regular(os.path.join(path, "PKG-INFO") if os.path.isdir(path) else path)
    if file is None:
        return "", ""
    with file:
        headers = dict(_HEADER.findall(file.read(_HEADER_BYTES_MAX).partition(b"\n\n")[0]))
    return headers.get(b"Name", b"").decode("ascii", "replace"), headers.get(b"Version", b"").decode("ascii", "replace")
