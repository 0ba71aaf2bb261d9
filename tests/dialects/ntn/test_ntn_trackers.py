"""S2.16 to S2.20: the trackers' interface, trackers of the user's own, several at once, none."""

from __future__ import annotations

import inspect
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import runfolio
from dialects.ntn.reading import logged
from followers.scripts import run
from runfolio.dialects.ntn import trackers
from runfolio.dialects.ntn.trackers import (
    AIMTracker,
    BaseTracker,
    FileTracker,
    MultiTracker,
    NoOpTracker,
    create_tracker,
)

CALLS = ("log_hparams", "log_metrics", "log_summary", "finalize")


class Listening(BaseTracker):
    """A user's tracker that remembers what it heard, and on which thread."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.threads: set[int] = set()

    def hear(self, *what: Any) -> None:
        self.heard.append(what)
        self.threads.add(threading.get_ident())

    def log_hparams(self, hparams: Any) -> None:
        self.hear("hparams", hparams)

    def log_metrics(self, metrics: Any, step: int) -> None:
        self.hear("metrics", metrics, step)

    def log_summary(self, summary: Any) -> None:
        self.hear("summary", summary)

    def finalize(self) -> None:
        self.hear("finalize")


def drive(tracker: BaseTracker, steps: int = 3) -> None:
    """Make the calls of a training, changing the dict that was handed in."""
    tracker.log_hparams({"seed": 0})
    metrics = {"loss": 0.0}
    for step in range(steps):
        metrics["loss"] = 1.0 / (step + 1)
        tracker.log_metrics(metrics, step)
    tracker.log_summary({"r2": 0.5})
    tracker.finalize()


HEARD = [
    ("hparams", {"seed": 0}),
    ("metrics", {"loss": 1.0}, 0),
    ("metrics", {"loss": 0.5}, 1),
    ("metrics", {"loss": 1 / 3}, 2),
    ("summary", {"r2": 0.5}),
    ("finalize",),
]


def test_S2_16_interface_to_extend() -> None:
    """BaseTracker has the four calls; a subclass needs no constructor and may leave calls out."""
    parameters = {call: list(inspect.signature(getattr(BaseTracker, call)).parameters)[1:] for call in CALLS}
    assert list(parameters.values()) == [["hparams"], ["metrics", "step"], ["summary"], []]

    class Half(BaseTracker):
        def log_metrics(self, metrics: Any, step: int) -> None:
            self.seen = metrics, step

    half = Half()
    drive(half)
    assert half.seen[1] == 2
    assert Half("x", {"a": 1}).config == {"a": 1}


def test_S2_16_own_tracker_beside_ours() -> None:
    """A tracker of the user's own in a MultiTracker hears all calls in order, on another thread, beside the file."""
    own = Listening()
    drive(MultiTracker([create_tracker("x_seed0", {}, "file"), own]))
    assert own.heard[0] == HEARD[0]
    assert [what[-1] for what in own.heard[1:4]] == [0, 1, 2]
    assert own.heard == HEARD
    assert own.threads and threading.get_ident() not in own.threads
    assert [record["loss"] for record in logged("x_seed0")["metrics_log"]] == [1.0, 0.5, 1 / 3]


@pytest.mark.filterwarnings("always::runfolio.RunfolioWarning")
def test_S2_16_own_tracker_that_raises(recwarn: pytest.WarningsRecorder) -> None:
    """A tracker of the user's own that raises in every call breaks neither loop nor file; it is told once."""

    class Raising(BaseTracker):
        def log_metrics(self, metrics: Any, step: int) -> None:
            raise ConnectionError("no route to host")

        log_hparams = log_summary = finalize = log_metrics  # type: ignore[assignment]

    drive(MultiTracker([create_tracker("x_seed0", {}, "file"), Raising()]), steps=100)
    assert len(logged("x_seed0")["metrics_log"]) == 100
    assert len([warning for warning in recwarn if "Raising" in str(warning.message)]) == 1


