"""Write to a run that is there already: join it, or go on with it in a new attempt."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from runfolio.errors import AmbiguousRun, RunIsLive, RunNotFound, UsageError
from runfolio.model.ids import is_id, new_id, short
from runfolio.sdk import exits
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.capture import cheap
from runfolio.sdk.capture import wanted as wanted_fields
from runfolio.sdk.disabled import DisabledRun
from runfolio.sdk.past import Past, read_past, wait_for_life
from runfolio.sdk.surroundings import mode, record, teller
from runfolio.sdk.writing import Pen
from runfolio.store import spool
from runfolio.store.claims import next_number
from runfolio.store.layout import Layout, find
from runfolio.store.liveness import DEAD


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
    return attached(layout, _whole_id(layout, run_id), rank, "attach")


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
    wanted = wanted_fields(capture)
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
        on_trouble=teller(run_id),
        chore=exits.reap,
    )
    pen.writer.event({"type": "attempt", "rewind_to": rewind_to, "command": cheap()["command"]})
    run = ActiveRun(
        pen,
        owner=True,
        params=past.state.params,
        own_params={},
        experiment=past.state.experiment,
        name=past.state.name,
        on_end=exits.ended,
    )
    record(pen, wanted)
    exits.begun(run)
    return run


def attached(layout: Layout, run_id: str, rank: int | None, role: str) -> ActiveRun:
    past = read_past(layout, run_id)
    pen = Pen(
        layout,
        run_id,
        role=role,
        attempt=past.attempt,
        rank=rank,
        high=past.high(),
        on_trouble=teller(run_id),
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
        by_default=past.state.experiment_by_default,
    )
    exits.begun(run)
    return run


def _params_of(past: Past) -> dict[str, Any]:
    """Give the params that were set in the latest attempt: these may not change in it."""
    told = past.state.params_by_attempt
    latest = {key: by[past.attempt] for key, by in told.items() if past.attempt in by}
    return {**(past.state.params if past.attempt == 1 else {}), **latest}


def _whole_id(layout: Layout, prefix: str) -> str:
    """Find the run id that begins so, at home or in the spool."""
    if is_id(prefix):
        return prefix
    try:
        names = set(os.listdir(layout.runs))
    except OSError:
        names = set()
    found = sorted(name for name in names | set(spool.runs_of(layout.root)) if is_id(name) and name.startswith(prefix))
    if not found and prefix and layout.exists():
        from runfolio.query.store import Store  # here: names and aliases are for readers to find

        with Store(layout) as store:
            return store.run(prefix).id
    if not found or not prefix:
        raise RunNotFound(f"no run has an id that begins with {prefix!r}; runfolio list shows them")
    if len(found) > 1:
        raise AmbiguousRun(f"{prefix!r} fits {len(found)} runs: {', '.join(map(short, found[:5]))}", found)
    return found[0]
