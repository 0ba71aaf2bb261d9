"""The handle a script writes a run through."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from runfolio.errors import InvalidValue, ParamConflict, RunIsClosed, UsageError
from runfolio.journal.writer import NoStep
from runfolio.model.ids import short
from runfolio.model.leaf import plain
from runfolio.model.names import check_key, check_name, shown
from runfolio.model.numbers import check_step
from runfolio.model.params import KeyTree, flatten, same, unflatten
from runfolio.model.states import FAILED, FINISHED, KILLED, RUNNING
from runfolio.sdk import trouble
from runfolio.sdk.tags import tags_of
from runfolio.sdk.writing import Pen

if TYPE_CHECKING:
    from types import TracebackType

GOALS = ("min", "max")
STATUSES = (FINISHED, FAILED, KILLED)


class ActiveRun:
    """A run that is being written. `runfolio.start`, `attach` and `resume` make it; as a context manager it finishes itself.

    Contract: any thread may use it. After a fork the child may go on logging, into a journal of its own; its `finish` closes only that.
    Disk and network trouble never raises here: it is warned of once, and what is lost is counted.
    """

    def __init__(
        self,
        pen: Pen,
        *,
        owner: bool,
        params: Mapping[str, Any],
        own_params: Mapping[str, Any],
        experiment: str | None,
        name: str | None,
        on_end: Callable[[ActiveRun], None],
        by_default: bool = False,
    ) -> None:
        self.pen = pen
        self._writer = pen.writer
        self._owner = owner
        self._own_params = dict(own_params)  # of this attempt: these may not change
        self._params = {**params, **own_params}
        self._tree = KeyTree(self._params)
        self._experiment = experiment
        self._by_default = by_default  # nobody has chosen the experiment
        self._name = name
        self._notes = ""
        self._total_steps: int | None = None
        self._status = RUNNING
        self._on_end = on_end
        self.after_end: Callable[[ActiveRun], None] | None = None
        """Called once when this handle has ended, not in a hurry: what follows the run shall come to its last state."""
        self._artifact_versions: dict[str, int] = {}
        self.summary: MutableMapping[str, Any] = Summary(self._writer.event)
        """Results of the whole run: `run.summary["test_acc"] = 0.97`. The last value of a key wins."""
        # one Python frame fewer in the hot path: the instance's own names stand before the class's
        self.__dict__["log"] = self.__dict__["log_metrics"] = self._writer.log

    # ---------------------------------------------------------------- who it is

    @property
    def id(self) -> str:
        """The run's id: 32 hexadecimal digits; its first 8 are enough on the command line."""
        return self.pen.run_id

    @property
    def store(self) -> str:
        """The folder of the store that the run is kept in."""
        return self.pen.layout.root

    @property
    def folder(self) -> str:
        """The run's own folder."""
        return self.pen.layout.run(self.id)

    @property
    def experiment(self) -> str | None:
        return self._experiment

    def choose_experiment(self, experiment: str, experiment_id: str | None) -> None:
        """Set the experiment where nobody has: the launcher's guess gives way to the script's word."""
        if self._by_default:
            self._event("run", experiment=experiment, experiment_id=experiment_id, name=None)
            self._experiment, self._by_default = experiment, False

    @property
    def attempt(self) -> int:
        """1, and one more for each `resume`."""
        return self.pen.attempt

    @property
    def rank(self) -> int | None:
        return self.pen.rank

    @property
    def status(self) -> str:
        """running, finished, failed or killed."""
        return self._status

    @property
    def lost_points(self) -> int:
        """How many values could not be kept, so far."""
        return self._writer.lost.points

    @property
    def owner(self) -> bool:
        """Whether this handle's `finish` ends the run; an attached one's closes its journal only."""
        return self._owner

    @property
    def busy(self) -> bool:
        """Whether some call is writing at this moment."""
        return self._writer.busy

    @property
    def spooling(self) -> bool:
        """Whether the store could not be written, and a temporary place is."""
        return self._writer.spooling

    # ---------------------------------------------------------------- metrics and records

    def log(self, metrics: Mapping[str, object], step: int | NoStep | None = None, **more: object) -> None:
        """Keep the metrics of one step. When it has returned, they survive a SIGKILL.

        Args:
            metrics: names to numbers: Python's, numpy's, torch's or JAX's scalars and one-element arrays.
            step: an integer, negative ones too, in any order; None: the highest so far + 1, from 0; `runfolio.FINAL`: no step.
            more: further metrics.

        Raises:
            InvalidValue: a value that is no number or cannot be kept exactly. Nothing of the call is kept then.
            UsageError: `step` among the metrics.
            RunIsClosed: after `finish()`.
        """
        self._writer.log(metrics, step, **more)

    log_metrics = log

    def log_record(self, value: object, step: int | None = None) -> None:
        """Keep what is not a number: text, None, lists, dicts of them.

        Raises:
            InvalidValue: a value that JSON cannot carry.
        """
        (kept,) = cast("list[Any]", plain([value], "record"))
        self._event("record", step=None if step is None else check_step(step), value=kept)

    # ---------------------------------------------------------------- params and the rest

    @property
    def params(self) -> dict[str, Any]:
        """The params that are known to this handle, nested."""
        return unflatten(self._params)

    def set_params(self, params: Mapping[str, Any] | object, replace: bool = False) -> None:
        """Set params, once: equal again is silent.

        Args:
            params: a dict, nested or with dotted keys, a dataclass, a namespace.
            replace: let a value take the place of another that was set before, and a branch that of a value.

        Raises:
            ParamConflict: one of them is set to another value already; nothing of the call is kept then.
            InvalidValue: a value that cannot be kept exactly. UsageError: `a` beside `a.b`.
        """
        flat = flatten(params)
        for key, value in flat.items():
            if not replace and key in self._own_params and not same(self._own_params[key], value):
                raise ParamConflict(
                    f"param {key!r} is already {shown(self._own_params[key])} in run {short(self.id)}; got {shown(value)}. "
                    "Log a changing value as a metric, or start a new run.",
                    key,
                    self._own_params[key],
                    value,
                )
        own = self._own_params
        new = {key: value for key, value in flat.items() if key not in own or not same(own[key], value)}
        gone = self._tree.in_the_way(new) if replace else []
        if gone:
            self._tree.remove_all(gone)
            for key in gone:
                self._params.pop(key, None)
                own.pop(key, None)
        self._tree.add_all(key for key in new if key not in self._params)
        if new:
            self._event("params", set=new, **({"replace": True, "remove": gone} if replace else {}))
            self._own_params.update(new)
            self._params.update(new)

    def get_param(self, key: str, default: Any = None) -> Any:
        """Give a param by its dotted key; a branch comes as a dict."""
        if key in self._params:
            return self._params[key]
        branch = {k[len(key) + 1 :]: v for k, v in self._params.items() if k.startswith(key + ".")}
        return unflatten(branch) if branch else default

    def get_params(self) -> dict[str, Any]:
        """Give all params, nested."""
        return self.params

    def add_tags(self, *keys: str, **pairs: str) -> None:
        """Add tags: `add_tags("best", team="ml")`."""
        add = {**tags_of(keys), **tags_of(pairs)}
        if add:
            self._event("tags", add=add)

    def remove_tags(self, *keys: str) -> None:
        """Remove tags; one that is not there is passed over."""
        self._event("tags", remove=[check_key(key, "tag") for key in keys])

    @property
    def name(self) -> str | None:
        """The run's name. It may change, and several runs may share one."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = check_name(name)
        self._event("name", name=self._name)

    @property
    def notes(self) -> str:
        """Free text about the run, Markdown by custom."""
        return self._notes

    @notes.setter
    def notes(self, text: str) -> None:
        if not isinstance(text, str):
            raise InvalidValue(f"notes must be text, not {type(text).__name__}", "notes")
        self._event("notes", text=text)
        self._notes = text

    @property
    def total_steps(self) -> int | None:
        """How many steps there will be: for progress and time left."""
        return self._total_steps

    @total_steps.setter
    def total_steps(self, steps: int) -> None:
        steps = check_step(steps, "total_steps")
        if steps < 0:
            raise UsageError(f"total_steps must not be negative: {steps}")
        self._total_steps = steps
        self._event("total_steps", value=self._total_steps)

    def define(self, metric: str, goal: str) -> None:
        """Say whether a metric is better when it is lower or higher: `goal` is "min" or "max"."""
        if goal not in GOALS:
            raise UsageError(f"goal must be 'min' or 'max', not {goal!r}")
        self._event("goal", metric=check_key(metric), goal=goal)

    def use_data(self, path: str | os.PathLike[str]) -> str:
        """Declare data that the run reads: path, size and SHA-256 are kept, not the bytes. Returns the hash.

        Raises:
            OSError: the file or folder cannot be read.
        """
        from runfolio.sdk.data_use import describe

        told = describe(os.fspath(path))
        self._event("data", **told)
        return str(told["sha256"])

    def add_artifact(
        self, source: object, name: str | None = None, *, step: int | None = None, media: str | None = None
    ) -> None:
        """Keep a file, bytes, a figure or an image. The same name again is a new version.

        Args:
            source: a path of a file or folder, bytes, an object with `savefig` (matplotlib), a PIL image, or a uint8 array (H, W[, 3 or 4]).
            name: by default the file's own; needed for what has none.

        Raises:
            OSError: the source cannot be read. InvalidValue: nothing that can be kept.
        """
        from runfolio.sdk.artifacts import NotKept, add

        at = None if step is None else check_step(step)
        try:
            for told in add(self.pen.layout, self.id, source, name, media):
                self._event("artifact", step=at, **told)
        except NotKept as lost:
            self._event("lost", points=0, calls=0, events=lost.events, cause=lost.cause)

    # ---------------------------------------------------------------- the end

    def flush(self) -> bool:
        """Make everything so far survive a power cut; False where the disk refuses."""
        return self._writer.sync()

    def finish(self, status: str = FINISHED, reason: str | None = None, exit_code: int | None = None) -> None:
        """End the run (on an attached handle: this writer only). Doing it again does nothing.

        Args:
            status: finished, failed or killed.
        """
        if status not in STATUSES:
            raise UsageError(f"status must be one of {', '.join(STATUSES)}, not {status!r}")
        self._end(status, reason, exit_code)

    def finish_with_script(self) -> None:
        """End the run as its script ends well; where another process has told its end, that stands."""
        self._end(FINISHED, None, None, implied=True)

    def end(self, status: str = FINISHED, reason: str | None = None) -> None:
        """End the run itself, from an attached handle too: for APIs where whoever knows the run's id may end it."""
        if status not in STATUSES:
            raise UsageError(f"status must be one of {', '.join(STATUSES)}, not {status!r}")
        if self._status == RUNNING and not self._owner:
            self.tell("finish", status=status, reason=reason, exit_code=None)
        self._end(status, reason, None)

    def end_in_a_hurry(self, reason: str) -> None:
        """End the run as killed from a signal handler, which may have interrupted a sync that others wait for."""
        self._end(KILLED, reason, None, wait_s=0.0)

    def _end(
        self, status: str, reason: str | None, exit_code: int | None, wait_s: float = 10.0, implied: bool = False
    ) -> None:
        if self._status != RUNNING:
            return
        self._status = status
        if self._owner and not self.pen.forked:
            end = {"type": "finish", "status": status, "reason": reason, "exit_code": exit_code}
            self._writer.event({**end, "implied": True} if implied else end)
        was_spooling = self._writer.spooling
        self.pen.close(wait_s=wait_s)
        self._on_end(self)
        if self.after_end is not None and wait_s > 0:
            self.after_end(self)
        self._say_what_is_lost(was_spooling)

    def fail(self, error: BaseException) -> None:
        """End the run as failed, or killed by an interrupt, keeping the exception and its traceback."""
        if not isinstance(error, BaseException):
            raise UsageError(
                f"fail() takes the exception, not {type(error).__name__}; finish('failed', reason=…) takes text"
            )
        status = KILLED if isinstance(error, KeyboardInterrupt) else FAILED
        self.record_error(error)
        self.finish(
            status, reason="KeyboardInterrupt" if status == KILLED else f"{type(error).__name__}: {error}"[:500]
        )

    def record_error(self, error: BaseException) -> None:
        """Keep an exception with its traceback; the run goes on."""
        import traceback

        text = "".join(traceback.format_exception(error))
        try:
            self._event("error", kind=type(error).__name__, message=_clean(str(error)), traceback=_clean(text))
        except RunIsClosed:
            pass

    def _say_what_is_lost(self, was_spooling: bool) -> None:
        lost = self._writer.lost
        if any(lost):
            trouble.say(f"run {short(self.id)} lost {lost.points} values ({', '.join(self._writer.causes)})")
        elif was_spooling and self._writer.path and os.path.exists(self._writer.path):
            trouble.say(
                f"run {short(self.id)} is kept in {os.path.dirname(self._writer.path)}: the store could not be written"
            )

    def __enter__(self) -> ActiveRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
            self.finish()
        elif isinstance(error, SystemExit):
            self.finish(
                FAILED, reason=f"SystemExit: {error.code}", exit_code=error.code if isinstance(error.code, int) else 1
            )
        else:
            self.fail(error)

    def __repr__(self) -> str:
        return f"<ActiveRun {short(self.id)} {self._name or ''} {self._status}>".replace("  ", " ")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a handle that attaches to the same run in the process that loads it."""
        from importlib import import_module

        attach = import_module("runfolio.sdk.join").attach  # by its name: join makes handles, and imports this module
        return attach, (self.id, self.rank, self.store)

    def tell(self, type_: str, **fields: object) -> None:
        """Append an event of docs/formats/events.md, for what has no verb of its own."""
        self._event(type_, **fields)

    def feed(self, kind: str, **options: Any) -> None:
        """Feed this run to another tracker too: "aim", "wandb", "tensorboard" or "mlflow", as docs/sinks.md tells.

        A process beside the script does it: what is slow, fails or hangs there never reaches the script.

        Args:
            options: of that sink. Never secrets: they are kept in the run; those stay in the environment.

        Raises:
            ImportError: the package is not installed. UsageError: no such kind.
        """
        from runfolio.sdk.following import feed_sink

        feed_sink(self, kind, **options)

    def _event(self, type_: str, **fields: object) -> None:
        self._writer.event({"type": type_, **fields})


class Summary(MutableMapping[str, Any]):
    """The summary of a run, as one handle sees it: each item that is set is an event."""

    def __init__(self, event: Callable[[Mapping[str, Any]], None]) -> None:
        self._event = event
        self._values: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        flat = flatten({check_key(key, "summary key"): value})
        self._event({"type": "summary", "set": flat})
        self._values.update(flat)

    def update(self, *args: Any, **more: Any) -> None:
        """Set several items by one event."""
        flat = flatten(dict(*args, **more))
        if flat:
            self._event({"type": "summary", "set": flat})
            self._values.update(flat)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __delitem__(self, key: str) -> None:
        raise UsageError("a summary value cannot be taken back; set it to another one")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


def _clean(text: str) -> str:
    """Make text strict: an exception's message may hold anything."""
    return text[:100_000].encode("utf-8", "backslashreplace").decode()
