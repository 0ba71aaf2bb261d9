"""vibe-rl's back ends: S4.15 to S4.23, with the real packages where they are installed, and with objects that go wrong."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runfolio
from dialects.vibe_rl.keeping import WAIT_S, Hanging, Keeping, Raising, lines_of, only_run, without_time
from runfolio.convert.view import snapshot
from runfolio.dialects.vibe_rl.metrics import (
    LogBackend,
    MetricsLogger,
    TensorBoardBackend,
    WandbBackend,
    read_metrics,
    resume_wandb,
)
from runfolio.dialects.vibe_rl.run_dir import RunDir
from runfolio.errors import MissingExtra, UsageError
from runfolio.model.run_state import RunState
from runfolio.store.layout import find


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The real package, offline."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    return pytest.importorskip("wandb", reason="needs wandb")


@pytest.fixture
def tensorboard() -> Any:
    """The real reader of TensorBoard's files."""
    pytest.importorskip("tensorboardX", reason="needs tensorboardX")
    return pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard")


def state() -> RunState:
    return snapshot(find(), only_run().id).state


def until(condition: Callable[[], object]) -> None:
    """Wait until something holds that another process does."""
    ticks = threading.Event()
    for _ in range(int(WAIT_S * 20)):
        if condition():
            return
        ticks.wait(0.05)
    raise AssertionError("it never came to hold")


# ---------------------------------------------------------------------------------------------------- any object


def test_S4_15_any_object_with_log_and_close_is_a_back_end() -> None:
    """The protocol is `log(record, step=None)` and `close()`; nothing needs to be inherited."""
    kept = Keeping()
    assert isinstance(kept, LogBackend)
    with MetricsLogger("m.jsonl", backends=[kept]) as logger:
        logger.write({"step": 5, "loss": np.float32(0.5), "wall_time": 1.0})
    assert kept.told == [({"step": 5, "loss": 0.5, "wall_time": 1.0}, 5)]
    assert type(kept.told[0][0]["loss"]) is float
    assert kept.closed == 1


def test_S4_15_what_is_no_back_end_is_refused() -> None:
    """An object without one of the two is named at once, and no run begins."""
    with pytest.raises(UsageError, match=r"has no close"):
        MetricsLogger("m.jsonl", backends=[type("Half", (), {"log": lambda self, record, step=None: None})()])
    assert not Path("m.jsonl").exists()


def test_S4_16_every_write_goes_to_the_file_and_to_all_back_ends() -> None:
    """Each back end gets each record, with the step that stands in it or None, in the order of writing."""
    first, second = Keeping(), Keeping()
    records = [{"step": 3, "a": 1.0}, {"b": 2.0, "note": "x"}, {"step": 1, "c": 3.0}]
    with MetricsLogger("m.jsonl", backends=[first, second]) as logger:
        for record in records:
            logger.write(record)
    assert without_time(lines_of("m.jsonl")) == records
    for kept in (first, second):
        assert without_time([record for record, _ in kept.told]) == records
        assert [step for _, step in kept.told] == [3, None, 1]
        assert all("wall_time" in record for record, _ in kept.told)


def test_S4_16_a_back_end_that_raises_is_warned_of_once() -> None:
    """A back end that raises at every record costs one warning; file, run and the other back ends are whole."""
    kept = Keeping()
    with pytest.warns(runfolio.RunfolioWarning, match="Raising raised in log.*no route to host") as warned:
        with MetricsLogger("m.jsonl", backends=[Raising(), kept]) as logger:
            for step in range(100):
                logger.write({"step": step, "loss": 0.5})
    assert [one.category for one in warned].count(runfolio.RunfolioWarning) == 1
    assert (len(kept.told), len(lines_of("m.jsonl")), only_run().status) == (100, 100, "finished")


def test_S4_16_a_back_end_that_hangs_is_not_waited_for() -> None:
    """While a back end is stuck in its first record, a thousand writes come back, and are in the run."""
    stuck = Hanging()
    logger = MetricsLogger("m.jsonl", backends=[stuck])
    logger.write({"step": 0})
    assert stuck.inside.wait(WAIT_S)
    for step in range(1, 1000):
        logger.write({"step": step})
    assert stuck.told == []
    assert len(read_metrics("m.jsonl")) == 1000
    stuck.let_go.set()
    logger.close()
    assert (len(stuck.told), stuck.closed) == (1000, 1)


def test_S4_16_a_back_end_that_is_slow_drops_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """More records than a slow back end's queue holds are dropped for it and for nobody else, with one warning."""
    stuck = Hanging()
    with pytest.warns(runfolio.RunfolioWarning, match="is slower than its calls come") as warned:
        with MetricsLogger("m.jsonl", backends=[stuck]) as logger:
            logger.write({"step": 0})
            assert stuck.inside.wait(WAIT_S)
            for step in range(1, 10_100):
                logger.write({"step": step})
            stuck.let_go.set()
    assert sum("is slower than its calls come" in str(one.message) for one in warned) == 1
    assert len(stuck.told) == 10_001
    assert len(lines_of("m.jsonl")) == 10_100


