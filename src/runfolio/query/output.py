"""Read the output of a run as it stands in its file: the end, a stretch, what has come since, the lines with a text.

Positions count bytes of the file as it is. Where the launcher has taken the middle out, it is another file with another number, and positions
begin anew. Text comes as it was written, colours and all; what is no UTF-8 is replaced. It is searched as it shows, without escape sequences.
Memory: one stretch, or a few MiB while searching.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

PIECE_BYTES = 1 << 20
LINE_CHARS_MAX = 400
_BEFORE_CHARS = 100
_FEW_BYTES = 256
_CUT = re.compile(rb"\n\[runfolio: ([0-9]{1,18}) bytes of output are cut here\]\n")
_CUT_BYTES = 64
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours and the like
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\|$)"  # titles, links: up to their end
    r"|(?:\x1b\[|\x9b)[ -?]*$|\x1b[ -/]*(?:[0-~]|$)",
    re.MULTILINE,
)
"""What a terminal does not show; as ui/src/views/run/ansi.ts has it."""


class OutputFile(Protocol):
    """An open file of output."""

    @property
    def size_bytes(self) -> int: ...
    @property
    def number(self) -> int:
        """Of the file in its file system: another one where the file was replaced."""

    def read_at(self, start: int, size_bytes: int) -> bytes: ...


class Stretch(NamedTuple):
    """A part of the output; `to` is where to read on."""

    start: int
    to: int
    size_bytes: int
    text: str


class Match(NamedTuple):
    """A line that has the text: its number from 1, where it begins, and what of it, as it shows, lies around the text."""

    line: int
    start: int
    text: str


class Found(NamedTuple):
    matches: list[Match]
    more: bool


def read_stretch(file: OutputFile, start: int, bytes_max: int, ended: bool = True) -> Stretch:
    """Read a part of the output in whole lines, where it has lines.

    Args:
        start: where to begin; below 0, so many bytes before the end. One beyond the end, of a file that was replaced since, stands for the end.
        ended: whether nothing more comes; else a character that is not yet whole waits for its rest.
    """
    size = file.size_bytes
    if start < 0 or start > size:
        begin = max(0, size - min(-start if start < 0 else bytes_max, bytes_max))
        begin = _line_begin(file, begin)
    else:
        begin = start
    data = file.read_at(begin, bytes_max)
    to = begin + len(data)
    if to < size:
        data = _whole_lines(data)
    elif not ended:
        data = _whole_characters(data)
    return Stretch(begin, begin + len(data), size, data.decode("utf-8", "replace"))


def _line_begin(file: OutputFile, near: int) -> int:
    """Give the first beginning of a line at or behind this place; the place, on a character, where there is none near."""
    if near == 0:
        return 0
    ahead = file.read_at(near - 1, PIECE_BYTES)
    at = ahead.find(b"\n")
    if at >= 0 and near + at < file.size_bytes:
        return near + at
    inside = 0
    while inside < 3 and near + inside < file.size_bytes and 0x80 <= ahead[inside + 1] < 0xC0:
        inside += 1
    return near + inside


def _whole_lines(data: bytes) -> bytes:
    end = data.rfind(b"\n") + 1
    return data[:end] if end else _whole_characters(data)


def _whole_characters(data: bytes) -> bytes:
    """Leave out the beginning of a character at the end, unless nothing else is there to give."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            wanted = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if back < wanted and len(data) > back else data
        if byte < 0x80:
            break
    return data


# --------------------------------------------------------------------------------------------------------- what is cut


def cut_bytes(path: str, file: OutputFile, told: int | None) -> int:
    """Give how many bytes of the output are not in the file.

    Args:
        told: as the launcher has told at the end; None while it runs. Then a line in the file says it, which stands there from the file's first
            moment on and is looked for once.
    """
    if told is not None:
        return told
    key = (path, file.number)
    if key not in _CUTS:
        if len(_CUTS) >= _CUTS_MAX:
            _CUTS.clear()
        _CUTS[key] = _cut_in(file)
    return _CUTS[key]


_CUTS: dict[tuple[str, int], int] = {}
_CUTS_MAX = 256


def _cut_in(file: OutputFile) -> int:
    kept = b""
    for start in range(0, file.size_bytes, PIECE_BYTES):
        data = kept + file.read_at(start, PIECE_BYTES)
        found = _CUT.search(data)
        if found:
            return int(found[1])
        kept = data[-_CUT_BYTES:]
    return 0


# --------------------------------------------------------------------------------------------------------------- search


def search(file: OutputFile, text: str, limit: int, stop: Callable[[], bool] = lambda: False) -> Found:
    """Find the lines that show a plain text, whatever its case and its colours.

    Args:
        stop: asked after each piece whether nobody waits for the answer any more.
    """
    wanted = re.compile(re.escape(text), re.IGNORECASE)
    matches: list[Match] = []
    line = 1
    for start, data in _pieces(file):
        piece = _shown(data.decode("utf-8", "surrogateescape"))
        before = place = 0
        for number, at, found in _lines_with(wanted, piece):
            if len(matches) == limit:
                return Found(matches, True)
            before, place = number, _after_lines(data, place, number - before)
            matches.append(Match(line + number, start + place, _around(piece, at, found)))
        if stop():
            return Found(matches, True)
        line += data.count(b"\n")
    return Found(matches, False)


def _shown(piece: str) -> str:
    """Take the escape sequences out; the lines stay as many."""
    return _ESCAPE.sub("", piece) if "\x1b" in piece or "\x9b" in piece else piece


def _after_lines(data: bytes, at: int, lines: int) -> int:
    """Give the place behind so many more ends of lines, by halves: what was found counts lines of the text as it shows, which has other places."""
    end = len(data)
    while lines and end - at > _FEW_BYTES:
        middle = (at + end) // 2
        count = data.count(b"\n", at, middle)
        if count < lines:
            at, lines = middle, lines - count
        else:
            end = middle
    for _ in range(lines):
        at = data.index(b"\n", at) + 1
    return at


def _pieces(file: OutputFile) -> Iterator[tuple[int, bytes]]:
    """Yield the file in pieces of whole lines, each with its place; of a longer line a piece at a time."""
    start = 0
    while data := file.read_at(start, PIECE_BYTES):
        if start + len(data) < file.size_bytes:
            data = _whole_lines(data)
        yield start, data
        start += len(data)


def _lines_with(wanted: re.Pattern[str], piece: str) -> Iterator[tuple[int, int, int]]:
    """Yield each line that has the text: its number in the piece from 0, where it begins, where the text does."""
    at, number, counted = 0, 0, 0
    while found := wanted.search(piece, at):
        begin = piece.rfind("\n", 0, found.start()) + 1
        number += piece.count("\n", counted, begin)
        counted = begin
        yield number, begin, found.start()
        end = piece.find("\n", found.start())
        if end < 0:
            return
        at = end + 1


def _around(piece: str, begin: int, found: int) -> str:
    """Give a line, of a long one what lies around the text."""
    end = piece.find("\n", found)
    first = begin if found - begin < LINE_CHARS_MAX - _BEFORE_CHARS else found - _BEFORE_CHARS
    shown = piece[first : min(end if end >= 0 else len(piece), first + LINE_CHARS_MAX)]
    return shown.encode("utf-8", "surrogateescape").decode("utf-8", "replace").rstrip("\r")
