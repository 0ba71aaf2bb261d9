"""Begin a run for a script that has not started yet: the launcher makes it, the script joins it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from runfolio.errors import UsageError
from runfolio.model.ids import new_id
from runfolio.model.names import check_name
from runfolio.model.params import KeyTree, Value
from runfolio.sdk import exits
from runfolio.sdk.capture import wanted as wanted_fields
from runfolio.sdk.start import _experiment_id
from runfolio.sdk.surroundings import record, teller
from runfolio.sdk.tags import tags_of
from runfolio.sdk.writing import Pen
from runfolio.store.layout import find


class About(NamedTuple):
    """What is told about a run before its script starts."""

    experiment: str
    name: str | None = None
    params: Mapping[str, Value] = {}  # by dotted key
    tags: Mapping[str, str] = {}
    notes: str | None = None
    by_default: bool = False  # nobody chose the experiment: the script may


def begin_launched(about: About, store: str | os.PathLike[str] | None = None) -> Pen:
    """Begin a run in the role `launch`; what the script needs to know of it is in its journal when this returns.

    The caller writes its `exit` event and closes the pen.

    Raises:
        InvalidValue, UsageError: a name, param or tag that cannot be kept. Never for a full, read-only or missing disk.
    """
    wanted, tags = wanted_fields(), tags_of(about.tags)
    KeyTree(about.params)
    check_name(about.experiment, "experiment")
    if about.name is not None:
        check_name(about.name)
    if about.notes is not None and not isinstance(about.notes, str):
        raise UsageError(f"notes must be text, not {type(about.notes).__name__}")
    layout, run_id = find(store), new_id()
    pen = Pen(layout, run_id, role="launch", on_trouble=teller(run_id), chore=exits.reap)
    experiment_id = _experiment_id(layout, about.experiment)
    pen.writer.event(
        {
            "type": "run",
            "experiment": about.experiment,
            "experiment_id": experiment_id,
            "name": about.name,
            **({"by_default": True} if about.by_default else {}),
        }
    )
    if about.params:
        pen.writer.event({"type": "params", "set": dict(about.params)})
    if tags:
        pen.writer.event({"type": "tags", "add": tags})
    if about.notes is not None:
        pen.writer.event({"type": "notes", "text": about.notes})
    record(pen, wanted)
    return pen
