"""The lab's ExperimentTracker, over runfolio: every run is one of the store, and the documented files are kept as views of it.

    from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker

Runs are named by numbers, `run_001`, that are unique in their base_dir, whoever creates runs there at the same time. Any process may write to a run
and end it. A script that ends without `finish_run` leaves its runs completed, failed or killed, as it ended itself.
Source: the lab document, "API Reference".
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from runfolio.convert import lab_folder
from runfolio.dialects.lab.tracking.base_dir import BaseDir
from runfolio.errors import InvalidValue, RunIsClosed, RunNotFound, UsageError
from runfolio.journal.writer import FINAL
from runfolio.model.ids import new_id, short
from runfolio.model.names import check_key, shown
from runfolio.model.states import FAILED, FINISHED, KILLED, RUNNING
from runfolio.sdk import trouble
from runfolio.sdk.following import keep_view, settle
from runfolio.sdk.join import attach
from runfolio.sdk.past import read_past
from runfolio.sdk.start import start
from runfolio.store.claims import claim
from runfolio.store.layout import find

if TYPE_CHECKING:
    import pandas

    from runfolio.sdk.active import ActiveRun

_ENDS = {"completed": FINISHED, FINISHED: FINISHED, FAILED: FAILED, KILLED: KILLED}
_READING = "runfolio.dialects.lab.tracking.reading"  # loads numpy: not before something is read


class ExperimentTracker:
    """Experiment tracking in a folder.

    Contract: any thread and any process may use a run by its number; several runs may be open at once.
    """

    def __init__(self, base_dir: str | os.PathLike[str] = "experiments") -> None:
        """Open the folder `base_dir`; it is made where there is none.

        Raises:
            UsageError: it is a file.
        """
        self._base = BaseDir(base_dir)
        self._handles: dict[str, ActiveRun] = {}
        _make_folder(os.path.join(self._base.path, "runs"))

    @property
    def base_dir(self) -> str:
        return self._base.named

    # ---------------------------------------------------------------- writing

    def create_run(
        self, experiment_name: str, tags: Mapping[str, object] | Iterable[str] | None = None, description: str = ""
    ) -> str:
        """Begin a run; return its number, as `run_001`."""
        home = (
            None if find() == self._base.layout else self._base.layout.root
        )  # the working folder may be another by now
        run = start(experiment_name, tags=tags if tags is not None else (), notes=description or None, store=home)
        if run.pen.role == "disabled":
            text = f"run_{short(run.id)}"
        else:
            text = self._number(run)
            run.tell("alias", name=text)
            keep_view(run, "lab", self._base.path, number=text, base_dir=self._base.named)
            _make_folder(os.path.join(self._base.path, "runs", text, "artifacts"))
        self._handles[text] = _open[run.id] = run
        return text

    def log_params(self, run_id: str, params: Mapping[str, Any]) -> None:
        """Set params of a run: they join those that it has, and the later value of a key wins.

        Raises:
            RunNotFound: no run of this number. InvalidValue: a value that cannot be kept exactly.
        """
        run = self._handle(run_id)
        if run.pen.role == "disabled":
            return
        run.set_params(params, replace=True)
        whole = list(lab_folder.whole_keys(params))
        if whole:
            run.log_record([lab_folder.WHOLE_KEYS, *whole])

    def log_metrics(self, run_id: str, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Append to the metrics of a run. Without a step they are final values: they belong to no step, and may be text or None.

        Raises:
            RunNotFound: no run of this number. InvalidValue: a value that is no number; nothing of the call is kept then.
        """
        try:
            self._handles[run_id].log(metrics, FINAL if step is None else step)
        except (KeyError, TypeError, InvalidValue, RunIsClosed):
            self._log_with_care(run_id, metrics, step)

    def log_artifact(self, run_id: str, artifact_path: str | os.PathLike[str], artifact_name: str | None = None) -> str:
        """Keep a file with a run, and a copy in its folder under `artifacts`; return where that is.

        Args:
            artifact_path: a file; a folder is kept as a whole.
            artifact_name: default: the file's own name. It may have folders: `plots/loss.png`.

        Raises:
            OSError: the file cannot be read. RunNotFound: no run of this number. UsageError: a name that leads out of the folder.
        """
        source = os.fspath(artifact_path)
        name = _inside(artifact_name if artifact_name is not None else os.path.basename(os.path.abspath(source)))
        os.stat(source)
        run = self._handle(run_id)
        target = os.path.join(self._base.run_dir(run_id), "artifacts", *name.split("/"))
        if run.pen.role == "disabled":
            return target
        kept = _copy(source, os.path.join(self._base.path, "runs", run_id, "artifacts", *name.split("/")))
        run.add_artifact(kept or source, name)
        return target

    def finish_run(self, run_id: str, status: str = "completed") -> None:
        """End a run, from any process; its files are exact when this returns.

        Args:
            status: completed, failed or killed.

        Raises:
            RunNotFound: no run of this number. UsageError: another status.
        """
        if status not in _ENDS:
            raise UsageError(f"status must be 'completed', 'failed' or 'killed', not {shown(status)}")
        run = self._handle(run_id)
        run.end(_ENDS[status])
        self._handles.pop(run_id, None)
        _open.pop(run.id, None)

    # ---------------------------------------------------------------- reading

    def get_run(self, run_id: str) -> dict[str, Any] | None:
        """Give a run as it stands: its metadata, `params` and `metrics`; None where no run has this number."""
        found: dict[str, Any] | None = _reading().whole_run(self._base, run_id)
        return found

    def list_runs(self, experiment_name: str | None = None) -> list[dict[str, Any]]:
        """Give the metadata of the runs, all or those of an experiment, in the order they were created."""
        found: list[dict[str, Any]] = _reading().metadata(self._base, experiment_name)
        return found

    def compare_runs(self, run_ids: Iterable[str]) -> pandas.DataFrame:
        """Set runs side by side: a row for each, with its params and the last value of each metric.

        Raises:
            RunNotFound: no run of one of these numbers. ImportError: pandas is not installed.
        """
        return _reading().table(self._base, [run_ids] if isinstance(run_ids, str) else run_ids)

    def get_best_run(self, metric: str, experiment_name: str | None = None, mode: str = "max") -> dict[str, Any] | None:
        """Give the run whose last value of a metric is the best; the first where several are, None where none has it.

        Args:
            mode: "max", or "min" for losses. NaN never wins.
        """
        found: dict[str, Any] | None = _reading().best_run(self._base, metric, experiment_name, mode)
        return found

    # ---------------------------------------------------------------- its runs

    def _number(self, run: ActiveRun) -> str:
        """Claim a number, behind those of an original tracker; a random one where the store cannot be written."""
        try:
            self._base.take_in()
            number = lab_folder.take(self._base.layout, self._base.scope, run.id)
            text = lab_folder.text_of(number)
            created_ns = read_past(self._base.layout, run.id).state.created_ns
            same = lab_folder.identity_of(text, _local_seconds(created_ns), run.experiment or "")
            claim(self._base.layout, lab_folder.SAME, same, run.id)
        except (OSError, RunNotFound) as full:
            text = f"run_{short(run.id)}"
            trouble.tell(f"no number can be claimed in the store ({full}): this run is {text}")
        return text

    def _handle(self, run_id: str) -> ActiveRun:
        """Give the handle of a run, shared by all trackers of this process; one that attaches where there is none."""
        with _lock:
            known = self._handles.get(run_id)
            if known is not None and known.status == RUNNING:
                return known
            native = known.id if known is not None else self._base.run_id(run_id)
            if native is None:
                raise RunNotFound(_reading().unknown(self._base, run_id))
            run = _open.get(native)
            if run is None or run.status != RUNNING:
                run = _open[native] = self._attach(native, run_id)
            self._handles[run_id] = run
            return run

    def _attach(self, native: str, text: str) -> ActiveRun:
        run = attach(native, store=self._base.layout.root)
        keep_view(run, "lab", self._base.path, **self._options(native, text))
        settle(run)  # what an original tracker wrote is taken for its own before it changes
        return run

    def _options(self, native: str, text: str) -> dict[str, Any]:
        views = read_past(self._base.layout, native).state.views
        asked = next((view.options for view in views if (view.what, view.path) == ("lab", self._base.path)), None)
        return asked or {"number": text, "base_dir": self._base.named}

    def _log_with_care(self, run_id: str, metrics: Mapping[str, Any], step: int | None) -> None:
        """Log where the short way failed: a run of another process, one that has ended, or final values that are no numbers."""
        run = self._handle(run_id)
        numbers, others = _parted(metrics) if step is None else (metrics, {})
        if numbers or not others:
            run.log(numbers, FINAL if step is None else step)
        if others:
            run.log_record(others)


