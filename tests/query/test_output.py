"""Output read in parts: whole lines, whole characters, as it grows, and the lines with a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.opened import opened
from runfolio.launch.output_log import OutputLog
from runfolio.query import output
from runfolio.query.output import Match, cut_bytes, read_stretch, search

LINES = b"".join(b"line %d\n" % number for number in range(1000))


def test_the_tail_begins_with_a_line() -> None:
    """The last so many bytes begin where a line does."""
    with opened(LINES) as file:
        got = read_stretch(file, -100, 4096)
    assert got.text.startswith("line ") and got.text.endswith("line 999\n")
    assert (got.to, got.size_bytes) == (len(LINES), len(LINES)) and got.to - got.start <= 100


@given(st.binary(max_size=300), st.integers(1, 40), st.booleans())
def test_read_on_gives_all(content: bytes, size: int, ended: bool) -> None:
    """Whoever reads on where the last answer ended has read every byte once, in order."""
    with opened(content) as file:
        at, parts = 0, []
        while True:
            got = read_stretch(file, at, size, True)
            assert got.start == at
            parts.append(content[got.start : got.to])
            if got.to == at:
                break
            at = got.to
    assert b"".join(parts) == content


@given(st.text(max_size=200), st.integers(4, 30))
def test_no_character_is_cut(text: str, size: int) -> None:
    """Text that is UTF-8 comes out as it went in, however small the parts."""
    content = text.encode("utf-8", "replace")
    with opened(content) as file:
        at, parts = 0, []
        while at < len(content):
            got = read_stretch(file, at, size, False)
            parts.append(got.text)
            at = got.to
    assert "".join(parts) == content.decode()


def test_parts_end_with_lines() -> None:
    """A part that does not reach the end ends with a line, where it has one."""
    with opened(LINES + b"x" * 500) as file:
        assert read_stretch(file, 0, 100).text.endswith("\n")
        assert len(read_stretch(file, len(LINES), 100).text) == 100


def test_half_a_character_waits() -> None:
    """While a run writes, a character that is not yet whole waits for its rest; at the end it is shown as what it is."""
    with opened(b"ab\xe2\x82") as file:
        assert read_stretch(file, 0, 100, ended=False).text == "ab"
        assert read_stretch(file, 0, 100, ended=True).text == "ab\ufffd"


def test_a_position_behind_the_end() -> None:
    """A position that the file does not have stands for its end: the file was replaced by a shorter one."""
    with opened(LINES) as file:
        got = read_stretch(file, 10**9, 100)
    assert got.text.endswith("line 999\n") and got.text.startswith("line ")


def test_the_cut_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it runs, the line in the file tells how much was cut, and it is looked for once; at the end the launcher tells."""
    log = OutputLog("output.log", 4096)
    for number in range(2000):
        log.write(b"line %d\n" % number)
    with opened(Path("output.log")) as file:
        found = cut_bytes("run", file, None)
        read = file.read_bytes
        assert found == cut_bytes("run", file, None) and file.read_bytes == read
        assert cut_bytes("run", file, 7) == 7
    assert found == log.close().cut_bytes > 0
    monkeypatch.setattr(output, "PIECE_BYTES", 50)  # the line stands across two pieces
    with opened(Path("output.log")) as file:
        assert cut_bytes("other", file, None) == found


def test_search() -> None:
    """Lines with a text are found whatever its case, with their number and place."""
    content = b"one\nTwo two\n\nthree TWO\xff\nfour"
    with opened(content) as file:
        assert search(file, "two", 10) == ([Match(2, 4, "Two two"), Match(4, 13, "three TWO\ufffd")], False)
        assert search(file, "two", 1).more
        assert search(file, ".", 10) == ([], False)
        assert [match.line for match in search(file, "four", 1).matches] == [5]


@given(
    st.lists(st.text(alphabet="ab\u00e9\U0001f600 \r", max_size=8), max_size=30),
    st.sampled_from(["", "\x1b[0m", "\x1b[38;5;9m"]),
    st.sampled_from(["a", "\u00c9", "b ", "\U0001f600"]),
)
def test_search_agrees_with_a_loop(lines: list[str], colour: str, text: str) -> None:
    """In pieces of any size the same lines are found as by going through all of them."""
    content = "\n".join(line.replace("b", f"{colour}b{colour}") for line in lines).encode()
    with pytest.MonkeyPatch.context() as patch, opened(content) as file:
        patch.setattr(output, "PIECE_BYTES", 160 if colour else 40)  # holds the longest line
        found = search(file, text, 1000).matches
    expected = [number for number, line in enumerate(lines, 1) if text.lower() in line.lower()]
    assert [match.line for match in found] == expected
    for match in found:
        assert content[: match.start].count(b"\n") == match.line - 1
        assert match.start == 0 or content[match.start - 1 : match.start] == b"\n"


@pytest.mark.parametrize("size", [7, 40, 1000])
def test_search_finds_what_shows(size: int) -> None:
    """Text that colours part is found as it shows, and its line begins where it does in the file."""
    red, link = b"\x1b[31mred\x1b[0m", b"\x1b]8;;https://a.b/red normal\x07"
    lines = [
        red + b" one",
        b"",
        b"caf\xc3\xa9 " + red + b" normal",
        link + b"link",
        red,
        b"\x1b[1;32m" + red + b" NORMAL\x1b[",
        b"red\x9b normal",
    ]
    with pytest.MonkeyPatch.context() as patch, opened(b"\n".join(lines)) as file:
        patch.setattr(output, "_FEW_BYTES", size)
        found = search(file, "red normal", 10).matches
        assert [match.line for match in search(file, "\x1b", 10).matches] == []
    places = [sum(len(line) + 1 for line in lines[:number]) for number in (2, 5)]
    assert found == [Match(3, places[0], "caf\u00e9 red normal"), Match(6, places[1], "red NORMAL")]


def test_search_in_a_long_line() -> None:
    """Of a long line what lies around the text is shown, and a match in it costs no more memory than a piece."""
    with opened(b"x" * 5000 + b"needle" + b"y" * 5000) as file:
        (match,) = search(file, "needle", 10).matches
    assert "needle" in match.text and len(match.text) <= output.LINE_CHARS_MAX
