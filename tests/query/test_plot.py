"""Curves made ready and drawn: smoothing, thinning, labels, bands, gaps and marks, files, and what notebooks show."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

import runfolio
from runfolio.errors import MissingExtra, NotFound, UsageError
from runfolio.query.bands import band
from runfolio.query.html import sparkline
from runfolio.query.plot.caption import caption
from runfolio.query.plot.curves import Curve, Plot, plot_of
from runfolio.query.plot.labels import params_label, run_labels
from runfolio.query.plot.smooth import smoothed
from runfolio.query.plot.style import COLOURS, colour, stroke
from runfolio.query.plot.thin import thin
from runfolio.query.runs import Runs

matplotlib.use("agg")

VALUES = st.floats(allow_nan=True, allow_infinity=True)


def make(values: Iterable[float] = (1.0, 0.5), name: str | None = None, **params: Any) -> str:
    """Write a finished run whose `loss` has these values, one a step; return its id."""
    with runfolio.start(name=name, params=params, capture=False) as run:
        for step, value in enumerate(values):
            run.log({"loss": value}, step=step)
    return run.id


def runs() -> Runs:
    """The runs of the store, oldest first."""
    store = runfolio.open_store()
    return Runs(reversed(store.runs()), store)


def only(plot: Plot) -> Curve:
    (panel,) = plot.panels
    (curve,) = panel.curves
    return curve


# ------------------------------------------------------------------------------------------------------------ smoothing


def test_smoothing_by_hand() -> None:
    """It is the moving average over what its weights add up to, so that the first value is itself."""
    found = smoothed(np.array([4.0, 0.0, 2.0]), 0.5)
    assert found.tolist() == [4.0, (0.25 * 4) / 0.75, (0.125 * 4 + 0.5 * 2) / 0.875]


def test_smoothing_leaves_a_constant_and_what_is_not_finite() -> None:
    """A constant stays one, and NaN and the infinities stay in place and touch nothing."""
    found = smoothed(np.array([3.0, np.nan, 3.0, np.inf, -np.inf, 3.0]), 0.9)
    assert found == pytest.approx([3, math.nan, 3, math.inf, -math.inf, 3], nan_ok=True)
    plain = np.array([1.0, 5.0])
    assert smoothed(plain, 0.0) is plain


# ------------------------------------------------------------------------------------------------------------- thinning


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=300), st.integers(1, 12))
def test_thinning_keeps_what_an_eye_would_miss(points: list[tuple[float, float]], stretches: int) -> None:
    """Of each line the ends, the lowest and the highest point stay, a gap stays a gap, and few points are kept."""
    columns = [np.array(column) for column in zip(*points, strict=True)]
    at = thin(columns, stretches)
    assert at.tolist() == sorted(set(at.tolist()))
    assert (at[0], at[-1]) == (0, len(points) - 1)
    assert len(at) <= max(stretches * (2 + 3 * len(columns)), 4 * stretches)
    for column in columns:
        known = column[np.isfinite(column)]
        assert len(known) == 0 or {known.min(), known.max()} <= set(column[at].tolist())
        assert np.isfinite(column).all() or not np.isfinite(column[at]).all()


def test_thinning_keeps_a_gap_of_one_point() -> None:
    """One NaN in a long line stays a gap, between the points that it parts."""
    values = np.arange(1000.0)
    values[503] = np.nan
    curve = Curve("", 0, (), np.arange(1000.0), values).thinned(10)
    assert curve.x[np.isnan(curve.y)].tolist() == [503.0]
    assert len(curve.x) <= 50


def test_thinning_keeps_a_spike_of_one_point() -> None:
    """A spike in a million points is drawn, and the caption says how the line was thinned."""
    values = np.zeros(1_000_000)
    values[345_678] = 7.0
    curve = Curve("", 0, (), np.arange(1e6), values).thinned(1000)
    assert len(curve.x) <= 4000
    assert curve.x[curve.y == 7.0].tolist() == [345_678.0]
    make()
    plot = plot_of(runs(), ["loss"])
    plot.panels[0].curves[0] = Curve("", 0, (), np.arange(1e6), values)
    assert "thinned: of each 1,000th of a line its first, last, lowest and highest point" in caption(plot, 1000)


# --------------------------------------------------------------------------------------------------------------- labels


def test_labels_are_the_params_that_differ() -> None:
    """A run is labelled by the params that differ between those drawn, by the last part of their keys."""
    make(lr=0.1, net={"width": 8}, epochs=3)
    make(lr=0.01, net={"width": 8}, epochs=3)
    make(lr=0.01, net={"width": 16}, epochs=3)
    assert run_labels(runs()) == ["lr=0.1 width=8", "lr=0.01 width=8", "lr=0.01 width=16"]


def test_labels_tell_runs_apart() -> None:
    """Where no param differs the names stand, with the id where they are the same; 1, 1.0 and true differ."""
    ids = [make(name="a"), make(name="a"), make(name="b"), make()]
    assert run_labels(runs()) == [f"a {ids[0][:8]}", f"a {ids[1][:8]}", "b", ids[3][:8]]
    labels = [params_label({"x": value}) for value in (1, 1.0, True, None, "1")]
    assert labels == ["x=1", "x=1.0", "x=true", "x=none", "x=1"]
    assert params_label({"a.x": 1, "b.x": 2, "y\n": "z" * 99}) == f"a.x=1 b.x=2 y\\n={'z' * 23}…"


def test_a_label_that_would_be_too_long_is_the_name() -> None:
    """Where too many params differ, the name tells a run."""
    for seed in range(2):
        make(name=f"run-{seed}", **{f"parameter_{place}": seed for place in range(9)})
    assert run_labels(runs()) == ["run-0", "run-1"]


def test_colours_and_strokes_differ_together() -> None:
    """Two neighbours differ in colour and in stroke, and 28 curves are all told apart."""
    told = [(colour(place), str(stroke(place))) for place in range(28)]
    assert len(set(told)) == 28
    assert all(one[0] != two[0] and one[1] != two[1] for one, two in pairwise(told))
    assert "#f0e442" not in COLOURS  # yellow on white


# --------------------------------------------------------------------------------------------------------------- curves


def test_a_group_is_a_band() -> None:
    """A group's curve is the mean of its runs with Student's interval, and the caption names both."""
    for seed, values in enumerate(([1.0, 4.0], [2.0, 4.0], [6.0, 4.0])):
        make(values, lr=0.1, seed=seed)
    make([9.0, 9.0], lr=0.01, seed=0)
    store_runs = runs()
    plot = plot_of(store_runs, ["loss"], group_by=["lr"])
    first, second = plot.panels[0].curves
    assert [first.label, second.label] == ["lr=0.01 (n = 1)", "lr=0.1 (n = 3)"]
    told = band([run.series("loss") for run in store_runs[:3]])
    assert second.y.tolist() == [3.0, 4.0] == told.centre.tolist()
    assert second.low is not None and second.low.tolist() == told.low.tolist()
    assert "band: 95 % interval of the mean (Student t), at each step" in caption(plot, 10)
    assert "a group of fewer than 3 runs has no band" in caption(plot, 10)


def test_a_median_has_the_middle_half() -> None:
    """With the median the band is the middle half of the runs."""
    for seed, value in enumerate((1.0, 2.0, 3.0, 4.0, 100.0)):
        make([value], seed=seed)
    curve = only(plot_of(runs(), ["loss"], group_by=[], centre="median"))
    assert (curve.label, curve.y.tolist()) == ("all runs (n = 5)", [3.0])
    assert curve.low is not None and curve.high is not None
    assert (curve.low.tolist(), curve.high.tolist()) == ([2.0], [4.0])


def test_a_group_whose_runs_end_apart_says_so() -> None:
    """Where only some runs of a group have a number, the curve says so: it may jump there for that alone."""
    for seed, length in enumerate((2, 2, 3)):
        make([1.0] * length, seed=seed)
    plot = plot_of(runs(), ["loss"], group_by=[])
    part = only(plot).part
    assert part is not None and part.tolist() == [False, False, True]
    assert "at some steps not all runs of a group have a number" in plot.notes


def test_runs_of_a_group_are_smoothed_one_by_one() -> None:
    """The band is that of smoothed runs, and the mean as logged stays behind it."""
    for seed in range(3):
        make([4.0 + seed, 0.0, 2.0], seed=seed)
    curve = only(plot_of(runs(), ["loss"], group_by=[], smooth=0.5))
    by_hand = np.mean([smoothed(np.array([4.0 + seed, 0.0, 2.0]), 0.5) for seed in range(3)], axis=0)
    assert curve.y == pytest.approx(by_hand)
    assert curve.faint is not None and curve.faint.tolist() == [5.0, 0.0, 2.0]


def test_gaps_and_marks() -> None:
    """NaN and the infinities are gaps with a mark at their steps."""
    make([1.0, math.nan, math.inf, -math.inf, 2.0])
    plot = plot_of(runs(), ["loss"])
    curve = only(plot)
    assert curve.y == pytest.approx([1, math.nan, math.nan, math.nan, 2], nan_ok=True)
    assert {what: at.tolist() for what, at in curve.marks.items()} == {"NaN": [1.0], "+∞": [2.0], "−∞": [3.0]}
    assert caption(plot, 10).endswith("× NaN, ▲ +∞, ▼ −∞")


def test_against_another_metric() -> None:
    """With a metric as x, points are where both have a step; a run without it is left out and counted."""
    with runfolio.start(capture=False) as run:
        for step in range(4):
            run.log({"loss": 1.0 / (step + 1)}, step=step)
            if step % 2:
                run.log({"tokens": 100.0 * step}, step=step)
    make()
    plot = plot_of(runs(), ["loss"], x="tokens")
    curve = only(plot)
    assert (curve.x.tolist(), curve.y.tolist()) == ([100.0, 300.0], [0.5, 0.25])
    assert (plot.x_label, plot.notes) == ("tokens", ["1 run without tokens not drawn"])


def test_against_time() -> None:
    """Time counts from the run's start, points without a step among it."""
    with runfolio.start(capture=False) as run:
        run.log({"loss": 1.0}, step=5)
        run.log({"loss": 0.5}, step=runfolio.FINAL)
    plot = plot_of(runs(), ["loss"], x="time")
    curve = only(plot)
    begun, times = runs()[0]._row.created_ns, runs()[0].series("loss")._points.times_ns
    assert begun is not None and curve.x.tolist() == ((times - begun) / 1e9).tolist()
    assert plot.x_label == "time since the start (s)"
    assert plot_of(runs(), ["loss"]).notes == ["1 point without a step not drawn"]