_open: dict[str, ActiveRun] = {}  # by the store's id
_lock = threading.RLock()


def _reading() -> Any:
    return import_module(_READING)


def _parted(metrics: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part final values into numbers, and text and None."""
    others = {check_key(key): value for key, value in metrics.items() if value is None or isinstance(value, str)}
    return {key: value for key, value in metrics.items() if key not in others}, others


def _inside(name: str) -> str:
    """Accept the name of a file below a folder."""
    parts = name.replace(os.sep, "/").split("/") if isinstance(name, str) else []
    if not parts or any(part in ("", ".", "..") for part in parts) or os.path.isabs(name):
        raise UsageError(f"an artifact's name must lead to a file below the run's artifacts, not {shown(name)}")
    return "/".join(parts)


def _copy(source: str, target: str) -> str | None:
    """Copy a file or folder; None where the folder cannot be written. Never a link: what a script does to the copy must not reach the store."""
    if os.path.exists(target) and os.path.samefile(source, target):
        return target
    aside = f"{target}.{new_id()[:8]}.tmp"
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, aside)
            os.replace(aside, target)
    except OSError as full:
        if os.path.exists(aside):
            os.unlink(aside)
        with open(source, "rb") if os.path.isfile(source) else os.scandir(source):
            pass  # raises where the source is to blame
        trouble.tell(
            f"an artifact is kept in the store only, as its folder cannot be written ({full.strerror}): {target}"
        )
        return None
    return target


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as full:
        trouble.tell(f"the runs are kept in the store, but their files cannot be written ({full.strerror}): {path}")


def _local_seconds(time_ns: int | None) -> str:
    from datetime import datetime  # the store's own modules do without

    return datetime.fromtimestamp((time_ns or 0) // 1_000_000_000).isoformat(timespec="seconds")
