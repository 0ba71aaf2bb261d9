"""Change what is said about runs, many at once, and take the last change back.

Each run gets its edit as an event of its own (store.edits); the change as a whole stands in the store's own journal, with what takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from runfolio.errors import RunNotFound, UsageError
from runfolio.model.ids import short
from runfolio.model.names import check_key, check_name
from runfolio.query.run import moment
from runfolio.store import edits, own
from runfolio.store.layout import Layout

if TYPE_CHECKING:
    from runfolio.model.events import Event
    from runfolio.query.run import Run

Body = dict[str, Any]
CHANGE, UNDONE = "change", "undone"


class Edit(NamedTuple):
    """What to change; None leaves a thing as it is."""

    name: str | None = None
    notes: str | None = None
    add_tags: Mapping[str, str] | None = None
    remove_tags: Sequence[str] = ()
    archived: bool | None = None
    deleted: bool | None = None
    metric: tuple[str, str] | None = None  # (old, new)


class Change(NamedTuple):
    """A change that was made: the journal that tells of it, in words, and the runs."""

    id: str
    what: str
    runs: list[str]
    author: str
    time: datetime | None


class Planned(NamedTuple):
    """What an edit does to one run, and what takes it back."""

    run: Run
    bodies: list[Body]
    back: list[Body]


def plan(runs: Iterable[Run], edit: Edit) -> list[Planned]:
    """Work out what an edit changes; runs that are so already are left out.

    Raises:
        InvalidValue: a name or tag that cannot be kept. UsageError: nothing to change.
    """
    if edit == Edit():
        raise UsageError("nothing to change")
    if edit.name is not None:
        check_name(edit.name)
    if edit.metric is not None:
        check_key(edit.metric[1])
    for key in (*(edit.add_tags or {}), *edit.remove_tags):
        check_key(key, "tag")
    planned = (Planned(run, *_bodies(run, edit)) for run in runs)
    return [one for one in planned if one.bodies]


def apply(layout: Layout, what: str, planned: Sequence[Planned]) -> Change:
    """Make a change: first it is told what takes it back, then each run is edited.

    Raises:
        OSError: the store cannot be written.
    """
    back = {one.run.id: one.back for one in planned}
    author = edits.author()
    id_ = own.tell(layout, {"type": CHANGE, "what": what, "author": author, "back": back})
    for one in planned:
        edits.edit(layout, one.run.id, *one.bodies)
    return Change(id_, what, list(back), author, None)


def changes(layout: Layout) -> list[Change]:
    """Give the changes that stand, the latest first."""
    return [_change(event) for event in _standing(layout)]


def undo(layout: Layout, author: str | None = None, only: str | None = None) -> Change | None:
    """Take the last change back; None where there is none. A change of runs that are all gone is passed over.

    Args:
        author: only one of theirs; as `user@host`.
        only: this change, by its id, though others came after it.

    Raises:
        UsageError: a later change of the same runs stands on that one.
    """
    later: set[str] = set()
    for event in _standing(layout):
        change = _change(event)
        if only is not None and change.id != only:
            later.update(change.runs)
            continue
        if author is not None and change.author != author:
            continue
        if not later.isdisjoint(change.runs):
            raise UsageError("these runs were changed again since; take that back first")
        there = [run_id for run_id in change.runs if _take_back(layout, run_id, event.body["back"][run_id])]
        own.tell(layout, {"type": UNDONE, "change": change.id, "author": edits.author()})
        if there:
            return change._replace(runs=there)
    return None


def _take_back(layout: Layout, run_id: str, bodies: Sequence[Body]) -> bool:
    """Take back what was changed of one run; False where gc has removed it since."""
    try:
        edits.edit(layout, run_id, *bodies)
    except RunNotFound:
        return False
    return True


def _standing(layout: Layout) -> list[Event]:
    """Give the events of the changes that were not taken back, the latest first."""
    told = own.store_events(layout)
    undone = {event.body.get("change") for event in told if event.type == UNDONE}
    sound = [event for event in told if event.type == CHANGE and isinstance(event.body.get("back"), dict)]
    return [event for event in reversed(sound) if event.journal not in undone]


def _change(event: Event) -> Change:
    body = event.body
    return Change(
        event.journal, str(body.get("what")), list(body["back"]), str(body.get("author")), moment(event.time_ns)
    )


def _bodies(run: Run, edit: Edit) -> tuple[list[Body], list[Body]]:
    """Give the events that make the change to a run, and those that take it back."""
    pairs: list[tuple[Body, Body]] = []
    if edit.name is not None and edit.name != run.name:
        pairs.append(({"type": "name", "name": edit.name}, {"type": "name", "name": run.name}))
    if edit.notes is not None and edit.notes != run.notes:
        pairs.append(({"type": "notes", "text": edit.notes}, {"type": "notes", "text": run.notes or None}))
    pairs += _tags(run, edit)
    if edit.archived is not None and edit.archived != run.archived:
        pairs.append(_switch("archive", "unarchive", edit.archived))
    if edit.deleted is not None and edit.deleted != run.deleted:
        pairs.append(_switch("delete", "restore", edit.deleted))
    if edit.metric is not None and edit.metric[0] in run.metrics:
        old, new = edit.metric
        if new in run.metrics:
            raise UsageError(f"run {short(run.id)} has the metric {new!r} already; two series cannot become one")
        pairs.append(
            ({"type": "metric_name", "metric": old, "name": new}, {"type": "metric_name", "metric": new, "name": old})
        )
    return [make for make, _ in pairs], [back for _, back in reversed(pairs)]


def _tags(run: Run, edit: Edit) -> list[tuple[Body, Body]]:
    have = run.tags
    add = {key: value for key, value in (edit.add_tags or {}).items() if have.get(key) != value}
    remove = [key for key in edit.remove_tags if key in have and key not in add]
    if not (add or remove):
        return []
    before = {key: have[key] for key in (*add, *remove) if key in have}
    new = [key for key in add if key not in have]
    return [({"type": "tags", "add": add, "remove": remove}, {"type": "tags", "add": before, "remove": new})]


def _switch(on: str, off: str, wanted: bool) -> tuple[Body, Body]:
    return ({"type": on}, {"type": off}) if wanted else ({"type": off}, {"type": on})
