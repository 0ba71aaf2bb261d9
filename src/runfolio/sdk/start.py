"""Begin a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from runfolio.errors import RunNotFound, UsageError
from runfolio.model.ids import new_id
from runfolio.model.names import check_name
from runfolio.model.params import KeyTree, flatten
from runfolio.sdk import exits
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.capture import wanted as wanted_fields
from runfolio.sdk.disabled import DisabledRun
from runfolio.sdk.surroundings import mode, record, teller
from runfolio.sdk.tags import Tags, tags_of
from runfolio.sdk.trouble import tell
from runfolio.sdk.writing import Pen, check_rank
from runfolio.store.claims import claim
from runfolio.store.layout import Layout, find


def start(
    experiment: str | None = None,
    name: str | None = None,
    params: Mapping[str, Any] | object | None = None,
    tags: Tags | None = None,
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
    flat, wanted = flatten(params or {}), wanted_fields(capture)
    KeyTree(flat)
    tagged = tags_of(() if tags is None else tags)
    if notes is not None and not isinstance(notes, str):
        raise UsageError(f"notes must be text, not {type(notes).__name__}")
    for text, what in ((experiment, "experiment"), (name, "name")):
        if text is not None:
            check_name(text, what)
    check_rank(rank)
    if mode() == "disabled":
        return DisabledRun(flat, experiment, name, rank)
    run = _join_launched(rank, name, experiment) if store is None and exits.launched_run() else None
    if run is None:
        run = _begin(find(store), experiment, name, rank, fsync_every_s)
        record(run.pen, wanted)
    _tell(run, flat, tagged, notes, total_steps)
    return run


def _begin(
    layout: Layout, experiment: str | None, name: str | None, rank: int | None, fsync_every_s: float | None
) -> ActiveRun:
    layout.check()
    run_id = new_id()
    experiment = experiment or os.environ.get("RUNFOLIO_EXPERIMENT") or "default"
    pen = Pen(
        layout,
        run_id,
        role="start",
        rank=rank,
        fsync_every_s=fsync_every_s,
        on_trouble=teller(run_id),
        chore=exits.reap,
    )
    experiment_id = _experiment_id(layout, experiment)
    pen.writer.event({"type": "run", "experiment": experiment, "experiment_id": experiment_id, "name": name})
    run = ActiveRun(pen, owner=True, params={}, own_params={}, experiment=experiment, name=name, on_end=exits.ended)
    exits.begun(run)
    return run


def _join_launched(rank: int | None, name: str | None, experiment: str | None) -> ActiveRun | None:
    """Take the run that the launcher made; None where it cannot be read: then the script gets one of its own."""
    run_id, run = exits.launched_run(), exits.active()
    if run is None or run.id != run_id or run.owner or rank is not None:
        run = join_launched(rank)
    exits.take_launched_run()
    if run is not None and name is not None and run.name is None:
        run.name = name
    if run is not None and experiment is not None:
        run.choose_experiment(experiment, _experiment_id(run.pen.layout, experiment))
    return run


def join_launched(rank: int | None = None) -> ActiveRun | None:
    """Attach to the run that the launcher made; a warning and None where it cannot be read."""
    from runfolio.sdk.join import attached  # here: most scripts join nothing, and need not load what reads journals

    try:
        return attached(find(None), exits.launched_run() or "", rank, "script")
    except (RunNotFound, ValueError, OSError) as missing:
        tell(f"RUNFOLIO_RUN_ID names a run that cannot be joined ({missing}); a new one begins")
        exits.take_launched_run()
        return None


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


def _experiment_id(layout: Layout, experiment: str) -> str | None:
    """Claim the experiment's name, or find who has; None where the store cannot be written."""
    try:
        if not layout.exists():
            layout.create()
        return claim(layout, "experiment", experiment, new_id())
    except OSError:
        return None
