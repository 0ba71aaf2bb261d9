"""Make runs with the real writer, and kill what mends them at every place."""

from __future__ import annotations

import os
import signal
import struct
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import runfolio
from runfolio.journal.columns import JournalColumns, read
from runfolio.journal.identity import identity
from runfolio.journal.writer import Writer
from runfolio.sdk.active import ActiveRun
from runfolio.store.layout import Layout
from runfolio.store.run_files import journal_files

SPECIAL = [0.0, -0.0, 5e-324, 1.797e308, float("inf"), float("-inf"), float("nan")]
NANS = [
    struct.unpack("<d", struct.pack("<Q", bits))[0]
    for bits in (0x7FF8000000001234, 0xFFF8DEAD0000BEEF, 0x7FF0000000000001)
]


def the_layout() -> Layout:
    return Layout(os.environ["RUNFOLIO_DIR"])


def start(**more: Any) -> ActiveRun:
    """Begin a run without a look at its surroundings."""
    return runfolio.start(capture=False, **more)


def small_run(**more: Any) -> str:
    """Make a finished run of a few points, ints and bools among them; return its id."""
    with start(params={"lr": 0.1, "nothing": float("nan"), "text": "NaN"}, **more) as run:
        for step in range(20):
            run.log({"loss": 1 / (step + 1), "acc": step / 20, "epoch": step // 5, "best": step == 3})
        run.log({"val": -0.0}, step=3)
        run.log({"loss": 7.0}, step=3)  # again: the later wins, the earlier stays
        run.log({"test_acc": 0.5}, step=runfolio.FINAL)
        run.summary["done"] = True
    return run.id


def journals(run_id: str) -> list[JournalColumns]:
    return [read(path) for path in journal_files(the_layout().run_journal(run_id))]


def child(act: Callable[[], object]) -> int:
    """Run something in a fork that ends without a word; return its wait status."""
    pid = os.fork()
    if not pid:
        try:
            act()
            os._exit(0)
        except BaseException as error:
            print("in the child:", repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return os.waitpid(pid, 0)[1]


def killed_run() -> str:
    """Make a run whose process is killed in the middle; return its id."""
    reading, writing = os.pipe()

    def act() -> None:
        run = start(name="killed")
        for step in range(50):
            run.log({"loss": float(step)})
        os.write(writing, run.id.encode())
        os.kill(os.getpid(), signal.SIGKILL)

    assert child(act) == signal.SIGKILL
    os.close(writing)
    with os.fdopen(reading) as file:
        return file.read()


@contextmanager
def spooling() -> Iterator[None]:
    """Make the store one that takes no runs, so that they go to the spool."""
    layout = the_layout()
    layout.create()
    os.rename(layout.runs, layout.runs + ".away")
    with open(layout.runs, "w"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    os.unlink(layout.runs)
    os.rename(layout.runs + ".away", layout.runs)


def foreign_writer(run_id: str) -> Writer:
    """Open a journal in a run's folder as a process of another machine would, and leave it open."""
    folder = the_layout().run_journal(run_id)
    os.makedirs(folder, exist_ok=True)
    elsewhere = {**identity(), "host": "elsewhere", "boot_id": "another"}
    opening = {"run": run_id, "attempt": 1, "rank": None, "role": "start", **elsewhere, "version": "0"}
    return Writer([lambda: (folder, False)], lambda: opening)


def points_of(journal: JournalColumns) -> dict[str, list[tuple[bytes, ...]]]:
    """Give every point of a journal as its bits, by metric, in the order of the sequence."""
    found = {}
    for metric in journal.metrics():
        column = journal.column(metric)
        assert column is not None
        order = np.argsort(column.seq, kind="stable")
        found[metric] = list(zip(*(map(bytes, array[order].reshape(-1, 1)) for array in column), strict=True))
    return found


_CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.link", "os.truncate", "os.mkdir", "os.symlink"}


def killed_at_every_change(prepare: Callable[[], None], act: Callable[[], object], stop: int = 200) -> Iterator[int]:
    """Run `act` in a child that is killed just before its n-th change of the disk, for each n; the last time it comes to its end.

    The file system is changed by these calls and by opening a file to write; each is announced to an audit hook before it is made.
    """
    for number in range(stop):
        prepare()

        def until_killed(number: int = number) -> None:
            left = number

            def hook(event: str, arguments: tuple[Any, ...]) -> None:
                nonlocal left
                opens = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
                if event in _CHANGES or opens:
                    if not left:
                        os.kill(os.getpid(), signal.SIGKILL)
                        time.sleep(60)
                    left -= 1

            sys.addaudithook(hook)
            act()

        status = child(until_killed)
        yield number
        if status == 0:
            return
        assert status == signal.SIGKILL
    raise AssertionError("it never came to its end")
