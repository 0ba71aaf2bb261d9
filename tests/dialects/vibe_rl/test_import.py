"""Folders that vibe-rl itself wrote: brought in once, named honestly, and gone on with."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from pathlib import Path

import pytest

import runfolio
from dialects.vibe_rl.keeping import in_another_process, lines_of, only_run, without_time
from runfolio.cli.main import main
from runfolio.convert.bring_in import bring_in
from runfolio.convert.foreign import ForeignRun, Skipped
from runfolio.convert.importers.vibe_rl import find
from runfolio.dialects.vibe_rl.metrics import MetricsLogger, read_metrics
from runfolio.dialects.vibe_rl.run_dir import RunDir
from runfolio.store.layout import find as find_store

OLD = "dqn_cartpole_20260216_143022"
FULL = (
    '{"step": 1000, "loss": 0.42, "reward": 195.0, "wall_time": 12.345}\n'
    '{"step": 2000, "loss": NaN, "reward": -Infinity, "wall_time": 24.5}\n'
    '{"note": "eval", "step": 2000, "episode_return": 200.0, "wall_time": 24.6}\n'
    '{"step": 3000, "loss": 0.1, "wall_time": 0.5}\n'
)


def old_run(runs: Path | str = "runs", name: str = OLD, metrics: str = FULL) -> Path:
    """Write a run's folder as the original program leaves it."""
    root = Path(runs) / name
    for folder in ("logs", "checkpoints", "videos", "artifacts"):
        (root / folder).mkdir(parents=True)
    (root / "logs" / "metrics.jsonl").write_text(metrics, encoding="utf-8")
    (root / "config.json").write_text('{"algo": "dqn", "lr": 0.001, "clip": Infinity, "net": {"widths": [64, 64]}}')
    (root / "wandb_id.txt").write_text("abcd1234")
    (root / "checkpoints" / "step_1000.npz").write_bytes(b"0" * 10)
    (root / "artifacts" / "policy.txt").write_text("left, right")
    return root


def brought_in(path: Path | str) -> list[ForeignRun | Skipped]:
    """Bring in what is found at a path, as the command does."""
    found = list(find(str(path)))
    for each in found:
        if isinstance(each, ForeignRun):
            bring_in(find_store(), each)
    return found


@pytest.mark.parametrize("path", ["runs", f"runs/{OLD}", f"runs/{OLD}/logs", f"runs/{OLD}/logs/metrics.jsonl", "."])
def test_a_run_is_found_from_wherever_one_points(path: str) -> None:
    """The folder of runs, the run's own, its logs, its file, and the project around them all mean the same run."""
    old_run()
    brought_in(path)
    run = only_run()
    assert (run.name, run.experiment, run.status) == (OLD, "dqn_cartpole", "finished")
    assert run.params == {"algo": "dqn", "lr": 0.001, "clip": math.inf, "net": {"widths": [64, 64]}}
    loss = run.series("loss")
    assert (loss.steps.tolist(), loss.values.tolist()[::2]) == ([1000, 2000, 3000], [0.42, 0.1])
    assert math.isnan(loss.values[1])
    assert run.series("episode_return").values.tolist() == [200.0]
    assert run.tags == {"wandb_id": "abcd1234"}
    assert run.artifact("policy.txt").read_bytes() == b"left, right"


def test_the_times_are_the_old_ones() -> None:
    """A run begins when its folder's name says, and a line lies `wall_time` behind that; a logger that went on counts from there."""
    old_run()
    (found,) = find("runs")
    assert isinstance(found, ForeignRun)
    assert found.created_ns is not None
    times = [(each.time_ns or 0) - found.created_ns for each in [*found.calls, *found.records]]
    assert [round(ns / 1e9, 3) for ns in sorted(times)] == [12.345, 24.5, 24.5, 24.6, 24.6, 25.1]
    assert time.strftime("%Y%m%d_%H%M%S", time.localtime(found.created_ns / 1e9)) == "20260216_143022"


