"""`runfolio show`. Source: the document of yanex about metrics over several steps, whose table this is."""

from __future__ import annotations

import csv
import io
import math
import re

import pytest

import runfolio
from cli.calling import call, fine, settled, start, write_run
from runfolio.cli import rows

SAMPLE = {
    1: (1.82, 0.52, None, None),
    2: (1.7312, 0.62, 1.89, 0.53),
    3: (1.58, 0.68, None, None),
    4: (1.5, 0.75, 1.65, 0.69),
    5: (1.25, 0.81, None, None),
    6: (1.1, 0.83, 1.31, 0.75),
    7: (0.98, 0.86, None, None),
    8: (0.9, 0.88, 1.12, 0.8),
    9: (0.85, 0.9, None, None),
    10: (0.81, 0.92, 1.05, 0.84),
}


def train() -> str:
    """Log ten epochs, each second one with validation by a call of its own, and a summary without a step; return the id."""
    run = start(experiment="digits", name="mlp")
    for epoch, (loss, acc, val_loss, val_acc) in SAMPLE.items():
        run.log({"train_loss": loss, "train_acc": acc}, step=epoch)
        if val_loss is not None:
            run.log({"val_loss": val_loss, "val_acc": val_acc}, step=epoch)
    run.log({"final_accuracy": 0.92, "total_time": 12.5})
    run.finish()
    return run.id


def box_of(text: str) -> list[str]:
    """Return the lines of the box."""
    return [line for line in text.splitlines() if line[:1] in "╭│╰" and line]


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of the box, its titles first."""
    lines = [line.strip("│").split() for line in box_of(text)[1:-1]]
    return [cells for cells in lines if cells and not set(cells[0]) <= {"─"}]


GOLDEN = """\
╭────────────────────── Results (showing last 10 of 11) ───────────────────────╮
│   Step   Timestamp             train_loss   train_acc   val_loss   val_acc   │
│  ──────────────────────────────────────────────────────────────────────────  │
│      2   2025-01-15 10:30:01   1.73         0.62        1.89       0.53      │
│      3   2025-01-15 10:30:01   1.58         0.68        -          -         │
│      4   2025-01-15 10:30:01   1.50         0.75        1.65       0.69      │
│      5   2025-01-15 10:30:01   1.25         0.81        -          -         │
│      6   2025-01-15 10:30:01   1.10         0.83        1.31       0.75      │
│      7   2025-01-15 10:30:01   0.98         0.86        -          -         │
│      8   2025-01-15 10:30:01   0.90         0.88        1.12       0.80      │
│      9   2025-01-15 10:30:01   0.85         0.90        -          -         │
│     10   2025-01-15 10:30:01   0.81         0.92        1.05       0.84      │
│     11   2025-01-15 10:30:01   -            -           -          -         │
╰──────────────────────────────────────────────────────────────────────────────╯
2 more metrics; --metrics a,b or --wide shows them: final_accuracy, total_time
"""


def test_the_documented_table() -> None:
    """The table of the document comes out as it stands there, with the whole timestamp where there is room."""
    assert settled(fine("show", train()).out).endswith(GOLDEN)


def test_S0_24_the_short_id_names_the_run() -> None:
    """The first 8 digits of the id are shown in lists and accepted."""
    run_id = train()
    (line,) = fine("list").lines[1:]
    assert line.split()[2] == run_id[:8]
    assert f"id          {run_id}" in fine("show", run_id[:8]).lines


def test_S0_27_the_last_ten_steps_not_calls() -> None:
    """The table has the last ten steps, however many calls made them."""
    rows = rows_of(fine("show", train()).out)
    assert [row[0] for row in rows[1:]] == [str(step) for step in range(2, 12)]


@pytest.mark.parametrize(
    ("steps", "title"),
    [
        (1, "Results (1 step)"),
        (4, "Results (4 steps)"),
        (10, "Results (10 steps)"),
        (11, "Results (showing last 10 of 11)"),
    ],
)
def test_S0_28_the_title_counts_steps(steps: int, title: str) -> None:
    """The title says how many steps are shown and how many there are."""
    with start() as run:
        for step in range(steps):
            run.log({"a": 1.0}, step=step)
            run.log({"b": 1.0}, step=step)
    assert f" {title} " in fine("show", run.id).out


def test_S0_29_columns_in_order_and_rows_ascending() -> None:
    """Step, Timestamp, then the metrics in the order first logged; rows by rising step, whatever order they were logged in."""
    with start() as run:
        for step in (5, -3, 100, 0):
            run.log({"zeta": 1.0, "alpha": 2.0}, step=step)
    rows = rows_of(fine("show", run.id).out)
    assert rows[0] == ["Step", "Timestamp", "zeta", "alpha"]
    assert [row[0] for row in rows[1:]] == ["-3", "0", "5", "100"]


def test_S0_30_a_missing_metric_is_a_dash() -> None:
    """Where a step lacks a metric its cell is `-`."""
    rows = rows_of(fine("show", train()).out)
    assert rows[2][3:] == ["1.58", "0.68", "-", "-"]


def test_S0_31_a_step_without_shown_metrics_still_stands() -> None:
    """A step that has none of the columns shown is a row of `-`."""
    run_id = train()
    assert rows_of(fine("show", run_id).out)[-1][0::3] == ["11", "-", "-"]
    rows = rows_of(fine("show", run_id, "--metrics", "val_acc").out)
    assert [row[-1] for row in rows[1:]] == ["0.53", "-", "0.69", "-", "0.75", "-", "0.80", "-", "0.84", "-"]


def test_S0_32_long_text_and_timestamps_are_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the width is short, timestamps are `...` and the time of day, long names end in `...`; floats have about two decimals."""
    monkeypatch.setenv("COLUMNS", "70")
    with start(name="n" * 200) as run:
        run.log({"m" * 60: 0.123456, "second": 1234.5678})
    text = fine("show", run.id).out
    assert re.fullmatch(r"\.\.\.\d\d:\d\d:\d\d", rows_of(text)[1][1])
    assert rows_of(text)[0][2] == "m" * 27 + "..."
    assert rows_of(text)[1][2:] == ["0.1235", "1234.57"]
    assert f"run         {'n' * 55}..." in text
    assert max(map(len, text.splitlines())) <= 70


