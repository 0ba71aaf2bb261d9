"""Change what is said about runs, many at once, and take the last change back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

from runfolio.errors import UsageError
from runfolio.query import editing
from runfolio.query.editing import Change, Edit
from runfolio.query.packed import whole
from runfolio.query.run import Run
from runfolio.query.standing import look_at
from runfolio.query.store import Store
from runfolio.server import limits
from runfolio.server.answers import Answer, as_json
from runfolio.server.asked import Asked, Name, RunRef, Text
from runfolio.server.errors import Refused
from runfolio.server.live.poller import poller_of
from runfolio.server.routing import STORE, Call, Route
from runfolio.store.edits import author
from runfolio.store.layout import Layout

T = TypeVar("T")


class EditBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The runs, by their ids or by a filter, and what to change; null leaves a thing as it is.

    A filter means the runs that the table shows: those that are neither archived nor deleted, but the archived ones where they are brought back,
    and the deleted ones where they are restored.
    """

    runs: Annotated[list[RunRef], Meta(min_length=1, max_length=limits.EDITED_MAX)] | None = None
    q: Text | None = None
    name: Name | None = None
    notes: Annotated[str, Meta(max_length=limits.NOTES_MAX)] | None = None
    add_tags: Annotated[dict[Name, Text], Meta(max_length=limits.TAGS_MAX)] = {}
    remove_tags: Annotated[list[Name], Meta(max_length=limits.TAGS_MAX)] = []
    archived: bool | None = None
    deleted: bool | None = None


class UndoBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which change to take back, by its id; the last one by default."""

    change: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class ChangeFacts(Struct, frozen=True):
    """A change: its id, in words, and how many runs it is about. `change` is null where nothing was to be done."""

    change: str | None
    what: str
    runs: int


async def edit(call: Call[Asked, EditBody]) -> Answer:
    """Make a change."""
    asked = call.body
    change = await call.ask(lambda store: _written(store, lambda: _edit(store, asked)))
    return _told(call, change)


async def undo(call: Call[Asked, UndoBody]) -> Answer:
    """Take back the last change that this user has made, or the one that is named."""
    only = call.body.change
    change = await call.ask(lambda store: _written(store, lambda: editing.undo(Layout(store.path), author(), only)))
    return _told(call, change)


def _told(call: Call[Asked, T], change: Change | None) -> Answer:
    """Tell of a change here, and to those who listen."""
    if change is None:
        return as_json(ChangeFacts(None, "", 0))
    poller_of(call.served).hint(change.runs)
    return as_json(ChangeFacts(change.id, change.what, len(change.runs)))


def _written(store: Store, act: Callable[[], Change | None]) -> Change | None:
    """Write to the store, and take in what was written: who asks next sees it.

    Raises:
        Refused: 409, it cannot be written.
    """
    try:
        change = act()
    except OSError as trouble:
        reason = (trouble.strerror or type(trouble).__name__).removeprefix("the store cannot be written: ")
        raise Refused(
            409,
            "NotWritten",
            f"the store cannot be written ({reason}); what was changed before that stands, and undo takes it back",
        ) from trouble
    look_at(store, change.runs if change else ())
    return change


def _edit(store: Store, asked: EditBody) -> Change | None:
    wanted = Edit(
        name=asked.name,
        notes=asked.notes,
        add_tags=asked.add_tags or None,
        remove_tags=tuple(asked.remove_tags),
        archived=asked.archived,
        deleted=asked.deleted,
    )
    if wanted == Edit():
        raise UsageError("nothing to change: give name, notes, add_tags, remove_tags, archived or deleted")
    planned = editing.plan(whole(store, _chosen(store, asked)), wanted)
    return editing.apply(Layout(store.path), _words(asked), planned) if planned else None


def _chosen(store: Store, asked: EditBody) -> list[Run]:
    """Give the runs; all are known before the first is touched."""
    if (asked.runs is None) == (asked.q is None):
        raise UsageError("name runs, or choose them by q; one of the two")
    if asked.runs is not None:
        return list({run.id: run for run in map(store.run, asked.runs)}.values())
    found = store.runs(asked.q or None, archived=asked.archived is False, deleted=asked.deleted is False)
    if len(found) > limits.EDITED_MAX:
        raise UsageError(
            f"{len(found):,} runs fit; at most {limits.EDITED_MAX:,} are changed at once. Narrow the filter"
        )
    return list(found)


def _words(asked: EditBody) -> str:
    """Say what is done, as the command line says it."""
    said = (
        (asked.name is not None, "renamed"),
        (asked.notes is not None, "noted"),
        (bool(asked.add_tags or asked.remove_tags), "tagged"),
        (asked.archived is True, "archived"),
        (asked.archived is False, "brought back"),
        (asked.deleted is True, "deleted"),
        (asked.deleted is False, "restored"),
    )
    return ", ".join(word for is_so, word in said if is_so)


ROUTES = [
    Route(
        "POST",
        f"{STORE}/edits",
        edit,
        "change name, notes, tags, archived or deleted of runs, by their ids or by a filter",
        body=EditBody,
        gives=ChangeFacts,
        also=(409,),
    ),
    Route(
        "POST",
        f"{STORE}/undo",
        undo,
        "take back the last change that this user has made, or the one that is named",
        body=UndoBody,
        gives=ChangeFacts,
        also=(409,),
    ),
]