def test_what_stays_out_is_named() -> None:
    """A torn line, a line that is no object, and files that stay where they are are told, with the reason."""
    root = old_run(metrics=FULL + '[1, 2]\n{"step": 4000, "lo')
    (found,) = brought_in("runs")
    assert isinstance(found, ForeignRun)
    assert {(os.path.relpath(part.path, root), part.reason) for part in found.skipped} == {
        ("logs/metrics.jsonl", "line 5 is no JSON object"),
        ("logs/metrics.jsonl", "line 6 is torn"),
        ("checkpoints", "1 file stays where they are; add what you want kept as artifacts"),
    }
    assert only_run().series("loss").steps.tolist() == [1000, 2000, 3000]


def test_files_that_cannot_be_read_are_skipped_with_the_reason(tmp_path: Path) -> None:
    """A file of something else, a missing one, an empty folder: skipped, named, and no run."""
    Path("notes.jsonl").write_text("hello\nthere\n")
    Path("empty").mkdir()
    Path("runs/broken_20260216_143022/logs").mkdir(parents=True)
    found = [each for path in ("notes.jsonl", "empty", "runs", "gone.jsonl") for each in find(path)]
    told = {os.path.basename(each.path): each.reason for each in found if isinstance(each, Skipped)}
    assert told == {
        "notes.jsonl": "no line of it is a JSON object",
        "empty": "there is no metrics.jsonl in it, nor in the logs folder of a run",
        "metrics.jsonl": "there is no such file",
        "gone.jsonl": "there is no such file",
    }


def test_a_config_that_cannot_become_params_is_named() -> None:
    """Broken or odd configuration is told and does not keep the metrics out."""
    root = old_run()
    (root / "config.json").write_text("[1, 2]")
    (found,) = brought_in("runs")
    assert isinstance(found, ForeignRun)
    assert [part.reason for part in found.skipped if part.path.endswith("config.json")] == [
        "it cannot become params: it is no JSON object"
    ]
    assert len(only_run().series("loss").values) == 3


def command(*arguments: str) -> int:
    """Run `runfolio`, and give its exit code."""
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


def test_bringing_in_again_takes_only_what_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    """The command is idempotent, also from another place, and a file that has grown adds its new lines."""
    root = old_run()
    assert command("import", "vibe-rl", "runs") == 0
    assert command("import", "vibe-rl", str(root)) == 0
    Path("moved").mkdir()
    root = root.rename(Path("moved") / OLD)
    assert command("import", "vibe-rl", "moved") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 runs brought in, 1 known already."
    assert len(only_run().series("loss").values) == 3
    with open(root / "logs" / "metrics.jsonl", "a") as file:
        file.write('{"step": 4000, "loss": 0.05, "wall_time": 1.5}\n')
    assert command("import", "vibe-rl", "moved") == 0
    assert only_run().series("loss").steps.tolist() == [1000, 2000, 3000, 4000]


def test_our_own_folders_are_not_brought_in_again() -> None:
    """A file that a run of this store writes is skipped, and the run named."""
    run = RunDir("dqn")
    with MetricsLogger(run.log_path()) as logger:
        logger.write({"step": 1, "loss": 0.5})
    (found,) = brought_in("runs")
    assert isinstance(found, Skipped)
    assert found.reason == f"runfolio wrote it: it is run {only_run().id[:8]} of this store"


