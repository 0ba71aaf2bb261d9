"""`runfolio import cs336`: what the original program left becomes runs, once, and nothing of it is lost without a word."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import runfolio
from dialects.cs336.making import FOLDER, loaded, old_log, old_snapshot, saved, write_old
from runfolio.convert.bring_in import BroughtIn, bring_in
from runfolio.convert.foreign import ForeignRun, Skipped
from runfolio.convert.importers.cs336 import find
from runfolio.convert.view import snapshot
from runfolio.store.layout import find as find_store


def brought(path: Path = FOLDER) -> list[BroughtIn]:
    """Import all that is found."""
    return [bring_in(find_store(None), found) for found in find(str(path)) if isinstance(found, ForeignRun)]


def one(path: Path = FOLDER) -> ForeignRun:
    (found,) = find(str(path))
    assert isinstance(found, ForeignRun)
    return found


def reasons(path: Path = FOLDER) -> list[str]:
    """Give what the importer says it left out."""
    told: list[Skipped] = []
    for found in find(str(path)):
        told += [found] if isinstance(found, Skipped) else found.skipped
    return [f"{Path(each.path).name}: {each.reason}" for each in told]


def test_an_old_experiment_becomes_a_run() -> None:
    """Config, snapshots, final losses, notes and times come over; the run answers to its name and to the file's."""
    snapshots = [old_snapshot(0), old_snapshot(10, val_loss=3.25, train_loss=math.nan)]
    path = write_old(old_log("baseline", snapshots, notes="first"))
    (one_brought,) = brought()
    with runfolio.open_store() as store:
        run = store.run("baseline")
        assert (run.id, store.run(path.stem).id, run.experiment) == (one_brought.run_id, run.id, "baseline")
        assert (run.status, run.notes, run.params["d_model"], run.params["model_name"]) == (
            "finished", "first", 512, "TransformerLM",
        )  # fmt: skip
        assert run.created is not None and run.created.timestamp() == _local("2025-02-22T14:05:30.123456")
        assert (run.summary["final_val_loss"], run.summary["duration_seconds"]) == (3.75, 10.0)
        loss = run.series("train_loss")
        assert loss.steps.tolist() == [0, 10]
        assert loss.values[0] == 4.0 and math.isnan(loss.values[1])
        assert run.series("val_loss").values.tolist() == [3.25]
        assert run.series("batch_size").values.tolist() == [64, 64]
    calls = snapshot(find_store(None), one_brought.run_id).calls
    assert [call.values["gradient_step"] for call in calls] == [1, 11]
    begin = _local("2025-02-22T14:05:30.123456")
    assert [round(call.time_ns / 1e9 - begin, 3) for call in calls] == [0.25, 2.75]


