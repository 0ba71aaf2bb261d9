"""`runfolio list`: which runs, which columns, and the forms for programs."""

from __future__ import annotations

import csv
import io
import math
import sys
from subprocess import run as run_process

import pytest

import runfolio
from cli.calling import call, fine, settled, spawn, start, write_run
from runfolio.store.edits import archive, delete
from runfolio.store.layout import find


def three() -> list[str]:
    """Make three runs of two experiments; return their ids, the oldest first."""
    ids = []
    for number, experiment in enumerate(("digits", "digits", "words")):
        with start(
            experiment=experiment,
            name=f"mlp-{number}",
            params={"lr": 0.1 * 10**-number, "layers": 2, "net": {"act": "relu"}},
            tags={"best": ""} if number == 1 else {"team": "ml"},
        ) as run:
            run.log({"loss": 0.5**number, "acc": 0.5 + number / 10}, step=3)
        ids.append(run.id)
    return ids


GOLDEN = """\
status      id        name   experiment  age     lr  loss   acc
✓ finished  abc12345  mlp-2  words        0s  0.001  0.25  0.70
✓ finished  abc12345  mlp-1  digits       0s   0.01  0.50  0.60
✓ finished  abc12345  mlp-0  digits       0s    0.1  1.00  0.50
"""


def test_the_table() -> None:
    """Newest first: status, id, name, experiment, age, the params that vary, the last metrics."""
    three()
    assert settled(fine("list").out) == GOLDEN


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--experiment", "digits"], ["mlp-1", "mlp-0"]),
        (["-e", "nobody"], []),
        (["--name", "*-2"], ["mlp-2"]),
        (["--tag", "best"], ["mlp-1"]),
        (["--tag", "team=ml"], ["mlp-2", "mlp-0"]),
        (["--status", "finished", "-s", "failed", "--limit", "1"], ["mlp-2"]),
        (["--status", "failed"], []),
    ],
)
def test_filters(arguments: list[str], names: list[str]) -> None:
    """Runs are chosen by experiment, name pattern, tag, status and number."""
    three()
    assert [one["name"] for one in fine("list", "--json", *arguments).json] == names


def test_the_newest_fifty_unless_all() -> None:
    """Fifty runs are shown, it says of how many, and --all shows the rest."""
    ids = [write_run() for _ in range(52)]
    lines = fine("list").lines
    assert len(lines) == 52 and lines[-1] == "50 of 52 runs; --all shows the rest."
    assert ids[0][:8] not in fine("list").out
    assert len(fine("list", "--all").lines) == 53
    assert len(fine("list", "--json").json) == 50 and len(fine("list", "--json", "-a").json) == 52


def test_an_empty_list_says_what_to_do_next() -> None:
    """Without a store, and with an empty one, it says how to start a run and where it will be kept."""
    for _ in range(2):
        text = fine("list").out
        assert "No runs yet" in text and "runfolio run train.py" in text and find().root in text
        assert fine("list", "--json").json == []
        assert fine("list", "--csv").out.startswith("id,name,experiment,status")
        find().create()
    three()
    assert fine("list", "-e", "nobody").out == "No run fits. runfolio list --all shows what there is.\n"
    assert fine("list", "--deleted").out == "No run is deleted.\n"


def test_deleted_and_archived_runs_are_out_of_sight() -> None:
    """Deleted runs are listed on request alone, archived ones on request beside the others."""
    ids = three()
    delete(find(), ids[0])
    archive(find(), ids[1])
    shown = {
        options: [one["id"] for one in fine("list", "--json", *options).json]
        for options in ((), ("--deleted",), ("--archived",))
    }
    assert shown == {(): [ids[2]], ("--deleted",): [ids[0]], ("--archived",): [ids[2], ids[1]]}


