"""The metrics file as a view: what stands in it, to the letter, whoever has written to the run."""

from __future__ import annotations

import json
import math
from typing import Any

import runfolio
from runfolio.convert.strict import dumps
from runfolio.convert.view import Snapshot, snapshot
from runfolio.convert.views.vibe_rl import render
from runfolio.dialects.vibe_rl.records import write_record
from runfolio.store.layout import find

ODD = ["loss", "100 %", "%s", 'a "b"', "é", "}, {", "back\\n", "{}"]
NUMBERS = [0.1, 7, True, False, math.nan, math.inf, -math.inf, -0.0, 1e300, 5e-324, 2**53, 1.0]


def text_of(found: Snapshot) -> str:
    (file,) = render(found, "m.jsonl", {})
    return file.content


def line_of(step: int | None, values: dict[str, Any]) -> str:
    """Write a line field by field, as the oracle."""
    fields = values if step is None else {"step": step, **values}
    return "{" + ", ".join(f"{json.dumps(key)}: {dumps(value)}" for key, value in fields.items()) + "}\n"


def test_each_call_is_a_line_as_json_writes_it() -> None:
    """Whatever the names and numbers, and however they take turns, a line is what json makes of its call; NaN and infinities are texts."""
    run = runfolio.start(capture=False)
    expected = []
    for at in range(200):
        names = [ODD[(at + place) % len(ODD)] for place in range(at % 4 + 1)]
        values = {name: NUMBERS[(at * 7 + place) % len(NUMBERS)] for place, name in enumerate(names)}
        step = None if at % 5 == 0 else at
        run.log(values, runfolio.FINAL if step is None else step)
        expected.append(line_of(step, values))
    found = snapshot(find(None), run.id)
    assert text_of(found).splitlines(keepends=True) == expected
    assert '"NaN"' in text_of(found) and "%" in text_of(found)


def test_view_is_made_of_columns() -> None:
    """Rendering goes from columns to text and never asks for the calls one by one, which would double its cost."""
    run = runfolio.start(capture=False)
    run.log({"loss": 0.5}, step=1)
    found = snapshot(find(None), run.id)
    assert text_of(found) == '{"step": 1, "loss": 0.5}\n'
    assert "entries" not in vars(found)


def test_numbers_beside_a_record_are_taken_out_once_and_of_its_writer() -> None:
    """A record takes the one call that was made beside it out of the file: no equal one of another writer, and no second one."""
    run = runfolio.start(capture=False)
    other = runfolio.attach(run.id)
    record = {"step": 1, "loss": math.nan, "n": 1, "note": "x"}
    write_record(run, {**record})
    other.log({"loss": math.nan, "n": 1}, step=1)
    run.log({"n": 1, "loss": math.nan}, step=1)
    run.log({"loss": math.nan, "n": 1.0}, step=1)
    whole, numbers = '{"step": 1, "loss": "NaN", "n": 1, "note": "x"}\n', '{"step": 1, "loss": "NaN", "n": 1}\n'
    turned, float_n = '{"step": 1, "n": 1, "loss": "NaN"}\n', '{"step": 1, "loss": "NaN", "n": 1.0}\n'
    assert text_of(snapshot(find(None), run.id)) == whole + numbers + turned + float_n


def test_rewound_lines_are_left_out() -> None:
    """Lines that a rewind hides are not in the file; those without a step, and records, stay."""
    with runfolio.start(capture=False) as run:
        for step in range(3):
            run.log({"a": step}, step=step)
        run.log({"a": 9}, runfolio.FINAL)
        run.log_record({"raw": '{"old": 1}'})
    with runfolio.resume(run.id, rewind_to=1) as again:
        again.log({"a": 5}, step=1)
    lines = ['{"step": 0, "a": 0}', '{"a": 9}', '{"old": 1}', '{"step": 1, "a": 5}']
    assert text_of(snapshot(find(None), run.id)).splitlines() == lines
