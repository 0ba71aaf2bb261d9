"""Points of many runs as one table: bit for bit, long and wide, from the journals and from the cache."""

from __future__ import annotations

import math
import os
import struct

import numpy as np
import polars as pl
import pytest

import runfolio
from query.runs import end_run, make_run, make_store, make_writer
from runfolio.errors import MetricNotFound, UsageError
from runfolio.journal.writer import FINAL

ODD_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000001234))[0]


def bits(values):
    return [struct.unpack("<Q", struct.pack("<d", value))[0] for value in values]


@pytest.fixture
def store():
    """Two runs of several kinds, ranks and points without a step."""
    layout = make_store()
    first, writer = make_run(layout, "first")
    for step in range(3):
        writer.log({"loss": [0.1, -0.0, ODD_NAN][step], "epoch": step, "best": step == 1}, step)
    writer.log({"loss": math.inf}, FINAL)
    end_run(writer)
    _, writer = make_run(layout, None)
    for rank in (0, 1):
        other = make_writer(layout, writer_run(layout, first), rank=rank, role="attach")
        other.log({"loss": float(rank)}, 5)
        other.close(sync=False)
    end_run(writer)
    for run_id in os.listdir(layout.runs):
        os.utime(
            layout.run_journal(run_id), ns=(10**18, 10**18)
        )  # of long ago: a younger one is not trusted to stay as it is
    return runfolio.open_store()


def writer_run(layout, but):
    return next(name for name in os.listdir(layout.runs) if name != but)


def rows(frame):
    return pl.DataFrame(frame).to_dicts()


def test_long_points_are_what_series_give(store):
    """Each row is a point as `series` gives it, of its run, metric and rank, with the kind that was logged."""
    found = rows(store.points("loss"))
    first = store.run("first")
    mine = [row for row in found if row["run"] == first.id]
    series = first.series("loss")
    assert [row["step"] for row in mine] == [0, 1, 2, None]
    assert bits(row["value"] for row in mine) == bits(series.values.tolist())
    assert {row["name"] for row in mine} == {"first"} and {row["rank"] for row in mine} == {None}
    others = [(row["rank"], row["step"], row["value"], row["name"]) for row in found if row["run"] != first.id]
    assert others == [(0, 5, 0.0, None), (1, 5, 1.0, None)]


def test_kinds_and_times_are_kept(store):
    """An int, a bool and a float are told apart, and times are those of the series, to the ns."""
    points = store.points(["epoch", "best", "loss"], 'name == "first"')
    table = pl.DataFrame(points)
    assert table.group_by("metric", maintain_order=True).agg(pl.col("kind").unique().first()).rows() == [
        ("epoch", "int"),
        ("best", "bool"),
        ("loss", "float"),
    ]
    want = store.run("first").series("epoch").times.view("int64").tolist()
    assert table.filter(pl.col("metric") == "epoch")["time"].dt.epoch("ns").to_list() == want


def test_the_cache_gives_the_same_bits_as_the_journals(store):
    """A second question, answered from the cache, has the same bits; so has that of all metrics, which reads the journals."""
    fresh = bytes_of(store.points(["loss", "epoch", "best"]))
    assert store._index.cache.points("loss")
    assert bytes_of(store.points(["loss", "epoch", "best"])) == fresh
    assert bytes_of(store.points()) == fresh


def bytes_of(frame):
    table = pl.DataFrame(frame)
    return [bits(table["value"].to_list()), *(table[name].to_list() for name in table.columns if name != "value")]


def test_a_mixture_of_kinds_in_one_series_is_told_point_by_point():
    """Where a metric was logged as an int once and as a float later, each point keeps its own kind."""
    layout = make_store()
    _, writer = make_run(layout)
    for step, value in enumerate([1, 2, 0.5, 3]):
        writer.log({"m": value}, step)
    end_run(writer)
    assert [row["kind"] for row in rows(runfolio.open_store().points("m"))] == ["int", "int", "float", "int"]


