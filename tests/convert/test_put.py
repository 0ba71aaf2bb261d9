"""Putting files in place: ours are replaced whole, nobody else's ever."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from runfolio.convert.put import Putter, alone_in
from runfolio.convert.view import File
from runfolio.store.layout import find


@pytest.fixture
def layout():
    found = find(None)
    found.create()
    return found


def put(layout, text, path="f.json", lines=False, putter=None):
    putter = putter or Putter(layout)
    return os.path.relpath(putter.put(File(os.path.abspath(path), text, lines)))


def test_own_file_is_replaced_by_any_companion(layout):
    """What we wrote is replaced, by this companion and a later one, whatever it says now."""
    assert put(layout, '{"a": 1}') == "f.json"
    assert put(layout, '{"b": 2}') == "f.json"
    assert Path("f.json").read_text() == '{"b": 2}'


@pytest.mark.parametrize("there", ["not json", '{"a": 2}', '{"a": 1, "mine": true}', "[1, 2]", "{", b"\xff\xfe"])
def test_foreign_file_stays(layout, there):
    """A file that says something else, or cannot be read, stays byte for byte; ours is beside it, also the next time."""
    data = there if isinstance(there, bytes) else there.encode()
    Path("f.json").write_bytes(data)
    putter = Putter(layout)
    assert put(layout, '{"a": 1}', putter=putter) == "f.json.runfolio"
    assert put(layout, '{"a": 1, "b": 2}', putter=putter) == "f.json.runfolio"
    assert put(layout, '{"a": 1, "b": 3}') == "f.json.runfolio"
    assert Path("f.json").read_bytes() == data
    assert Path("f.json.runfolio").read_text() == '{"a": 1, "b": 3}'


def test_changed_file_stays(layout):
    """Our file, once edited by somebody, is theirs."""
    putter = Putter(layout)
    put(layout, '{"a": 1}', putter=putter)
    Path("f.json").write_text('{"a": 1, "note": "mine"}')
    assert put(layout, '{"a": 2}', putter=putter) == "f.json.runfolio"
    assert put(layout, '{"a": 2}') == "f.json.runfolio"


@pytest.mark.parametrize("there", ["", '{"a": 1}', '{"a":NaN}', '{"a": null}', "{}"])
def test_file_that_says_no_more_is_replaced(layout, there):
    """A file of which nothing is lost may be replaced, whoever wrote it; bare NaN says the same as the text."""
    Path("f.json").write_text(there)
    new = '{"a": "NaN", "b": 2}' if "NaN" in there else '{"a": 1, "b": 2}'
    assert put(layout, new) == "f.json"
    assert json.loads(Path("f.json").read_text())["b"] == 2


@pytest.mark.parametrize("lines", [False, True])
def test_trouble_has_the_same_words_each_time(layout, monkeypatch, lines):
    """What cannot be written is named by its own path, not by a temporary one: the same words are told once."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    words = set()
    for _ in range(2):
        with pytest.raises(OSError, match="No space left") as failed:
            put(layout, "{}\n", "folder/f.json", lines)
        words.add(str(failed.value))
    assert len(words) == 1 and f"{os.path.abspath('folder/f.json')}'" in words.pop()
    assert os.listdir("folder") == []


def test_lines_are_appended(layout):
    """JSON lines grow at their end: whoever follows the file sees what comes, and the file stays the same one."""
    putter = Putter(layout)
    put(layout, '{"a": 1}\n', "f.jsonl", True, putter)
    inode = os.stat("f.jsonl").st_ino
    put(layout, '{"a": 1}\n{"a": 2}\n', "f.jsonl", True, putter)
    put(layout, '{"a": 1}\n{"a": 2}\n{"a": 3}\n', "f.jsonl", True)
    assert Path("f.jsonl").read_text() == '{"a": 1}\n{"a": 2}\n{"a": 3}\n'
    assert os.stat("f.jsonl").st_ino == inode


def test_lines_behind_what_another_program_wrote(layout):
    """Behind the lines of another program, which say the same in another spelling, a new line begins; a torn one stays."""
    old = '{"a":1}\n{"a":NaN}\n{"a": 3, "b'
    Path("f.jsonl").write_text(old)
    assert put(layout, '{"a": 1}\n{"a": "NaN"}\n{"a": 4}\n', "f.jsonl", True) == "f.jsonl"
    assert Path("f.jsonl").read_text() == old + '\n{"a": 4}\n'


def test_foreign_lines_stay(layout):
    """Lines that say something else stay; ours are beside."""
    Path("f.jsonl").write_text('{"a": 5}\n')
    assert put(layout, '{"a": 1}\n', "f.jsonl", True) == "f.jsonl.runfolio"
    assert Path("f.jsonl").read_text() == '{"a": 5}\n'


def test_nothing_is_left_of_a_failed_write(layout, monkeypatch):
    """Where a file cannot be put in place, no draft of it stays."""

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError):
        put(layout, "{}")
    assert not [name for name in os.listdir(".") if name.startswith("f.json")]


def test_link_and_mode_stay(layout):
    """A file behind a symbolic link is replaced there, and keeps who may read it."""
    os.mkdir("real")
    Path("real/f.json").write_text('{"a": 1}')
    os.chmod("real/f.json", 0o600)
    os.symlink("real/f.json", "f.json")
    assert put(layout, '{"a": 1, "b": 2}') == "f.json"
    assert os.path.islink("f.json")
    assert json.loads(Path("real/f.json").read_text())["b"] == 2
    assert os.stat("real/f.json").st_mode & 0o777 == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("lines", [False, True])
def test_what_is_no_file_stays(layout, lines):
    """A pipe, as any device, is never replaced by a file."""
    os.mkfifo("f.json")
    assert put(layout, "{}\n", lines=lines) == "f.json.runfolio"
    assert stat.S_ISFIFO(os.stat("f.json").st_mode)


@pytest.mark.parametrize("same_putter", [True, False])
def test_lines_of_another_beginning_are_written_anew(layout, same_putter):
    """Where a rewind or a late writer changes what stands before, our lines are replaced whole: no line is cut in two."""
    putter = Putter(layout)
    put(layout, '{"a": 1}\n', "f.jsonl", True, putter)
    put(layout, '{"a": 1}\n{"a": 20}\n', "f.jsonl", True, putter)
    new = '{"a": 1}\n{"a": 3}\n{"a": 4}\n'
    assert put(layout, new, "f.jsonl", True, putter if same_putter else None) == "f.jsonl"
    assert Path("f.jsonl").read_text() == new


def test_lines_that_somebody_added_to_stay(layout):
    """Our lines with a line of somebody else behind them are theirs."""
    putter = Putter(layout)
    put(layout, '{"a": 1}\n', "f.jsonl", True, putter)
    put(layout, '{"a": 1}\n{"a": 2}\n', "f.jsonl", True, putter)
    with open("f.jsonl", "a") as file:
        file.write('{"mine": 1}\n')
    assert put(layout, '{"a": 1}\n{"a": 2}\n{"a": 3}\n', "f.jsonl", True, putter) == "f.jsonl.runfolio"
    assert Path("f.jsonl").read_text() == '{"a": 1}\n{"a": 2}\n{"mine": 1}\n'


def test_folder_that_somebody_keeps_locked_is_not_waited_for(layout, monkeypatch):
    """Who holds a folder's lock and does not let go, as a stopped process, does not keep a script from its end."""
    monkeypatch.setattr("runfolio.convert.put._LOCK_S", 0.02)
    with alone_in("."), alone_in("."):
        assert put(layout, "{}") == "f.json"
