"""Files that the original program wrote: brought in with what is odd about them told, once, and never written over."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

import runfolio
from dialects.ntn.reading import logged
from runfolio.convert.foreign import ForeignRun, Skipped
from runfolio.convert.importing import bring_in_all, find_runs
from runfolio.convert.torn_json import read_json
from runfolio.dialects.ntn.trackers import create_tracker
from runfolio.store.layout import find

# As the original's json.dump writes it: indented by two, bare NaN.
OLD = {
    "experiment_name": "housing_seed0",
    "config": {"model": "mpo2", "bond_dim": 6, "dims": [4, 6], "adam.beta": 0.9},
    "hparams": {"seed": 0, "model": {"kind": "tensor"}},
    "metrics_log": [
        {"step": -1, "loss": 6.64, "r2": -3.88},
        {"step": 0, "loss": math.nan, "r2": 0.8, "reg_loss": 0.86, "jitter": 0.05, "best": True, "count": 3},
        {"step": 1, "loss": 0.26, "r2": -math.inf, "reg_loss": 0.8, "jitter": 0.045},
    ],
    "summary": {"seed": 0, "loss": 0.26, "r2": 0.81, "success": True},
}
MTIME_NS = 1_700_000_000_000_000_000


def write(old: dict[str, Any] | str, name: str = "housing_seed0", folder: str = "old_logs") -> Path:
    """Write a file as the original program did, long ago."""
    Path(folder).mkdir(exist_ok=True)
    path = Path(folder, f"{name}.json")
    path.write_text(old if isinstance(old, str) else json.dumps(old, indent=2), encoding="utf-8")
    os.utime(path, ns=(MTIME_NS, MTIME_NS))
    return path


def found(path: str = "old_logs") -> list[ForeignRun | Skipped]:
    return list(find_runs("ntn", path))


def only(path: str = "old_logs") -> ForeignRun:
    (one,) = found(path)
    assert isinstance(one, ForeignRun)
    return one


def bring_in(path: str = "old_logs") -> list[bool]:
    return [brought.new for brought in bring_in_all(find(None), "ntn", path)]


def test_a_step_that_is_no_number_is_no_metric() -> None:
    """A record whose step is NaN keeps its metrics, without a step, and what stood for the step beside; it stops no import."""
    write({**OLD, "metrics_log": [{"step": "NaN", "loss": 1.0}, {"step": 0, "loss": 0.5}]})
    run = only()
    assert [(call.step, dict(call.values)) for call in run.calls] == [(None, {"loss": 1.0}), (0, {"loss": 0.5})]
    assert [list(record.value) for record in run.records] == [["step"]]
    assert bring_in() == [True]


def test_an_old_file_that_cannot_be_kept_stops_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in the folder never keeps a script from its run: it is told, and stays as it is."""
    path = write("[" * 100_000, folder="experiment_logs")
    write({**OLD, "config": {"a" * 100: {"b": [float("nan")]}}}, "other_seed0", "experiment_logs")
    monkeypatch.setattr("runfolio.convert.importing.bring_in", _refuse)
    with pytest.warns(runfolio.RunfolioWarning, match="could not be imported"):
        tracker = create_tracker("housing_seed1", {})
    tracker.log_metrics({"loss": 1.0}, 0)
    tracker.finalize()
    assert logged("housing_seed1")["metrics_log"] == [{"step": 0, "loss": 1.0}]
    assert path.read_text() == "[" * 100_000


def _refuse(*_: object) -> None:
    raise runfolio.UsageError("no run can hold this")


def test_old_file_comes_over_whole() -> None:
    """Name, experiment, params, every record with its kinds, summary and time are those of the file."""
    write(OLD)
    assert only().skipped == []
    assert bring_in() == [True]
    run = runfolio.open_store().run("housing_seed0")
    assert (run.experiment, run.status, run.summary) == ("housing", "finished", OLD["summary"])
    assert run.params == {
        "model": "mpo2", "bond_dim": 6, "dims": [4, 6], "adam": {"beta": 0.9}, "seed": 0, "hparams": {"model": {"kind": "tensor"}},
    }  # fmt: skip
    assert repr([tuple(point) for point in run.series("loss")]) == "[(-1, 6.64), (0, nan), (1, 0.26)]"
    assert repr([tuple(point) for point in run.series("best")]) == "[(0, True)]"
    assert repr([tuple(point) for point in run.series("count")]) == "[(0, 3)]"
    assert run.series("r2").values.tolist()[-1] == -math.inf
    assert run.created.timestamp() == MTIME_NS / 1e9