def test_S0_33_compare_without_arguments_takes_all_runs() -> None:
    """`compare` alone compares all runs."""
    ids = [train(), train()]
    assert {line.split()[2] for line in fine("compare").lines[1:3]} == {run_id[:8] for run_id in ids}


def test_S0_34_all_steps_and_any_number_of_them() -> None:
    """`--all` shows every step, `--steps N` the last N; JSON and CSV follow."""
    run_id = train()
    assert len(rows_of(fine("show", run_id, "--all").out)) == 12
    assert " Results (11 steps) " in fine("show", run_id, "--all").out
    assert [row[0] for row in rows_of(fine("show", run_id, "--steps", "3").out)[1:]] == ["9", "10", "11"]
    assert [row["step"] for row in fine("show", run_id, "--json", "--steps", "2").json["rows"]] == [10, 11]
    assert len(fine("show", run_id, "--csv", "--all").lines) == 12


def test_S0_09_a_merged_step_bears_the_time_of_the_latest_write() -> None:
    """Where several calls made a step, its time is that of the last one, whichever metric that wrote."""
    with start() as run:
        run.log({"a": 1.0}, step=0)
        run.log({"b": 1.0}, step=0)
        run.log({"a": 2.0}, step=1)
        run.log({"b": 2.0}, step=1)
        run.log({"a": 3.0}, step=1)
    found = runfolio.open_store().run(run.id)
    a, b = (found.series(name).times.view("int64").tolist() for name in "ab")
    assert [row.time_ns for row in rows.rows_of(found, None).rows] == [b[0], a[1]] and b[0] > a[0] and a[1] > b[1]


def test_hidden_metrics_are_told_and_shown_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many metrics as fit, in the order first logged; the rest is counted, and `--wide` and `--metrics` show it."""
    monkeypatch.setenv("COLUMNS", "60")
    run_id = train()
    text = fine("show", run_id).out
    assert rows_of(text)[0] == ["Step", "Timestamp", "train_loss", "train_acc"]
    assert "4 more metrics; --metrics a,b or --wide shows them: val_loss" in text
    assert rows_of(fine("show", run_id, "--wide").out)[0][-1] == "total_time"
    assert rows_of(fine("show", run_id, "-m", "total_time,train_acc").out)[0][2:] == ["total_time", "train_acc"]


def test_metrics_that_the_rows_have_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all metrics fit, those that the shown steps lack are the hidden ones."""
    monkeypatch.setenv("COLUMNS", "60")
    with start() as run:
        run.log({f"early{number}": 1.0 for number in range(20)}, step=0)
        for step in range(1000, 1011):
            run.log({"late": 2.0}, step=step)
    text = fine("show", run.id).out
    assert rows_of(text)[0][2] == "late" and rows_of(text)[-1][0] == "1,010" and "showing last 10 of 12" in text


def test_a_long_reason_is_not_cut() -> None:
    """Why a run ended stands there in full, in several lines."""
    reason = " ".join(f"word{number}" for number in range(30))
    run = start()
    run.finish("failed", reason)
    text = fine("show", run.id).out
    assert reason in " ".join(text.split()) and max(map(len, text.splitlines())) <= 80


