"""Series and tables: what they hold and how ranks come together."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from query.runs import end_run, make_run, make_store, make_writer
from runfolio.errors import MetricNotFound, MissingExtra, RankRequired, UsageError
from runfolio.journal.writer import FINAL
from runfolio.model.ids import new_id
from runfolio.query.series import NO_RANK
from runfolio.query.store import Store
from runfolio.store.packed_points import pack, unpack
from runfolio.testing.clock import ManualClock


@pytest.fixture
def layout():
    return make_store()


def of_ranks(layout, by_rank):
    """Write `{rank: {step: value}}` of the metric `m`; give the run, read back."""
    run_id = new_id()
    for rank, points in by_rank.items():
        writer = make_writer(layout, run_id, rank=rank, role="start" if rank in (None, 0) else "attach")
        for step, value in points.items():
            writer.log({"m": value}, step)
    return Store(layout).run(run_id)


def test_a_live_series_is_always_fresh(layout):
    """What was logged a moment ago is in the series, without another look at the store."""
    run_id, writer = make_run(layout)
    writer.log({"m": 1.0}, 0)
    with Store(layout, ManualClock()) as store:
        run = store.run(run_id)
        for step in range(1, 5):
            writer.log({"m": float(step)}, step)
            assert len(run.series("m")) == step + 1


def test_a_series_read_twice_is_read_from_the_cache_and_fresh(layout):
    """A settled series comes out of the cache, and no longer once another writer has joined."""
    run_id, writer = make_run(layout)
    for step in range(2000):
        writer.log({"m": 1.0 * step}, step)
    end_run(writer)
    late = ManualClock(wall_ns=2**62)
    with Store(layout, late) as store:
        first = store.run(run_id).series("m")
    with Store(layout, late) as store:
        run = store.run(run_id)
        assert store._index.points(run_id, run._row.version, "m", None) is not None
        again = run.series("m")
        assert all((a == b).all() for a, b in zip(first._points, again._points, strict=True))
        make_writer(layout, run_id, role="attach").log({"m": 7.0}, 2000)
        assert len(run.series("m")) == 2001


def test_its_arrays_are_what_they_are_said_to_be(layout):
    """Steps are int64, values float64, kinds one letter, times datetime64 in UTC, and all are read-only."""
    clock = ManualClock(wall_ns=1_700_000_000 * 10**9)
    run_id, writer = make_run(layout, clock=clock)
    clock.pass_ns(1024)
    writer.log({"m": 1}, 3)
    writer.log({"m": True}, FINAL)
    series = Store(layout).run(run_id).series("m")
    assert (series.steps.dtype, series.values.dtype, series.final.dtype) == (np.int64, np.float64, np.bool_)
    assert list(series.kinds) == ["i", "b"]
    assert list(series.final) == [False, True]
    assert series.times[0] == np.datetime64(1_700_000_000 * 10**9 + 1024, "ns")
    with pytest.raises(ValueError, match="read-only"):
        series.values[0] = 5.0
    assert list(series) == [(3, 1), (None, True)]
    assert repr(series) == "<Series 'm', 2 points, last True at final>"


def test_the_only_rank_need_not_be_named(layout):
    """One rank is found without its number; several are named by the error; another one is not found."""
    run = of_ranks(layout, {3: {0: 1.0}})
    assert list(run.series("m")) == [(0, 1.0)] == list(run.series("m", rank=3))
    run = of_ranks(layout, {0: {0: 1.0}, 1: {0: 2.0}})
    with pytest.raises(RankRequired, match="0, 1") as error:
        run.series("m")
    assert error.value.ranks == [0, 1]
    with pytest.raises(RankRequired, match="0, 1"):
        run.metrics["m"]
    assert [run.metrics.rank("m", rank).last for rank in run.metrics.ranks("m")] == [1.0, 2.0]
    for rank in (2, "none"):
        with pytest.raises(MetricNotFound):
            run.series("m", rank=rank)
    with pytest.raises(MetricNotFound):
        run.metrics.rank("m", 2)
    for nonsense in ("some", 1.5, True):
        with pytest.raises(UsageError):
            run.series("m", rank=nonsense)


def test_writers_without_a_rank_are_a_series_of_their_own(layout):
    """Beside numbered ranks, points of writers without one are asked for as "none"."""
    run = of_ranks(layout, {None: {0: 1.0}, 0: {0: 2.0}})
    assert list(run.series("m", rank="none")) == [(0, 1.0)]
    assert list(run.series("m", rank=0)) == [(0, 2.0)]
    assert list(run.series("m", rank="all").ranks) == [NO_RANK, 0]


def test_all_ranks_stand_side_by_side(layout):
    """With "all", points stand by step, then rank, those without a step at the end."""
    run = of_ranks(layout, {0: {0: 1.0, 1: 2.0, FINAL: 9.0}, 1: {0: 3.0, 2: 4.0}})
    series = run.series("m", rank="all")
    assert list(series.steps) == [0, 0, 1, 2, 0]
    assert list(series.ranks) == [0, 1, 0, 1, 0]
    assert list(series.values) == [1.0, 3.0, 2.0, 4.0, 9.0]
    assert list(series.final) == [False] * 4 + [True]


def test_the_mean_is_over_the_ranks_that_have_a_step(layout):
    """A rank that lacks a step is left out of its mean; a NaN is not."""
    run = of_ranks(layout, {0: {0: 1.0, 1: 2.0, 2: math.nan}, 1: {0: 3.0, 2: 4.0, FINAL: 5.0}})
    series = run.series("m", rank="mean")
    assert list(series.steps) == [0, 1, 2, 0]
    assert list(series.final) == [False, False, False, True]
    assert list(series.values[[0, 1, 3]]) == [2.0, 2.0, 5.0]
    assert math.isnan(series.values[2])
    assert set(series.kinds) == {"f"}


def test_an_unknown_metric_names_those_like_it(layout):
    """The error for a metric that is not there tells one that is nearly so."""
    run = of_ranks(layout, {None: {0: 1.0}})
    with pytest.raises(MetricNotFound, match="has no metric 'n'; it has 'm'"):
        run.series("n")
    with pytest.raises(KeyError):
        run.metrics["n"]


def test_F29_steps_of_any_int64_are_kept_in_order(layout):
    """Steps at both ends of int64, negative ones and those that go back come out by rising step, also of the cache and of a table."""
    ends = [2**63 - 1, 2**63 - 2, -(2**63), 0, -1]
    run_id, writer = make_run(layout)
    for step in ends:
        writer.log({"m": 1.0}, step)
    run = Store(layout).run(run_id)
    assert run.series("m").steps.tolist() == sorted(ends) == [row["step"] for row in run.table().rows()]
    assert (run.metrics["m"].first_step, run.metrics["m"].last_step) == (-(2**63), 2**63 - 1)
    for steps in (ends, ends[1::-1], ends[2:3], [0, 2]):
        points = run.series("m")._points.take(np.arange(len(steps)))._replace(steps=np.array(steps))
        assert unpack(pack(points)).steps.tolist() == steps


def test_F16_names_that_look_alike_are_series_of_their_own(layout):
    """Keys that differ in case or in their Unicode form never merge."""
    names = ["Loss", "loss", "LOSS", "\u00e9", "e\u0301", "loss "]
    run_id, writer = make_run(layout)
    writer.log({name: float(place) for place, name in enumerate(names)}, 0)
    run = Store(layout).run(run_id)
    assert list(run.metrics) == names
    assert [run.series(name).values[0] for name in names] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_missing_package_is_named(layout, monkeypatch):
    """Without pandas or polars the error has the line that installs it."""
    series = of_ranks(layout, {None: {0: 1.0}}).series("m")
    for name in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtra, match=rf"pip install 'runfolio\[{name}\]'"):
            getattr(series, f"to_{name}")()


def test_S0_09_a_row_has_the_time_of_its_latest_write(layout):
    """A merged step is one row; its time is that of the latest write, the first one's is kept beside."""
    clock = ManualClock()
    run_id, writer = make_run(layout, clock=clock)
    writer.log({"train": 1.0}, 0)
    first = clock.wall_ns()
    clock.pass_s(1)
    writer.log({"val": 2.0}, 0)
    table = Store(layout).run(run_id).table()
    assert len(table) == 1
    (row,) = table.rows()
    assert row["metrics"] == {"train": 1.0, "val": 2.0}
    assert (row["first_time"], row["time"]) == (np.datetime64(first, "ns"), np.datetime64(clock.wall_ns(), "ns"))
    assert table.columns == ["train", "val"]


