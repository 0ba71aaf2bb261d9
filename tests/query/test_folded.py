"""Runs folded into rows."""

from __future__ import annotations

import math

import pytest
from scipy import stats

import runfolio
from query.runs import end_run, make_run, make_store
from query.test_overview import add
from runfolio.errors import NotFound, UsageError
from runfolio.query.survey.folded import Folded, folded, interval


def fold(**more: object) -> Folded:
    store = runfolio.open_store()
    return folded(store, store.runs(), **more)  # type: ignore[arg-type]


def test_runs_fold_over_their_seeds() -> None:
    """By default a row is what is equal but for the seed, with mean, Student's interval and median of three or more."""
    layout = make_store()
    values = [0.5, 0.75, 1.0]
    for seed, value in enumerate(values):
        add(layout, {"lr": 0.1, "seed": seed, "opt": "adam"}, {"loss": value})
    add(layout, {"lr": 0.2, "seed": 0, "opt": "adam"}, {"loss": 9.0})
    found = fold(metric="loss", sort="metric")
    assert (found.total, found.runs, found.by, found.over) == (2, 4, ["lr"], ["seed"])
    first, second = found.rows
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert first.params == {"lr": 0.1} and sorted(value or 0 for value in first.values) == values
    assert (first.n, first.mean, first.median) == (3, 0.75, 0.75)
    assert (first.low, first.high) == pytest.approx((expected.low, expected.high))
    assert (second.n, second.mean, second.low, second.median) == (1, None, None, None)
    assert second.values == [9.0] and second.statuses == {"finished": 1}


def test_a_seed_that_is_run_again_is_no_second_draw() -> None:
    """Of runs that are equal in all params, the seed too, the newest counts, as where groups are compared; the others stay in the row."""
    layout = make_store()
    for value in (5.0, 0.5):
        for seed in range(3):
            add(layout, {"lr": 0.1, "seed": seed}, {"loss": value + seed})
    add(layout, {"lr": 0.1}, {"loss": 0.25})
    add(layout, {"lr": 0.1}, {"loss": 0.75})
    (row,) = fold(metric="loss").rows
    assert len(row.runs) == 8 and row.n == 5
    assert row.mean == pytest.approx((0.5 + 1.5 + 2.5 + 0.25 + 0.75) / 5)


def test_other_params_that_vary_make_another_draw() -> None:
    """In rows by a chosen param, runs of one seed that differ in another param all count."""
    layout = make_store()
    for width in (32, 64):
        for seed in range(2):
            add(layout, {"lr": 0.1, "width": width, "seed": seed}, {"loss": 1.0})
    assert [row.n for row in fold(metric="loss", by=["lr"]).rows] == [4]


def test_what_runs_or_is_no_number_does_not_count_and_is_not_hidden() -> None:
    """A run that goes on, NaN and a missing value stand among the values and the statuses, and are not in n."""
    layout = make_store()
    for seed, value in enumerate((1.0, 2.0, 3.0, math.nan)):
        add(layout, {"lr": 1, "seed": seed}, {"loss": value})
    add(layout, {"lr": 1, "seed": 5})
    run_id, writer = make_run(layout)
    writer.event({"type": "params", "set": {"lr": 1, "seed": 6}})
    writer.log({"loss": 100.0}, 0)
    (row,) = fold(by=["lr"], metric="loss").rows
    assert (row.n, row.mean) == (3, 2.0)
    by_id = dict(zip([run.id for run in row.runs], row.values, strict=True))
    assert by_id[run_id] == 100.0 and None in row.values and any(one is not None and one != one for one in row.values)
    assert row.statuses == {"running": 1, "finished": 5}
    end_run(writer)


def test_orders_and_pages() -> None:
    """Rows come by the newest run, by metric, n or a param, what has none at the end; a page is cut from that order."""
    layout = make_store()
    for lr, losses in ((1, [3.0]), (2, [1.0, 2.0]), (3, [])):
        for value in losses or [None]:
            add(layout, {"lr": lr}, {"loss": value} if value is not None else None)
    add(layout, {"other": 1}, {"loss": 0.5})
    lrs = lambda **more: [row.params.get("lr") for row in fold(by=["lr"], metric="loss", **more).rows]  # noqa: E731
    assert lrs() == [None, 3, 2, 1]
    assert lrs(sort="metric") == [None, 2, 1, 3]
    assert lrs(sort="-metric") == [1, 2, None, 3]
    assert lrs(sort="-n")[0] == 2
    assert lrs(sort="-params.lr") == [3, 2, 1, None]
    assert lrs(sort="params.lr", offset=1, limit=2) == [2, 3]
    assert lrs(offset=100) == []


def test_what_there_is_not_is_refused_by_name() -> None:
    """An unknown param, order or number is refused, and what there is is named."""
    layout = make_store()
    add(layout, {"model.lr": 1}, {"loss": 1.0})
    assert fold(by=["lr"]).by == ["model.lr"]
    assert fold(by=["params.model.lr"]).by == ["model.lr"]
    with pytest.raises(NotFound, match=r"model\.lr"):
        fold(by=["nothing"])
    for wrong in ({"sort": "what"}, {"at": "median"}, {"at": "best", "metric": "loss"}):
        with pytest.raises(UsageError):
            fold(**wrong)
    assert fold(metric="unknown").rows[0].values == [None]


def test_other_numbers_than_the_last() -> None:
    """The least, the first or the best value may be asked for; the best by the declared goal."""
    layout = make_store()
    _, writer = make_run(layout)
    writer.event({"type": "goal", "metric": "loss", "goal": "min"})
    for step, value in enumerate((4.0, 1.0, 2.0)):
        writer.log({"loss": value}, step)
    end_run(writer)
    told = {at: fold(metric="loss", at=at).rows[0].values for at in ("last", "first", "min", "max", "mean", "best")}
    assert told == {"last": [2.0], "first": [4.0], "min": [1.0], "max": [4.0], "mean": [7 / 3], "best": [1.0]}


def test_intervals_of_what_ran_away() -> None:
    """Values near the largest float have a mean, and an interval or none, but no error and no infinity."""
    import numpy as np

    for values in ([1e308, 1e308, 1e308], [1e308, -1e308, 1e307], [1e-310, 2e-310, 3e-310], [0.0, 0.0, 0.0]):
        found = interval(np.array(values))
        assert all(one is None or math.isfinite(one) for one in found) and found[0] is not None


def test_nothing_folds_into_nothing() -> None:
    """No runs make no rows."""
    make_store()
    found = fold()
    assert (found.total, found.rows, found.metric) == (0, [], None)