def test_a_log_axis_leaves_out_what_it_cannot_show() -> None:
    """On a logarithmic axis 0 and below are gaps, and counted; a band that reaches 0 is cut at the lowest line."""
    for seed, value in enumerate((0.1, 0.1, 5.0)):
        make([value, -1.0], seed=seed)
    plot = plot_of(runs(), ["loss"], group_by=[], log_y=True)
    curve = only(plot)
    assert curve.low is not None
    assert curve.low[0] == curve.y[0] and math.isnan(curve.y[1])
    assert plot.notes[-2:] == [
        "1 value of 0 or below not drawn: the axis is logarithmic",
        "bands that reach 0 or below are cut",
    ]


def test_several_ranks_are_averaged() -> None:
    """A metric that several ranks have logged is drawn as their mean, and the caption says so."""
    run = runfolio.start(capture=False)
    helper = runfolio.attach(run.id, rank=1)
    run.log({"loss": 1.0}, step=0)
    helper.log({"loss": 3.0}, step=0)
    helper.finish()
    run.finish()
    plot = plot_of(runs(), ["loss"])
    assert (only(plot).y.tolist(), plot.notes) == ([2.0], ["mean over ranks"])


def test_runs_without_the_metric_are_counted() -> None:
    """A run that has none of the metrics is not drawn, but told."""
    make()
    with runfolio.start(capture=False) as run:
        run.log({"other": 1.0})
    plot = plot_of(runs(), ["loss"])
    assert (len(plot.runs), plot.notes) == (1, ["1 run without it left out"])


