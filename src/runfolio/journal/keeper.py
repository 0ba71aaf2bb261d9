"""Keep a writer's journal safe and alive from a thread beside the script.

One daemon thread per writer: every `fsync_every_s` a sync, every 10 s a heartbeat, and a hook for the owner's own small chores.
A sync lets go of the interpreter lock while it waits, and holds no lock of the writer's.
"""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable
from weakref import ref

from runfolio.journal.writer import Writer

BEAT_EVERY_S = 10.0
FSYNC_EVERY_S = 5.0


class Keeper:
    """Tend one writer until it is closed.

    Contract: `start` is cheap and may be called again, after a fork too; `stop` waits for a sync under way, so that the file can be closed.
    """

    def __init__(
        self, writer: Writer, fsync_every_s: float = FSYNC_EVERY_S, chore: Callable[[], None] | None = None
    ) -> None:
        self._writer = ref(writer)
        self._fsync_every_s = max(0.01, fsync_every_s)
        self._chore = chore
        self._awake = _thread.allocate_lock()  # held while the thread sleeps; released to end it
        self._done = _thread.allocate_lock()
        self._running = False
        self.started_in = 0

    def start(self) -> None:
        """Begin to tend; without threads to be had (at interpreter exit) do without."""
        if self._running:
            return
        self.forget()  # a thread that was told to end may still wait for the disk: it has the old locks
        self._awake.acquire()
        self._done.acquire()
        self._running, self.started_in = True, os.getpid()
        try:
            _thread.start_new_thread(self._tend, ())
        except RuntimeError:
            self._running = False
            self._awake.release()
            self._done.release()

    def stop(self, wait_s: float = 10.0) -> None:
        """End the thread and wait for it; in the child of a fork there is none."""
        if self._running and self.started_in == os.getpid():
            self._running = False
            self._awake.release()
            self._done.acquire(timeout=wait_s)

    def forget(self) -> None:
        """Have no thread: in the child of a fork it is the parent's."""
        self._awake = _thread.allocate_lock()
        self._done = _thread.allocate_lock()
        self._running = False

    def _tend(self) -> None:
        since_beat_s = 0.0
        pause_s = min(self._fsync_every_s, BEAT_EVERY_S)
        awake, done = self._awake, self._done
        try:
            while not awake.acquire(timeout=pause_s):
                writer = self._writer()
                if writer is None or writer.closed:
                    break
                since_beat_s += pause_s
                beat = since_beat_s >= BEAT_EVERY_S - 1e-6
                since_beat_s = 0.0 if beat else since_beat_s
                try:
                    self._round(writer, beat)
                except Exception:
                    pass  # no memory, a warning hook that raises: the next round comes
                del writer
        finally:
            done.release()

    def _round(self, writer: Writer, beat: bool) -> None:
        if beat:
            writer.beat()
        writer.sync()
        if self._chore is not None:
            self._chore()
