"""The NTN trackers over our own runs: `from runfolio.dialects.ntn.trackers import create_tracker, BaseTracker`.

    tracker = create_tracker("mpo2_experiment_seed0", config)   # TRACKER_BACKEND says where to
    tracker.log_hparams({"seed": 0})
    tracker.log_metrics({"loss": 6.64, "r2": -3.88}, -1)        # before training
    tracker.log_summary({"seed": 0, "loss": 0.271, "r2": 0.801, "success": True})
    tracker.finalize()

Source: NTN experiment tracking, all of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runfolio.dialects.ntn.settings import backend_of, folder_of, name_of, repo_of
from runfolio.dialects.ntn.tracked_run import TrackedRun, file_in, need_aim
from runfolio.errors import UsageError
from runfolio.sinks.hosted import Hosted

__all__ = ["AIMTracker", "BaseTracker", "FileTracker", "MultiTracker", "NoOpTracker", "create_tracker"]

_CALLS = ("log_hparams", "log_metrics", "log_summary")
_OPTIONS = ("output_dir", "repo")

Path = str | os.PathLike[str]


class BaseTracker:
    """What a tracker answers to. Extend it for one of your own; a method that is left out does nothing."""

    def __init__(self, experiment_name: str | None = None, config: Mapping[str, Any] | None = None) -> None:
        self.experiment_name = experiment_name
        self.config = config

    def log_hparams(self, hparams: Mapping[str, Any]) -> None:
        """Log hyperparameters."""

    def log_metrics(self, metrics: Mapping[str, Any], step: int) -> None:
        """Log the metrics of one step; -1 is the evaluation before training."""

    def log_summary(self, summary: Mapping[str, Any]) -> None:
        """Log final results."""

    def finalize(self) -> None:
        """End tracking."""


class NoOpTracker(BaseTracker):
    """Track nothing: no run, no file, no cost."""


class _RunTracker(BaseTracker):
    """A tracker that keeps one run of ours.

    Contract: when `log_metrics` has returned, its numbers survive a SIGKILL. A run that was not finalized ends with its script: as failed after an
    exception, as killed after a signal; the file's summary says so.
    """

    def __init__(self, name: str, config: Mapping[str, Any] | None, tracked: TrackedRun | None) -> None:
        super().__init__(name, config)
        self.tracked = tracked or TrackedRun(name, config or {})
        self._log = self.tracked.run.log

    def log_hparams(self, hparams: Mapping[str, Any]) -> None:
        """Add hyperparameters; the later value of a name wins."""
        self.tracked.add_hparams(hparams)

    def log_metrics(self, metrics: Mapping[str, Any], step: int) -> None:
        """Keep the metrics of one call at a step; several calls at one step are several records.

        Raises:
            InvalidValue: a value that is no number. Nothing of the call is kept then. RunIsClosed: after `finalize()`.
        """
        if step is None:
            raise UsageError("log_metrics needs a step: an integer, -1 for the evaluation before training")
        self._log(metrics, step)

    def log_summary(self, summary: Mapping[str, Any]) -> None:
        """Add final results; the later value of a name wins. An `error` among them makes the run failed."""
        self.tracked.add_summary(summary)

    def finalize(self) -> None:
        """End the run; the file is exact then. Doing it again does nothing."""
        self.tracked.finish()


class FileTracker(_RunTracker):
    """Track to `{output_dir}/{experiment_name}.json`, by default in $TRACKER_DIR or experiment_logs."""

    def __init__(
        self,
        experiment_name: str,
        config: Mapping[str, Any] | None = None,
        output_dir: Path | None = None,
        tracked: TrackedRun | None = None,
    ) -> None:
        path = file_in(folder_of(output_dir), experiment_name)
        super().__init__(experiment_name, config, tracked)
        self.tracked.keep_file(path)


class AIMTracker(_RunTracker):
    """Track to AIM too: a local repository or `aim://host:port`, by default $AIM_REPO or .aim.

    The credentials of a server come from the environment, by the variables that the document names.
    """

    def __init__(
        self,
        experiment_name: str,
        config: Mapping[str, Any] | None = None,
        repo: Path | None = None,
        tracked: TrackedRun | None = None,
    ) -> None:
        need_aim()
        super().__init__(experiment_name, config, tracked)
        self.tracked.feed_aim(repo_of(repo))


class MultiTracker(BaseTracker):
    """Track to several trackers at once.

    Ours are called at once; several that show one run (`both`) make one call. Whatever else there is runs on a thread of its own: what is slow,
    raises or hangs there does not touch the loop.
    """

    def __init__(self, trackers: Sequence[BaseTracker]) -> None:
        super().__init__()
        self.trackers = list(trackers)
        self._ours: list[_RunTracker] = []
        self._hosted: list[Hosted] = []
        for tracker in _flat(self.trackers):
            if not isinstance(tracker, _RunTracker):
                self._hosted.append(Hosted(tracker, _CALLS, close="finalize"))
            elif all(tracker.tracked is not other.tracked for other in self._ours):
                self._ours.append(tracker)

    def log_hparams(self, hparams: Mapping[str, Any]) -> None:
        """Log hyperparameters to all."""
        for tracker in self._ours:
            tracker.log_hparams(hparams)
        for hosted in self._hosted:
            hosted.log_hparams({**hparams})

    def log_metrics(self, metrics: Mapping[str, Any], step: int) -> None:
        """Log the metrics of one step to all."""
        for tracker in self._ours:
            tracker.log_metrics(metrics, step)
        for hosted in self._hosted:
            hosted.log_metrics({**metrics}, step)  # the script may change its own meanwhile

    def log_summary(self, summary: Mapping[str, Any]) -> None:
        """Log final results to all."""
        for tracker in self._ours:
            tracker.log_summary(summary)
        for hosted in self._hosted:
            hosted.log_summary({**summary})

    def finalize(self) -> None:
        """End all. A tracker of the script's own that hangs is waited for ten seconds."""
        for tracker in self._ours:
            tracker.finalize()
        for hosted in self._hosted:
            hosted.close()


