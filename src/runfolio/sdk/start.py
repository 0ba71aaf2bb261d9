"""Begin a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from runfolio.errors import UsageError
from runfolio.model.ids import new_id
from runfolio.model.names import check_key, check_name
from runfolio.model.params import KeyTree, flatten
from runfolio.sdk import exits
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.capture import wanted as wanted_fields
from runfolio.sdk.disabled import DisabledRun
from runfolio.sdk.surroundings import mode, record, teller
from runfolio.sdk.writing import Pen
from runfolio.store.claims import claim
from runfolio.store.layout import Layout, find

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
    flat, wanted = flatten(params or {}), wanted_fields(capture)
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
        on_trouble=teller(run_id),
        chore=exits.reap,
    )
    pen.writer.event(
        {"type": "run", "experiment": experiment, "experiment_id": _experiment_id(layout, experiment), "name": name}
    )
    run = ActiveRun(pen, owner=True, params={}, own_params={}, experiment=experiment, name=name, on_end=exits.ended)
    _tell(run, flat, tagged, notes, total_steps)
    record(pen, wanted)
    exits.begun(run)
    return run


def _join_launched(
    run_id: str,
    flat: dict[str, Any],
    tagged: dict[str, str],
    name: str | None,
    notes: str | None,
    rank: int | None,
    total_steps: int | None,
) -> ActiveRun:
    from runfolio.sdk.join import attached  # here: most scripts join nothing, and need not load what reads journals

    run = attached(find(None), run_id, rank, "script")
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


def _experiment_id(layout: Layout, experiment: str) -> str | None:
    """Claim the experiment's name, or find who has; None where the store cannot be written."""
    try:
        if not layout.exists():
            layout.create()
        return claim(layout, "experiment", experiment, new_id())
    except OSError:
        return None


def _tags(tags: Tags) -> dict[str, str]:
    if isinstance(tags, str):
        tags = [tags]
    if isinstance(tags, Mapping):
        return {check_key(key, "tag"): str(value) for key, value in tags.items()}
    return {check_key(key, "tag"): "" for key in tags}