def test_points_without_a_step_stand_last() -> None:
    """Points without a step are rows `final` behind the others, one for each call."""
    with start() as run:
        run.log({"loss": 0.5}, step=3)
        run.log({"test": 0.25, "score": 7}, step=runfolio.FINAL)
        run.log({"test": 0.75}, step=runfolio.FINAL)
    text = fine("show", run.id).out
    assert " Results (1 step, 2 final) " in text
    assert [(row[0], *row[3:]) for row in rows_of(text)[1:]] == [
        ("3", "0.50", "-", "-"), ("final", "-", "0.25", "7"), ("final", "-", "0.75", "-"),
    ]  # fmt: skip


def test_ranks_have_rows_of_their_own() -> None:
    """Where ranks log the same metric each has its row; `--rank` picks one or their mean."""
    with start(rank=0) as run:
        run.log({"loss": 1.0}, step=0)
        other = runfolio.attach(run.id, rank=1)
        other.log({"loss": 3.0}, step=0)
        other.finish()
    rows = rows_of(fine("show", run.id).out)
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("Step", "Rank", "loss"),
        ("0", "0", "1.00"),
        ("0", "1", "3.00"),
    ]
    assert rows_of(fine("show", run.id, "--rank", "1").out)[1][-1] == "3.00"
    assert rows_of(fine("show", run.id, "--rank", "mean").out)[1][-1] == "2.00"
    assert call("show", run.id, "--rank", "x").code == 2
    called = call("show", run.id, "--rank", "3")
    assert called.code == 1 and f"run {run.id[:8]} has no rank 3; it has 0, 1" in called.err
    with start() as plain:
        plain.log({"loss": 1.0})
    called = call("show", plain.id, "--rank", "3")
    assert called.code == 1 and f"run {plain.id[:8]} has no ranks" in called.err
    assert rows_of(fine("show", plain.id, "--rank", "none").out)[1][-1] == "1.00"
    metric = fine("show", run.id, "--json").json["metrics"]["loss"]
    assert (metric["last"], metric["min"], metric["mean"], metric["ranks"]["1"]["last"]) == (None, 1.0, 2.0, 3.0)


def test_what_was_set_is_told() -> None:
    """Params, tags, notes, summary, artifacts, data and records stand in the page."""
    with start(name="mlp-64", params={"lr": 0.1, "net": {"width": 64}}, tags=["best"], notes="one\ntwo") as run:
        run.add_tags(team="ml")
        run.summary["test_acc"] = 0.97
        run.add_artifact(b"12345", "model.npz")
        run.add_artifact(b"123456", "model.npz", step=7)
        run.log_record({"sample": "the cat"})
    page = settled(fine("show", run.id).out)
    assert (
        page
        == f"""\
run         mlp-64
id          abc12345{"0" * 24}
experiment  default
status      ✓ finished
created     2025-01-15 10:30:01, took 1.5s
params      lr         0.1
            net.width  64
tags        best, team=ml
notes       one
            two
summary     test_acc  0.97
artifacts   model.npz  6 B  version 2  step 7
records     1 record: runfolio get abc12345 records

No metrics yet.
"""
    )


def test_surroundings_are_told() -> None:
    """The command line, git, Python and the machine stand in the page, also where their facts have an odd shape."""
    facts = {
        "command": ["python", "train me.py"], "cwd": "/home/me",
        "git": {"commit": "a" * 40, "branch": "main", "remote": "git@host:me/x.git", "dirty": True, "patch": "…"},
        "python": {"version": "3.12.1"}, "packages": {"numpy": "2.0", "torch": "2.4"}, "host": "box",
        "platform": {"system": "Linux", "release": "6.1"}, "cpu": {"count": 8, "usable": 4, "model": "CPU", "memory_bytes": 2**34},
        "gpu": [{"name": "NVIDIA H100"}],
    }  # fmt: skip
    run_id = write_run(*({"type": "capture", "field": field, "value": value} for field, value in facts.items()))
    assert fine("show", run_id, "--all").lines[5:10] == [
        "command     python 'train me.py'",
        "in          /home/me",
        "git         main aaaaaaaaaaaa, with uncommitted changes (the field patch), git@host:me/x.git",
        "python      3.12.1, 2 packages",
        "on          box, Linux 6.1, 4 × CPU, 16.0 GiB, NVIDIA H100",
    ]
    odd = [
        {"type": "capture", "field": field, "value": value} for field in facts for value in (7, None, ["x"], {"a": []})
    ]
    assert fine("show", write_run(*odd)).out


def test_a_failed_run_ends_with_its_traceback() -> None:
    """The last lines of the traceback stand at the end of the page, all of them with --all."""
    with pytest.raises(RecursionError), start() as run:
        run.log({"loss": math.nan})
        deeper(20)
    text = fine("show", run.id).out
    assert "status      ✗ failed: RecursionError: too deep" in text
    assert text.splitlines()[-1] == "  RecursionError: too deep" and " lines before: --all shows them" in text
    whole = fine("show", run.id, "--all").out
    assert "Traceback (most recent call last)" in whole and "before: --all" not in whole


