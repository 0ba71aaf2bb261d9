"""Append the events of one writer to its journal: the hot path.

`Writer.log` of ten plain floats costs, with the key set known: one C-level lookup of the values, a type check, a clock, a pack, a crc and one
copy into the map. No system call (one write(2) where maps are not safe), no import, no formatting.
"""

from __future__ import annotations

import errno
import os
from _thread import RLock
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from struct import error as StructError
from typing import Any, Final
from weakref import WeakSet
from zlib import crc32

from runfolio.errors import RunIsClosed
from runfolio.journal import frame
from runfolio.journal.files import SYSTEM, Files
from runfolio.journal.key_sets import KeySets
from runfolio.journal.loss import Loss, Lost
from runfolio.journal.places import Folder, Places
from runfolio.journal.points import INT_EXACT, Point, prepare
from runfolio.journal.tail import Tail
from runfolio.model.clock import SYSTEM_CLOCK, Clock, WriterClock
from runfolio.model.numbers import INT64_MAX, INT64_MIN, check_step
from runfolio.model.strict_json import dumps

PENDING_MAX = 1024
COPIES_BYTES_MAX = 8192
LAST_WORDS = 1024  # of the room spared for a full disk, what only the closing frames may use


class NoStep:
    """The step of a point that has none."""

    def __repr__(self) -> str:
        return "runfolio.FINAL"

    def __reduce__(self) -> str:
        return "FINAL"


FINAL: Final = NoStep()


