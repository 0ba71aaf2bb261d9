"""Folders that yanex wrote open: whole, with missing fields, and torn."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import runfolio
from cli.calling import call
from dialects.blocks import blocks_of
from dialects.yanex.reading import metrics_file, records
from runfolio.convert.bring_in import bring_in
from runfolio.convert.foreign import ForeignRun, Skipped
from runfolio.convert.importers.yanex import find
from runfolio.convert.view import snapshot
from runfolio.convert.views.yanex import records_of
from runfolio.dialects import yanex
from runfolio.query.run import Run
from runfolio.store.layout import find as find_store

# As the program writes it: naive UTC with microseconds, sorted keys, `last_updated` on a merged record, bare NaN.
METADATA = {
    "created_at": "2024-01-15T10:30:00.000123",
    "completed_at": "2024-01-15T10:31:00.500000",
    "description": "does a lower rate help?",
    "duration": 59.5,
    "environment": {"python": {"version": "3.11.4"}},
    "git": {"branch": "main", "commit": "abc123"},
    "id": "abc12345",
    "name": "lr-0.01",
    "saved_at": "2024-01-15T10:31:00.500321",
    "script_path": "/home/ada/project/train_model.py",
    "started_at": "2024-01-15T10:30:01.000000",
    "status": "completed",
    "tags": ["baseline", "lr sweep"],
}
METRICS = """[
  {
    "train_loss": 1.8234,
    "images": 1000,
    "step": 1,
    "timestamp": "2024-01-15T10:30:01.234567"
  },
  {
    "train_loss": NaN,
    "note": "diverged",
    "step": 2,
    "timestamp": "2024-01-15T10:30:02.000001",
    "val_loss": 1.7234,
    "last_updated": "2024-01-15T10:30:02.456789"
  }
]"""
PARAMS = "epochs: 10\nlearning_rate: 0.01\nmodel:\n  layers: [64, 32]\n  name: mlp\n"


def experiment(name: str = "abc12345", **files: str | bytes) -> Path:
    """Write an experiment's folder; `metadata_json="…"` is the file metadata.json."""
    folder = Path.home() / ".yanex" / "experiments" / name
    folder.mkdir(parents=True)
    for key, content in files.items():
        stem, _, suffix = key.rpartition("_")
        (folder / f"{stem}.{suffix}").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def whole_experiment() -> Path:
    folder = experiment(metadata_json=json.dumps(METADATA, indent=2), metrics_json=METRICS, params_yaml=PARAMS)
    (folder / "artifacts" / "plots").mkdir(parents=True)
    (folder / "artifacts" / "model.bin").write_bytes(b"weights")
    (folder / "artifacts" / "plots" / "curve.svg").write_text("<svg/>")
    return folder


def read(path: Path) -> ForeignRun:
    """Read the only run at a path."""
    (found,) = find(str(path))
    assert isinstance(found, ForeignRun), found
    return found


def imported(path: Path) -> Run:
    brought = bring_in(find_store(), read(path))
    return runfolio.open_store().run(brought.run_id)


def reasons(found: ForeignRun) -> list[tuple[str, str]]:
    return [(Path(skipped.path).name, skipped.reason) for skipped in found.skipped]


def rows(run: Run) -> list[dict[str, Any]]:
    return records_of(snapshot(find_store(), run.id).calls)


# ------------------------------------------------------------------------------------------------------ what is there


def test_the_documented_file_alone_is_a_run() -> None:
    """A folder with nothing but the document's metrics.json is a run with those steps, values and times."""
    sample = blocks_of("yanex")[12].text
    run = imported(experiment(metrics_json=sample))
    assert rows(run) == json.loads(sample)
    assert run.aliases == ["abc12345"]
    assert read(metrics_file("abc12345")).skipped == []


def test_everything_of_an_experiment_comes_over() -> None:
    """Name, script, params, tags, description, status, times, metrics and artifacts are those of the source."""
    run = imported(whole_experiment())
    assert (run.name, run.experiment, run.status) == ("lr-0.01", "train_model", "finished")
    assert run.params == {"epochs": 10, "learning_rate": 0.01, "model": {"layers": [64, 32], "name": "mlp"}}
    assert run.tags == {"baseline": "", "lr sweep": ""}
    assert run.notes == "does a lower rate help?"
    assert run.created == datetime.fromisoformat("2024-01-15T10:30:00.000123+00:00")
    assert run.ended == datetime.fromisoformat("2024-01-15T10:31:00.500000+00:00")
    assert run.artifact("model.bin").read_bytes() == b"weights"
    assert run.artifact("plots/curve.svg").read_bytes() == b"<svg/>"
    assert runfolio.open_store().run("abc12345").id == run.id


