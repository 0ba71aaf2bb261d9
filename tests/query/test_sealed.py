"""A run reads the same from its journals, from its seal, and from both."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from query.runs import end_run, make_run, make_store, make_writer
from runfolio.journal.writer import FINAL
from runfolio.query.store import Store
from runfolio.store.seal import seal
from runfolio.testing.clock import ManualClock


@pytest.fixture
def layout():
    return make_store()


def told(layout, clock, run_id):
    """Give all that a fresh reader says of a run, and its series."""
    clock.pass_s(1)
    with Store(layout, clock) as store:
        run = store.run(run_id)
        series = {
            (name, rank): [array.tobytes() for array in run.series(name, "none" if rank is None else rank)._points]
            for name in run.metrics
            for rank in run.metrics.ranks(name)
        }
        numbers = {(name, rank): repr(run.metrics.rank(name, rank)) for name, rank in series}
        return (
            series,
            numbers,
            run.state,
            run.status,
            run.params,
            run.tags,
            run.progress,
            run.warnings,
            run.duration_s,
        )


def test_a_run_whose_journals_are_gone_reads_the_same(layout):
    """Series bit for bit, numbers, events and status come from the seal where the journals were removed."""
    pytest.importorskip("duckdb")
    clock = ManualClock()
    run_id, writer = make_run(layout, "sealed", clock=clock, rank=0)
    writer.event({"type": "params", "set": {"lr": 0.1}})
    for step in (3, 1, 1, 7):
        clock.pass_s(1)
        writer.log({"m": step / 3, "n": step, "b": step > 2, "nan": math.nan}, step)
    writer.log({"m": -0.0}, FINAL)
    other = make_writer(layout, run_id, rank=1, role="attach", clock=clock)
    other.log({"m": 5e-324}, 2)
    other.close(sync=False)
    writer.event({"type": "record", "step": 1, "value": {"text": "x"}})
    end_run(writer)
    late = ManualClock(wall_ns=2**62)
    before = told(layout, late, run_id)
    seal(layout, run_id)
    assert told(layout, late, run_id) == before
    for path in Path(layout.run_journal(run_id)).iterdir():
        path.unlink()
    assert told(layout, late, run_id) == before

    edit = make_writer(layout, run_id, role="edit", clock=clock)
    edit.event({"type": "tags", "add": {"late": ""}, "remove": []})
    edit.close(sync=False)
    after = told(layout, late, run_id)
    assert after[0] == before[0]
    assert after[5] == {"late": ""}


def test_a_seal_that_cannot_be_read_is_a_warning(layout):
    """Where the journals are gone and the seal is damaged, the run is told to be so and nothing raises."""
    pytest.importorskip("duckdb")
    late = ManualClock(wall_ns=2**62)
    run_id, writer = make_run(layout, "damaged")
    writer.log({"m": 1.0}, 0)
    end_run(writer)
    seal(layout, run_id)
    for path in Path(layout.run_journal(run_id)).iterdir():
        path.unlink()
    Path(layout.parquet(run_id)).write_bytes(b"PAR1 no more")
    with Store(layout, late) as store:
        (run,) = store.runs()
        assert run.name == "damaged"
        assert "m" not in run.metrics
        assert any("metrics.parquet" in warning for warning in run.warnings)
    Path(layout.run_json(run_id)).write_bytes(b"{")
    os.utime(layout.run_journal(run_id))
    late.pass_s(1)
    with Store(layout, late) as store:
        assert [run.warnings[0].startswith("the seal cannot be read") for run in store.runs()] == [True]
