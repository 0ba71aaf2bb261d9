"""Feed Weights & Biases.

Source: the wandb package, 0.31.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runfolio.sinks.sink import About, shown_name

if TYPE_CHECKING:
    from runfolio.store.follow import Call

# W&B's own columns in a run's history; a metric of such a name gets the prefix.
_RESERVED_PREFIX = "metric/"
_TAG_MAX = 64


class WandbSink:
    """A W&B run whose id is the run's own, so that a later attempt continues it.

    Each call of `log` is one row of the history, with the step in a column of its own, `step`, against which all is
    plotted. W&B's own step only counts rows: it drops what goes back, and ours may.

    Args:
        project: by default the run's experiment.
        entity: user or team.
        config: beside the run's params, which win.
        id: instead of the run's own.
        resume: as `wandb.init` takes it.
        dir: where W&B keeps its files; by default `wandb` in the working directory of the script.
        init: anything else that `wandb.init` takes.
    """

    def __init__(
        self,
        project: str | None = None,
        entity: str | None = None,
        config: Mapping[str, Any] | None = None,
        id: str | None = None,
        resume: str | None = "allow",
        dir: str | os.PathLike[str] | None = None,
        init: Mapping[str, Any] | None = None,
    ) -> None:
        self._project, self._entity, self._config = project, entity, dict(config or {})
        self._id, self._resume, self._init = id, resume, dict(init or {})
        self._dir = os.path.abspath(dir) if dir else os.getcwd()
        self._run: Any = None

    @property
    def target(self) -> str:
        """The project and the id, where one was given."""
        return "/".join(part for part in (self._entity, self._project, self._id) if part)

    def open(self, about: About) -> None:
        """Begin the W&B run, or continue it."""
        import wandb

        given = {
            "project": self._project or about.experiment or "runfolio",
            "entity": self._entity,
            "id": self._id or about.run_id,
            "resume": self._resume,
            "dir": self._dir,
            "name": about.name,
            "notes": about.notes,
            "tags": _tags(about.tags),
            "config": {**self._config, **about.params},
            "reinit": "create_new",  # never the run that someone else in this process has open
            **self._init,
        }
        given["settings"] = _settings(wandb, given.get("settings"))
        self._run = wandb.init(**given)
        _open.add(self)
        self._run.define_metric("*", step_metric="step")

    def params(self, nested: Mapping[str, Any]) -> None:
        """Replace the params in W&B's config."""
        self._run.config.update(dict(nested), allow_val_change=True)

    def describe(self, about: About) -> None:
        """Set name, notes and tags; a tag with a value is `key=value`."""
        if about.name and "name" not in self._init:
            self._run.name = about.name
        if about.notes is not None and "notes" not in self._init:
            self._run.notes = about.notes
        if "tags" not in self._init:
            self._run.tags = tuple(_tags(about.tags))

    def log(self, calls: Sequence[Call]) -> None:
        """Log one row for each call, at its own time."""
        for call in calls:
            row = {column(shown_name(name, call)): value for name, value in call.values.items()}
            if call.step is not None:
                row["step"] = call.step
            self._run.log({**row, "_timestamp": call.time_ns / 1e9})

    def record(self, step: int | None, value: Any, time_ns: int) -> None:
        """Log it as a row of its own."""
        at = {} if step is None else {"step": step}
        self._run.log({"record": value, **at, "_timestamp": time_ns / 1e9})

    def summary(self, values: Mapping[str, Any]) -> None:
        """Set each key of the summary."""
        for key, value in values.items():
            self._run.summary[column(key)] = value

    def rewind(self, step: int) -> None:
        """Do nothing: W&B cannot hide points of a run that it has."""

    def close(self, status: str, reason: str | None) -> None:
        """End it; all but `finished` is a failure to W&B, which knows an exit code and nothing else."""
        self._run.summary["runfolio"] = {"status": status, "reason": reason}
        self._run.finish(exit_code=0 if status == "finished" else 1)
        _settle(self)


_open: set[WandbSink] = set()  # of this process


def _settle(closed: WandbSink) -> None:
    """Wait until W&B's own process has written its files: `finish` comes back before, and leaves it to the exit.

    Its process is one for all runs of this one, so only the last run ends it, and none where the script has its own.
    """
    import wandb

    _open.discard(closed)
    if not _open and wandb.run is None:
        wandb.teardown()


def column(name: str) -> str:
    """Name a metric's column in W&B: `_x`, `step` and `system/…` are its own or ours."""
    taken = name == "step" or name.startswith(("_", "system/", "system."))
    return f"{_RESERVED_PREFIX}{name}" if taken else name


def _settings(wandb: Any, given: Any) -> Any:
    """Keep W&B from watching a process that is not the script, unless settings say otherwise."""
    quiet = {"console": "off", "disable_git": True, "save_code": False, "silent": True, "x_disable_stats": True}
    if isinstance(given, wandb.Settings):
        return given
    for name in ("console", "silent"):
        if os.environ.get(f"WANDB_{name.upper()}"):  # the user's word
            del quiet[name]
    return wandb.Settings(**{**quiet, **(given or {})})


def _tags(tags: Mapping[str, str]) -> list[str]:
    return [(f"{key}={value}" if value else key)[:_TAG_MAX] for key, value in tags.items()]