def test_a_table_has_a_row_for_each_step_and_rank(layout):
    """Where there are ranks each has a row of its own at a step; final points stand at the end."""
    run = of_ranks(layout, {0: {0: 1.0, 1: 2, FINAL: 9.0}, 1: {0: 3.0}})
    table = run.table()
    assert [(row["step"], row["rank"], row["metrics"]) for row in table.rows()] == [
        (0, 0, {"m": 1.0}),
        (0, 1, {"m": 3.0}),
        (1, 0, {"m": 2}),
        (None, 0, {"m": 9.0}),
    ]
    assert [row["step"] for row in table.rows(since=-2)] == [1, None]
    assert list(table.to_pandas()["rank"]) == [0, 1, 0, 0]


def test_a_table_of_chosen_metrics(layout):
    """A table may have some metrics only, in the order asked for; an unknown one is an error."""
    run_id, writer = make_run(layout)
    writer.log({"a": 1, "b": 2.0, "c": True}, 0)
    run = Store(layout).run(run_id)
    assert run.table(["c", "a"]).columns == ["c", "a"]
    assert next(run.table(["c", "a"]).rows())["metrics"] == {"c": True, "a": 1}
    with pytest.raises(MetricNotFound):
        run.table(["d"])


def test_a_metric_may_have_the_name_of_a_column_of_ours(layout):
    """Metrics named step, time or rank do not collide in a DataFrame of a table."""
    run_id, writer = make_run(layout)
    writer.log({"time": 1.0, "rank": 2.0}, 0)
    table = Store(layout).run(run_id).table()
    for frame in (table.to_polars(), table.to_pandas()):
        assert list(frame.columns) == ["step", "time", "first_time", "metric.time", "rank"]


