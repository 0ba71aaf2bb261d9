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
from runfolio.journal.frame import BLOCK_BYTES, CONTROL_SIZE, SUFFIX, seed_of
from runfolio.journal.identity import host, identity
from runfolio.journal.scan import frame_at, opening, scan
from runfolio.journal.writer import Writer
from runfolio.model.clock import LaterClock
from runfolio.model.ids import is_id, short
from runfolio.model.names import check_key, check_name
from runfolio.store import run_json, spool
from runfolio.store.layout import Layout, is_shared, make_folder

ROLE = "edit"
_END_BYTES = (4 << 20) + 2 * BLOCK_BYTES
"""Of a journal's end, what holds a control frame behind its last events: a block, and the space reserved ahead."""


def edit(layout: Layout, run_id: str, *bodies: Mapping[str, Any]) -> str:
    """Append events to a run, through a journal of their own; return its id. They survive a power cut.

    Raises:
        RunNotFound: no such run. OSError: the store cannot be written; none of the events that follow the trouble is kept.
    """
    attempt, last_ns = _latest(layout, run_id)
    signed = [{**body, "author": author()} for body in bodies]
    opening = {"run": run_id, "attempt": attempt, "rank": None, "role": ROLE}
    try:
        return append(layout.run_journal(run_id), opening, signed, after_ns=last_ns)
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


def append(folder: str, opening: Mapping[str, Any], bodies: Iterable[Mapping[str, Any]], after_ns: int = 0) -> str:
    """Write a journal of a few events with write(2), sync and close it; return its id.

    Args:
        after_ns: what was said last: the events are told as later, whatever the clock says.

    Raises:
        OSError: it cannot be written.
    """
    make_folder(folder)
    files = SharedFiles() if is_shared(folder) else SYSTEM
    writer = Writer(
        [lambda: (folder, False)],
        lambda: {**opening, **identity(), "version": __version__},
        clock=LaterClock(after_ns),
        files=files,
    )
    for body in bodies:
        writer.event(body)
    if not writer.close() or any(writer.lost):
        raise OSError(5, f"the store cannot be written: {', '.join(writer.causes)}", folder)
    return writer.journals[0]


def _latest(layout: Layout, run_id: str) -> tuple[int, int]:
    """Find the attempt that an edit made now belongs to, and the time of its last event: it stands behind all that was said before."""
    told = []
    for folder in (layout.run_journal(run_id), *spool.journals_of(layout.root, run_id)):
        told += [_latest_in(os.path.join(folder, name)) for name in _names(folder)]
    try:
        sealed = run_json.read(layout.run_json(run_id))
        told += [(covered.attempt, covered.last_time_ns) for covered in sealed.journals] if sealed else []
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


def _latest_in(path: str) -> tuple[int, int]:
    """Give the attempt of a journal, and a time that none of its events is later than: of its last control frame, which is younger than 10 s."""
    with open(path, "rb", buffering=0) as file:
        head = file.read(BLOCK_BYTES)
        base = max(0, file.seek(0, os.SEEK_END) - _END_BYTES) & ~7
        file.seek(base)
        end = file.read() if len(head) == BLOCK_BYTES else b""
    found = scan(head, os.path.basename(path)[: -len(SUFFIX)])
    last_ns = max((good.time_ns or 0 for good in found.frames), default=0)
    number = opening(found).get("attempt")
    attempt = number if isinstance(number, int) and 1 <= number < 1 << 31 else 1
    return attempt, max(last_ns, _last_control_ns(end, base, seed_of(found.journal_id)))


def _last_control_ns(data: bytes, base: int, seed: int) -> int:
    """Give the time of the last control frame among these bytes, which begin at offset `base` of a journal; 0 where there is none."""
    view = memoryview(data)
    last = min(len(data.rstrip(b"\0")), len(data) - CONTROL_SIZE) & ~7
    for at in range(last, -1, -8):
        if data[at + 5] == 0xFF and (good := frame_at(view, at, seed, {}, base)) is not None:
            return good.time_ns or 0
    return 0