def test_metrics_together() -> None:
    """Metrics on the same axes are told apart by their names where one run is drawn, else by both."""
    for seed in range(2):
        with runfolio.start(capture=False, params={"seed": seed}) as run:
            run.log({"a": 1.0, "b": 2.0})
    (panel,) = plot_of(runs()[:1], ["a", "b"], together=True).panels
    assert [(curve.label, curve.place) for curve in panel.curves] == [("a", 0), ("b", 1)]
    (panel,) = plot_of(runs(), ["a", "b"], together=True).panels
    assert [curve.label for curve in panel.curves] == ["a seed=0", "a seed=1", "b seed=0", "b seed=1"]
    assert [panel.title for panel in plot_of(runs(), ["b", "a", "b"]).panels] == ["b", "a"]


@pytest.mark.parametrize(
    ("wish", "kind", "text"),
    [
        ({"metrics": ["los"]}, NotFound, "none of these runs has the metric 'los'; they have 'loss'"),
        ({"x": "tokens"}, NotFound, "none of these runs has the metric 'tokens'; they have 'loss'"),
        ({"group_by": ["rl"]}, NotFound, "none of these runs has the param 'rl'; they have 'lr'"),
        ({"smooth": 1.0}, UsageError, "smooth is a weight from 0 up to below 1, such as 0.9, not 1.0"),
        ({"smooth": math.nan}, UsageError, "smooth is a weight"),
        ({"centre": "mode"}, UsageError, "a curve's centre is 'mean' or 'median', not 'mode'"),
        ({"metrics": []}, UsageError, "name a metric to plot"),
        ({"runs": []}, NotFound, "there is no run to plot"),
    ],
)
def test_what_cannot_be_plotted(wish: dict[str, Any], kind: type[Exception], text: str) -> None:
    """An unknown metric or param, and a weight that is none, are told with what there is."""
    make(lr=0.1)
    with pytest.raises(kind, match=re.escape(text)):
        plot_of(**{"runs": runs(), "metrics": ["loss"], **wish})