def test_F47_a_run_without_points_has_an_empty_table(layout):
    """A run that has logged nothing gives a table without rows and columns, in every form."""
    run_id, _ = make_run(layout)
    table = Store(layout).run(run_id).table()
    assert (len(table), table.columns, list(table.rows())) == (0, [], [])
    assert len(table.to_pandas()) == len(table.to_polars()) == 0


def test_very_many_metrics_read_together_are_what_each_is_alone(layout):
    """Metrics of several key sets, ranks and kinds, read together, are those that `series` gives."""
    run_id, writer = make_run(layout)
    other = make_writer(layout, run_id, rank=1)
    for step in range(9):
        writer.log({f"m{n}": float(n + step) for n in range(300)}, step)
        writer.log({f"m{n}": n for n in range(0, 300, 7)}, 100 - step)
        other.log({f"m{n}": bool(step % 2) for n in range(100, 400)}, step)
    run = Store(layout).run(run_id)
    names = list(run.metrics)
    assert len(names) == 400 and "m399" in run.metrics and "m400" not in run.metrics
    for name, found in zip(names, run._several(names, "all"), strict=True):
        alone = Store(layout).run(run_id).series(name, "all") if name in ("m0", "m7", "m105", "m399") else None
        expected = alone or run.series(name, "all")
        assert (found.name, list(found), found.ranks.tolist()) == (name, list(expected), expected.ranks.tolist())
        assert run.metrics.ranks(name) == list(
            dict.fromkeys(None if r == -1 else r for r in sorted(found.ranks.tolist()))
        )