# ---------------------------------------------------------------------------------------------------- W&B


@pytest.mark.usefixtures("some_wandb")
def test_S4_17_the_arguments_of_the_wandb_back_end() -> None:
    """Project "vibe_rl" by default, entity, config, and whatever else `wandb.init` takes; no secret goes into the run."""
    with MetricsLogger("m.jsonl", backends=[WandbBackend()]) as logger:
        logger.write({"step": 1, "loss": 0.5})
    (kept,) = state().sinks
    assert (kept.what, kept.options["project"], kept.options["entity"], kept.options["init"]) == ("wandb", "vibe_rl", None, {})  # fmt: skip
    backend = WandbBackend("rl", "my-team", {"algo": "dqn", "net": (1, np.float32(2))}, tags=["a"], group="g")
    MetricsLogger("n.jsonl", backends=[backend]).close()
    options = snapshot(find(), runfolio.open_store().run("n").id).state.sinks[0].options
    assert (options["project"], options["entity"], options["config"]) == ("rl", "my-team", {"algo": "dqn", "net": [1, 2.0]})  # fmt: skip
    assert options["init"] == {"tags": ["a"], "group": "g"}
    for bad in ({"api_key": "0123"}, {"settings": object()}):
        with pytest.raises(UsageError, match=r"set WANDB_API_KEY|settings for wandb\.init is a object"):
            WandbBackend(**bad)


@pytest.mark.usefixtures("some_wandb")
def test_S4_18_the_id_is_kept_in_the_run_s_folder() -> None:
    """The first back end of a folder writes wandb_id.txt at once; the next one takes its id, and must resume."""
    first = WandbBackend(run_dir="runs/x")
    kept = Path("runs/x/wandb_id.txt").read_text()
    assert (len(kept), first.run_id) == (8, kept)
    assert first._options["resume"] == "allow"
    again = WandbBackend(run_dir=Path("runs/x"))
    assert (again.run_id, again._options["id"], again._options["resume"]) == (kept, kept, "must")
    assert WandbBackend().run_id != WandbBackend().run_id


@pytest.mark.usefixtures("some_wandb")
def test_S4_19_an_id_given_wins_and_an_empty_file_is_none() -> None:
    """An explicit id stands before the kept one and takes its place in the file; an empty file is no id."""
    Path("wandb_id.txt").write_text("kept1234\n")
    given = WandbBackend(run_dir=".", id="given123")
    assert (given.run_id, given._options["resume"], Path("wandb_id.txt").read_text()) == ("given123", "allow", "given123")  # fmt: skip
    assert WandbBackend(run_dir=".", id="given123")._options["resume"] == "must"
    assert WandbBackend(run_dir=".", resume="never")._options["resume"] == "never"
    Path("wandb_id.txt").write_text(" \n")
    fresh = WandbBackend(run_dir=".")
    assert (len(fresh.run_id), fresh._options["resume"]) == (8, "allow")
    assert Path("wandb_id.txt").read_text() == fresh.run_id


def test_S4_18_wandb_gets_the_records(wandb: Any) -> None:
    """The real package, offline, gets every record under the kept id."""
    run = RunDir("dqn")
    backend = WandbBackend(project="rl", config={"algo": "dqn"}, run_dir=run.root)
    with MetricsLogger(run.log_path(), backends=[backend]) as logger:
        for step in range(20):
            logger.write({"step": step, "loss": 1 / (step + 1)})
    until(lambda: state().sent)
    (sent,) = state().sent
    assert (sent.sink, sent.sent, sent.dropped, sent.error) == ("wandb", 20, 0, None)
    assert list(Path("wandb").glob(f"offline-run-*-{backend.run_id}/run-{backend.run_id}.wandb"))


# ---------------------------------------------------------------------------------------------------- TensorBoard