def test_states_have_shapes_and_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every state has a shape and a word, so that no one needs colours."""
    for status in ("finished", "failed", "killed"):
        start(name=status).finish(status)
    live = start(name="live")
    elsewhere = {"host": "elsewhere", "pid": 7, "pid_start": 1, "boot_id": "another", "pid_ns": None}
    monkeypatch.setattr("runfolio.sdk.writing.identity", lambda: elsewhere)
    lost = write_run(ended=False)
    marks = {line.split()[1]: line.split()[0] for line in fine("list").lines[1:]}
    assert marks == {"finished": "✓", "failed": "✗", "killed": "■", "running": "●", "lost": "◌"}
    (gone,) = (one for one in fine("list", "--json").json if one["id"] == lost)
    assert gone["status"] == "lost" and gone["since"].endswith("Z") and gone["reason"]
    live.finish()


def test_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets colours, a pipe none, and NO_COLOR is obeyed."""
    three()
    assert "\x1b[32m✓ finished\x1b[0m" in fine("list", terminal=True).out
    assert "\x1b" not in fine("list").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in fine("list", terminal=True).out
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in fine("list", terminal=True).out


def test_what_does_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that the width has no room for are counted, with the ways to see them; no line is wider."""
    for number in range(2):
        with start(params={f"param{key}": number for key in range(9)}) as run:
            run.log({f"metric{key}": 1.0 for key in range(9)})
    monkeypatch.setenv("COLUMNS", "72")
    lines = fine("list").lines
    assert " ".join(lines[-2:]) == "6 params and 7 metrics do not fit: --wide shows all, --columns a,b chooses."
    assert lines[0].split() == ["status", "id", "age", "param0", "param1", "param2", "metric0", "metric1"]
    assert max(map(len, lines)) <= 72
    assert "metric8" in fine("list", "--wide").lines[0]


def test_columns_on_request() -> None:
    """Params, metrics, summaries and any other field may be asked for by name."""
    with start(params={"lr": 0.1, "net": {"act": "relu"}}, tags={"team": "ml"}) as run:
        run.log({"loss": 0.25}, step=7)
        run.log({"loss": 0.75}, step=8)
        run.summary["acc"] = 0.5
    asked = "lr,net.act,loss,loss.min,metrics.loss.step_of_min,acc,tags,nobody"
    called = call("list", "--columns", asked)
    assert (called.code, called.err) == (0, "runfolio: no run shown has 'nobody'.\n")
    text = called.out
    assert text.splitlines()[1].split() == [
        "✓",
        "finished",
        run.id[:8],
        "0.1",
        "relu",
        "0.75",
        "0.25",
        "7",
        "0.50",
        "team=ml",
    ]
    for form in ("--json", "--csv"):
        assert call("list", form, "--columns", "lr,nobody").err == called.err
    (row,) = csv.DictReader(io.StringIO(fine("list", "--csv", "-c", "lr,loss").out))
    assert row == {"id": run.id, "lr": "0.1", "loss": "0.75"}
    assert fine("list", "--json", "-c", "lr,loss").json == [{"id": run.id, "lr": 0.1, "loss": 0.75, "nonfinite": []}]


def test_chosen_text_is_whole_in_a_pipe() -> None:
    """A field that was asked for is not cut where no screen is narrow; on a terminal it is."""
    start().finish("failed", "the loss became nan at step 12345")
    assert "the loss became nan at step 12345" in fine("list", "--columns", "reason").out
    assert "the loss beca..." in fine("list", "--columns", "reason", terminal=True).out


def test_json_has_a_stable_shape() -> None:
    """A list of objects with these fields in this order; NaN is text, and `nonfinite` says where."""
    with start(name="n", params={"lr": math.inf}, tags=["t"], notes="NaN") as run:
        run.log({"loss": math.nan}, step=1)
    (facts,) = fine("list", "--json").json
    assert list(facts) == [
        "id", "name", "experiment", "status", "reason", "since", "params", "tags", "metrics", "summary", "notes", "created",
        "started", "ended", "duration_s", "attempts", "exit_code", "goals", "total_steps", "lost_points", "warnings", "spooled_in",
        "copy_of", "aliases", "archived", "deleted", "nonfinite",
    ]  # fmt: skip
    assert list(facts["metrics"]["loss"]) == [
        "last", "min", "max", "mean", "first", "count", "nan_count", "step_of_min", "step_of_max", "first_step", "last_step",
    ]  # fmt: skip
    assert (
        facts["params"] == {"lr": "Infinity"} and facts["notes"] == "NaN" and facts["metrics"]["loss"]["last"] == "NaN"
    )
    assert {"params.lr", "metrics.loss.last", "metrics.loss.first"} <= set(facts["nonfinite"])
    assert "notes" not in facts["nonfinite"]


def test_csv_reads_back() -> None:
    """A row for each run; params, metrics and summaries by their full names, in families."""
    ids = three()
    with start(params={"late": "=cmd()"}, notes='a "b"\nc') as run:
        run.log({"loss": 0.1 + 0.2, "other": 1}, step=0)
        run.summary["acc"] = 0.5
    rows = list(csv.DictReader(io.StringIO(fine("list", "--csv").out, newline="")))
    assert [row["id"] for row in rows] == [run.id, *reversed(ids)]
    assert (rows[0]["notes"], rows[0]["params.late"], rows[0]["metrics.loss"]) == (
        'a "b"\nc',
        "=cmd()",
        "0.30000000000000004",
    )
    families = [title.split(".")[0] for title in rows[0] if "." in title]
    assert families == sorted(families, key=["params", "metrics", "summary"].index)
    defused = csv.DictReader(io.StringIO(fine("list", "--csv", "--spreadsheet").out, newline=""))
    assert next(iter(defused))["params.late"] == "'=cmd()"


def test_json_and_csv_exclude_each_other() -> None:
    """Two forms at once are wrong usage."""
    assert call("list", "--json", "--csv").code == 2
    for command in (["list"], ["show", "latest"], ["compare"]):
        called = call(*command, "--spreadsheet")
        assert called.code == 2 and "--csv" in called.err


def test_a_param_and_a_metric_of_one_name_are_told_apart() -> None:
    """Two columns never have the same heading."""
    with start(params={"loss": "mse", "lr": 0.1}) as run:
        run.log({"loss": 0.5})
    assert fine("list").lines[0].split()[-3:] == ["params.loss", "lr", "metrics.loss"] or fine("list").lines[0].split()[
        -3:
    ] == ["params.loss", "metrics.loss", "lr"]


@pytest.mark.parametrize("columns", ["20", "30", "41"])
def test_no_line_is_wider_than_a_narrow_screen(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """However narrow the screen, listings and comparisons fit it; status and id are never left out."""
    for number in range(9):
        with start(name=f"a-long-name-{number}", experiment=f"set-{number}", params={"lr": number}) as run:
            run.define("loss", "min")
            run.log({"loss": number / 7})
    monkeypatch.setenv("COLUMNS", columns)
    for command in ("list", "compare"):
        lines = fine(command).lines
        assert lines[1].startswith(f"✓ finished  {run.id[:8]}") and max(map(len, lines)) <= int(columns), lines


def test_a_warm_listing_loads_nothing_heavy() -> None:
    """With the index warm, listing 10 runs loads neither numpy nor duckdb nor rich, in any form."""
    for _ in range(10):
        write_run({"type": "params", "set": {"lr": 0.1}})
    fine("list")
    program = (
        "import sys\nfrom runfolio.cli.main import main\ntry:\n    main(sys.argv[1:])\nfinally:\n"
        "    print(sorted({'numpy', 'duckdb', 'rich', 'nanoarrow', 'pandas'} & set(sys.modules)), file=sys.stderr)"
    )
    for form in ([], ["--json"], ["--csv"]):
        done = run_process([sys.executable, "-c", program, "list", *form], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "[]\n"), done


def test_a_pipe_that_closes_early_is_no_error() -> None:
    """`runfolio list | head -1` ends quietly."""
    for _ in range(3):
        write_run({"type": "notes", "text": "x" * 100_000})
    command = f"{sys.executable} -m runfolio list --json | head -c 7; echo ${{PIPESTATUS[0]}}"
    done = run_process(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ('[\n{"id"0\n', ""), done


def test_a_locale_without_our_signs_is_served() -> None:
    """Where the output is ASCII the shapes are ASCII too, and foreign letters are escaped."""
    with start(name="損失"):
        pass
    called = spawn("list", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert called.code == 0 and called.err == ""
    assert "+ finished" in called.out and "\\u640d\\u5931" in called.out
    assert fine("show", "latest", encoding="ascii").out.isascii()


def test_a_run_of_several_ranks_says_so() -> None:
    """A metric of several ranks has no one last value: the cell counts the ranks."""
    with start(rank=0) as run:
        run.log({"loss": 1.0})
        other = runfolio.attach(run.id, rank=1)
        other.log({"loss": 2.0})
        other.finish()
    assert fine("list").lines[1].endswith("2 ranks")
