"""The harness of the fault tests: a script in a process of its own that acknowledges, a fault, and a reader that compares.

Required everywhere: nothing acknowledged is lost, nothing invented, nothing doubled, the journals open, and can be added to.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from journal.reading import assert_agree, bits_of_float, float_of, journals_in, points_of, scan_file
from journal.writing import make_writer
from runfolio.journal.columns import JournalColumns

from .scripts.child import ACK, KEPT, SYNCED, value

SCRIPTS = Path(__file__).with_name("scripts")
SOURCE = str(Path(__file__).resolve().parents[2] / "src")
PATIENCE_S = 60.0


class Acks:
    """What a script has acknowledged: of each writer the last sequence number that was kept, and that was synced."""

    def __init__(self) -> None:
        self.kept: dict[int, int] = {}
        self.synced: dict[int, int] = {}
        self._rest = b""

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) // ACK.size * ACK.size
        self._rest = data[whole:]
        for level, writer, seq in ACK.iter_unpack(data[:whole]):
            (self.kept if level == KEPT else self.synced)[writer] = seq
            assert level in (KEPT, SYNCED)

    @property
    def count(self) -> int:
        return sum(seq + 1 for seq in self.kept.values())


class Child:
    """A script that runs, and the pipe it acknowledges to."""

    def __init__(
        self,
        script: str,
        *arguments: object,
        before: Sequence[str] = (),
        env: dict[str, str] | None = None,
        **options: Any,
    ):
        self.acks = Acks()
        self._pipe, write_end = os.pipe()
        self._watch = selectors.DefaultSelector()
        self._watch.register(self._pipe, selectors.EVENT_READ)
        command = [*before, sys.executable, str(SCRIPTS / script), *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": SOURCE, "ACK_FD": str(write_end), **(env or {})},
            pass_fds=(write_end,),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        os.close(write_end)

    def until(self, acks: int, deadline_s: float = PATIENCE_S) -> bool:
        """Take acknowledgements in until there are so many; False where the script ends first."""
        limit = time.monotonic() + deadline_s
        while self.acks.count < acks:
            if not self._read(limit - time.monotonic()):
                return False
        return True

    def _read(self, wait_s: float) -> bool:
        if wait_s <= 0 or not self._watch.select(wait_s):
            self.process.kill()
            raise AssertionError(f"the script has acknowledged {self.acks.count} points, and goes on no more")
        data = os.read(self._pipe, 1 << 16)
        self.acks.feed(data)
        return bool(data)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal and take in what was acknowledged before."""
        self.process.send_signal(number)
        self.end()

    def end(self) -> tuple[int, str, str]:
        """Wait for the end of the script; give its exit code and output."""
        while self._read(PATIENCE_S):
            pass
        out, err = self.process.communicate(timeout=PATIENCE_S)
        os.close(self._pipe)
        self._watch.close()
        return self.process.returncode, out, err


class Report(NamedTuple):
    """What became of the acknowledged points."""

    read: int
    acked: int
    lost: int
    invented: int
    doubled: int
    reordered: int

    def must_be_sound(self) -> Report:
        """Fail where anything was lost, invented, doubled or reordered."""
        assert (self.lost, self.invented, self.doubled, self.reordered) == (0, 0, 0, 0), self
        return self


def judge(folders: Sequence[Any], acked: dict[int, int], in_flight: int = 1) -> Report:
    """Read all journals below these folders, by both readers, and compare with what was acknowledged.

    Args:
        in_flight: how many points of a writer may be there without having been acknowledged.
    """
    seen: list[tuple[int, int]] = []
    invented = reordered = 0
    for path in journals_in(*folders):
        found = scan_file(path)
        columns = JournalColumns(path)
        columns.refresh()
        assert_agree(columns, found)
        assert not found.unsound and not found.damage, path
        last: dict[int, int] = {}
        for point in points_of(found):
            if not point.metric.startswith("m"):
                continue
            writer, seq = int(point.metric[1:]), point.step or 0
            seen.append((writer, seq))
            invented += point.bits != bits_of_float(value(writer, seq)) or seq > acked.get(writer, -1) + in_flight
            reordered += seq < last.get(writer, -1)
            last[writer] = seq
    counts = Counter(seen)
    lost = sum((writer, seq) not in counts for writer, last_seq in acked.items() for seq in range(last_seq + 1))
    doubled = sum(count - 1 for count in counts.values())
    return Report(len(seen), sum(seq + 1 for seq in acked.values()), lost, invented, doubled, reordered)


def must_take_more(folder: str) -> None:
    """Fail where a new writer cannot go on beside what a fault has left."""
    writer = make_writer(folder)
    writer.log({"after": 1.0}, step=1)
    assert writer.close()
    points = points_of(scan_file(writer.path))
    assert [(p.metric, float_of(p.bits)) for p in points] == [("after", 1.0)]


def the_run_folder(store: Any) -> str:
    """Give the journal folder of the only run of a store."""
    (run,) = [entry for entry in os.scandir(os.path.join(store, "runs")) if entry.is_dir()]
    return os.path.join(run.path, "journal")
