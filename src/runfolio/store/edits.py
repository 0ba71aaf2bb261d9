"""Change what is said about a run, afterwards: each edit is an event in a small journal of its own, signed by who made it.

Nothing that a run has written is touched, a live run may be edited too, and copying the folders of two stores together merges their edits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from runfolio._version import __version__
from runfolio.errors import RunNotFound, Unreadable, UsageError
from runfolio.journal.files import SYSTEM, SharedFiles
from runfolio.journal.frame import BLOCK_BYTES, SUFFIX
from runfolio.journal.identity import host, identity
from runfolio.journal.scan import opening, scan
from runfolio.journal.writer import Writer
from runfolio.model.ids import is_id, short
from runfolio.model.names import check_key, check_name
from runfolio.store import run_json, spool
from runfolio.store.layout import Layout, is_shared, make_folder

ROLE = "edit"


def edit(layout: Layout, run_id: str, *bodies: Mapping[str, Any]) -> str:
    """Append events to a run, through a journal of their own; return its id. They survive a power cut.

    Raises:
        RunNotFound: no such run. OSError: the store cannot be written; none of the events that follow the trouble is kept.
    """
    attempt = _latest_attempt(layout, run_id)
    signed = [{**body, "author": author()} for body in bodies]
    try:
        return append(
            layout.run_journal(run_id), {"run": run_id, "attempt": attempt, "rank": None, "role": ROLE}, signed
        )
    except OSError:
        if os.path.isdir(layout.run_journal(run_id)):
            raise
        raise RunNotFound(f"run {short(run_id)} has just been removed from this store: {layout.root}") from None


def delete(layout: Layout, run_id: str) -> None:
    """Mark a run as deleted. gc frees its bytes; until then `restore` takes it back."""
    edit(layout, run_id, {"type": "delete"})


def restore(layout: Layout, run_id: str) -> None:
    """Take a delete back."""
    edit(layout, run_id, {"type": "restore"})


def archive(layout: Layout, run_id: str, archived: bool = True) -> None:
    """Put a run out of sight, or back."""
    edit(layout, run_id, {"type": "archive" if archived else "unarchive"})


def rename(layout: Layout, run_id: str, name: str) -> None:
    """Give a run another name."""
    edit(layout, run_id, {"type": "name", "name": check_name(name)})


def tag(layout: Layout, run_id: str, add: Mapping[str, str] | None = None, remove: Iterable[str] = ()) -> None:
    """Add and remove tags."""
    added = {check_key(key, "tag"): str(value) for key, value in (add or {}).items()}
    removed = [check_key(key, "tag") for key in remove]
    if not (added or removed):
        raise UsageError("no tags to add or remove")
    edit(layout, run_id, {"type": "tags", "add": added, "remove": removed})


def set_notes(layout: Layout, run_id: str, text: str) -> None:
    """Replace the notes of a run."""
    edit(layout, run_id, {"type": "notes", "text": text})


def author() -> str:
    """Say who edits: user@host."""
    told = next((name for name in map(os.environ.get, ("LOGNAME", "USER", "USERNAME")) if name), None)
    if told is None and hasattr(os, "getuid"):
        import pwd

        try:
            told = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # a user without an entry, as in many containers
            told = str(os.getuid())
    return f"{told or 'unknown'}@{host()}"


def append(folder: str, opening: Mapping[str, Any], bodies: Iterable[Mapping[str, Any]]) -> str:
    """Write a journal of a few events with write(2), sync and close it; return its id.

    Raises:
        OSError: it cannot be written.
    """
    make_folder(folder)
    files = SharedFiles() if is_shared(folder) else SYSTEM
    writer = Writer([lambda: (folder, False)], lambda: {**opening, **identity(), "version": __version__}, files=files)
    for body in bodies:
        writer.event(body)
    if not writer.close() or any(writer.lost):
        raise OSError(5, f"the store cannot be written: {', '.join(writer.causes)}", folder)
    return writer.journals[0]


def _latest_attempt(layout: Layout, run_id: str) -> int:
    """Find the attempt that an edit made now belongs to: it stands behind all that was said before."""
    told = []
    for folder in (layout.run_journal(run_id), *spool.journals_of(layout.root, run_id)):
        told += [_attempt_of(os.path.join(folder, name)) for name in _names(folder)]
    try:
        sealed = run_json.read(layout.run_json(run_id))
        told += [covered.attempt for covered in sealed.journals] if sealed else []
    except Unreadable:
        if not told:
            raise
    if not told:
        raise RunNotFound(f"no run {short(run_id)} in this store: {layout.root}")
    return max(told)


def _names(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(SUFFIX) and is_id(name[: -len(SUFFIX)])]
    except OSError:
        return []


def _attempt_of(path: str) -> int:
    with open(path, "rb") as file:
        head = file.read(BLOCK_BYTES)
    number = opening(scan(head, os.path.basename(path)[: -len(SUFFIX)])).get("attempt")
    return number if isinstance(number, int) and 1 <= number < 1 << 31 else 1
