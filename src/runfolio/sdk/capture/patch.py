"""Make what `git diff` says fit to be kept: without private files, secrets and notebooks, and bounded in size."""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

from .names import HIDDEN
from .private_files import is_private_file
from .redact import readable, redact_text

PATCH_MAX = 1 << 20
NOTES_MAX = 1_000

PRIVATE, NOTEBOOK, FILTERED, BINARY = "may hold secrets", "notebook", "git filter", "binary"
SIZE, UNMERGED = "size", "unmerged"

_HEADER = b"diff --git "
_SETTINGS = frozenset(
    (".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".json", ".jsonl", ".sh", ".bash", ".zsh")
)


class Patch(NamedTuple):
    """A patch of tracked files. `left_out` has (path, why) of each changed file that it does not have."""

    text: str
    left_out: list[tuple[str, str]]
    cut_bytes: int
    redacted_lines: int
    is_exact: bool


class Section(NamedTuple):
    """What a diff says of one file."""

    path: bytes
    diff: bytes


class Redacted(NamedTuple):
    """A section fit to be kept. `is_exact` where it is the very text."""

    text: str
    size_bytes: int
    hidden_lines: int
    is_exact: bool


def make_patch(
    diff: bytes,
    names: Sequence[bytes],
    *,
    cut_bytes: int = 0,
    is_torn: bool = False,
    filtered: Collection[bytes] = (),
) -> Patch:
    """Return the patch to keep.

    Args:
        diff: What `git diff` said, one section after the other.
        names: All that changed; those of which `diff` says nothing count as left out.
        cut_bytes: How much more it said; its last section is then torn and dropped.
        is_torn: It was stopped, with the same effect.
        filtered: The paths whose content git would send through a program that was not run.
    """
    is_torn = is_torn or cut_bytes > 0
    sections = _sections(diff)
    if sections and is_torn:
        cut_bytes += len(sections.pop().diff)
    left_out = dict.fromkeys(names, SIZE if is_torn else UNMERGED)
    kept: list[Redacted] = []
    room = PATCH_MAX
    for section in sections:
        why = _objection(section, filtered)
        redacted = None if why else _redacted(section)
        if redacted and redacted.size_bytes <= room:
            room -= redacted.size_bytes
            kept.append(redacted)
            left_out.pop(section.path, None)
            continue
        left_out[section.path] = why or SIZE
        cut_bytes += 0 if why else len(section.diff)
    without = [(shown(path), why) for path, why in left_out.items()]
    notes = [f"# left out: {path} ({why})\n" for path, why in without[:NOTES_MAX]]
    return Patch(
        text="".join((*notes, *(section.text for section in kept))),
        left_out=without,
        cut_bytes=cut_bytes,
        redacted_lines=sum(section.hidden_lines for section in kept),
        is_exact=not without and all(section.is_exact for section in kept),
    )


def shown(path: bytes) -> str:
    r"""Return a path in one line of plain text: other bytes and signs as `\xff` or `\n`, its secrets hidden."""
    text = readable(os.fsdecode(path))
    text = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return redact_text(text)


def _sections(diff: bytes) -> list[Section]:
    """Split a diff into its files. In a hunk each line begins with a sign, so a header cannot be mistaken."""
    _, *parts = (b"\n" + diff).split(b"\n" + _HEADER)
    whole = [_HEADER + part + b"\n" for part in parts[:-1]] + [_HEADER + part for part in parts[-1:]]
    return [Section(_path(part), part) for part in whole]


def _path(section: bytes) -> bytes:
    """Return the path in a section's header, which says it twice: `a/PATH b/PATH`, both in quotes where needed."""
    header = section[len(_HEADER) :].partition(b"\n")[0]
    half = header[: len(header) // 2]
    if half.startswith(b'"') and half.endswith(b'"') and half.isascii():
        half = ast.literal_eval("b" + half.decode())
    return half[2:]


def _objection(section: Section, filtered: Collection[bytes]) -> str | None:
    """Say why a changed file is not to be part of the patch, or None."""
    name = os.fsdecode(section.path)
    if is_private_file(name):
        return PRIVATE
    if name.lower().endswith(".ipynb"):
        return NOTEBOOK
    if section.path in filtered:
        return FILTERED
    return BINARY if b"\nBinary files " in section.diff.partition(b"\n@@ ")[0] else None


def _redacted(section: Section) -> Redacted:
    """Hide the secrets of a section, line by line; a private key in the middle of a file has several."""
    loose = os.path.splitext(os.fsdecode(section.path).lower())[1] in _SETTINGS
    lines, hidden_lines, in_key = [], 0, False
    given = section.diff.decode("utf-8", "replace")
    for line in given.split("\n"):
        in_key = in_key or ("-----BEGIN " in line and "PRIVATE KEY" in line)
        redacted = line[0] + HIDDEN if in_key and line[:1] in ("+", "-", " ") else redact_text(line, loose=loose)
        in_key = in_key and "-----END " not in line
        hidden_lines += redacted != line
        lines.append(redacted)
    text = "\n".join(lines)
    size_bytes = len(text.encode())
    return Redacted(text, size_bytes, hidden_lines, not hidden_lines and given.encode() == section.diff)