def test_S2_16_own_tracker_that_hangs() -> None:
    """A tracker of the user's own that hangs for ever does not hold up the loop, and the script ends with its file whole."""
    ran = run(
        """
import threading
from runfolio.dialects.ntn.trackers import BaseTracker, MultiTracker, create_tracker
from runfolio.sinks import hosted

hosted.Hosted.close.__defaults__ = (0.1,)  # the ten seconds at the end, shortened

class Hanging(BaseTracker):
    def log_metrics(self, metrics, step):
        threading.Event().wait()

tracker = MultiTracker([create_tracker("x_seed0", {}), Hanging()])
for step in range(1000):
    tracker.log_metrics({"loss": 1.0}, step)
print("loop done", flush=True)
tracker.finalize()
"""
    )
    assert (ran.returncode, ran.stdout) == (0, "loop done\n"), ran.stderr
    assert "Hanging" in ran.stderr
    assert len(logged("x_seed0")["metrics_log"]) == 1000


def test_S2_17_step_is_required() -> None:
    """log_metrics wants its step, as the second argument."""
    tracker = create_tracker("x_seed0", {})
    with pytest.raises(TypeError, match="step"):
        tracker.log_metrics({"loss": 1.0})  # type: ignore[call-arg]
    with pytest.raises(runfolio.UsageError, match="needs a step"):
        tracker.log_metrics({"loss": 1.0}, None)  # type: ignore[arg-type]
    with pytest.raises(runfolio.UsageError):
        tracker.log_metrics({"loss": 1.0}, 7.5)  # type: ignore[arg-type]
    tracker.log_metrics({"loss": 1.0}, 7)
    tracker.finalize()
    assert logged("x_seed0")["metrics_log"] == [{"step": 7, "loss": 1.0}]


def test_S2_18_none_does_nothing() -> None:
    """The back end `none` makes no run, no file and no thread, whatever it is told."""
    before = threading.active_count()
    tracker = create_tracker("a/b", {"anything": object()}, "none")
    drive(tracker, steps=1000)
    drive(MultiTracker([tracker]))
    assert runfolio.ActiveRun and runfolio.active_run() is None
    assert not Path("store").exists()
    assert sorted(path.name for path in Path().iterdir()) == ["home", "tmp"]
    assert threading.active_count() == before


def test_S2_18_one_run_for_several_faces() -> None:
    """Trackers that show one run make one call of it, however they are put together."""
    file = FileTracker("x_seed0", {})
    again = FileTracker("x_seed0", {}, "more", tracked=file.tracked)
    drive(MultiTracker([MultiTracker([file, again]), NoOpTracker()]))
    assert len(runfolio.open_store().runs()) == 1
    assert logged("x_seed0") == logged("x_seed0", "more")
    assert len(logged("x_seed0")["metrics_log"]) == 3


@pytest.mark.parametrize("config", [[1], "mpo2", 3])
def test_a_config_that_is_no_mapping_is_refused(config: Any) -> None:
    """It is named, before a run has begun."""
    with pytest.raises(runfolio.InvalidValue, match="config must be a mapping"):
        create_tracker("x_seed0", config)
    assert not Path("store").exists()


def test_S2_19_names() -> None:
    """The factory and the classes have the document's names."""
    assert set(trackers.__all__) == {
        "AIMTracker", "BaseTracker", "FileTracker", "MultiTracker", "NoOpTracker", "create_tracker",
    }  # fmt: skip
    assert all(issubclass(each, BaseTracker) for each in (AIMTracker, FileTracker, MultiTracker, NoOpTracker))
    assert list(inspect.signature(create_tracker).parameters)[:3] == ["experiment_name", "config", "backend"]
    assert type(create_tracker("x", {}, "file")) is FileTracker
    assert type(create_tracker("x", {}, "none")) is NoOpTracker


def test_import_loads_the_standard_library_only() -> None:
    """Importing the trackers loads neither numpy nor what reads runs."""
    ran = run("import sys, runfolio.dialects.ntn.trackers; print(*sys.modules)")
    loaded = set(ran.stdout.split())
    assert "runfolio.dialects.ntn.trackers" in loaded, ran.stderr
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"runfolio", "__main__"}
    assert not {name for name in foreign if name in ("numpy", "duckdb", "nanoarrow", "click", "aim")}
    assert not {"runfolio.convert", "runfolio.query"} & loaded


def test_disabled_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """RUNFOLIO_MODE=disabled turns tracking off: no run, no file, no error."""
    monkeypatch.setenv("RUNFOLIO_MODE", "disabled")
    drive(create_tracker("x_seed0", {"a": 1}, "file"))
    assert not Path("store").exists()
    assert not Path("experiment_logs").exists()
