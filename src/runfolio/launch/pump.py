"""Carry what the script writes to our own stream and to the log, as it comes."""

from __future__ import annotations

import errno
import os
import select
import threading
import time
from collections.abc import Mapping

from runfolio.launch.output_log import OutputLog

LINGER_S = 2.0
"""How long a stream is read on after the script's end, where another process holds it open."""

TAIL_BYTES = 1 << 16
_CHUNK = 1 << 16
_PIPE_BYTES_MAX = 1 << 20  # what a pipe may still hold of a script that has ended
_GONE = (errno.EPIPE, errno.EBADF, errno.EIO, errno.ECONNRESET)


class Sink:
    """One of our own streams. A reader that is gone (`| head`) or a full disk behind `>` costs its own copy and nothing else."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._is_gone = False
        self.at_line_start = True

    def write(self, data: bytes) -> None:
        """Write all of it; wait where the reader is slow."""
        if self._is_gone or not data:
            return
        self.at_line_start = data.endswith(b"\n")
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:  # somebody who shares it has made it non-blocking
                select.select([], [self._fd], [])
            except OSError as trouble:
                self._is_gone = trouble.errno in _GONE
                return


class Pump(threading.Thread):
    """The thread that carries the script's streams; one for all, so that they stand in the log in the order in which they came.

    It ends with the streams, or `LINGER_S` after the script: what a process that outlives it writes then is nobody's.

    Args:
        sinks: for each descriptor to read, where its bytes go to.
        bell: a descriptor that becomes readable when the script has ended.
    """

    def __init__(self, sinks: Mapping[int, Sink], log: OutputLog, bell: int) -> None:
        super().__init__(name="runfolio-output", daemon=True)
        self.tails = dict.fromkeys(sinks, b"")
        """The last of what came from each descriptor."""
        self._sinks, self._log, self._bell = sinks, log, bell
        self._open = list(sinks)
        self._poll = select.poll()
        for fd in (*sinks, bell):
            self._poll.register(fd, select.POLLIN)
        self._until_s: float | None = None
        self._late_bytes = 0

    def run(self) -> None:
        """Carry until the end."""
        while self._open and not self._is_too_late():
            ready = {fd for fd, _ in self._poll.poll(self._patience_ms())}
            if self._until_s is not None and not ready:
                break
            if self._bell in ready:
                self._until_s = time.monotonic() + LINGER_S
                self._poll.unregister(self._bell)
            for source in [fd for fd in self._open if fd in ready]:
                self._carry(source)
        for source in self._open:
            os.close(source)
        os.close(self._bell)

    def _carry(self, source: int) -> None:
        data = _read(source)
        if not data:
            self._poll.unregister(source)
            self._open.remove(source)
            os.close(source)
            return
        if self._until_s is not None:
            self._late_bytes += len(data)
        self._log.write(data)
        self.tails[source] = (self.tails[source] + data)[-TAIL_BYTES:]
        self._sinks[source].write(data)

    def _patience_ms(self) -> float | None:
        return None if self._until_s is None else max(0.0, self._until_s - time.monotonic()) * 1000

    def _is_too_late(self) -> bool:
        """Say whether what comes now cannot be the script's: its reader may have been slow, so the clock alone does not tell."""
        return self._late_bytes > _PIPE_BYTES_MAX and self._patience_ms() == 0


def _read(source: int) -> bytes:
    try:
        return os.read(source, _CHUNK)
    except OSError:  # a terminal whose last writer is gone
        return b""