def test_import_is_idempotent_wherever_the_folder_lies() -> None:
    """Bringing in the same folder again, or after it was moved, makes no second run; what has grown is added."""
    path = write({**OLD, "metrics_log": OLD["metrics_log"][:2], "summary": {}})
    assert (bring_in(), bring_in()) == ([True], [False])
    path.parent.rename("moved")
    assert bring_in("moved") == [False]
    write(OLD, folder="moved")
    assert bring_in("moved") == [True]
    (run,) = runfolio.open_store().runs()
    assert (run.status, run.series("jitter").steps.tolist()) == ("finished", [0, 1])


def test_torn_file_gives_what_is_whole() -> None:
    """A file that is cut anywhere raises nothing, is told as torn, and gives the records before the cut, none bent."""
    text = json.dumps(OLD, indent=2)
    counts = []
    for cut in range(1, len(text) - 1):
        value, trouble = read_json(text[:cut].encode())
        assert trouble is not None
        records = value.get("metrics_log", []) if isinstance(value, dict) else []
        assert repr(records) == repr(OLD["metrics_log"][: len(records)])
        counts.append(len(records))
    assert counts == sorted(counts) and counts[-1] == 3
    write(text[: text.index('"jitter": 0.045')])
    one = only()
    assert [call.step for call in one.calls] == [-1, 0]
    assert one.status is None
    reasons = [part.reason for part in one.skipped]
    assert reasons[0].startswith("torn at character") and reasons[1] == "it has no summary"
    assert bring_in() == [True]
    assert runfolio.open_store().run("housing_seed0").status == "lost"


def test_failed_run_is_failed() -> None:
    """A summary with an error makes a failed run."""
    write({**OLD, "summary": {"seed": 0, "success": False, "error": "singular"}})
    assert (only().status, only().reason) == ("failed", "singular")


def test_missing_parts_are_told() -> None:
    """A file with the metrics only comes over under its own name; each missing part is told."""
    write({"metrics_log": [{"step": 0, "loss": 1.0}]}, "nameless")
    assert only().name == "nameless"
    told = {
        "it has no config",
        "it has no hparams",
        "it has no summary",
        "it has no experiment_name; the file's name is taken",
    }
    assert {part.reason for part in only().skipped} == told


def test_what_is_no_number_becomes_a_record() -> None:
    """Text, null and lists beside numbers are kept as records of that step; a step that is none is kept too."""
    rows: list[Any] = [
        {"step": 0, "loss": 1.0, "note": "warm", "gap": None},
        {"loss": 2.0},
        {"step": "last", "loss": "NaN"},
        7,
    ]
    write({**OLD, "metrics_log": rows})
    one = only()
    assert (
        repr([tuple(call)[:2] for call in one.calls])
        == "[(0, {'loss': 1.0}), (None, {'loss': 2.0}), (None, {'loss': nan})]"
    )
    assert [tuple(record)[:2] for record in one.records] == [
        (0, {"note": "warm", "gap": None}),
        (None, {"step": "last"}),
    ]
    assert [part.reason for part in one.skipped] == ["metrics_log[3] is no object, and is left out"]
    assert bring_in() == [True]


def test_run_name_of_later_versions() -> None:
    """Later versions of the program write `run_name`: experiment_name_run_name is the run's name, as it is the file's."""
    write({**OLD, "experiment_name": "housing", "run_name": "seed_3"}, "housing_seed_3")
    assert (only().name, only().aliases) == ("housing_seed_3", [])


