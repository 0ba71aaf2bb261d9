"""`runfolio plot`: curves in characters for any terminal, and into files."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.calling import call, fine, settled, start
from runfolio.cli.render.axis import Axis
from runfolio.cli.render.canvas import Canvas
from runfolio.cli.render.text import width


def make(count: int = 2, length: int = 9) -> list[str]:
    """Make runs whose loss falls at different paces; return their ids, the oldest first."""
    ids = []
    for number in range(count):
        params = {"lr": 0.1 / (1 + number // 3), "seed": number % 3}
        with start(experiment="digits", name=f"mlp-{number}", params=params) as run:
            for step in range(length):
                run.log({"loss": math.exp(-step * (1 + number) / 4), "acc": step / 10}, step=step)
        ids.append(run.id)
    return ids


GOLDEN = """\
loss
1.0 ┤⢳⣀
    │ ⢣⠣⡀
    │  ⢇⠑⠢⡀
    │  ⠈⠣⡀⠉⠢⣄
0.5 ┤    ⠑⢄  ⠑⠢⣀⡀
    │     ⠈⠒⣄   ⠈⠒⠢⣀⣀
    │        ⠑⠲⢄⣀   ⠈⠉⠒⠒⠤⠤⣀⣀b
    │           ⠈⠉⠑⠒⠲⠤⠤⠤⢄⣀⣀⣀a
    └┬──────────────┬─────────
     0              5     step
  a seed=1
  b seed=0
runs abc12345, abc12345
"""


# --------------------------------------------------------------------------------------------------------- the terminal


def test_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame with round numbers, a letter at the end of each curve, who is who, and which runs."""
    make()
    monkeypatch.setenv("COLUMNS", "30")
    assert settled(fine("plot", "loss", "--height", "8").out) == GOLDEN


@pytest.mark.parametrize("columns", [20, 40, 80, 133])
@pytest.mark.parametrize(
    "more", [[], ["-g", "lr"], ["--log-y", "--smooth", "0.9"], ["--x", "acc", "--title", "T" * 200]]
)
def test_no_line_is_wider_than_the_screen(columns: int, more: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for, no line is wider than the screen."""
    make(4)
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = fine("plot", "loss", "acc", *more).lines
    assert max(map(width, lines)) <= columns
    assert sum("┤" in line for line in lines) >= 4


def test_colours_are_for_terminals_and_never_the_only_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal curves have colours; in a pipe and with NO_COLOR none; letters tell them apart everywhere."""
    make()
    coloured = fine("plot", "loss", terminal=True).out
    assert "\x1b[38;5;33m" in coloured and "\x1b[38;5;208m" in coloured
    plain = fine("plot", "loss").out
    monkeypatch.setenv("NO_COLOR", "1")
    for out in (plain, fine("plot", "loss", terminal=True).out):
        assert "\x1b" not in out
        assert "  a seed=1\n  b seed=0\n" in out
        assert re.search("[⠀-⣿]+b", out) and re.search("[⠀-⣿]+a", out)


def test_what_is_faint_is_drawn_in_colour_only() -> None:
    """The line as logged stands behind the smoothed one where it can be told from it, and is spoken of only there."""
    make()
    assert "faint: as logged" not in fine("plot", "loss", "--smooth", "0.9").out
    assert "smoothed by 0.9" in fine("plot", "loss", "--smooth", "0.9").out
    assert "faint: as logged" in fine("plot", "loss", "--smooth", "0.9", terminal=True).out


def test_where_there_is_no_unicode() -> None:
    """Where the locale has no braille, a curve is drawn with its letter, and all is ASCII."""
    make(3)
    with start(params={"lr": math.inf}) as run:
        for step, value in enumerate((1.0, math.nan, math.inf, -math.inf, 0.5)):
            run.log({"loss": value}, step=step)
    out = fine("plot", "loss", "-g", "lr", encoding="ascii").out
    assert out.isascii() and "\\" not in out
    assert "aaaa" in out and "x NaN, ^ +inf, v -inf" in out


def test_marks_in_the_frame() -> None:
    """NaN is marked at the bottom, +∞ at the top, and a point between gaps is seen."""
    with start() as run:
        for step, value in enumerate((1.0, 2.0, math.nan, 1.5, math.inf, 1.0, 2.0)):
            run.log({"loss": value}, step=step)
    lines = fine("plot", "loss", "--height", "6").lines
    assert "▲" in lines[1] and "×" in lines[6]
    assert sum("•" in line for line in lines) == 1
    assert lines[-1].endswith("; × NaN, ▲ +∞")


def test_nothing_finite() -> None:
    """A metric without a finite value leaves an empty frame that says so."""
    with start() as run:
        run.log({"loss": math.nan})
    assert "nothing to draw here" in fine("plot", "loss").out


def test_names_move_no_cursor() -> None:
    """What a metric, param or title is called cannot reach the terminal as control characters."""
    for number in range(2):
        with start(name="n\x1b]0;x\x07", params={"p\x1b[2J": f"\x1b[31m{number}"}) as run:
            run.log({"l\x1b[2J": 1.0})
    out = fine("plot", "l\x1b[2J", "--title", "t\x1b[2J").out
    assert "\x1b" not in out and "\x07" not in out and "t\\x1b[2J" in out


# --------------------------------------------------------------------------------------------------------- axes, dots


@given(st.floats(-1.79e308, 1.79e308), st.floats(-1.79e308, 1.79e308), st.integers(1, 12), st.booleans())
def test_an_axis_bears_any_span(one: float, other: float, most: int, log: bool) -> None:
    """Every value between the ends has a place between 0 and 1, and there are a few round numbers, however far apart the ends."""
    low, high = sorted((one, other))
    if log:
        low, high = sorted((abs(low) or 1.0, abs(high) or 1.0))
    axis = Axis(low, high, log)
    places = axis.place(np.array([low, low / 2 + high / 2, high, np.nan]))
    assert ((places[:3] >= -1e-9) & (places[:3] <= 1 + 1e-9)).all() and np.isnan(places[3])
    ticks = axis.ticks(most)
    assert 1 <= len(ticks) <= 3 * most + 3
    assert all(len(text) <= 30 for _, text in ticks)


def test_round_numbers() -> None:
    """The numbers beside an axis are round and as many as asked for, with the decimals they need."""
    assert [text for _, text in Axis(0.13, 1.02).ticks(4)] == ["0.5", "1.0"]
    assert [text for _, text in Axis(0, 15_000).ticks(4)] == ["0", "5,000", "10,000", "15,000"]
    assert [text for _, text in Axis(1e-4, 1.0, log=True).ticks(5)] == ["0.0001", "0.001", "0.01", "0.1", "1"]
    assert [text for _, text in Axis(0.04, 0.9, log=True).ticks(5)] == ["0.05", "0.1", "0.2", "0.5"]


def test_dots_of_a_canvas() -> None:
    """Dots stand where they should: the corners, and a line between them without a hole."""
    canvas = Canvas(2, 2, unicode=True)
    canvas.dots(np.array([0.0, 1.0, np.nan, 0.5]), np.array([0.0, 1.0, 0.5, np.inf]), 0)
    assert ["".join(text for text, _ in row) for row in canvas.text(str)] == [" ⠈", "⡀ "]
    for y in (0.0, 0.25, 0.5, 0.75, 1.0):
        canvas = Canvas(1, 4, unicode=True)
        canvas.dots(np.array([0.0]), np.array([y]), 0)
        assert [row[0][0] != " " for row in canvas.text(str)].index(True) == canvas.cell(0.0, y)[0]
    canvas = Canvas(9, 3, unicode=False)
    canvas.line(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 0.0]), 7)
    assert ["".join(text for text, _ in row) for row in canvas.text(str)] == ["   777   ", "  7   7  ", "77     77"]