def test_values_and_naive_times_are_exact() -> None:
    """Naive times are UTC; a merged record has the time of its latest write; NaN is a float, an int an int, text a record."""
    run = imported(whole_experiment())
    first, second = rows(run)
    assert first == {"step": 1, "train_loss": 1.8234, "images": 1000, "timestamp": "2024-01-15T10:30:01.234Z"}
    assert isinstance(first["images"], int)
    assert math.isnan(second.pop("train_loss"))
    assert second == {"step": 2, "val_loss": 1.7234, "timestamp": "2024-01-15T10:30:02.456Z"}
    metadata, note = run.records
    assert (note.step, note.value) == (2, {"note": "diverged"})
    assert metadata.value["metadata"]["git"] == {"branch": "main", "commit": "abc123"}
    assert metadata.value["metadata"]["duration"] == 59.5


@pytest.mark.parametrize(
    ("theirs", "ours"), [("completed", "finished"), ("failed", "failed"), ("cancelled", "killed"), ("running", "lost")]
)
def test_their_words_for_how_it_ended(theirs: str, ours: str) -> None:
    """completed, failed and cancelled are ours; of what was still running, or never began, nothing is claimed."""
    told = {**METADATA, "status": theirs, "error_message": "out of memory"}
    run = imported(experiment(metadata_json=json.dumps(told), metrics_json=METRICS))
    assert run.status == ours
    if ours != "lost":
        assert run.status_reason == "out of memory"


def test_steps_out_of_order_keep_their_times() -> None:
    """The file is sorted by step; calls that came in another order keep their own times."""
    text = json.dumps(
        [
            {"step": 1, "val": 0.5, "timestamp": "2024-01-15T10:30:09"},
            {"step": 2, "val": 0.4, "timestamp": "2024-01-15T10:30:02"},
        ]
    )
    run = imported(experiment(metrics_json=text))
    assert [row["timestamp"] for row in rows(run)] == ["2024-01-15T10:30:09.000Z", "2024-01-15T10:30:02.000Z"]


def test_older_names_and_the_archive() -> None:
    """results.json and config.json are the older names; an archived experiment is one too, tagged so."""
    experiment("archived/0000aaaa", results_json=METRICS, config_json='{"lr": 0.1}')
    experiment("1111bbbb", metrics_json=METRICS, results_json="[]", config_yaml="lr: 0.2")
    new, old = (found for found in find(str(Path.home() / ".yanex")) if isinstance(found, ForeignRun))
    assert (new.identity, new.params, new.tags) == ("1111bbbb", {"lr": 0.2}, {})
    assert (old.identity, old.params, old.tags) == ("0000aaaa", {"lr": 0.1}, {"archived": ""})
    assert [len(run.calls) for run in (new, old)] == [2, 2]
    assert reasons(new) == [("results.json", "metrics.json is its newer form")]


# ------------------------------------------------------------------------------------------------- what is not there


def test_a_file_that_breaks_off() -> None:
    """Of a file that breaks off, also inside a letter, the whole records before that are taken over, and it is told."""
    whole = METRICS.replace("diverged", "größer")
    for place, cut in enumerate((whole.encode()[:-40], whole.encode()[: whole.encode().index(b"\xc3") + 1], b"[", b"")):
        found = read(experiment(f"0000000{place}", metrics_json=cut))
        count = 1 if place < 2 else 0
        assert [call.values for call in found.calls] == [{"train_loss": 1.8234, "images": 1000}] * count
        assert reasons(found)[-1] == ("metrics.json", f"it breaks off: the {count} records before that are taken over")


def test_missing_fields_are_told() -> None:
    """A record without a step stands after the highest before it, one without a time has that of the one before; both are told."""
    told: list[Any] = [
        {"step": 4, "loss": 0.5, "timestamp": "2024-01-15T10:30:01"},
        {"loss": 0.4},
        {"step": 6.0, "loss": 0.3, "timestamp": "soon"},
        {"step": True, "loss": 0.2, "timestamp": "2024-01-15T10:30:03"},
        {"step": 9, "timestamp": "2024-01-15T10:30:04"},
        "text",
    ]
    found = read(experiment(metrics_json=json.dumps(told)))
    assert [call.step for call in found.calls] == [4, 5, 6, 7]
    assert len({call.time_ns for call in found.calls[:3]}) == 1
    assert [reason for _, reason in reasons(found)] == [
        "record 2 and 1 more has no step: it stands at the highest before it + 1",
        "record 2 and 1 more has no timestamp: it has that of the one before",
        "record 5 holds no metric: left out",
        "record 6 is no object: left out",
    ]


