"""The exception of a script, read from what it printed: what Python prints is what is read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runfolio.launch.traceback_text import last_error


def printed_by(program: str) -> bytes:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).stderr


@pytest.mark.parametrize(
    ("program", "kind", "message"),
    [
        ("raise ValueError('a: b')", "ValueError", "a: b"),
        ("raise ValueError", "ValueError", ""),
        ("assert False", "AssertionError", ""),
        ("import json; json.loads('x')", "JSONDecodeError", "Expecting value: line 1 column 1 (char 0)"),
        ("try:\n  1/0\nexcept Exception as e: raise KeyError('k') from e", "KeyError", "'k'"),
        ("class Größe(Exception): pass\nraise Größe('ü')", "Größe", "ü"),
        ("raise ValueError('two\\nlines')", "ValueError", "two"),
        ("print('noise before')\nraise OSError(2, 'gone', 'x')", "FileNotFoundError", "[Errno 2] gone: 'x'"),
        (
            "import atexit, sys\natexit.register(lambda: print('noise behind', file=sys.stderr))\nraise TypeError('t')",
            "TypeError",
            "t",
        ),
        ("x = (", "SyntaxError", "'(' was never closed"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
    ],
)
def test_what_python_prints(program: str, kind: str, message: str) -> None:
    """The last exception that Python prints is found: kind without its module, first line of the message, traceback."""
    error = last_error(printed_by(program))
    assert error is not None
    assert (error.kind, error.message) == (kind, message)
    assert error.kind in error.traceback


def test_colours_do_not_hide_it() -> None:
    """A traceback in colours, as newer Pythons print it on a terminal, is read too."""
    text = (
        b'Traceback (most recent call last):\r\n  File \x1b[35m"a.py"\x1b[0m, line \x1b[35m1\x1b[0m\r\n'
        b"\x1b[1;35mValueError\x1b[0m: \x1b[35mbad\x1b[0m\r\n"
    )
    error = last_error(text)
    assert error is not None
    assert (error.kind, error.message) == ("ValueError", "bad")
    assert "\x1b" not in error.traceback


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Traceback (most recent call last):",
        b'Traceback (most recent call last):\n  File "a.py"',
        b"Traceback (most recent call last):\n  File\nno exception here\n",
        b"ValueError: said by the script itself\n",
        b"\xff\xfe\0\n",
    ],
)
def test_what_is_none(text: bytes) -> None:
    """Where there is no whole traceback, none is made up."""
    assert last_error(text) is None