def _local(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_importing_again_changes_nothing() -> None:
    """A second import, also from where the folder lies now, finds all runs and writes none."""
    write_old(old_log("a", [old_snapshot(0)]))
    write_old(old_log("b", [old_snapshot(0)]))
    first = brought()
    FOLDER.rename("moved")
    second = brought(Path("moved"))
    assert [each.run_id for each in first] == [each.run_id for each in second]
    assert ([each.new for each in first], [each.new for each in second]) == ([True, True], [False, False])
    with runfolio.open_store() as store:
        assert len(store.runs()) == 2


def test_a_changed_file_changes_its_run() -> None:
    """What a saved-again file has more, or other, is what its run shows after the next import."""
    log = old_log("a", [old_snapshot(0)])
    write_old(log)
    (first,) = brought()
    write_old({**log, "metrics_history": [old_snapshot(0), old_snapshot(1)], "notes": "longer"})
    (second,) = brought()
    assert (second.run_id, second.new) == (first.run_id, True)
    write_old({**log, "metrics_history": [old_snapshot(0, train_loss=1.5)]})
    brought()
    with runfolio.open_store() as store:
        assert store.runs(name="a")[0].series("train_loss").values.tolist() == [1.5]
        assert len(store.runs()) == 1


def test_the_outermost_folder_is_taken() -> None:
    """The log folder, the project around it, or one file: all lead to the same run."""
    path = write_old(old_log("a", []))
    assert {one(each).identity for each in (Path("."), FOLDER, path)} == {one().identity}


def test_what_cannot_be_read_is_told() -> None:
    """Torn, empty and foreign files, and a path that is not there, are named with the reason; the sound ones come over."""
    write_old(old_log("sound", []))
    torn = write_old(old_log("torn", [old_snapshot(0)]))
    torn.write_bytes(torn.read_bytes()[:100])
    (FOLDER / "experiment_empty_1.json").write_text("")
    (FOLDER / "experiment_bytes_1.json").write_bytes(b"\xff\xfe\x00")
    (FOLDER / "experiment_list_1.json").write_text("[1]")
    (FOLDER / "other.json").write_text('{"a": 1}')
    (FOLDER / "deep.json").write_text("[" * 100_000)
    told = reasons()
    assert [line.partition(":")[0] for line in told] == [
        "deep.json", "experiment_bytes_1.json", "experiment_empty_1.json", "experiment_list_1.json",
        "experiment_torn_20250222_140530.json", "other.json",
    ]  # fmt: skip
    assert "it is empty" in told[2] and "no experiment log" in told[3] and "torn" in told[4]
    assert len(brought()) == 1
    assert "cannot be read" in reasons(Path("nowhere"))[0]


def test_the_files_of_the_ntn_trackers_are_no_experiments() -> None:
    """Both programs write into experiment_logs: what the other one wrote is named, and neither imported nor loaded, also before our first file."""
    theirs = {
        "experiment_name": "a_seed0",
        "config": {"bond_dim": 6},
        "hparams": {},
        "metrics_log": [{"step": 0, "loss": 1.0}],
        "summary": {},
    }
    write_old(old_log("sound", []))
    for name in ("a_seed0.json", "experiment_a_seed0.json"):
        (FOLDER / name).write_text(json.dumps(theirs))
    assert [(line.partition(":")[0], "NTN" in line) for line in reasons()] == [
        ("a_seed0.json", True), ("experiment_a_seed0.json", True),
    ]  # fmt: skip
    saved("new")
    assert {run.name for run in runfolio.open_store().runs()} == {"sound", "new"}
    assert set(loaded().logs) == {"sound", "new"}


def test_what_is_left_out_of_a_file_is_told() -> None:
    """Snapshots without an iteration, times that are none and numbers that are none are named; unknown fields are kept as a record."""
    history: list[Any] = [
        {"iteration": 0, "train_loss": "bad", "phase": "warmup"},
        {"train_loss": 1.0},
        {"iteration": 1.5},
        7,
        {"iteration": 2, "train_loss": 1.0, "huge": 10**400},
    ]
    log = old_log("a", history, start_time="yesterday", final_val_loss="low", notes=7, extra={"gpu": "H100"})
    write_old(log)
    (told,) = brought()
    text = "\n".join(reasons())
    for part in ("train_loss is no number: 'bad'", "snapshot 1 ", "snapshot 2 ", "snapshot 3 ", "start_time is no time",
                 "final_val_loss is no number: 'low'", "notes is no text: 7"):  # fmt: skip
        assert part in text, part
    state = snapshot(find_store(None), told.run_id).state
    assert [(record.step, record.value) for record in state.records] == [
        (None, {"extra": {"gpu": "H100"}}), (0, {"train_loss": "bad", "phase": "warmup"}), (2, {"huge": 10**400}),
    ]  # fmt: skip
    assert state.created_ns == int(_local("2025-02-22T14:05:30") * 1e9)  # from the file's name


def test_missing_fields_are_no_hindrance() -> None:
    """A file with next to nothing is a run; one that was saved before its end has not finished."""
    FOLDER.mkdir()
    (FOLDER / "experiment_bare_20250222_140530.json").write_text('{"config": {}}')
    found = one()
    assert (found.name, found.params, found.calls, found.status) == ("bare", {"experiment_name": "bare"}, [], None)
    write_old(old_log("early", [old_snapshot(0)], end_time=None), folder=Path("other"))
    assert one(Path("other")).status is None
    brought()


def test_params_that_no_run_can_hold_are_told() -> None:
    """A config key that cannot be a param is named, and the others come over."""
    log = old_log("a", [])
    log["config"].update({"": 1, "model": {"width": 3}, "model.width": 4, "betas": [0.9, 0.95]})
    write_old(log)
    found = one()
    assert found.params["betas"] == [0.9, 0.95] and found.params["model"] == {"width": 3}
    assert sum("config:" in each.reason for each in found.skipped) == 2
    brought()


def test_our_own_file_reads_back_the_same() -> None:
    """A file of ours that another store imports gives the numbers that were logged, infinities and all."""
    values = (3.0, math.nan, math.inf, -math.inf, 0.1)
    path = saved("ours", train=values, val=(2.0,), grad_clip=math.inf)
    found = one(path)
    assert repr([call.values["train_loss"] for call in found.calls]) == repr(list(values))
    assert found.params["grad_clip"] == math.inf
    assert (found.status, found.skipped, found.notes) == ("finished", [], None)
    assert json.loads(path.read_text())["config"]["grad_clip"] == "Infinity"
