"""Curves of many runs, and bands over all of them."""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from threading import Thread
from typing import Any

import numpy as np
import pytest

import runfolio
from query.runs import end_run, make_run, make_store, make_writer
from runfolio.errors import UsageError
from runfolio.journal.writer import FINAL
from runfolio.query.bands import band
from runfolio.query.charts import charting, slices
from runfolio.query.charts.axis import Axis, parse_axis
from runfolio.query.charts.chart import Chart, Wish
from runfolio.query.charts.charting import chart_of
from runfolio.query.plot.smooth import smoothed
from runfolio.query.store import Store
from runfolio.query.survey.census import census_of
from runfolio.store.layout import Layout
from runfolio.testing.clock import ManualClock


@pytest.fixture
def layout() -> Layout:
    return make_store()


def add(layout: Layout, values: Sequence[float], metric: str = "m", seed: int = 0, **params: Any) -> str:
    """Add a finished run with a metric by step."""
    run_id, writer = make_run(layout)
    writer.event({"type": "params", "set": {"seed": seed, **params}})
    for step, value in enumerate(values):
        writer.log({metric: value}, step)
    end_run(writer)
    return run_id


def draw(metric: str = "m", **wish: Any) -> Chart:
    store = runfolio.open_store()
    return chart_of(store, store.runs(), Wish(metric, **wish))


