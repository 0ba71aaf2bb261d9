"""The format is documented well enough: a reader of 40 lines, written from the document alone, reads what the scan reads."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from journal.reading import float_of, points_of, scan_file
from journal.writing import call_lists, make_writer, play
from runfolio.journal import scan
from runfolio.model.strict_json import loads

from .journal_reader import rows

READER = Path(__file__).with_name("journal_reader.py")


def rows_by_scan(path):
    """Give what the scan says, in the rows of the small reader."""
    found = scan_file(path)
    events = {good.seq: ("event", good.time_ns, body) for good, body in scan.events(found)}
    told = [(p.seq, ("point", p.time_ns, p.step, p.metric, p.kind, float_of(p.bits))) for p in points_of(found)]
    return [row for _, row in sorted([*told, *events.items()], key=lambda pair: pair[0])]


def same(row):
    """Give a row in a form in which NaN equals itself and −0.0 is not 0.0, with its JSON unescaped."""
    return repr((*row[:2], loads(json.dumps(row[2]))) if row[0] == "event" else row)


def test_it_is_a_small_reader_of_the_standard_library():
    """At most 40 lines, and nothing imported but the standard library."""
    assert len(READER.read_text(encoding="utf-8").splitlines()) <= 40
    done = subprocess.run([sys.executable, "-I", "-S", str(READER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@given(call_lists())
def test_it_reads_what_the_scan_reads(tmp_path_factory, calls):
    """Any journal, with points of every kind, without steps, and events: row by row the same."""
    writer = make_writer(tmp_path_factory.mktemp("journal"))
    play(writer, calls)
    writer.log({"m": math.pi}, step=1)
    writer.close()
    assert list(map(same, rows(writer.path))) == list(map(same, rows_by_scan(writer.path)))


@given(call_lists(), st.data())
def test_it_finds_its_way_on_after_damage(tmp_path_factory, calls, data):
    """A sector of garbage anywhere, the header and the declarations too: the small reader and the scan keep the same rows."""
    writer = make_writer(tmp_path_factory.mktemp("journal"))
    play(writer, calls)
    writer.log({"m": math.pi}, step=1)
    writer.close()
    path = Path(writer.path)
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + 64] = data.draw(st.binary(min_size=1, max_size=64))[: len(raw) - at]
    path.write_bytes(raw)
    assert list(map(same, rows(writer.path))) == list(map(same, rows_by_scan(writer.path)))
