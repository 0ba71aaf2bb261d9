"""Choose the file that a writer appends to: its own folder, or the next place where that one fails.

A journal is opened when the first event comes. Where the disk is full the open one is kept and tried again; where it cannot be trusted (a failed
sync, a torn frame that stays, a stale handle) it is left as it is and a new one begins. The spool is the last place; `go_home` leaves it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from runfolio.journal import frame
from runfolio.journal.files import Files
from runfolio.journal.tail import Tail
from runfolio.model.clock import WriterClock
from runfolio.model.ids import new_id
from runfolio.model.strict_json import dumps

RETRY_NS = 250_000_000

_WAITABLE = frozenset(
    {28, 122, 27, 24, 23, 12}
)  # ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM: the file itself is sound

Folder = Callable[[], tuple[str, bool]]
"""Makes sure that a folder for journals exists; returns its path and whether its files may be mapped. May raise OSError."""


class FullOfSets(OSError):
    """The file has no key set tags left: no trouble, a new journal begins."""


class Places:
    """The folders of a writer, best first, and the file that is open in one of them.

    Contract: called under the writer's lock. Raises nothing; `note(trouble)` hears of every failure.
    """

    __slots__ = (
        "_clock",
        "_files",
        "_folders",
        "_note",
        "_opening",
        "_retry_at",
        "journals",
        "left",
        "place",
        "tail",
        "unsynced",
    )

    def __init__(
        self,
        folders: Sequence[Folder],
        opening: Callable[[], dict[str, Any]],
        files: Files,
        clock: WriterClock,
        note: Callable[[OSError], None],
    ) -> None:
        self._folders = folders
        self._opening = opening
        self._files = files
        self._clock = clock
        self._note = note
        self._retry_at = 0
        self.tail: Tail | None = None
        self.place = 0
        self.journals: list[str] = []
        self.left: list[Tail] = []  # files that take no more, still to be synced and closed
        self.unsynced: set[str] = set()

    def ready(self, at_once: bool = False) -> Tail | None:
        """Give the file to append to; None while no place takes anything.

        Args:
            at_once: ask the disk again even if it was full a moment ago.
        """
        if self._retry_at and not at_once and self._clock.boot_ns() < self._retry_at:
            return None
        self._retry_at = 0
        if self.tail is None and not self._open(range(len(self._folders))):
            self._retry_at = self._clock.boot_ns() + RETRY_NS
        return self.tail

    def failed(self, trouble: OSError) -> Tail | None:
        """Look for another file after an append failed; the one left behind is returned, to be closed by the caller."""
        tail = self.tail
        if tail is None:
            return None
        if isinstance(trouble, FullOfSets):
            self.tail = None
            return tail
        self._note(trouble)
        if tail.broken or trouble.errno not in _WAITABLE:
            self.leave()
        elif self._open(range(self.place + 1, len(self._folders))):
            return tail
        else:
            self._retry_at = self._clock.boot_ns() + RETRY_NS
        return None

    def leave(self) -> None:
        """Turn away from the open file without another frame; what it holds stays."""
        tail, self.tail = self.tail, None
        if tail is not None:
            self.retire(tail)

    def retire(self, tail: Tail) -> None:
        """Give a file no more frames. The next sync closes it: a full disk may be a slow one too."""
        self.left.append(tail)
        try:
            tail.retire()
        except OSError as trouble:
            self._note(trouble)

    def go_home(self) -> Tail | None:
        """Leave the spool where the run's own folder can be written again; the file left behind is returned."""
        tail = self.tail
        return tail if tail is not None and self.place and self._open(range(self.place), quiet=True) else None

    def forget(self) -> None:
        """Drop the parent's file in the child of a fork."""
        if self.tail is not None:
            self.tail.abandon()
        self.tail, self.place, self._retry_at, self.journals, self.unsynced = None, 0, 0, [], set()

    def _open(self, places: range, quiet: bool = False) -> bool:
        for place in places:
            try:
                self.tail = self._open_in(self._folders[place])
            except OSError as trouble:
                if not quiet:
                    self._note(trouble)
                continue
            self.place = place
            return True
        return False

    def _open_in(self, folder: Folder) -> Tail:
        path, mapped = folder()
        tail = Tail(self._files, path, new_id(), mapped)
        try:
            opening = dumps({"writer": tail.journal_id, **self._opening()})
            tail.room(frame.control_bytes(len(opening)))
            tail.put_control(frame.OPEN, self._clock.now_ns(), opening)
        except BaseException:
            tail.abandon(remove=True)
            raise
        self.journals.append(tail.journal_id)
        self.unsynced.add(path)
        return tail