def deeper(levels: int) -> None:
    """Raise from some levels below."""
    if levels == 0:
        raise RecursionError("too deep")
    if levels % 2:
        deeper(levels - 1)
    else:
        deeper(levels - 1)


def test_losses_and_conflicts_are_warned_of() -> None:
    """What could not be kept is counted on the page and in `lost_points`; writers that disagree are named."""
    run_id = write_run(
        {"type": "params", "set": {"lr": 0.1}},
        {"type": "params", "set": {"lr": 0.2}},
        {"type": "lost", "points": 40, "calls": 4, "events": 1, "cause": "No space left on device", "since_ns": 5},
    )
    text = fine("show", run_id).out
    assert "! 40 values and 1 other event could not be kept (No space left on device)" in text
    assert "! two writers disagree about param 'lr': 0.1 was first and is shown, 0.2 is not" in text
    assert fine("show", run_id, "--json").json["lost_points"] == 40


def test_a_running_run_shows_progress() -> None:
    """A run that goes on says which step of how many it has reached."""
    run = start(total_steps=200)
    for step in range(50):
        run.log({"loss": 1.0}, step=step)
    text = fine("show", run.id).out
    assert "status      ● running" in text
    assert "progress    step 49 of 200 (25%)" in text
    run.finish()


def test_attempts_are_told() -> None:
    """After a resume the page tells both attempts, the param that changed, and where it was rewound to."""
    with start(params={"lr": 0.1}) as run:
        run.log({"loss": 1.0}, step=5)
    again = runfolio.resume(run.id, rewind_to=5)
    again.set_params({"lr": 0.2})
    again.log({"loss": 0.5}, step=5)
    again.finish()
    text = fine("show", run.id).out
    assert "attempts    1 finished, 2 finished from step 5" in text
    assert "lr was 0.1 from attempt 1, 0.2 from attempt 2" in text
    assert rows_of(text)[1][-1] == "0.50"


def test_json_has_everything_in_a_stable_order() -> None:
    """The object has these fields in this order, whatever the run holds."""
    facts = fine("show", train(), "--json").json
    assert list(facts) == [
        "id", "name", "experiment", "status", "reason", "since", "params", "tags", "metrics", "summary", "notes", "created",
        "started", "ended", "duration_s", "attempts", "exit_code", "goals", "total_steps", "lost_points", "warnings", "spooled_in",
        "copy_of", "aliases", "archived", "deleted", "folder", "progress", "history", "error", "lost", "params_by_attempt", "conflicts",
        "artifacts", "data", "capture", "records", "views", "sinks", "sent", "output", "steps_total", "finals_total", "rows", "nonfinite",
    ]  # fmt: skip
    assert facts["metrics"]["val_loss"] == {
        "last": 1.05, "min": 1.05, "max": 1.89, "mean": pytest.approx(1.404), "first": 1.89, "count": 5, "nan_count": 0,
        "step_of_min": 10, "step_of_max": 2, "first_step": 2, "last_step": 10,
    }  # fmt: skip
    assert facts["steps_total"] == 11 and list(facts["rows"][0]) == ["step", "rank", "timestamp", "metrics"]
    assert facts["rows"][0]["metrics"] == {"train_loss": 1.7312, "train_acc": 0.62, "val_loss": 1.89, "val_acc": 0.53}


def test_F40_values_in_json_and_csv() -> None:
    """NaN and infinities are strings in strict JSON and told from text; other floats come back exactly; kinds stay."""
    with start() as run:
        run.log({"nan": math.nan, "inf": -math.inf, "zero": -0.0, "tiny": 5e-324, "int": 3, "flag": True}, step=0)
    facts = fine("show", run.id, "--json").json
    values = facts["rows"][0]["metrics"]
    assert (values["nan"], values["inf"], values["tiny"]) == ("NaN", "-Infinity", 5e-324)
    assert math.copysign(1, values["zero"]) == -1 and values["int"] == 3 and values["flag"] is True
    assert {"rows.0.metrics.nan", "metrics.inf.last"} <= set(facts["nonfinite"])
    (row,) = csv.DictReader(io.StringIO(fine("show", run.id, "--csv").out))
    assert row["metrics.tiny"] == "5e-324" and row["metrics.flag"] == "true" and row["metrics.inf"] == "-inf"


def test_an_unknown_metric_names_the_nearest() -> None:
    """A metric that the run lacks is told with one like it."""
    called = call("show", train(), "--metrics", "val_los")
    assert called.code == 1 and "'val_loss'" in called.err and called.out == ""
