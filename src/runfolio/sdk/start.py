"""Begin a run, join one, or go on with one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from runfolio.errors import AmbiguousRun, RunIsLive, RunNotFound, UsageError
from runfolio.model.ids import is_id, new_id, short
from runfolio.model.names import check_key, check_name
from runfolio.model.params import KeyTree, flatten
from runfolio.sdk import capture as surroundings
from runfolio.sdk import exits, trouble
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.disabled import DisabledRun
from runfolio.sdk.past import Past, read_past, wait_for_life
from runfolio.sdk.writing import Pen
from runfolio.store import spool
from runfolio.store.claims import claim, next_number
from runfolio.store.layout import Layout, find
from runfolio.store.liveness import DEAD

Tags = Iterable[str] | Mapping[str, str]


def start(
    experiment: str | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | object | None = None,
    tags: Tags = (),
    notes: str | None = None,
    *,
    rank: int | None = None,
    total_steps: int | None = None,
    store: str | os.PathLike[str] | None = None,
    capture: bool | str | Iterable[str] | None = None,
    fsync_every_s: float | None = None,
) -> ActiveRun:
    """Begin a run. In a script that `runfolio run` started, the first call joins the run that the launcher made.

    Args:
        experiment: the set of runs it belongs to; default $RUNFOLIO_EXPERIMENT, else "default".
        params: a dict, nested or dotted, a dataclass, a namespace.
        tags: names, or names to values.
        rank: of this process, where several write one metric each their own.
        total_steps: for progress and time left.
        store: a store's folder; default: the argument, $RUNFOLIO_DIR, the nearest .runfolio upward, ~/.runfolio.
        capture: which surroundings to record: True, False, or names, as in docs/captured.md.
        fsync_every_s: how often what is logged is made to survive a power cut. Units: seconds; default 5.

    Raises:
        InvalidValue, UsageError: a name, param or tag that cannot be kept. Never for a full, read-only or missing disk.
    """
    flat, wanted = flatten(params or {}), surroundings.wanted(capture)
    KeyTree(flat)
    tagged = _tags(tags)
    if notes is not None and not isinstance(notes, str):
        raise UsageError(f"notes must be text, not {type(notes).__name__}")
    for text, what in ((experiment, "experiment"), (name, "name")):
        if text is not None:
            check_name(text, what)
    if mode() == "disabled":
        return DisabledRun(flat, experiment, name, rank)
    joined = exits.launched_run()
    if joined and store is None:
        return _join_launched(joined, flat, tagged, name, notes, rank, total_steps)
    layout = find(store)
    run_id = new_id()
    experiment = experiment or os.environ.get("RUNFOLIO_EXPERIMENT") or "default"
    pen = Pen(
        layout,
        run_id,
        role="start",
        rank=rank,
        fsync_every_s=fsync_every_s,
        on_trouble=_teller(run_id),
        chore=exits.reap,
    )
    pen.writer.event(
        {"type": "run", "experiment": experiment, "experiment_id": _experiment_id(layout, experiment), "name": name}
    )
    run = ActiveRun(pen, owner=True, params={}, own_params={}, experiment=experiment, name=name, on_end=exits.ended)
    _tell(run, flat, tagged, notes, total_steps)
    _capture(pen, wanted)
    exits.begun(run)
    return run


def attach(
    run_id: str | None = None, rank: int | None = None, store: str | os.PathLike[str] | None = None
) -> ActiveRun:
    """Write to a run that another process started, through a journal of its own. `finish()` closes that journal only.

    Args:
        run_id: the id or a unique prefix; default $RUNFOLIO_RUN_ID.

    Raises:
        RunNotFound, AmbiguousRun: no run, or several, with this id.
    """
    run_id = run_id or os.environ.get("RUNFOLIO_RUN_ID") or ""
    if mode() == "disabled":
        return DisabledRun({}, None, None, rank)
    if not run_id:
        raise UsageError("attach needs a run id, as an argument or in RUNFOLIO_RUN_ID")
    layout = find(store)
    return _attached(layout, _whole_id(layout, run_id), rank, "attach")


def resume(
    run_id: str,
    rewind_to: int | None = None,
    *,
    force: bool = False,
    rank: int | None = None,
    store: str | os.PathLike[str] | None = None,
    capture: bool | str | Iterable[str] | None = None,
    fsync_every_s: float | None = None,
) -> ActiveRun:
    """Go on with a run in a new attempt: the same id, the same series.

    Args:
        rewind_to: hide the points of earlier attempts from this step on; they stay in the journals.
        force: also where the run still seems to be written.

    Raises:
        RunIsLive: it is still running. Where only its heartbeat can tell (another machine), this call watches it for up to 45 s.
        RunNotFound, AmbiguousRun: no run, or several, with this id.
    """
    wanted = surroundings.wanted(capture)
    if mode() == "disabled":
        return DisabledRun({}, None, None, rank)
    layout = find(store)
    run_id = _whole_id(layout, run_id)
    past = read_past(layout, run_id)
    if not force and past.life() != DEAD and wait_for_life(layout, run_id, past):
        raise RunIsLive(f"run {short(run_id)} is still running. Wait for its end, attach to it, or pass force=True.")
    attempt = next_number(layout, "attempt", run_id, new_id(), past.attempt + 1)
    pen = Pen(
        layout,
        run_id,
        role="start",
        attempt=attempt,
        rank=rank,
        high=past.high(rewind_to),
        fsync_every_s=fsync_every_s,
        on_trouble=_teller(run_id),
        chore=exits.reap,
    )
    pen.writer.event({"type": "attempt", "rewind_to": rewind_to, "command": surroundings.cheap()["command"]})
    run = ActiveRun(
        pen,
        owner=True,
        params=past.state.params,
        own_params={},
        experiment=past.state.experiment,
        name=past.state.name,
        on_end=exits.ended,
    )
    _capture(pen, wanted)
    exits.begun(run)
    return run


def mode() -> str:
    """Give $RUNFOLIO_MODE: "disabled" makes every call a no-op."""
    told = os.environ.get("RUNFOLIO_MODE") or "enabled"
    if told not in ("enabled", "disabled"):
        raise UsageError(f"RUNFOLIO_MODE must be 'enabled' or 'disabled', not {told!r}")
    return told


def _attached(layout: Layout, run_id: str, rank: int | None, role: str) -> ActiveRun:
    past = read_past(layout, run_id)
    pen = Pen(
        layout,
        run_id,
        role=role,
        attempt=past.attempt,
        rank=rank,
        high=past.high(),
        on_trouble=_teller(run_id),
        chore=exits.reap,
    )
    run = ActiveRun(
        pen,
        owner=False,
        params=past.state.params,
        own_params=_params_of(past),
        experiment=past.state.experiment,
        name=past.state.name,
        on_end=exits.ended,
    )
    exits.begun(run)
    return run


def _params_of(past: Past) -> dict[str, Any]:
    """Give the params that were set in the latest attempt: these may not change in it."""
    told = past.state.params_by_attempt
    latest = {key: by[past.attempt] for key, by in told.items() if past.attempt in by}
    return {**(past.state.params if past.attempt == 1 else {}), **latest}


def _join_launched(
    run_id: str,
    flat: dict[str, Any],
    tagged: dict[str, str],
    name: str | None,
    notes: str | None,
    rank: int | None,
    total_steps: int | None,
) -> ActiveRun:
    run = _attached(find(None), run_id, rank, "script")
    exits.joined(run)
    if name is not None and run.name is None:
        run.name = name
    _tell(run, flat, tagged, notes, total_steps)
    return run


def _tell(
    run: ActiveRun, flat: dict[str, Any], tagged: dict[str, str], notes: str | None, total_steps: int | None
) -> None:
    if flat:
        run.set_params(flat)
    if tagged:
        run._event("tags", add=tagged)
    if notes is not None:
        run.notes = notes
    if total_steps is not None:
        run.total_steps = total_steps


def _capture(pen: Pen, wanted: frozenset[str]) -> None:
    """Record the cheap facts here, and let a companion process find the slow ones."""
    if not wanted:
        return
    for field, value in surroundings.cheap().items():
        if field in wanted:
            pen.writer.event({"type": "capture", "field": field, "value": value})
    slow = sorted(wanted & frozenset(surroundings.SLOW))
    if slow and not pen.writer.spooling:
        exits.companion(surroundings.spawn(pen.layout.root, pen.run_id, slow, _cwd()))


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "/"


def _experiment_id(layout: Layout, experiment: str) -> str | None:
    """Claim the experiment's name, or find who has; None where the store cannot be written."""
    try:
        if not layout.exists():
            layout.create()
        return claim(layout, "experiment", experiment, new_id())
    except OSError:
        return None


def _teller(run_id: str) -> Any:
    told: set[str] = set()

    def on_trouble(cause: str) -> None:
        if cause not in told:
            told.add(cause)
            trouble.tell(
                f"run {short(run_id)} has trouble with its disk: {cause}. The script goes on; runfolio doctor says more"
            )

    return on_trouble


def _tags(tags: Tags) -> dict[str, str]:
    if isinstance(tags, str):
        tags = [tags]
    if isinstance(tags, Mapping):
        return {check_key(key, "tag"): str(value) for key, value in tags.items()}
    return {check_key(key, "tag"): "" for key in tags}


def _whole_id(layout: Layout, prefix: str) -> str:
    """Find the run id that begins so, at home or in the spool."""
    if is_id(prefix):
        return prefix
    try:
        names = set(os.listdir(layout.runs))
    except OSError:
        names = set()
    found = sorted(name for name in names | set(spool.runs_of(layout.root)) if is_id(name) and name.startswith(prefix))
    if not found or not prefix:
        raise RunNotFound(f"no run has an id that begins with {prefix!r}; runfolio list shows them")
    if len(found) > 1:
        raise AmbiguousRun(f"{prefix!r} fits {len(found)} runs: {', '.join(map(short, found[:5]))}", found)
    return found[0]