@pytest.mark.parametrize(
    ("content", "reason"),
    [("", "empty"), ("[1, 2]", "no file of the NTN trackers"), ('{"a": 1}', "no metrics_log"), ("{not json", "torn")],
)
def test_foreign_files_are_skipped_with_the_reason(content: str, reason: str) -> None:
    """What is no file of the NTN trackers is named with the reason, and the others come over."""
    write(content, "other")
    write(OLD)
    skipped = [one for one in found() if isinstance(one, Skipped)]
    assert [Path(one.path).name for one in skipped] == ["other.json"]
    assert reason in skipped[0].reason
    assert bring_in() == [True]


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        "[" * 900,
        '{"metrics_log": [' + "9" * 5000 + "]}",
        '{"metrics_log": [], "config": {"a":' + "[" * 900 + "]" * 900 + "}}",
        "\udcff",
    ],
)
def test_hostile_files_are_skipped(content: str) -> None:
    """Deep nesting, endless digits and bytes that are no text raise nothing."""
    Path("bad.json").write_bytes(content.encode(errors="surrogateescape"))
    assert all(isinstance(one, Skipped) or one.skipped for one in found("bad.json"))


def test_unreadable_paths_are_told() -> None:
    """A path that does not exist, and a dangling link, are named with the reason."""
    assert found("nowhere") == [Skipped("nowhere", "no such file or folder")]


def test_folder_above_is_enough() -> None:
    """The folder in which experiment_logs lies will do."""
    write(OLD, folder="experiment_logs")
    assert only(".").name == "housing_seed0"


def test_first_run_takes_over_what_is_there() -> None:
    """Before ours first writes into a folder, what is there is brought in; a namesake of ours takes the place of a file that was read whole."""
    write(OLD, folder="experiment_logs")
    write({**OLD, "experiment_name": "housing_seed1"}, "housing_seed1", "experiment_logs")
    tracker = create_tracker("housing_seed0", {"bond_dim": 8})
    tracker.log_metrics({"loss": 1.0}, 0)
    tracker.finalize()
    create_tracker("other", {}).finalize()
    assert logged("housing_seed0")["config"] == {"bond_dim": 8}
    store = runfolio.open_store()
    assert sorted(run.name for run in store.runs()) == ["housing_seed0", "housing_seed0", "housing_seed1", "other"]
    assert store.run("housing_seed1").series("loss").steps.tolist() == [-1, 0, 1]


def test_an_old_file_that_was_not_read_whole_stays() -> None:
    """A torn namesake stays byte for byte; ours goes beside it, and says so."""
    text = json.dumps(OLD)[:-20]
    path = write(text, folder="experiment_logs")
    tracker = create_tracker("housing_seed0", {"bond_dim": 8})
    tracker.log_metrics({"loss": 1.0}, 0)
    with pytest.warns(runfolio.RunfolioWarning, match=r"housing_seed0\.json is not ours"):
        tracker.finalize()
        create_tracker("other", {}).finalize()
    assert path.read_text() == text
    assert json.loads(Path("experiment_logs/housing_seed0.json.runfolio").read_text())["config"] == {"bond_dim": 8}


def test_our_own_files_are_no_old_ones() -> None:
    """Importing the folder that our own runs write makes no second runs of them; what a stranger put beside them comes over."""
    for seed in range(2):
        tracker = create_tracker(f"x_seed{seed}", {})
        tracker.log_metrics({"loss": 1.0}, 0)
        tracker.finalize()
    write(OLD, folder="experiment_logs")
    assert [one.reason[:17] for one in found("experiment_logs") if isinstance(one, Skipped)] == [
        "runfolio wrote it"
    ] * 2
    assert bring_in("experiment_logs") == [True]
    assert len(runfolio.open_store().runs()) == 3
    assert logged("x_seed0")["metrics_log"] == [{"step": 0, "loss": 1.0}]


def test_file_that_was_edited_is_not_written_over() -> None:
    """A file of ours that somebody has changed since stays as it is; the new one goes beside."""
    tracker = create_tracker("x_seed0", {})
    tracker.finalize()
    path = Path("experiment_logs/x_seed0.json")
    path.write_text(path.read_text().replace('"config": {}', '"config": {"mine": 1}'))
    edited = path.read_bytes()
    tracker = create_tracker("x_seed0", {"bond_dim": 1})
    with pytest.warns(runfolio.RunfolioWarning, match="was changed"):
        tracker.finalize()
        create_tracker("other", {}).finalize()
    assert path.read_bytes() == edited
    assert json.loads(Path(f"{path}.runfolio").read_text())["config"] == {"bond_dim": 1}