def test_wide_has_a_column_for_each_metric_and_a_row_for_each_step(store):
    """One row per run, rank and step; ints and bools keep their type; what a row does not have is null, NaN is NaN."""
    table = pl.DataFrame(store.points(["loss", "epoch", "best"], wide=True))
    assert table.columns == ["run", "name", "rank", "step", "time", "loss", "epoch", "best"]
    assert [table.schema[name] for name in ("loss", "epoch", "best")] == [pl.Float64, pl.Int64, pl.Boolean]
    mine = table.filter(pl.col("name") == "first")
    assert mine["step"].to_list() == [0, 1, 2, None]
    assert mine["epoch"].to_list() == [0, 1, 2, None] and mine["best"].to_list() == [False, True, False, None]
    assert bits(mine["loss"].to_list()) == bits([0.1, -0.0, ODD_NAN, math.inf])
    others = table.filter(pl.col("name").is_null())
    assert others.select("rank", "step", "loss", "epoch").rows() == [(0, 5, 0.0, None), (1, 5, 1.0, None)]


def test_a_metric_that_is_named_like_a_column_stands_beside_it():
    """A metric named `run` or `name` does not take the place of ours."""
    layout = make_store()
    run_id, writer = make_run(layout)
    writer.log({"run": 7.0, "name": 8.0}, 3)
    end_run(writer)
    (row,) = rows(runfolio.open_store().points(wide=True))
    assert (row["run"], row["step"], row["metric.run"], row["metric.name"]) == (run_id, 3, 7.0, 8.0)


def test_pandas_has_the_same_values(store):
    """`to_pandas` gives the same table; ints that may be missing are Int64."""
    frame = store.points("loss", 'name == "first"').to_pandas()
    assert frame["step"].dtype == "Int64" and frame["step"].isna().tolist() == [False, False, False, True]
    assert bits(frame["value"]) == bits([0.1, -0.0, ODD_NAN, math.inf])
    assert str(frame["time"].dt.tz) == "UTC"
    wide = store.points(["loss", "epoch"], wide=True).to_pandas()
    assert wide["epoch"].dtype == "Int64" and len(wide) == 6


def test_text_beyond_ascii_and_half_surrogates_reach_arrow():
    """Names in any script come out as they went in; what UTF-8 cannot carry is escaped."""
    from runfolio.query.frame import Frame, Text

    table = pl.DataFrame(Frame({"a": Text(["é", None, "日本", "x\udc80"], np.array([1, 2, 1, 1]))}))
    assert table["a"].to_list() == ["é", None, None, "日本", "x\\udc80"]


def test_nothing_is_an_empty_table_with_the_same_columns(store):
    """Where no run fits, the table has its columns, of the same types, and no rows."""
    none = store.points("loss", 'name == "no such"')
    some = store.points("loss")
    assert len(none) == 0
    assert pl.DataFrame(none).schema == pl.DataFrame(some).schema
    assert len(store.points(["loss"], 'name == "no such"', wide=True)) == 0


def test_an_unknown_metric_is_told_with_those_near_to_it(store):
    """A metric that no run has is an error that names the nearest; so is a filter beside chosen runs."""
    with pytest.raises(MetricNotFound, match="loss"):
        store.points("los")
    with pytest.raises(UsageError):
        store.points("loss", "loss > 1", runs=[])


def test_one_question_asks_the_journals_once(store, monkeypatch):
    """Once remembered, points are read without looking into a journal."""
    store.points("loss")
    assert store._index.cache.points("loss")
    monkeypatch.setattr(store._index, "files", lambda run_id: pytest.fail("a journal was read"))
    assert len(store.points("loss")) == 6


def test_a_run_that_goes_on_is_read_anew():
    """What was remembered of a run is not given any more once the run has more."""
    layout = make_store()
    run_id, writer = make_run(layout)
    writer.log({"loss": 1.0}, 0)
    end_run(writer)
    os.utime(layout.run_journal(run_id), ns=(10**18, 10**18))
    store = runfolio.open_store()
    assert len(store.points("loss")) == 1 and store._index.cache.points("loss")
    again = make_writer(layout, run_id, attempt=2)
    again.log({"loss": 2.0}, 1)
    end_run(again)
    store._index.look_at(run_id)
    assert [row["value"] for row in rows(store.points("loss"))] == [1.0, 2.0]
