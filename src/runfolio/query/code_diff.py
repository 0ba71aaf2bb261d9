"""The code of two runs beside each other: commits, branches, and what was not committed."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LINES_MAX = 20_000
"""A file whose two patches have more lines than this together is told to differ, line by line not."""
_HEADER = "diff --git "
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class FilePatch:
    """What was not committed of one file, where it is not the same in both runs."""

    path: str
    kind: str
    """"added": only B has changes in it; "removed": only A; "changed": both, not the same."""
    lines: list[str] | None
    """The patch of the one that has changes; of both a unified diff from the patch of A to that of B. None where that would
    be too long."""


@dataclass
class CodeDiff:
    """How the code of two runs differs beyond what changed in commit and branch."""

    files: list[FilePatch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Why the patches may not tell all."""
    command: str | None = None
    """What tells the difference of the commits, where a repository at hand has both."""


def code_diff(a: Mapping[str, Any], b: Mapping[str, Any]) -> CodeDiff:
    """Compare two captured states of a repository, the field `git` of a capture."""
    sections = [_sections(one.get("patch")) for one in (a, b)]
    notes = [note for name, one in zip("AB", (a, b), strict=True) for note in _notes(name, one)]
    return CodeDiff(list(_files(*sections)), notes, _command(a, b))


def _files(a: dict[str, list[str]], b: dict[str, list[str]]) -> Iterator[FilePatch]:
    for path in sorted({*a, *b}):
        one, other = a.get(path, []), b.get(path, [])
        if one == other:
            continue
        kind = "changed" if one and other else "removed" if one else "added"
        yield FilePatch(path, kind, _lines(path, one, other))


def _lines(path: str, a: list[str], b: list[str]) -> list[str] | None:
    if not a or not b:
        return a or b
    if len(a) + len(b) > LINES_MAX:
        return None
    return list(difflib.unified_diff(a, b, f"A/{path}", f"B/{path}", n=1, lineterm=""))


def _sections(patch: object) -> dict[str, list[str]]:
    """Split a patch into its files: what changes in each, without the lines that name blobs."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in patch.split("\n") if isinstance(patch, str) else ():
        if line.startswith(_HEADER):
            lines = found.setdefault(_path(line), [])
        elif line and not line.startswith(("index ", "# left out: ")):
            lines.append(line)
    return found


def _path(header: str) -> str:
    """Read the path, which a header says twice: `a/PATH b/PATH`."""
    named = header[len(_HEADER) :]
    return named[: len(named) // 2].strip('"').removeprefix("a/")


def _notes(name: str, git: Mapping[str, Any]) -> Iterator[str]:
    told = git.get("left_out")
    left_out = [str(one.get("path")) for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    if left_out:
        shown = ", ".join(left_out[:5]) + (f" and {len(left_out) - 5} more" if len(left_out) > 5 else "")
        yield f"changes of {name} that were not kept, so cannot be compared: {shown}"
    elif git.get("patch_exact") is False:
        yield f"the patch of {name} does not hold every line as it was"
    if git.get("dirty") is None and git.get("commit"):
        yield f"whether {name} had uncommitted changes is not known"
    if git.get("error"):
        yield f"{name}: {git['error']}"


# --------------------------------------------------------------------------------------------------- the commits


def _command(a: Mapping[str, Any], b: Mapping[str, Any]) -> str | None:
    """Offer the command that tells what lies between two commits: it is not run, as a repository may name programs to run."""
    commits = [one.get("commit") for one in (a, b)]
    if commits[0] == commits[1] or not all(isinstance(one, str) and _HASH.fullmatch(one) for one in commits):
        return None
    for root in dict.fromkeys((*_upward(os.getcwd()), a.get("root"), b.get("root"))):
        objects = _objects(root) if isinstance(root, str) else None
        if objects and all(_has(objects, str(one)) for one in commits):
            return f"git -C {shlex.quote(str(root))} diff --stat {str(commits[0])[:12]} {str(commits[1])[:12]}"
    return None


def _upward(folder: str) -> Iterator[str]:
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            yield folder
            return
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _objects(root: str) -> str | None:
    """Give the folder of a repository's objects. Source: gitrepository-layout(5)."""
    git = os.path.join(root, ".git")
    if os.path.isfile(git):  # of a linked work tree, or a submodule
        told = _read(git).partition("gitdir:")[2].strip()
        git = os.path.join(root, told) if told else git
        common = _read(os.path.join(git, "commondir")).strip()
        git = os.path.join(git, common) if common else git
    objects = os.path.join(git, "objects")
    return objects if os.path.isdir(objects) else None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4_096)
    except OSError:
        return ""


def _has(objects: str, commit: str) -> bool:
    """Say whether an object is there, loose or in a pack."""
    if os.path.exists(os.path.join(objects, commit[:2], commit[2:])):
        return True
    packs = os.path.join(objects, "pack")
    try:
        names = [name for name in os.listdir(packs) if name.endswith(".idx")]
        return any(_is_packed(os.path.join(packs, name), bytes.fromhex(commit)) for name in names)
    except OSError:
        return False


def _is_packed(path: str, name: bytes) -> bool:
    """Look an object up in the index of a pack. Source: gitformat-pack(5), version 2."""
    with open(path, "rb") as file:
        if file.read(8) != b"\xfftOc\0\0\0\2":
            return False
        fanout = [int.from_bytes(file.read(4), "big") for _ in range(256)]
        low, high = (fanout[name[0] - 1] if name[0] else 0), fanout[name[0]]
        while low < high:
            middle = (low + high) // 2
            file.seek(8 + 4 * 256 + middle * len(name))
            found = file.read(len(name))
            if found == name:
                return True
            low, high = (middle + 1, high) if found < name else (low, middle)
    return False