# ------------------------------------------------------------------------------------------------------- which runs


def test_which_runs() -> None:
    """Runs are named by --run or chosen by --filter and --experiment; without either the newest are drawn, and it says so."""
    ids = make(12)
    assert "the newest 10 of 12 runs; --all draws the rest." in fine("plot", "loss").out
    assert "the newest 3 of 12 runs" in fine("plot", "loss", "--limit", "3").out
    for some in (["--all"], ["-g", "seed"], ["-f", "seed >= 0"]):
        assert "--all draws" not in fine("plot", "loss", *some).out
    named = fine("plot", "loss", "-r", "mlp-3", "-r", ids[5][:12], "-r", "mlp-3").lines
    assert named[-1] == f"runs {ids[3][:8]}, {ids[5][:8]}"
    assert fine("plot", "loss", "-f", 'name == "mlp-4"').lines[-1] == f"run {ids[4][:8]}"
    assert (
        fine("plot", "loss", "--sort", "name", "-l", "1").lines[-1] == "the first 1 of 12 runs; --all draws the rest."
    )


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["plot"], 2, "Missing argument"),
        (["plot", "los"], 1, "none of these runs has the metric 'los'; they have 'loss'"),
        (["plot", "loss", "-r", "nobody"], 1, "no run 'nobody'"),
        (["plot", "loss", "-r", "mlp-0", "-f", "lr < 1"], 2, "name runs by --run, or choose them by --filter"),
        (["plot", "loss", "-f", "lr <"], 2, "^"),
        (["plot", "loss", "-f", "lr > 9"], 1, "no run fits"),
        (["plot", "loss", "-s", "1"], 2, "smooth is a weight from 0 up to below 1"),
        (["plot", "loss", "-o", "a.gif"], 2, "a plot is written as .png, .svg, .pdf, .html; not as 'a.gif'"),
        (["plot", "loss", "-o", "a.png", "--height", "9"], 2, "--height is for the terminal"),
        (["plot", "loss", "-o", "no/such/a.png"], 2, "there is no folder 'no/such'"),
    ],
)
def test_what_cannot_be_plotted(arguments: list[str], code: int, text: str) -> None:
    """What is wrong with a call is told, with what to do, and leaves no file."""
    make()
    called = call(*arguments)
    assert (called.code, called.out) == (code, "")
    assert text in called.err
    assert not list(Path().glob("a.*"))


def test_without_a_store() -> None:
    """Where there is no store yet, that is told."""
    called = call("plot", "loss")
    assert called.code == 1 and "no runs yet" in called.err


@pytest.mark.parametrize("name", ["a.png", "a.svg", "a.pdf", "a.html"])
def test_files(name: str) -> None:
    """With --out a file is written, and its name and the runs in it are told."""
    make(6)
    assert fine("plot", "loss", "acc", "-g", "lr", "--out", name).out == f"{name}: 6 runs\n"
    assert Path(name).stat().st_size > 4000
