"""Log points from some threads until killed or done. `points.py THREADS COUNT [FLUSH_EVERY [FSYNC_EVERY_S]]`; COUNT 0: for ever."""

from __future__ import annotations

import sys
import threading

from child import KEPT, SYNCED, ack, value

import runfolio

threads, count, flush_every = (int(word) for word in [*sys.argv[1:], "0"][:3])
run = runfolio.start(capture=False, fsync_every_s=float(sys.argv[4]) if len(sys.argv) > 4 else 0.05)


def work(writer: int) -> None:
    seq = 0
    while not count or seq < count:
        run.log({f"m{writer}": value(writer, seq)}, step=seq)
        ack(KEPT, writer, seq)
        if flush_every and seq % flush_every == flush_every - 1 and run.flush():
            ack(SYNCED, writer, seq)
        seq += 1


others = [threading.Thread(target=work, args=(writer,)) for writer in range(1, threads)]
for thread in others:
    thread.start()
work(0)
for thread in others:
    thread.join()
run.finish()
