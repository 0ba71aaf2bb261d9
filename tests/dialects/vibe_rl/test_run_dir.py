"""The folder of a vibe-rl run: S4.10 to S4.13; and reading its metrics back: S4.14."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import runfolio
from dialects.vibe_rl.keeping import in_another_process, lines_of, only_run, without_time
from runfolio.dialects.vibe_rl.metrics import MetricsLogger, read_metrics
from runfolio.dialects.vibe_rl.run_dir import RunDir
from runfolio.errors import InvalidValue, RunNotFound, UsageError


def test_S4_10_a_new_run_has_a_folder_with_its_time() -> None:
    """`RunDir(name)` makes runs/<name>_<YYYYMMDD_HHMMSS> with its four folders."""
    run = RunDir("dqn_cartpole")
    assert re.fullmatch(r"dqn_cartpole_\d{8}_\d{6}", run.root.name)
    assert run.root.parent == Path("runs")
    assert sorted(entry.name for entry in run.root.iterdir()) == ["artifacts", "checkpoints", "logs", "videos"]


def test_S4_10_runs_of_one_second_get_folders_of_their_own() -> None:
    """However many begin at once, in threads and processes, each has a folder to itself."""
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(RunDir("dqn").run_id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made.append(in_another_process("from runfolio.dialects.vibe_rl.run_dir import RunDir; print(RunDir('dqn').run_id)"))
    assert len({name.strip() for name in made}) == 9


def test_S4_11_root_logs_and_log_path() -> None:
    """`root`, `logs` and `log_path()` are paths; the metrics lie at logs/metrics.jsonl."""
    run = RunDir("dqn")
    assert run.logs == run.root / "logs"
    assert run.log_path() == run.root / "logs" / "metrics.jsonl"
    assert (run.checkpoints, run.videos, run.artifacts) == tuple(
        run.root / name for name in ("checkpoints", "videos", "artifacts")
    )
    assert Path(run) == run.root


@dataclass
class Network:
    widths: tuple[int, ...] = (64, 64)
    activation: str = "tanh"


@dataclass
class Config:
    algo: str = "dqn"
    lr: float = 1e-3
    network: Network = field(default_factory=Network)


@pytest.mark.parametrize(
    "config",
    [Config(), {"algo": "dqn", "lr": 1e-3, "network": {"widths": [64, 64], "activation": "tanh"}}],
    ids=["dataclass", "dict"],
)
def test_S4_12_save_config_writes_the_file_and_the_params(config: object) -> None:
    """A dict or dataclass becomes config.json, at once, and the params of the run that its metrics go to."""
    run = RunDir("dqn")
    run.save_config(config)
    told = {"algo": "dqn", "lr": 1e-3, "network": {"widths": [64, 64], "activation": "tanh"}}
    assert json.loads((run.root / "config.json").read_text()) == told
    with MetricsLogger(run.log_path()) as logger:
        logger.write({"step": 1, "loss": 0.5})
    assert only_run().params == told
    assert only_run().series("loss").values.tolist() == [0.5]


def test_S4_12_saving_again_replaces() -> None:
    """The later configuration stands in the file, and its values in the params."""
    run = RunDir("dqn")
    run.save_config({"lr": 0.1, "gamma": 0.99})
    run.save_config({"lr": float("inf"), "env": slice(1)})
    assert json.loads((run.root / "config.json").read_text()) == {"lr": "Infinity", "env": "slice(None, 1, None)"}
    assert only_run().params == {"lr": float("inf"), "gamma": 0.99, "env": "slice(None, 1, None)"}


def test_S4_12_a_config_of_another_shape_replaces() -> None:
    """A value may take the place of a branch, in the file and among the params."""
    run = RunDir("dqn")
    run.save_config({"lr": 0, "net": {"depth": 2}})
    run.save_config({"lr": 1, "net": None})
    assert json.loads((run.root / "config.json").read_text()) == {"lr": 1, "net": None}
    assert only_run().params == {"lr": 1, "net": None}


def test_S4_12_a_config_that_params_cannot_hold_is_saved() -> None:
    """One key twice, which params cannot hold, is in the file all the same; that the params lack it is told."""
    config: dict[str, Any] = {"net.depth": 3, "net": {"depth": 2}}
    run = RunDir("dqn")
    run.save_config({"lr": 0, "net": {"depth": 2}})
    with pytest.warns(runfolio.RunfolioWarning, match="not among the params of the run: param 'net"):
        run.save_config(config)
    assert json.loads((run.root / "config.json").read_text()) == config


def test_S4_12_what_is_no_config_is_refused() -> None:
    """Neither dict nor dataclass: an error that names the value, and no file."""
    run = RunDir("dqn")
    with pytest.raises(InvalidValue, match="a dict or a dataclass, not int: 5"):
        run.save_config(5)
    assert not (run.root / "config.json").exists()


def test_S4_13_run_id_reopens_a_run() -> None:
    """`RunDir(run_id=…)` is the folder that is there: no new one is made, and logging goes on in the same file and run."""
    first = RunDir("dqn")
    with MetricsLogger(first.log_path()) as logger:
        logger.write({"step": 1, "loss": 0.5})
    again = RunDir(run_id=first.run_id)
    with MetricsLogger(again.log_path()) as logger:
        logger.write({"step": 2, "loss": 0.25})
    assert again.root == first.root
    assert [entry.name for entry in Path("runs").iterdir()] == [first.run_id]
    assert without_time(lines_of(first.log_path())) == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}]
    assert len(runfolio.open_store().runs()) == 1


def test_S4_13_a_folder_that_lost_a_part_is_made_whole() -> None:
    """Reopening makes the folders that are missing."""
    Path("runs/old_20260215_143022").mkdir(parents=True)
    assert RunDir(run_id="old_20260215_143022").checkpoints.is_dir()


def test_S4_13_an_unknown_run_id_is_an_error() -> None:
    """A run_id that no folder has raises, names it and what is like it, and makes nothing."""
    made = RunDir("dqn")
    wrong = made.run_id[:-1] + "x"
    with pytest.raises(RunNotFound, match=f"no run '{wrong}' in 'runs'; did you mean '{made.run_id}'"):
        RunDir(run_id=wrong)
    with pytest.raises(LookupError, match="there are 0 runs in it"):
        RunDir(run_id="x", base_dir="nowhere")
    assert [entry.name for entry in Path("runs").iterdir()] == [made.run_id]


@pytest.mark.parametrize("run_id", ["", ".", "..", "../..", "dqn/../..", "dqn/.."])
def test_a_run_id_leads_nowhere_else(run_id: str) -> None:
    """A run_id names a folder below the folder of runs: what is beside or above is nobody's run, and nothing is made there."""
    Path("runs/dqn").mkdir(parents=True)
    with pytest.raises(RunNotFound):
        RunDir(run_id=run_id)
    assert sorted(entry.name for entry in Path(".").glob("**/logs")) == []


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\0b"])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    """A run's name becomes a folder's, directly below the folder of runs."""
    with pytest.raises(UsageError, match="becomes the name of a folder"):
        RunDir(name)


def test_a_run_dir_needs_a_name_or_an_id() -> None:
    """Neither or both is an error that says so."""
    for arguments in ({}, {"name": "a", "run_id": "b"}):
        with pytest.raises(UsageError, match="exactly one of them"):
            RunDir(**arguments)


def test_S4_14_a_missing_file_has_no_records() -> None:
    """Reading where there is no file gives an empty list, and makes nothing."""
    assert read_metrics("runs/none/logs/metrics.jsonl") == []
    assert not Path("runs").exists()


def test_S4_14_records_are_plain_dicts_in_order() -> None:
    """Reading gives dicts of Python's values, also of a file that another program wrote."""
    Path("old.jsonl").write_text('{"step": 1, "loss": 0.5}\n\n  \n{"step": 2, "note": "x", "l": [1, null]}\n')
    assert read_metrics("old.jsonl") == [{"step": 1, "loss": 0.5}, {"step": 2, "note": "x", "l": [1, None]}]
    assert read_metrics(Path("old.jsonl")) == read_metrics("old.jsonl")


def test_S4_14_torn_lines_are_left_out() -> None:
    """A line that a crash has cut off is skipped, at the end and where another logger has gone on behind it."""
    Path("old.jsonl").write_bytes(b'{"step": 1, "x": NaN}\n{"step": 2, "lo\n{"step": 3}\n{"step": 4, "los')
    found = read_metrics("old.jsonl")
    assert [record["step"] for record in found] == [1, 3]
    assert found[0]["x"] != found[0]["x"]


def test_S4_14_reading_sees_what_was_just_written() -> None:
    """While the run lives in this process, reading gives all that was written so far."""
    logger = MetricsLogger("m.jsonl")
    for step in range(50):
        logger.write({"step": step})
        assert len(read_metrics("m.jsonl")) == step + 1
    logger.close()