def _flat(trackers: Sequence[BaseTracker]) -> Iterator[BaseTracker]:
    for tracker in trackers:
        if isinstance(tracker, MultiTracker):
            yield from _flat(tracker.trackers)
        elif type(tracker) is not NoOpTracker:
            yield tracker


def create_tracker(
    experiment_name: str | None = None,
    config: Mapping[str, Any] | None = None,
    backend: str | None = None,
    **options: Any,
) -> BaseTracker:
    """Make a tracker. What is not given comes from the environment, else is the default.

    Args:
        experiment_name: with the seed's suffix, as `mpo2_experiment_seed0`; $EXPERIMENT_NAME, `{model}_experiment`.
        config: the settings of the run.
        backend: `file`, `aim`, `both` or `none`; $TRACKER_BACKEND, `file`.
        options: `output_dir` of the file ($TRACKER_DIR, experiment_logs), `repo` of AIM ($AIM_REPO, .aim).

    Raises:
        UsageError: an unknown back end or option. ImportError: AIM is asked for and not installed.
    """
    for option in options:
        if option not in _OPTIONS:
            raise UsageError(f"create_tracker has no option {option!r}; there are {', '.join(_OPTIONS)}")
    chosen = backend_of(backend)
    name = name_of(experiment_name, config or {})
    if chosen == "none":
        return NoOpTracker(name, config)
    if chosen == "file":
        return FileTracker(name, config, options.get("output_dir"))
    if chosen == "aim":
        return AIMTracker(name, config, options.get("repo"))
    need_aim()
    file = FileTracker(name, config, options.get("output_dir"))
    return MultiTracker([file, AIMTracker(name, config, options.get("repo"), file.tracked)])