def scalars_in(accumulator: Any, folder: Path) -> dict[str, list[tuple[int, float]]]:
    reader = accumulator.EventAccumulator(str(folder))
    reader.Reload()
    return {tag: [(each.step, each.value) for each in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


def test_S4_20_tensorboard_gets_the_numbers(tensorboard: Any) -> None:
    """Ints, floats and bools become scalars at their step, `wall_time` too; text is passed over; the real reader reads them back."""
    run = RunDir("dqn")
    with MetricsLogger(run.log_path(), backends=[TensorBoardBackend(log_dir=run.logs)]) as logger:
        logger.write({"step": 10, "loss": 0.5, "n": 3, "done": True, "note": "x"})
        logger.write({"step": 20, "loss": 0.25})
    until(lambda: state().sent)
    assert [(sent.sent, sent.dropped, sent.error) for sent in state().sent] == [(3, 0, None)]
    found = scalars_in(tensorboard, run.logs)
    assert {tag: found[tag] for tag in ("loss", "n", "done")} == {
        "loss": [(10, 0.5), (20, 0.25)],
        "n": [(10, 3.0)],
        "done": [(10, 1.0)],
    }
    assert set(found) == {"loss", "n", "done", "wall_time"}


def test_S4_20_both_at_once(wandb: Any, tensorboard: Any) -> None:
    """W&B, TensorBoard, an object and the file each get each record."""
    run, kept = RunDir("dqn"), Keeping()
    backends = [WandbBackend(project="rl", run_dir=run.root), TensorBoardBackend(log_dir=run.logs), kept]
    with MetricsLogger(run.log_path(), backends=backends) as logger:
        for step in range(5):
            logger.write({"step": step, "loss": float(step)})
    until(lambda: len(state().sent) == 2)
    assert {(sent.sink, sent.sent, sent.error) for sent in state().sent} == {("wandb", 5, None), ("tensorboard", 5, None)}  # fmt: skip
    assert scalars_in(tensorboard, run.logs)["loss"] == [(step, float(step)) for step in range(5)]
    assert (len(kept.told), len(lines_of(run.log_path()))) == (5, 5)


@pytest.mark.parametrize(
    ("package", "make"),
    [
        (("wandb",), lambda: WandbBackend()),
        (("tensorboardX", "tensorboard"), lambda: TensorBoardBackend(log_dir="logs")),
    ],
    ids=["wandb", "tensorboard"],
)
def test_S4_21_a_missing_package_tells_how_to_install_it(
    package: tuple[str, ...], make: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the package, making the back end is an ImportError with the line that installs it."""
    for name in package:
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(ImportError, match="pip install") as missing:
        make()
    assert isinstance(missing.value, MissingExtra)
    assert not Path("logs").exists()


@pytest.mark.usefixtures("some_wandb")
def test_S4_22_resume_wandb_takes_the_kept_id_or_begins_afresh() -> None:
    """With an id file the run must resume; without one a fresh run begins and is kept."""
    Path("wandb_id.txt").write_text("kept1234")
    resumed = resume_wandb(Path("."), project="rl")
    assert (resumed.run_id, resumed._options["resume"], resumed._options["project"]) == ("kept1234", "must", "rl")
    fresh = resume_wandb("fresh")
    assert (fresh._options["resume"], fresh._options["project"]) == ("allow", "vibe_rl")
    assert Path("fresh/wandb_id.txt").read_text() == fresh.run_id


def test_S4_23_the_resume_flow(wandb: Any) -> None:
    """Reopen the folder, resume W&B, log on: one file, one run, one W&B id."""
    first = RunDir("dqn_cartpole")
    backend = WandbBackend(project="rl", run_dir=first.root)
    with MetricsLogger(first.log_path(), backends=[backend]) as logger:
        logger.write({"step": 1000, "loss": 0.5})
    until(lambda: state().sent)
    run = RunDir(run_id=first.run_id)
    again = resume_wandb(run.root, project="rl")
    with MetricsLogger(run.log_path(), backends=[again]) as logger:
        logger.write({"step": 50000, "loss": 0.12, "reward": 200.0})
    until(lambda: any(sent.attempt == 2 for sent in state().sent))
    assert again.run_id == backend.run_id
    assert all(sent.error is None for sent in state().sent)
    assert without_time(lines_of(run.log_path())) == [
        {"step": 1000, "loss": 0.5},
        {"step": 50000, "loss": 0.12, "reward": 200.0},
    ]
    assert all(backend.run_id in path.name for path in Path("wandb").glob("offline-run-*"))


@pytest.mark.usefixtures("some_wandb")
def test_a_fed_back_end_alone_logs_to_a_run_of_its_own() -> None:
    """Used without a logger, or by another back end, it keeps what it is given in a run of the store and sends that on."""
    backend = WandbBackend(project="rl")
    backend.log({"loss": 0.5}, step=3)
    backend.log({"step": 4, "loss": 0.25, "note": "x"})
    backend.close()
    run = only_run()
    assert (run.experiment, run.status) == ("rl", "finished")
    assert run.series("loss").steps.tolist() == [3, 4]


def test_the_options_of_a_sink_are_json(some_wandb: None) -> None:
    """What the run keeps of a back end is JSON."""
    MetricsLogger("m.jsonl", backends=[WandbBackend(config={"lr": 0.1})]).close()
    assert json.loads(json.dumps(state().sinks[0].options))["config"] == {"lr": 0.1}