# ---------------------------------------------------------------------------------------------------------------- files


HOSTILE = "</svg><script>$x_{1$ & \x1b[31m\n"


FORMS = [("a.png", b"\x89PNG"), ("a.PDF", b"%PDF"), ("a.svg", b"<?xml"), ("a.html", b"<!DOCTYPE html>")]


@pytest.mark.parametrize(("name", "begin"), FORMS)
def test_files_of_each_form(name: str, begin: bytes) -> None:
    """Each form is written, whatever names and params hold, and the same picture gives the same bytes."""
    make([1.0, math.nan, 3.0], name=HOSTILE, **{"_x": HOSTILE, "$a$": 1})
    make([2.0, 1e-300, 1e300], **{"_x": "漢字", "$a$": 2})
    make([])
    for out in (name, f"again-{name}"):
        runs().plot("loss", out=out, title=HOSTILE, smooth=0.5)
    content = Path(name).read_bytes()
    assert content.startswith(begin)
    assert content == Path(f"again-{name}").read_bytes()
    assert sorted(path.name for path in Path().glob("*a.*")) == sorted([name, f"again-{name}"])


def test_values_at_the_end_of_what_a_float_can_be() -> None:
    """Values whose difference no float can hold are drawn nevertheless, and the caption says where."""
    make([1.7e308, -1.7e308, 5e-324])
    drawn = runs().plot("loss", out="a.png")
    assert not isinstance(drawn, list)
    assert "what is beyond ±1e+300 is drawn there" in drawn.figure.get_supxlabel()


def test_a_page_needs_nothing_else() -> None:
    """The HTML page holds its picture as SVG, loads nothing, and every text in it is text."""
    ids = [make([1.0, 2.0], a="<b>"), make([2.0, 1.0], a="<i>")]
    runs().plot("loss", out=Path("a.html"), title="<script>")
    page = Path("a.html").read_text()
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "a=&lt;b&gt;" in page
    assert not re.search(r"(src|href)=\"(?!#)|url\((?!#)|@import", page)
    svg = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    texts = " ".join("".join(one.itertext()) for one in svg.iter("{http://www.w3.org/2000/svg}text"))
    assert all(run_id[:8] in texts for run_id in ids)


def test_axes_of_the_callers() -> None:
    """With `ax=` the curves are drawn there; without, the Axes come back, one or a list."""
    make(lr=0.1)
    make(lr=0.2)
    figure = Figure()
    ax = figure.subplots()
    assert runs().plot("loss", ax=ax) is ax
    assert [line.get_label() for line in ax.get_legend().get_lines()] == ["lr=0.1", "lr=0.2"]
    drawn = runs().plot("loss", "loss")
    assert not isinstance(drawn, list) and drawn.get_ylabel() == "loss"
    with pytest.raises(UsageError, match=r"ax\.figure\.savefig"):
        runs().plot("loss", ax=ax, out="a.png")


def test_a_legend_of_very_many_names_the_first() -> None:
    """Of very many curves the legend names some and counts the rest."""
    for seed in range(20):
        make(seed=seed)
    drawn = runs().plot("loss")
    assert not isinstance(drawn, list)
    (legend,) = drawn.figure.legends
    assert (len(legend.get_texts()), legend.get_title().get_text()) == (14, "6 more are not named here")
    assert drawn.figure.get_supxlabel().startswith("runs ") and "and 8 more" in drawn.figure.get_supxlabel()