@pytest.fixture(params=["held", "flowing"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Draw with all points held at once, and as they are read."""
    if request.param == "flowing":
        monkeypatch.setattr(charting, "HELD_MAX", 0)
        monkeypatch.setattr(slices, "RUNS_AT_ONCE", 2)
    yield request.param


def test_few_points_come_as_they_are(layout: Layout, way: str) -> None:
    """Points up to twice the buckets come exactly, on a grid that equal steps share; NaN and infinities are gaps with marks."""
    one = add(layout, [0.1, math.nan, math.inf, -0.0])
    other = add(layout, [1.0, 2.0, 3.0, 4.0])
    found = draw(buckets=2)
    assert [curve.run.id for curve in found.curves] == [other, one]
    assert len({curve.grid for curve in found.curves}) == 1 and not found.is_thinned
    assert found.grids[found.curves[0].grid].tolist() == [0, 1, 2, 3]
    assert np.array_equal(found.curves[1].y, [0.1, math.nan, math.nan, -0.0], equal_nan=True)
    assert math.copysign(1, found.curves[1].y[3]) == -1
    assert [tuple(mark) for mark in found.curves[1].marks] == [(1, "NaN"), (2, "Infinity")]
    assert (found.asked, found.having, found.fewest, found.most, found.range) == (2, 2, 4, 4, (0, 3))


def test_many_points_come_as_lowest_highest_and_last(layout: Layout, way: str) -> None:
    """More points come in stretches that all curves share: a single peak among thousands is there."""
    values = [0.0] * 3000
    values[1234], values[2000] = 7.0, -5.0
    add(layout, values)
    add(layout, [1.0] * 2000)
    found = draw(buckets=50)
    assert found.is_thinned and len({curve.grid for curve in found.curves}) == 1
    thin = found.curves[1]
    assert thin.y is None and (np.nanmax(thin.high), np.nanmin(thin.low)) == (7.0, -5.0)
    assert thin.points == 3000 and len(thin.last) == 50
    short = found.curves[0]
    assert np.isnan(short.last[34:]).all() and not np.isnan(short.last[:33]).any()
    assert "lowest, highest and last of 50 stretches" in found.words


def test_bands_are_over_all_runs_however_few_are_drawn(layout: Layout, way: str) -> None:
    """The band over all counts runs that are not drawn; with no curves it comes alone."""
    for seed in range(11):
        add(layout, [float(seed), 10.0 * seed], seed=seed)
    for curves in (0, 2):
        found = draw(curves=curves)
        (laid,) = [one.laid for one in found.bands]
        assert len(found.curves) == curves and laid.n.max() == 11
        assert (laid.centre[0], laid.low[0], laid.high[0]) == (5, 1, 9)
        assert (laid.centre[-1], laid.low[-1], laid.high[-1]) == (50, 10, 90)


@pytest.mark.parametrize("group", [(), ("lr",)], ids=["all", "group"])
def test_a_band_goes_on_where_a_run_turns_nan(layout: Layout, way: str, group: tuple[str, ...]) -> None:
    """From where some runs log NaN, or end, the middle line and the band are those of the others, and the count says how many."""
    for seed in range(8):
        add(layout, [float(step + seed) for step in range(10)], seed=seed, lr=1)
    add(layout, [float(step) for step in range(5)] + [math.nan] * 5, seed=8, lr=1)
    add(layout, [float(step) for step in range(7)], seed=9, lr=1)
    (one,) = draw(group=group, centre="median").bands
    assert one.laid.n[:5].tolist() == [10] * 5 and one.laid.n[7:].tolist() == [8] * 3
    assert one.laid.centre[7:].tolist() == [10.5, 11.5, 12.5]
    assert np.isfinite([one.laid.centre, one.laid.low, one.laid.high]).all()


def test_bands_of_groups_are_those_of_the_runs(layout: Layout, way: str) -> None:
    """By params each group has a band of its own, with the mean and Student's interval; `*` groups by all but the seed."""
    rng = np.random.default_rng(0)
    for lr in (1, 2):
        for seed in range(4):
            add(layout, rng.normal(size=5).tolist(), seed=seed, lr=lr)
    store = runfolio.open_store()
    for group in (("lr",), ("*",)):
        found = chart_of(store, store.runs(), Wish("m", group=group, buckets=5))
        assert [one.params for one in found.bands] == [{"lr": 2}, {"lr": 1}]
        for one in found.bands:
            expected = band([run.series("m") for run in one.runs])
            keep = ~np.isnan(one.laid.centre)
            assert one.laid.centre[keep] == pytest.approx(expected.centre)
            assert one.laid.low[keep] == pytest.approx(expected.low)


def test_those_told_come_first_then_the_newest(layout: Layout) -> None:
    """Where not all curves come, those that are told come first, also by the beginning of their ids, then the newest."""
    ids = [add(layout, [1.0], seed=seed) for seed in range(5)]
    found = draw(curves=3, first=(ids[0][:8], ids[2]))
    assert [curve.run.id for curve in found.curves] == [ids[2], ids[0], ids[4]]
    assert "3 of 5 runs drawn" in found.words


def test_a_window_cuts_curves_and_makes_them_exact(layout: Layout, way: str) -> None:
    """In a narrow window a long curve comes exactly; the range told is still that of all."""
    add(layout, list(map(float, range(1000))))
    found = draw(buckets=10, start=100.0, end=109.0)
    assert found.curves[0].y.tolist() == list(range(100, 110)) and found.range == (0, 999)
    assert draw(buckets=10, start=5000.0).curves[0].points == 0
    with pytest.raises(UsageError, match="ends before it begins"):
        draw(start=2.0, end=1.0)


def test_other_axes(layout: Layout, way: str) -> None:
    """Over another metric curves join at equal steps, by rising x; over time in seconds since the start, or ms since 1970."""
    clock = ManualClock(wall_ns=10**18)
    _, writer = make_run(layout, clock=clock)
    for step, (x, y) in enumerate([(3.0, 1.0), (1.0, 2.0), (math.nan, 3.0), (2.0, 4.0)]):
        clock.pass_s(2.0)
        writer.log({"m": y, "x": x}, step)
    writer.log({"m": 9.0}, 7)
    end_run(writer)
    found = draw(axis=parse_axis("metric:x"))
    assert found.grids[found.curves[0].grid].tolist() == [1, 2, 3] and found.curves[0].y.tolist() == [2, 4, 1]
    seconds = draw(axis=Axis("relative"))
    assert seconds.grids[seconds.curves[0].grid].tolist() == pytest.approx([2, 4, 6, 8, 8], abs=1e-3)
    wall = draw(axis=Axis("wall"))
    assert wall.grids[wall.curves[0].grid][0] == pytest.approx(1e12 + 2e3, abs=1)
    assert [curve.points for curve in draw(axis=parse_axis("metric:nothing")).curves] == [0]
    for wrong in ("", "metric:", "time", "metric", "step:m"):
        with pytest.raises(UsageError):
            parse_axis(wrong)


def test_points_without_a_step_are_told_beside_the_curve(layout: Layout, way: str) -> None:
    """A point without a step is no point of the curve."""
    _, writer = make_run(layout)
    writer.log({"m": 1.0}, 0)
    writer.log({"m": 5.0}, FINAL)
    writer.log({"m": 2.0}, 1)
    end_run(writer)
    found = draw()
    assert found.curves[0].y.tolist() == [1.0, 2.0] and found.curves[0].final == [5.0]
    assert found.range == (0, 1)


def test_ranks_are_averaged_or_chosen(layout: Layout, way: str) -> None:
    """Of several ranks the curve is their mean; a rank that is asked for is that of those runs that have it."""
    run_id, writer = make_run(layout)
    for rank in (0, 1):
        other = make_writer(layout, run_id, rank=rank, role="join")
        other.log({"m": float(rank)}, 0)
        other.close(sync=False)
    end_run(writer)
    add(layout, [7.0])
    assert [curve.y.tolist() for curve in draw().curves] == [[7.0], [0.5]]
    assert [curve.y.tolist() for curve in draw(rank=1).curves] == [[1.0]]
    assert [curve.y.tolist() for curve in draw(rank="none").curves] == [[7.0]]
    assert draw(rank=9).having == 0


def test_a_run_deleted_meanwhile_is_left_out_and_counted(layout: Layout, way: str) -> None:
    """A run whose folder is gone when it is read is no error: the others are drawn, and `gone` tells of it."""
    ids = [add(layout, [1.0, 2.0], seed=seed) for seed in range(4)]
    store = runfolio.open_store()
    runs = store.runs()
    shutil.rmtree(layout.run(ids[1]))
    found = chart_of(store, runs, Wish("m"))
    assert found.gone == 1 and {curve.run.id for curve in found.curves} == {ids[0], ids[2], ids[3]}
    assert found.bands[0].laid.n.max() == 3


def test_what_is_kept_is_what_is_read(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands from rows that were kept are those read anew; only a run that changed is read again."""
    monkeypatch.setattr(charting, "HELD_MAX", 0)
    for seed in range(6):
        add(layout, [float(seed)] * 30, seed=seed)
    live_id, writer = make_run(layout)
    writer.log({"m": 1.0}, 0)
    read: list[int] = []
    monkeypatch.setattr(charting, "read", lambda store, asked, metric: _counted(read, store, asked, metric))
    store = runfolio.open_store()
    for wait, expected in ((False, 7), (False, 0), (True, 1)):
        if wait:
            writer.log({"m": 100.0}, 1)
            store.run(live_id)
        read.clear()
        kept = chart_of(store, store.runs(), Wish("m", curves=0)).bands[0].laid
        assert sum(read) == expected
        fresh = chart_of(runfolio.open_store(), store.runs(), Wish("m", curves=0)).bands[0].laid
        assert np.array_equal(kept.centre, fresh.centre, equal_nan=True) and np.array_equal(kept.n, fresh.n)
    end_run(writer)


def _counted(read: list[int], store: Store, asked: Any, metric: str) -> Any:
    listed = list(asked)
    read.append(len(listed))
    return slices.read(store, listed, metric)


def test_a_cache_that_fails_costs_nothing_but_time(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cache's file cannot be read the journals are, with the same result."""
    add(layout, [1.0, 2.0])
    store = runfolio.open_store()
    first = chart_of(store, store.runs(), Wish("m"))
    again = chart_of(store, store.runs(), Wish("m"))  # now from the cache
    with open(store._index.cache.path, "r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)
    broken = chart_of(store, store.runs(), Wish("m"))
    assert first.curves[0].y.tolist() == again.curves[0].y.tolist() == broken.curves[0].y.tolist() == [1.0, 2.0]
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(store._index.cache.path).execute("SELECT * FROM runs").fetchall()


def test_budgets_are_named(layout: Layout) -> None:
    """A chart that would read or give more than it may is refused before it is read, with the number and what to do."""
    add(layout, [0.0] * 100)
    with pytest.raises(UsageError, match=r"100 points.*at most 99; narrow"):
        draw(points_max=99)
    with pytest.raises(UsageError, match=r"100 numbers.*at most 50; ask for fewer"):
        draw(numbers_max=50)


@pytest.mark.parametrize(
    "metric", ["", "nothing", "'; DROP TABLE points;--", "__proto__", "\ud800", "a\0b", "\x1b]52;"]
)
def test_a_metric_of_any_name_that_there_is_not(layout: Layout, metric: str) -> None:
    """A metric that no run has makes an empty chart, whatever its name."""
    add(layout, [1.0])
    found = draw(metric)
    assert (found.having, found.curves, found.bands) == (0, [], []) and found.words


@pytest.mark.parametrize("metric", ["'; DROP TABLE points;--", "__proto__", "a=b, c", "💥", "x" * 500])
def test_a_metric_of_any_name_that_there_is(layout: Layout, metric: str) -> None:
    """A metric is drawn whatever its name, first from the journals, then from the cache."""
    add(layout, [1.0, 2.0], metric)
    assert [draw(metric).curves[0].y.tolist() for _ in range(2)] == [[1.0, 2.0]] * 2


def test_smoothing_of_a_thinned_curve_is_over_all_its_points(layout: Layout, way: str) -> None:
    """The average comes at the last point of each stretch; an exact curve has none."""
    values = np.random.default_rng(3).normal(size=400)
    add(layout, values.tolist())
    found = draw(buckets=40, smooth=0.9)
    assert found.curves[0].smooth == pytest.approx(smoothed(values, 0.9)[9::10])
    assert draw(smooth=0.9).curves[0].smooth is None


def test_others_are_answered_while_a_chart_is_read(layout: Layout) -> None:
    """Points that the cache remembers, and journals of runs that have ended, are read without the store's lock."""
    for seed in range(3):
        add(layout, [1.0, 2.0], seed=seed)
    store = runfolio.open_store()
    runs = store.runs()
    chart_of(store, runs[:1], Wish("m"))
    asked = slices.asked_of(runs, census_of(store).layouts.find(runs, "m"))
    reading = slices.read(store, asked, "m")
    found: list[Any] = []
    reader = Thread(target=lambda: found.extend(next(reading)))
    with store._lock:
        reader.start()
        reader.join(60)
        assert [part.run.id for part in found] == [run.id for run in runs]
    reading.close()


def test_slices_are_bounded(layout: Layout) -> None:
    """A slice has at most so many runs and points, and at least one run however long that is."""
    add(layout, [1.0])
    run = runfolio.open_store().runs()[0]
    sizes = [slices.POINTS_AT_ONCE + 1, *[1] * (slices.RUNS_AT_ONCE + 1), slices.POINTS_AT_ONCE]
    found = list(slices.cut(slices.Asked(run, size, (None,)) for size in sizes))
    assert [len(some) for some in found] == [1, slices.RUNS_AT_ONCE, 1, 1]
