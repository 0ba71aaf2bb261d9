"""The name of an experiment's file, taken once; and what stood in the folder before."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from runfolio.sdk import trouble
from runfolio.sdk.active import ActiveRun
from runfolio.store.claims import claim, owner_of
from runfolio.store.layout import Layout

KIND = "cs336"
_TOLD_MAX = 5
_NAME_BYTES_MAX = 200  # of the 255 that a file's name may have


def claim_path(run: ActiveRun, folder: str, name: str, started: datetime) -> str:
    """Take the file name of a run: that of its second, or of the next that nobody has.

    What the original program left in the folder is imported before our first file lies there.
    """
    folder = os.path.realpath(folder)
    if run.pen.role == "disabled":
        return _path(folder, name, started)
    import_old(run, folder)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as failed:
        trouble.tell(f"the log folder cannot be made: {failed.strerror}. The run is kept all the same: {folder}")
    while True:
        path = _path(folder, name, started)
        if not os.path.lexists(path) and _is_ours(run, path):
            return path
        started += timedelta(seconds=1)


def _path(folder: str, name: str, started: datetime) -> str:
    return os.path.join(folder, f"experiment_{_as_file_name(name)}_{started:%Y%m%d_%H%M%S}.json")


def _as_file_name(name: str) -> str:
    """Turn text into a part of a file's name: no folder, nothing hidden, not too long."""
    safe = "".join(char if char.isprintable() and char not in "/\\" else "_" for char in name)
    return safe.encode()[:_NAME_BYTES_MAX].decode(errors="ignore")


def _is_ours(run: ActiveRun, path: str) -> bool:
    try:
        return claim(run.pen.layout, KIND, path, run.id) == run.id
    except OSError:
        return True  # the store cannot be written: what lies on the disk has been looked at


def import_old(run: ActiveRun, folder: str) -> None:
    """Bring the folder's old experiments into the store, once; whatever is wrong with them is told, and stops nothing."""
    layout = run.pen.layout
    try:
        if owner_of(layout, KIND, folder) is None:
            _bring_in_all(layout, [path for path in _logs_in(folder) if owner_of(layout, KIND, path) is None])
            claim(layout, KIND, folder, run.id)
    except Exception as failed:
        trouble.tell(f"the old experiments could not be imported: {type(failed).__name__}: {failed}. Folder: {folder}")


def _logs_in(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    names = sorted(name for name in os.listdir(folder) if name.startswith("experiment_") and name.endswith(".json"))
    return [os.path.join(folder, name) for name in names]


def _bring_in_all(layout: Layout, paths: list[str]) -> None:
    if not paths:
        return
    from runfolio.convert.bring_in import bring_in  # these load numpy, and most folders hold nothing old
    from runfolio.convert.foreign import Skipped
    from runfolio.convert.importing import find_runs

    troubles: list[Skipped] = []
    for found in (found for path in paths for found in find_runs(KIND, path)):
        if isinstance(found, Skipped):
            troubles.append(found)
        else:
            bring_in(layout, found)
            troubles += found.skipped
    if troubles:
        shown = [f"{os.path.basename(each.path)}: {each.reason}" for each in troubles[:_TOLD_MAX]]
        more = f"; and {len(troubles) - _TOLD_MAX} more" if len(troubles) > _TOLD_MAX else ""
        trouble.tell(f"of the old experiments, not imported: {'; '.join(shown)}{more}")