def test_an_unknown_form_is_refused_before_anything_is_read() -> None:
    """A file of another form is refused, and those there are are told."""
    with pytest.raises(UsageError, match=r"as \.png, \.svg, \.pdf, \.html; not as 'a\.bmp'"):
        Runs().plot("loss", out="a.bmp")


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where matplotlib is missing, the error has the line that installs it."""
    make()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=re.escape("pip install 'runfolio[plot]'")):
        runs().plot("loss")


def test_curves_are_made_ready_without_matplotlib() -> None:
    """What the terminal needs does not load matplotlib."""
    code = "import sys, runfolio.query.plot.caption, runfolio.query.html; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ------------------------------------------------------------------------------------------------------------ notebooks


def test_notebooks_show_text_as_text() -> None:
    """In a notebook run, runs and series are tables, and no name or value is taken for HTML."""
    make([1.0, 2.0], name="<b>bold", lr="<i>", **{"<k>": 1})
    make([1.0], name="plain", lr=0.1)
    run = runs()[0]
    for page in (run._repr_html_(), runs()._repr_html_(), run.series("loss")._repr_html_()):
        ElementTree.fromstring(f"<div>{page}</div>")  # well-formed: every tag is closed
        assert "<b>bold" not in page and "<i>" not in page and "<k>" not in page
    assert "&lt;b&gt;bold" in run._repr_html_() and "&lt;b&gt;bold" in runs()._repr_html_()
    assert "2 runs" in runs()._repr_html_() and Runs()._repr_html_() == "<div>0 runs</div>"


@pytest.mark.parametrize(
    ("values", "pieces"),
    [([], 0), ([math.nan], 0), ([1.0], 1), ([1.0, 2.0, math.nan, 3.0, math.inf, 1.0], 3), ([1.7e308, -1.7e308], 1), ([2.0] * 9999, 1)],
)  # fmt: skip
def test_a_sparkline_has_gaps(values: list[float], pieces: int) -> None:
    """A small curve begins anew behind each gap, stays inside its frame, and is small however long the series."""
    make([0.0])
    with runfolio.start(capture=False) as run:
        for step, value in enumerate(values):
            run.log({"x": value}, step=step)
        run.log({"x": 1.0}, step=runfolio.FINAL)
    drawn = sparkline(runs()[-1].series("x"))
    assert drawn.count("M") == pieces
    assert len(drawn) < 5000
    assert all(0 <= float(number) <= 120 for number in re.findall(r"[ML](-?[\d.]+|nan|inf)", drawn))


def test_a_group_that_lacks_a_param_says_so() -> None:
    """Beside other groups the runs without the param are not "all runs"."""
    make(lr=0.1)
    make()
    assert [curve.label for panel in plot_of(runs(), ["loss"], group_by=["lr"]).panels for curve in panel.curves] == [
        "lr=0.1 (n = 1)", "no lr (n = 1)",
    ]  # fmt: skip
    assert params_label({"a.x": 1}, ["b.x", "y"]) == "a.x=1 no b.x no y"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A plot into a folder that is not there says which, and not the name of a file of ours."""
    make()
    with pytest.raises(UsageError, match=r"there is no folder '.*nowhere'") as told:
        runs().plot("loss", out=tmp_path / "nowhere" / "a.png")
    assert ".part" not in str(told.value)


def test_ints_that_some_runs_lack_stay_exact_in_pandas() -> None:
    """A column of ints with gaps is Int64, and not floats that round; one without gaps, and one of floats, are as pandas has them."""
    make(big=2**63 - 1, seed=1, lr=0.1)
    make(seed=2, lr=1)
    frame = runs().to_pandas()
    assert str(frame["params.big"].dtype) == "Int64" and frame["params.big"][0] == 2**63 - 1
    assert frame["params.big"].isna().tolist() == [False, True]
    assert (str(frame["params.seed"].dtype), str(frame["params.lr"].dtype)) == ("int64", "float64")


def test_no_runs_are_a_table_with_its_columns() -> None:
    """Frames of no runs have the columns that each run has, so that what selects from them goes on."""
    make()
    none = runfolio.open_store().runs("name == 'nobody'")
    assert list(none.to_pandas().columns) == list(none.to_polars().columns)
    assert list(none.columns()) == ["id", "name", "experiment", "status", "created", "duration_s"]
    assert none.to_polars().to_dicts() == [] == runfolio.open_store().runs("name == 'nobody'").rows()
    assert len(polars.DataFrame(none.to_arrow()).columns) == 6


def test_a_name_is_safe_where_python_shows_it() -> None:
    """What a run is shown as at the prompt holds no control characters of its name."""
    make(name="a\x1b[31mb\nc")
    assert "\x1b" not in repr(runs()[0]) and "\n" not in repr(runs())
