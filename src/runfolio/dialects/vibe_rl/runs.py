"""Which run a metrics file belongs to: here its path is the run's name.

The real path is claimed in the store by the first run that is kept there. Whoever opens it later goes on with that run: in a new attempt where it
has ended, beside its writer where it lives. Where the run or its file was removed, another run begins. What another program wrote into the file
comes in first.
Source: vibe-rl, "Metrics & Logging", Where metrics live, Resuming a WandB run.
"""

from __future__ import annotations

import os
import threading

from runfolio.convert.vibe_rl_claims import KEPT, latest_run, mark_written
from runfolio.convert.vibe_rl_folder import names_of
from runfolio.errors import RunfolioError, RunIsLive, RunNotFound
from runfolio.model.states import RUNNING
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.following import keep_view, settle
from runfolio.sdk.join import attach, resume
from runfolio.sdk.past import read_past
from runfolio.sdk.start import start
from runfolio.sdk.surroundings import mode
from runfolio.sdk.trouble import tell
from runfolio.store.claims import claim
from runfolio.store.edits import delete, restore
from runfolio.store.layout import Layout, find
from runfolio.store.liveness import ALIVE, DEAD

FORMAT = "vibe_rl"

_open: dict[tuple[str, str], ActiveRun] = {}
_writers: dict[ActiveRun, int] = {}  # how many loggers write by this handle
_lock = threading.RLock()


def open_run(path: str | os.PathLike[str]) -> ActiveRun:
    """Give the run that is kept in this file, ready to be written: by a handle that is open here, or another one."""
    if mode() == "disabled":
        return start()
    real, layout = os.path.realpath(path), find()
    with _lock:
        run = live_run(real)
        if run is None:
            run = _open[layout.root, real] = _run_of(layout, real)
            _make_file(layout, real, run.id)
        keep_view(run, FORMAT, real)
    return run


def hold_run(path: str | os.PathLike[str]) -> ActiveRun:
    """Open the run of a file for as long as it takes: until `leave_run` was called as often, it does not end."""
    with _lock:
        run = open_run(path)
        _writers[run] = _writers.get(run, 0) + 1
    return run


def leave_run(run: ActiveRun, error: BaseException | None = None) -> None:
    """End a run, with its file complete, once nobody here writes to it any more. An exception is kept in it."""
    with _lock:
        _writers[run] = left = _writers.get(run, 1) - 1
        if left <= 0:
            del _writers[run]
    settle(run)
    if left > 0:
        if error is not None:
            run.record_error(error)
        return
    run.__exit__(None if error is None else type(error), error, None)


def live_run(path: str | os.PathLike[str]) -> ActiveRun | None:
    """Give the handle by which this process writes the file now, if there is one."""
    run = _open.get((find().root, os.path.realpath(path)))
    return run if run is not None and run.status == RUNNING else None


def _run_of(layout: Layout, path: str) -> ActiveRun:
    latest, name = latest_run(layout, path)
    run = None if latest is None else _go_on(layout, latest, path)
    if run is not None:
        return run
    brought = _brought_in(layout, path) if _has_content(path) else None
    if brought is not None:
        run = _go_on(layout, claim(layout, KEPT, name, brought), path)
    return run or _begin(layout, path, name)


def _brought_in(layout: Layout, path: str) -> str | None:
    """Bring in what another program, or a run of another store, has left in the file; where that cannot be, it stays, and ours goes beside."""
    from runfolio.convert.importing import bring_in_all  # here: only a file with a past needs what reads it

    try:
        brought = bring_in_all(layout, FORMAT, path)
    except (OSError, RunfolioError) as failed:
        tell(f"what is in {path} could not be imported ({failed}); try: runfolio import vibe-rl {path}")
        return None
    return brought[0].run_id if brought else None


def _begin(layout: Layout, path: str, name: str) -> ActiveRun:
    names = names_of(path)
    run = start(experiment=names.experiment, name=names.name)
    try:
        owner = claim(layout, KEPT, name, run.id)
    except OSError:  # a store that cannot be written now: the run is kept in the spool
        return run
    if owner == run.id:
        return run
    run.finish()  # another process was first
    if run.owner:
        delete(layout, run.id)
    return attach(owner, store=layout.root)


def _go_on(layout: Layout, run_id: str, path: str) -> ActiveRun | None:
    """Write on to a run; None where it is gone, or where it has ended and its file was removed: a fresh file is a fresh run."""
    try:
        past = read_past(layout, run_id)
        life = past.life()
        if life == ALIVE:
            return attach(run_id, store=layout.root)
        if not os.path.exists(path):
            return None
        if past.state.deleted:
            restore(layout, run_id)  # its lines stand in the file that is appended to
        return resume(run_id, force=life == DEAD, store=layout.root)
    except RunIsLive:
        return attach(run_id, store=layout.root)
    except RunNotFound:
        return None


def _make_file(layout: Layout, path: str, run_id: str) -> None:
    """Make the file where there is none: if it is missing later, somebody has removed it. From now on it is ours to write."""
    try:
        mark_written(layout, path, run_id)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab"):
            pass
    except OSError:
        pass  # the run is kept nevertheless, and the companion will say so when it cannot write there either


def _has_content(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False