def test_what_is_no_number_is_a_record() -> None:
    """Text, None, lists and ints beyond 2^53 are kept as a record at their step; the numbers beside them are metrics."""
    value = {"text": "a", "none": None, "list": [1, "b"], "big": 2**53 + 1, "loss": 0.5}
    found = read(experiment(metrics_json=json.dumps([{"step": 1, **value, "timestamp": "2024-01-15T10:30:01Z"}])))
    assert [call.values for call in found.calls] == [{"loss": 0.5}]
    assert [(record.step, record.value) for record in found.records] == [
        (1, {"text": "a", "none": None, "list": [1, "b"], "big": 2**53 + 1})
    ]
    assert found.skipped == []


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("metadata_json", '{"id": "abc', "no JSON: "),
        ("metadata_json", "[1]", "it holds no object"),
        ("metadata_json", '{"tags": "a"}', "tags is no list: 'a'"),
        ("metadata_json", '{"tags": ["a", 3]}', "key 3 is a int; use text"),
        ("metadata_json", '{"name": 3}', "name is no text: 3"),
        ("params_yaml", "a: [1", "no YAML: "),
        ("params_yaml", "a: !!python/tuple [1]", "no YAML: "),
        ("params_yaml", "- 1", "it holds no params, which are names and values"),
        ("metrics_json", '{"loss": 1}', "it holds no list of records"),
        ("script_runs_json", "[]", "not taken over: no file that this importer knows"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_comes_over(file: str, content: str, reason: str) -> None:
    """A part that cannot be read is named with its reason; all other parts come over."""
    files: dict[str, Any] = {"metrics_json": METRICS, "params_yaml": "lr: 0.1", "metadata_json": "{}", file: content}
    found = read(experiment(**files))
    stem, _, suffix = file.rpartition("_")
    ((name, told),) = reasons(found)
    assert name == f"{stem}.{suffix}"
    assert told.startswith(reason)
    assert len(found.calls) == (0 if file == "metrics_json" else 2)
    assert found.params == ({} if file == "params_yaml" else {"lr": 0.1})
    assert bring_in(find_store(), found).new


def test_no_experiments_are_told() -> None:
    """A folder without experiments, and one among them that is none, are skipped with the reason."""
    (Path.home() / ".yanex" / "experiments").mkdir(parents=True)
    (nothing,) = find(str(Path.home() / ".yanex"))
    assert isinstance(nothing, Skipped)
    assert nothing.reason.startswith("no experiments are below it")
    experiment("abc12345", notes_txt="hello")
    (none,) = find(str(Path.home() / ".yanex"))
    assert none == Skipped(
        str(metrics_file("abc12345").parent), "no experiment: it has neither metrics.json nor metadata.json"
    )


# ----------------------------------------------------------------------------------------------------- once, and again


def test_importing_again_takes_only_what_is_new() -> None:
    """A second import writes nothing; where the source has grown, it adds that; the folder may have moved."""
    folder = whole_experiment()
    first = bring_in(find_store(), read(folder))
    again = bring_in(find_store(), read(folder))
    assert (first.new, again.new, first.run_id) == (True, False, again.run_id)
    grown = METRICS[:-2] + ',{"step": 3, "train_loss": 0.5, "timestamp": "2024-01-15T10:30:05"}]'
    (folder / "metrics.json").write_text(grown)
    moved = folder.rename(folder.parent.parent / "abc12345")
    more = bring_in(find_store(), read(moved))
    assert (more.new, more.run_id, more.added) == (True, first.run_id, 1)
    assert [row["step"] for row in rows(runfolio.open_store().run("abc12345"))] == [1, 2, 3]


def test_the_command_tells_each_run_and_a_count() -> None:
    """`runfolio import yanex ~/.yanex` prints a line for each run, what it skipped and why, and a count; nothing in the source changes."""
    folder = whole_experiment()
    experiment("00000000", metrics_json="[")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = call("import", "yanex", str(Path.home() / ".yanex"))
    assert done.code == 0
    assert "lr-0.01" in done.out
    assert done.lines[-1] == "2 runs brought in."
    assert "it breaks off: the 0 records before that are taken over" in done.err
    assert call("import", "yanex", str(folder)).lines[-1].endswith("1 known already.")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert call("show", "abc12345").code == 0


def test_the_view_of_a_run_of_ours_is_not_imported() -> None:
    """A metrics.json that a run of this store keeps is told, and makes no second run."""
    yanex.log_metrics({"loss": 0.5}, step=1)
    records()
    run = runfolio.active_run()
    assert run is not None
    run.finish()
    (found,) = find(str(Path.home() / ".yanex"))
    assert isinstance(found, Skipped)
    assert run.id[:8] in found.reason


def test_a_view_opens_in_another_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A metrics.json of ours, brought into another store, is the same file again, NaN and infinities too."""
    for step in (1, 2):
        yanex.log_metrics({"loss": math.nan, "gap": -math.inf, "count": 3, "good": True, "timestamp": 0.25}, step=step)
    kept = records()
    run = runfolio.active_run()
    assert run is not None
    run.finish()
    monkeypatch.setenv("RUNFOLIO_DIR", str(tmp_path / "other"))
    again = imported(metrics_file(run.id))
    assert rows(again)[0].keys() == kept[0].keys()
    assert repr([list(row.items())[:-1] for row in rows(again)]).replace("nan", "'NaN'").replace(
        "-inf", "'-Infinity'"
    ) == repr([list(row.items())[:-1] for row in kept])