def test_logging_goes_on_with_an_old_file() -> None:
    """The old text stays byte for byte, ours follows on a new line, and both are one run; as often as one goes on."""
    metrics = FULL + '{"step": 4000, "lo'
    root = old_run(metrics=metrics)
    for step in (5000, 6000, 7000):
        with MetricsLogger(RunDir(run_id=OLD).log_path()) as logger:
            logger.write({"step": step, "loss": 0.01})
    text = (root / "logs" / "metrics.jsonl").read_text()
    head, tail = text[: len(metrics)], text[len(metrics) :]
    assert head == metrics
    assert without_time([json.loads(line) for line in tail.splitlines()[1:]]) == [
        {"step": step, "loss": 0.01} for step in (5000, 6000, 7000)
    ]
    assert tail.startswith("\n")
    assert [record["step"] for record in read_metrics(root / "logs" / "metrics.jsonl")] == [1000, 2000, 2000, 3000, 5000, 6000, 7000]  # fmt: skip
    assert only_run().series("loss").steps.tolist() == [1000, 2000, 3000, 5000, 6000, 7000]
    assert only_run().params["algo"] == "dqn"
    assert not list(root.rglob("*.runfolio"))


def test_logging_goes_on_with_what_was_brought_in_before() -> None:
    """A run that the command has brought in is the one that a logger goes on with, and is not brought in twice."""
    root = old_run()
    brought_in("runs")
    with MetricsLogger(root / "logs" / "metrics.jsonl") as logger:
        logger.write({"step": 5000, "loss": 0.01})
    assert isinstance(brought_in("runs")[0], Skipped)
    assert only_run().series("loss").steps.tolist() == [1000, 2000, 3000, 5000]


def test_an_old_file_that_cannot_be_read_whole_is_not_touched() -> None:
    """Bytes that are no UTF-8 stay as they are; the run, with all that could be read, goes beside."""
    data = FULL.encode() + b'{"step": 4000, "note": "\xff\xfe"}\n'
    root = old_run()
    path = root / "logs" / "metrics.jsonl"
    path.write_bytes(data)
    with pytest.warns(runfolio.RunfolioWarning, match=r"is not ours.*metrics\.jsonl\.runfolio"):
        with MetricsLogger(path) as logger:
            logger.write({"step": 5000, "loss": 0.01})
    assert path.read_bytes() == data
    assert [record["step"] for record in read_metrics(f"{path}.runfolio")] == [1000, 2000, 2000, 3000, 5000]


def test_a_deleted_run_whose_file_is_written_again_comes_back() -> None:
    """Who deletes a run and logs on into its file has its lines and its run again."""
    from runfolio.store.edits import delete

    with MetricsLogger("m.jsonl") as logger:
        logger.write({"step": 1, "loss": 0.5})
    delete(find_store(), only_run().id)
    assert runfolio.open_store().runs() == []
    with MetricsLogger("m.jsonl") as logger:
        logger.write({"step": 2, "loss": 0.25})
    assert without_time(lines_of("m.jsonl")) == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}]
    assert only_run().series("loss").values.tolist() == [0.5, 0.25]


def test_a_file_of_another_store_is_brought_into_this_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With another store, the lines of the first one's file come in and are gone on with."""
    with MetricsLogger("m.jsonl") as logger:
        logger.write({"step": 1, "loss": 0.5})
    monkeypatch.setenv("RUNFOLIO_DIR", str(tmp_path / "second"))
    with MetricsLogger("m.jsonl") as logger:
        logger.write({"step": 2, "loss": 0.25})
    assert without_time(lines_of("m.jsonl")) == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}]
    assert only_run().series("loss").values.tolist() == [0.5, 0.25]


FIRST = """
from runfolio.dialects.vibe_rl.metrics import MetricsLogger
with MetricsLogger("m.jsonl") as logger:
    logger.write({"step": 1, "loss": 0.5})
"""


def test_the_file_of_a_run_that_is_gone_is_brought_in() -> None:
    """Where the run of a file was removed from the store for good, its lines come in again and are gone on with."""
    in_another_process(FIRST)
    shutil.rmtree(Path(find_store().run(only_run().id)))
    for step in (2, 3):
        with MetricsLogger("m.jsonl") as logger:
            logger.write({"step": step, "loss": 0.25})
    assert [record["step"] for record in lines_of("m.jsonl")] == [1, 2, 3]
    assert only_run().series("loss").steps.tolist() == [1, 2, 3]
    assert isinstance(brought_in("m.jsonl")[0], Skipped)