class Writer:
    """Append metrics and events for one process, rank and attempt.

    Contract: any thread may call any method at any time, also from a signal handler or `__del__` that interrupts one of them (the event is then
    appended by the interrupted call, before it returns). After `os.fork` the child's first append opens a journal of its own. What `log` has
    returned from survives a SIGKILL. Disk trouble is never raised: `on_trouble(cause)` hears of it, and what is lost is counted.

    Args:
        folders: makers of folders for journals, best first; asked only when needed (the spool is the last).
        opening: gives the payload of an open frame, but `writer`.
        high: the highest step that is known already.
    """

    __slots__ = (
        "__weakref__", "_boot", "_busy", "_by_count", "_by_keys", "_closed", "_files", "_lock", "_loss", "_next_step", "_now",
        "_offset_ns", "_on_trouble", "_pending", "_places", "_sets", "_sound", "_stepped",
    )  # fmt: skip

    def __init__(
        self,
        folders: Sequence[Folder],
        opening: Callable[[], dict[str, Any]],
        *,
        clock: Clock = SYSTEM_CLOCK,
        files: Files = SYSTEM,
        high: int | None = None,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        writer_clock = WriterClock(clock)
        self._now = writer_clock.now_ns
        self._boot = writer_clock.boot_ns
        self._offset_ns = writer_clock.offset_ns
        self._files = files
        self._on_trouble = on_trouble
        self._loss = Loss()
        self._places = Places(folders, opening, files, writer_clock, self._note)
        self._lock = RLock()
        self._busy = False
        self._pending: deque[tuple[Callable[[], None], int]] = deque()
        self._next_step = 0 if high is None else high + 1
        self._stepped = high is not None
        self._sets = KeySets(writer_clock.offset_ns)
        self._by_keys, self._by_count = self._sets.by_keys, self._sets.by_count  # one look-up less in the hot path
        self._closed = False
        self._sound = True  # until a sync fails: what it was about is uncertain for ever
        _WRITERS.add(self)

    # -------------------------------------------------------------------------------------------------- the hot path

    def log(self, metrics: Mapping[str, object], step: int | NoStep | None = None, **more: object) -> None:
        """Append the metrics of one call at a step.

        Args:
            metrics: names to numbers; scalars of numpy, torch and JAX are numbers.
            step: an integer; None: the highest so far + 1, from 0; `FINAL`: no step.
            more: further metrics.

        Raises:
            InvalidValue: a value that cannot be kept exactly; nothing of the call is kept then.
            RunIsClosed: after `finish()`.
        """
        lock, inside = self._lock, None
        try:
            if more or type(metrics) is not dict or (type(step) is not int and step is not None):
                return self._log_carefully(metrics, step, more)
            known = self._by_count.get(len(metrics))
            if known is None:
                return self._log_carefully(metrics, step, more)
            try:
                values = known.values_of(metrics)
            except KeyError:
                known = self._by_keys.get(tuple(metrics))
                if known is None:
                    return self._log_carefully(metrics, step, more)
                self._by_count[len(metrics)] = known
                values = tuple(metrics.values())
            _, tail, size, pack, tag, step_base, boot_base, types, ints = known
            if tuple(map(type, values)) != types:
                return self._log_carefully(metrics, step, more)
            if ints:
                for i in ints:
                    if not -INT_EXACT <= values[i] <= INT_EXACT:  # type: ignore[operator]
                        return self._log_carefully(metrics, step, more)
            inside = False
            lock.acquire()  # inside of try: an interrupt may come as soon as it is held. `with` costs 100 ns more
            off = tail.off
            end = off + size
            if self._busy or end > tail.stop:
                self._log_carefully(metrics, step, more)
            else:
                self._busy = inside = True
                at = self._next_step if step is None else step
                seq, next_step = tail.seq, at + 1
                try:
                    head = (tag, seq & 0xFFFF, at - step_base, (self._boot() - boot_base) >> 10)
                    body = pack(*(head + values))  # 100 ns less than (*head, *values)
                    data = crc32(body, tail.seed ^ off).to_bytes(4, "little") + body
                    seq += 1
                    if tail.map is not None:
                        tail.map[off - tail.base : end - tail.base] = data
                        tail.off = end  # no call and no new object between this store and the next: no interrupt either
                        tail.seq = seq
                    else:
                        tail.put(data)
                    if next_step > self._next_step:
                        self._next_step = next_step
                except (StructError, OSError):
                    self._put_point(prepare(metrics), step if step is None else check_step(step), self._boot())
                self._busy = False
                if self._pending:
                    self._drain()
        except MemoryError:
            self._let_go(lock, inside)
            return self._no_memory(len(metrics) + len(more))
        except BaseException:
            self._let_go(lock, inside)
            raise
        lock.release()

    # -------------------------------------------------------------------------------------------------- the other verbs

    def event(self, body: Mapping[str, Any]) -> None:
        """Append an event that is not a metric."""
        try:
            self._check_open()
            payload, now = dumps(body), self._now()
            self._locked(self._put_event, payload, now)
        except MemoryError:
            self._no_memory(0)

    def beat(self) -> None:
        """Append a heartbeat where there is a journal, leave the spool where that has become possible."""
        self._locked(self._put_beat)

    def sync(self) -> bool:
        """Make everything before this call survive a power cut; False where the disk refuses, or has refused it before.

        A file whose sync failed is not trusted again: a new journal begins.
        """
        with self._lock:
            tail, folders = self._places.tail, list(self._places.unsynced)
            dirty = tail is not None and tail.off > tail.synced
        self._settle()
        named = self._sync_folders(folders)
        if tail is None:
            return named and self._sound and not self._loss.total.points
        if dirty and not self._closed:
            try:
                upto = tail.sync()
            except OSError as failed:
                self._sound = False
                self._locked(self._distrust, tail, failed)
                return False
            self._locked(self._put_sync, tail, upto)
        return named and self._sound

    def close(self, sync: bool = True) -> bool:
        """Write the last frame, sync and close; True where everything is on the disk.

        From inside of another call of its thread: that call closes before it returns.
        """
        with self._lock:
            if self._busy:
                self._queue(lambda: self._close(sync))
                return True
            self._drain()
            return bool(self._close(sync))

    def _close(self, sync: bool) -> Any:
        if not self._closed:
            self._closed = True
            self._sets.forget()
            if self._loss.untold:
                self._places.ready(at_once=True)
            if self._places.tail is not None:
                self._finish_file(self._places.tail)
        if not sync:
            self._let_files_go()
            return self._sound
        self._settle()
        return self._sync_folders(list(self._places.unsynced)) and self._sound and not self._loss.untold

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def busy(self) -> bool:
        """Whether a call is inside, in whatever thread: a signal handler that must end the run comes again later."""
        return self._busy

    @property
    def lost(self) -> Lost:
        """What could not be kept so far."""
        return self._loss.total

    @property
    def causes(self) -> list[str]:
        """The troubles that this writer had, in words."""
        return sorted(self._loss.causes)

    @property
    def high(self) -> int | None:
        """The highest step that this writer knows."""
        return self._next_step - 1 if self._stepped else None

    @property
    def path(self) -> str | None:
        """The file that is written now."""
        return self._places.tail.path if self._places.tail else None

    @property
    def journals(self) -> list[str]:
        """The ids of the journals that this writer opened."""
        return list(self._places.journals)

    @property
    def spooling(self) -> bool:
        """Whether events go to another place than the first."""
        return self._places.tail is not None and self._places.place > 0

    # -------------------------------------------------------------------------------------------------- careful logging

    def _log_carefully(
        self, metrics: Mapping[str, object], step: int | NoStep | None, more: Mapping[str, object]
    ) -> None:
        if self._closed:
            self._check_open()
        point = prepare({**metrics, **more} if more else metrics)
        if type(step) is int:
            if not INT64_MIN <= step <= INT64_MAX:
                check_step(step)
        elif step is not None and step is not FINAL:
            step = check_step(step)
        if not point.keys:
            return
        boot = self._boot()
        with self._lock:
            if self._busy:
                return self._queue(lambda: self._put_point(point, step, boot), len(point.keys))
            self._busy = True
            try:
                self._put_point(point, step, boot)
            finally:
                self._busy = False
                if self._pending:
                    self._drain()

    def _queue(self, act: Callable[[], None], points: int = 0) -> None:
        """Leave an act to the call that is interrupted."""
        if len(self._pending) < PENDING_MAX:
            self._pending.append((act, points))
        else:
            self._lose(points)

    def _locked(self, act: Callable[..., None], *what: object) -> None:
        """Act under the lock; from inside of it, leave the act to the call that is interrupted."""
        with self._lock:
            if self._busy:
                return self._queue(lambda: act(*what))
            self._busy = True
            try:
                act(*what)
            finally:
                self._busy = False
                if self._pending:
                    self._drain()

    def _let_go(self, lock: Any, inside: bool | None) -> None:
        """Leave the hot path by an exception: an interrupt, or a value that is refused.

        Args:
            inside: whether the writer is held; None where the lock was not even asked for.
        """
        if inside is None:
            return
        if inside:
            self._busy = False
            if self._pending:
                self._drain()
        try:
            lock.release()
        except RuntimeError:
            pass  # interrupted while it waited for the lock

    def _no_memory(self, points: int) -> None:
        """Count what there was no memory for: whatever the script does about its own, it does not hear of ours."""
        try:
            with self._lock:
                self._lose(points)
            self._note(OSError(errno.ENOMEM, "no memory"))
        except MemoryError:
            pass

    def _drain(self) -> None:
        while self._pending and not self._busy:
            try:
                act, points = self._pending.popleft()
            except IndexError:
                return  # a handler that came between has done it
            self._busy = True
            try:
                act()
            except RunIsClosed:
                self._lose(points)
            finally:
                self._busy = False

    def _check_open(self) -> None:
        if self._closed:
            raise RunIsClosed(
                "this run is finished. runfolio.attach(run.id) adds to it, runfolio.resume(run.id) goes on"
            )

    # -------------------------------------------------------------------------------------------------- under the lock

    def _put_point(self, point: Point, step: int | NoStep | None, boot: int) -> None:
        if self._closed:
            self._check_open()
        final = step is FINAL
        if step is None:
            step = check_step(self._next_step)
        number = 0 if isinstance(step, NoStep) else step
        next_step = number + 1
        if not self._put_at_once(point, number, final, boot) and not self._try(
            self._sets.append, point, number, final, boot
        ):
            return self._lose(len(point.keys))
        if not final and (next_step > self._next_step or not self._stepped):
            self._next_step, self._stepped = next_step, True

    def _put_at_once(self, point: Point, step: int, final: bool, boot: int) -> bool:
        """Append where the file is open and nothing is due; False where it takes a closer look."""
        tail = self._places.tail
        if tail is None or tail.off >= tail.stop:
            return False
        try:
            self._sets.append(tail, point, step, final, boot)
        except OSError:
            return False
        return True

    def _put_event(self, payload: bytes, now: int) -> None:
        self._check_open()
        if not self._try(self._append_event, payload, now, at_once=True) and not self._put_in_spare(payload, now):
            self._lose(0)

    def _put_in_spare(self, payload: bytes, now: int) -> bool:
        """Append an event to the room that is kept for the end of a run on a full disk."""
        tail = self._places.tail
        if tail is None or not tail.spare_for(frame.control_bytes(len(payload)), LAST_WORDS):
            return False
        try:
            tail.put_control(frame.EVENT, now, payload)
        except OSError:
            return False
        return True

    def _try(self, append: Callable[..., None], *what: object, at_once: bool = False) -> bool:
        """Append to the file there is, or to the next that can be had; False where there is none."""
        for _ in range(4):
            tail = self._places.ready(at_once)
            if tail is None:
                return False
            try:
                if self._loss.untold:
                    self._tell_lost(tail, 0)
                if tail.block_due():
                    tail.room(frame.CONTROL_SIZE * 2)
                    tail.put_block(self._now())
                if tail.due:
                    tail.put_copies(COPIES_BYTES_MAX)
                append(tail, *what)
                return True
            except OSError as trouble:
                left = self._places.failed(trouble)
                if left is not None:
                    self._finish_file(left)
        return False

    def _append_event(self, tail: Tail, payload: bytes, now: int) -> None:
        tail.room(frame.control_bytes(len(payload)))
        tail.put_control(frame.EVENT, now, payload)

    def _put_beat(self) -> None:
        if self._places.tail is None or self._closed:
            return
        left = self._places.go_home()
        if left is not None:
            self._finish_file(left)
        self._try(self._append_beat)

    def _append_beat(self, tail: Tail) -> None:
        tail.room(frame.CONTROL_SIZE)
        tail.put_control(frame.BEAT, self._now())

    def _put_sync(self, tail: Tail, upto: int) -> None:
        """Mark that everything before `upto` is on the disk."""
        tail.synced = max(tail.synced, upto)
        if self._places.tail is not tail or self._closed:
            return
        try:
            tail.room(frame.CONTROL_SIZE + 8)
            tail.put_control(frame.SYNC, self._now(), frame.sync_payload(upto))
        except OSError as trouble:
            return self._note(trouble)  # the sync held; only its mark is missing
        if upto == tail.off - frame.CONTROL_SIZE - 8:
            tail.synced = tail.off  # nothing but the mark itself is new

    # -------------------------------------------------------------------------------------------------- troubles

    def _distrust(self, tail: Tail, trouble: OSError) -> None:
        """Begin a new journal after a failed sync: what the old one got since its last good one is uncertain."""
        if self._places.tail is not tail or self._closed:
            return
        self._note(trouble)
        uncertain = {
            "type": "uncertain",
            "journal": tail.journal_id,
            "from": tail.synced,
            "bytes": tail.off - tail.synced,
        }
        self._places.leave()
        self._put_event(dumps(uncertain), self._now())

    def _finish_file(self, tail: Tail) -> None:
        """Write the last frames of a file; the next sync closes it."""
        now = self._now()
        try:
            if self._loss.untold:
                self._tell_lost(tail, frame.CONTROL_SIZE * 4)
            tail.room(frame.CONTROL_SIZE * 4)
            tail.put_block(now)
        except OSError as trouble:
            self._note(trouble)
        try:
            tail.put_control(frame.CLOSE, now, b"{}")
        except OSError as trouble:
            self._note(trouble)
        self._places.retire(tail)

    def _settle(self) -> None:
        """Sync and close the files that are written no more. Each stays in the list until then: two syncs at once wait for the same."""
        failed = []
        for tail in list(self._places.left):
            told = tail.doubtful  # that a sync of it failed was told when it did
            if not self._settle_one(tail) and not told:
                failed.append(tail)
        for tail in failed:
            self._locked(self._tell_uncertain, tail)
        if failed and self._closed:
            for tail in list(
                self._places.left
            ):  # the one that tells; if its sync fails too, there is nobody left to tell
                self._settle_one(tail)

    def _settle_one(self, tail: Tail) -> bool:
        sound = True
        try:
            tail.close()
        except OSError as trouble:
            self._sound = sound = False
            self._note(trouble)
        if tail in self._places.left:
            self._places.left.remove(tail)
        return sound

    def _tell_uncertain(self, tail: Tail) -> None:
        """Keep in the run that a journal's last sync failed, in a journal of its own where this writer is closed already."""
        body = {"type": "uncertain", "journal": tail.journal_id, "from": tail.synced, "bytes": tail.off - tail.synced}
        if self._places.tail is not None and self._places.tail.fd < 0:
            self._places.tail = None  # closed: another one tells
        self._try(self._append_event, dumps(body), self._now(), at_once=True)
        if self._closed and self._places.tail is not None:
            self._finish_file(self._places.tail)

    def _let_files_go(self) -> None:
        for tail in self._places.left:
            tail.abandon()
        self._places.left.clear()

    def _tell_lost(self, tail: Tail, leave: int) -> None:
        """Write the count of what was lost; into the spared room, but for so many bytes, only where that is not 0."""
        payload = dumps(self._loss.body())
        size = frame.control_bytes(len(payload))
        try:
            tail.room(size)
        except OSError:
            if not leave or not tail.spare_for(size, leave):
                raise
        tail.put_control(frame.EVENT, self._now(), payload)
        self._loss.told = self._loss.total
        tail.halt(False)

    def _lose(self, points: int) -> None:
        self._loss.add(points, int(not points), self._now())
        if self._places.tail is not None:
            self._places.tail.halt(True)

    def _note(self, trouble: OSError) -> None:
        cause = self._loss.note(trouble)
        if self._on_trouble is not None:
            self._on_trouble(cause)

    def _sync_folders(self, folders: list[str]) -> bool:
        """Make the names of new files survive a power cut; False where that is not to be had now."""
        sound = True
        for folder in folders:
            try:
                self._sync_names(folder)
            except OSError as trouble:
                self._note(trouble)
                sound = False
                self._sound = self._sound and trouble.errno != errno.EIO
            else:
                self._places.unsynced.discard(folder)
        return sound

    def _sync_names(self, folder: str) -> None:
        """Sync a folder, and those that may be as new: the run's, `runs`, the store's."""
        above = folder
        for _ in range(4):
            try:
                self._files.sync_folder(above)
            except OSError as trouble:
                old = trouble.errno == errno.EACCES and above != folder  # what we may not read we have not made
                if not old and trouble.errno not in (
                    errno.EINVAL,
                    errno.EOPNOTSUPP,
                ):  # no such thing in this file system
                    raise
            above = os.path.dirname(above)

    # -------------------------------------------------------------------------------------------------- fork

    def after_fork(self) -> None:
        """Forget the parent's lock, map and queue; the next append opens a journal of the child's own."""
        self._lock = RLock()
        self._busy = False
        self._pending.clear()
        self._places.forget()
        self._let_files_go()
        self._sets.forget()
        self._loss = Loss()
        self._sound = True


_WRITERS: WeakSet[Writer] = WeakSet()


def _after_fork() -> None:
    for writer in list(_WRITERS):
        writer.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
