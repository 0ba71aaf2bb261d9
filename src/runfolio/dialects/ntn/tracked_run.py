"""The one run behind a tracker, whatever it is shown in: the file, AIM, both."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from runfolio.errors import InvalidValue, MissingExtra, RunfolioError, UsageError
from runfolio.model.leaf import Value, branch, entry_name, plain
from runfolio.model.names import shown
from runfolio.model.states import FAILED, FINISHED
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.following import feed_sink, keep_view, settle
from runfolio.sdk.start import start
from runfolio.sdk.trouble import tell
from runfolio.store.claims import claim

FORMAT = "ntn"
_FILE_NAME_BYTES_MAX = 255
_IMPORTING = "runfolio.convert.importing"  # loaded only where there may be something to import
_SINKS = "runfolio.sinks.make"


class TrackedRun:
    """A run, and what of it the documented file shows in the very shape in which it was given.

    Config and hparams are params under their own names, so that they stand in `runfolio list` beside those of all other runs, and a seed is `seed`
    here and there. Params have dotted keys, though, and hparams may set what the config has set. So the file's view is told the two, and the
    summary, as they came.
    """

    def __init__(self, name: str, config: Mapping[str, Any]) -> None:
        self.name = name
        self._parts: dict[str, dict[str, Value]] = {"config": as_given(config, "config"), "hparams": {}, "summary": {}}
        self._paths: list[str] = []
        self.run = start(experiment=base_name(name), name=name)
        self._set_params("config")

    def keep_file(self, path: str) -> None:
        """Keep the documented file."""
        _take_over(self.run, path)
        self._paths.append(path)
        self._show()

    def feed_aim(self, repo: str) -> None:
        """Feed AIM; its runs are grouped by the experiment's base name."""
        feed_sink(self.run, "aim", repo=repo, experiment=base_name(self.name))

    def add_hparams(self, hparams: Mapping[str, Any]) -> None:
        """Add hyperparameters; the later value of a name wins."""
        self._parts["hparams"] = {**self._parts["hparams"], **as_given(hparams, "hparams")}
        self._set_params("hparams")
        self._show()

    def add_summary(self, summary: Mapping[str, Any]) -> None:
        """Add final results; the later value of a name wins."""
        given = as_given(summary, "summary")
        self.run.summary.update(given)
        self._parts["summary"] = {**self._parts["summary"], **given}
        self._show()

    def finish(self) -> None:
        """End the run, as failed where the summary tells an error; the file is exact then. Doing it again does nothing."""
        error = self._parts["summary"].get("error")
        settle(self.run)
        self.run.end(FAILED if error else FINISHED, str(error)[:500] if error else None)

    def _set_params(self, part: str) -> None:
        """Set params under their own names; one that would be a value and a branch (`model` beside `model.bond`), under the part's."""
        values = self._parts[part]
        if self._set_all(values):
            return
        for key, value in values.items():
            if not self._set_all({key: value}):
                self.run.set_params({part: {key: value}}, replace=True)

    def _set_all(self, values: dict[str, Value]) -> bool:
        try:
            self.run.set_params(values, replace=True)
        except InvalidValue:
            raise
        except UsageError:
            return False
        return True

    def _show(self) -> None:
        for path in self._paths:
            keep_view(self.run, FORMAT, path, name=self.name, **self._parts)


def base_name(name: str) -> str:
    """Give the experiment of a run: its name without the seed."""
    return re.sub(r"_seed\d+$", "", name) or name


def file_in(folder: str, name: str) -> str:
    """Give the path of a run's file. User text becomes a file's name here, and nothing in it may lead elsewhere.

    Raises:
        UsageError: it cannot be a file's name.
    """
    if "/" in name or "\\" in name or "\0" in name:
        raise UsageError(
            f"experiment name {shown(name)} becomes a file's name; leave the slash out, and give a folder as output_dir or TRACKER_DIR"
        )
    if len(os.fsencode(f"{name}.json")) > _FILE_NAME_BYTES_MAX:
        raise UsageError(f"experiment name {shown(name)} is too long for a file's name; use at most 250 bytes")
    return os.path.join(folder, f"{name}.json")


def need_aim() -> None:
    """See that AIM can be fed, before a run begins.

    Raises:
        ImportError: the package is not installed.
    """
    install = import_module(_SINKS).missing("aim")
    if install:
        raise MissingExtra(f"the AIM tracker needs the package aim, which is not installed: {install}")


def as_given(values: Mapping[str, Any], what: str) -> dict[str, Value]:
    """Turn a mapping into plain values of the same shape.

    Raises:
        InvalidValue: a value that cannot be kept exactly; it names the place.
    """
    entries = branch(values, what)
    if entries is None:
        raise InvalidValue(f"{what} must be a mapping, not a {type(values).__name__}", what)
    return {(name := entry_name(raw, what)): plain(value, f"{what}.{name}") for raw, value in entries}


def _take_over(run: ActiveRun, path: str) -> None:
    """Import what the original program left in a folder, before the first run of ours writes there; and say whose the file is from now on."""
    if run.pen.role == "disabled":
        return
    layout, folder = run.pen.layout, os.path.dirname(os.path.abspath(path))
    try:
        there = _files(folder)
        # Who comes first imports, and only what was there before: what comes later are our own views.
        if claim(layout, FORMAT, os.path.realpath(folder), run.id) == run.id:
            for file in there:
                import_module(_IMPORTING).bring_in_all(layout, FORMAT, file)
        claim(layout, FORMAT, os.path.realpath(path), run.id)
    except (OSError, RunfolioError) as failed:
        tell(f"what is in {folder} could not be imported ({failed}); try: runfolio import ntn {folder}")


def _files(folder: str) -> list[str]:
    try:
        return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return []
