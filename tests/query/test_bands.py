"""Curves over seeds, on the steps of all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from runfolio.errors import UsageError
from runfolio.query.bands import MOST, band, over_runs, quantiles
from runfolio.query.series import Series
from runfolio.query.statistics.t_quantile import t_quantile
from runfolio.store.points import Merged


def curve(points: dict[int | None, float]) -> Series:
    """Make a series; None stands for a point without a step."""
    steps = np.array([step or 0 for step in points], np.int64)
    final = np.array([step is None for step in points], np.bool_)
    values = np.array(list(points.values()), float)
    return Series("loss", Merged(steps, final, values, np.full(len(steps), ord("f"), np.uint8), steps))


def test_the_band_is_students_interval_at_each_step() -> None:
    """At each step mean and interval are scipy's over the runs that have a number there."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(5, 4))
    found = band([curve(dict(enumerate(row.tolist()))) for row in values])
    expected = [stats.ttest_1samp(column, 0).confidence_interval() for column in values.T]
    assert found.steps.tolist() == [0, 1, 2, 3]
    assert found.centre == pytest.approx(values.mean(axis=0))
    assert found.low == pytest.approx([one.low for one in expected])
    assert found.high == pytest.approx([one.high for one in expected])


def test_steps_that_some_runs_lack_say_how_many_have_them() -> None:
    """The steps are those of all runs; each says how many runs it stands on, below three without a band."""
    found = band([curve({0: 1, 10: 2, 20: 3}), curve({0: 3, 10: 4}), curve({0: 5, 5: 1, 10: math.nan, None: 9})])
    assert found.steps.tolist() == [0, 5, 10, 20]
    assert found.n.tolist() == [3, 1, 2, 1]
    assert found.centre.tolist() == [3, 1, 3, 3]
    assert np.isnan(found.low).tolist() == np.isnan(found.high).tolist() == [False, True, True, True]
    whole = found.whole()
    assert (whole.steps.tolist(), whole.n.tolist(), whole.runs) == ([0], [3], 3)


def test_the_median_has_the_middle_half_around_it() -> None:
    """With the median the band is the middle half of the runs, and is named so."""
    found = band([curve({0: value, 1: math.nan}) for value in (1, 2, 3, 4, 100)], "median")
    assert (found.centre[0], found.low[0], found.high[0]) == (3, 2, 4)
    assert math.isnan(found.centre[1])
    assert found.band_name == "middle half of the runs"
    with pytest.raises(UsageError):
        band([], "mode")


@pytest.mark.parametrize("centre", ["mean", "median"])
def test_nothing_makes_an_empty_band(centre: str) -> None:
    """No runs, or runs without points, make a band without steps."""
    assert len(band([], centre).steps) == len(band([curve({})], centre).steps) == 0


@pytest.mark.parametrize("runs", [1, 2, 5, 300])
def test_quantiles_are_numpys(runs: int) -> None:
    """Quantiles over a table with gaps are those of numpy, whatever its width, and each place says how many have a number."""
    rng = np.random.default_rng(runs)
    table = rng.normal(size=(runs, 4000)).astype(np.float32)
    table[rng.random(table.shape) < 0.2] = np.nan
    table[:, 7] = np.nan
    count, found = quantiles(table, (0.5, 0.1, 0.9))
    assert count.tolist() == np.sum(~np.isnan(table), axis=0).tolist()
    keep = count > 0
    assert found[:, keep] == pytest.approx(np.nanquantile(table[:, keep].astype(float), (0.5, 0.1, 0.9), axis=0))
    assert np.isnan(found[:, ~keep]).all()


def test_the_band_over_all_runs_holds_the_middle_of_them() -> None:
    """Over all runs the band is from the tenth to the ninetieth of a hundred; below three runs there is none."""
    table = np.arange(101, dtype=float)[:, None].repeat(2, axis=1)
    table[2:, 1] = np.nan
    laid = over_runs(table, "median", shares=MOST)
    assert (laid.n.tolist(), laid.centre.tolist()) == ([101, 2], [50, 0.5])
    assert (laid.low[0], laid.high[0]) == (10, 90)
    assert np.isnan([laid.low[1], laid.high[1]]).all()


@pytest.mark.parametrize("p", [0.9, 0.975, 0.995])
def test_students_quantile_is_scipys(p: float) -> None:
    """Student's quantile without scipy is scipy's to nine digits, for few and many degrees of freedom."""
    for df in [*range(1, 130), 1_000, 100_000]:
        assert t_quantile(p, df) == pytest.approx(float(stats.t.ppf(p, df)), rel=1e-9)
