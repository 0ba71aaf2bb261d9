"""What a look at a store finds: the newest points of running runs, runs that come, change, end and go; and what it costs."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.runs import ELSEWHERE, HERE, end_run, make_run, make_store, make_writer
from runfolio.errors import StoreNotFound
from runfolio.journal import identity
from runfolio.journal.columns import JournalColumns
from runfolio.journal.writer import FINAL
from runfolio.model.ids import new_id
from runfolio.query.store import Store
from runfolio.server.live import tail
from runfolio.server.live.looker import ROUND_LOOKS, Looker, News, Seen, Wanted
from runfolio.server.live.tail import Tail
from runfolio.store import edits
from runfolio.store.catch_up import mark_of
from runfolio.store.layout import Layout
from runfolio.testing.clock import ManualClock

M = Wanted(frozenset({"m"}))


class Eyes:
    """A looker over the test's own store."""

    def __init__(self, layout: Layout) -> None:
        self.clock = ManualClock(wall_ns=time.time_ns())
        self.store = Store(layout, self.clock)
        self.looker = Looker(layout, self.clock)
        self.look()

    def look(self, wanted: Wanted = M) -> News:
        return self.looker.look(self.store, wanted)

    def until(self, run_id: str) -> Seen | None:
        """Look until something of a run is new, at most once around."""
        for _ in range(ROUND_LOOKS + 2):
            changed = self.look().changed
            if run_id in changed:
                return changed[run_id]
        raise AssertionError("nothing was seen")

    def rest(self) -> None:
        """Let all that is young grow old."""
        self.clock.set_wall(time.time_ns() + 10**11)
        while self.look().changed:
            pass


@pytest.fixture
def layout() -> Layout:
    return make_store()


@pytest.fixture
def eyes(layout: Layout) -> Iterator[Eyes]:
    one = Eyes(layout)
    yield one
    one.store.close()


def value(seen: Seen | None, metric: str = "m") -> tuple[Any, Any]:
    assert seen is not None
    return seen.values[metric][:2]


# ---------------------------------------------------------------- points


def test_points_of_a_running_run(eyes: Eyes, layout: Layout) -> None:
    """The newest point of a wanted metric is seen at the next look, as it was logged; a look without news finds nothing."""
    run_id, writer = make_run(layout)
    writer.log({"m": 0.5, "other": 1.0}, 0)
    assert value(eyes.look().changed[run_id]) == (0, 0.5)
    assert eyes.look().changed == {}
    for step, logged in enumerate((1, True, -0.0, math.inf, 2**53), 1):
        writer.log({"m": logged}, step)
        seen = eyes.look().changed[run_id]
        assert value(seen) == (step, logged) and seen is not None and seen.step == step and list(seen.values) == ["m"]
        assert type(seen.values["m"].value) is type(logged)
        assert math.copysign(1, seen.values["m"].value) == math.copysign(1, logged)
    writer.log({"m": math.nan}, 9)
    assert math.isnan(value(eyes.look().changed[run_id])[1])
    writer.close()


def test_time_of_a_point(eyes: Eyes, layout: Layout) -> None:
    """A point that came while we looked has the time at which it was logged."""
    run_id, writer = make_run(layout)
    writer.log({"m": 0.0}, 0)
    eyes.look()
    before = time.time_ns()
    writer.log({"m": 1.0}, 1)
    seen = eyes.look().changed[run_id]
    assert seen is not None and before - 10**7 <= seen.values["m"].time_ns <= time.time_ns()
    writer.close()


def test_events_between_points(eyes: Eyes, layout: Layout) -> None:
    """A run that tells other things too is followed all the same, and what it tells reaches the index."""
    run_id, writer = make_run(layout)
    for step in range(5):
        writer.log({"m": float(step)}, step)
        writer.event({"type": "name", "name": f"n{step}"})
        writer.log({"m": step + 0.5}, step + 100)
        assert value(eyes.look().changed[run_id]) == (step + 100, step + 0.5)
    eyes.clock.pass_s(60)
    eyes.look()
    assert eyes.store.run(run_id).name == "n4"
    writer.close()


def test_points_without_a_step(eyes: Eyes, layout: Layout) -> None:
    """A last point without a step is the newest, as the index has it."""
    run_id, writer = make_run(layout)
    writer.log({"m": 1.0}, 5)
    eyes.look()
    writer.log({"m": 2.0}, FINAL)
    assert value(eyes.look().changed[run_id]) == (None, 2.0)
    writer.close()


def test_many_points_at_once(eyes: Eyes, layout: Layout) -> None:
    """Megabytes that came between two looks are walked over, and the newest point found."""
    run_id, writer = make_run(layout)
    writer.log({f"k{number}": 0.0 for number in range(20)} | {"m": 0.0}, 0)
    eyes.look()
    for step in range(1, 20_000):
        writer.log({f"k{number}": 1.0 for number in range(20)} | {"m": float(step)}, step)
    assert value(eyes.look().changed[run_id]) == (19_999, 19_999.0)
    writer.close()


def test_metrics_wanted_later(eyes: Eyes, layout: Layout) -> None:
    """Where somebody wants another metric, all running runs are told again, though nothing has come."""
    run_id, writer = make_run(layout)
    writer.log({"m": 1.0, "other": 2.0}, 3)
    eyes.look()
    both = Wanted(frozenset({"m", "other"}))
    news = eyes.look(both)
    assert news.changed == {} and value(news.running[run_id], "other") == (3, 2.0)
    assert eyes.look(both).running == {}
    writer.close()


_LOGS = st.lists(
    st.tuples(st.sampled_from([None, 0, 1]), st.sampled_from(["m", "m2", "both"]), st.integers(0, 6), st.booleans()),
    max_size=25,
)


@given(_LOGS)
def test_agrees_with_the_index(logs: list[tuple[int | None, str, int, bool]]) -> None:
    """Whatever several ranks log in whatever order, what is seen is what a reader finds who opens the store anew."""
    layout, run_id = Layout(os.path.join(os.environ["RUNFOLIO_DIR"], new_id())), new_id()
    layout.create()
    _, starter = make_run(layout, run_id=run_id)
    eyes, writers = Eyes(layout), {None: starter}
    wanted = Wanted(frozenset({"m", "m2"}))
    known: dict[str, Any] = {}
    for number, (rank, name, step, looks) in enumerate(logs):
        if rank not in writers:
            writers[rank] = make_writer(layout, run_id, rank=rank, role="rank")
        writers[rank].log(dict.fromkeys(["m", "m2"] if name == "both" else [name], float(number)), step)
        if looks or number == len(logs) - 1:
            seen = eyes.look(wanted).changed.get(run_id)
            known = seen.values if seen else known
    for writer in writers.values():
        writer.close(sync=False)
    with Store(layout) as store:
        metrics = store.run(run_id).metrics
        for name in metrics:
            lasts = [(one.last_step, one.last) for one in (metrics.rank(name, rank) for rank in metrics.ranks(name))]
            highest = max(step for step, _ in lasts if step is not None)
            assert known[name].step == highest and known[name][:2] in lasts
    eyes.store.close()


def test_a_journal_cut_anywhere(layout: Layout) -> None:
    """A frame that is being written is not taken, and is once it is whole; nothing before it is lost."""
    run_id, writer = make_run(layout)
    writer.log({"m": 0.0}, 0)
    (path,) = Path(layout.run_journal(run_id)).iterdir()
    journal = JournalColumns(str(path))
    journal.refresh()
    begin, mark = journal.end, mark_of(journal, None)
    assert mark is not None
    for step in range(1, 4):
        writer.log({"m": float(step)}, step)
    whole = path.read_bytes()
    end = len(whole.rstrip(b"\0"))
    frame = (end - begin + 7) // 8 * 8 // 3
    copy = Path(path.name)
    for cut in range(begin, end):
        copy.write_bytes(whole[:cut] + bytes(1000))
        tail = Tail(str(copy), begin, mark._replace(ino=copy.stat().st_ino))
        tail.poll()
        newest = tail.newest("m")
        assert (newest.step if newest else 0) == min(3, (cut - begin) // frame) or cut >= end - 8
        with copy.open("r+b") as file:
            file.write(whole)
        tail.poll()
        newest = tail.newest("m")
        assert newest is not None and newest[:2] == (3, 3.0) and not tail.is_behind
    writer.close()


# ---------------------------------------------------------------- runs that come, change, end and go


def test_a_new_run(eyes: Eyes, layout: Layout) -> None:
    """A run that begins is seen at the next look, also when its folder was there before its journal."""
    run_id = new_id()
    os.makedirs(layout.run_journal(run_id))
    assert eyes.look().changed == {}
    _, writer = make_run(layout, run_id=run_id)
    writer.log({"m": 1.0}, 0)
    seen = eyes.look().changed[run_id]
    assert seen is not None and seen.head.status == "running"
    writer.close()


def test_a_run_that_came_just_before(layout: Layout) -> None:
    """A run that has come since the store was opened is seen, though the store looks at the disk but twice a second."""
    clock = ManualClock(wall_ns=time.time_ns() + 10**11)
    with Store(layout, clock) as store:
        run_id, writer = make_run(layout)
        end_run(writer)
        looker = Looker(layout, clock)
        assert run_id in looker.look(store, M).changed | looker.look(store, M).changed


def test_a_run_that_ends(eyes: Eyes, layout: Layout) -> None:
    """The end of a run is seen at the next look, with its last point."""
    run_id, writer = make_run(layout)
    writer.log({"m": 1.0}, 0)
    eyes.look()
    writer.log({"m": 2.0}, 1)
    end_run(writer)
    seen = eyes.look().changed[run_id]
    assert seen is not None and seen.head.status == "finished" and value(seen) == (1, 2.0)


def test_a_killed_run(eyes: Eyes, layout: Layout) -> None:
    """A run whose process is gone without a word is seen as killed, though nothing on the disk has changed."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = {**HERE, "pid": child.pid, "pid_start": identity.pid_start(child.pid)}
    run_id, writer = make_run(layout, process=process)
    writer.log({"m": 1.0}, 0)
    seen = eyes.look().changed[run_id]
    assert seen is not None and seen.head.status == "running"
    child.kill()
    child.communicate()
    seen = eyes.until(run_id)
    assert seen is not None and seen.head.status == "killed"
    writer.close()


def test_a_lost_run_that_comes_back(eyes: Eyes, layout: Layout) -> None:
    """A run of another machine is lost after 45 s without a sign, and back when it moves again."""
    run_id, writer = make_run(layout, process=ELSEWHERE)
    writer.log({"m": 1.0}, 0)
    eyes.look()
    eyes.clock.pass_s(46)
    seen = eyes.until(run_id)
    assert seen is not None and seen.head.status == "lost"
    writer.log({"m": 2.0}, 1)
    seen = eyes.until(run_id)
    assert seen is not None and seen.head.status == "running"
    writer.close()


@pytest.mark.parametrize("is_running", [True, False])
def test_edits_by_others(eyes: Eyes, layout: Layout, is_running: bool) -> None:
    """What another process says about a run is seen, of a run that has ended within one round of looks."""
    run_id, writer = make_run(layout)
    if not is_running:
        end_run(writer)
    eyes.look()
    eyes.rest()
    edits.archive(layout, run_id)
    seen = eyes.until(run_id)
    assert seen is not None and seen.head.archived
    eyes.rest()
    edits.rename(layout, run_id, "other")
    assert eyes.until(run_id) is not None
    assert eyes.store.run(run_id).name == "other"
    writer.close()


def test_edits_from_here(eyes: Eyes, layout: Layout) -> None:
    """A run that was changed from here is looked at at once."""
    run_id, writer = make_run(layout)
    end_run(writer)
    eyes.look()
    eyes.rest()
    edits.delete(layout, run_id)
    seen = eyes.look(Wanted(hinted=frozenset({run_id}))).changed[run_id]
    assert seen is not None and seen.head.deleted


def test_a_run_that_is_removed(eyes: Eyes, layout: Layout) -> None:
    """A run whose folder is removed is told as gone, whether it runs or has ended."""
    run_id, writer = make_run(layout)
    other, ended = make_run(layout)
    end_run(ended)
    eyes.look()
    writer.close()
    shutil.rmtree(layout.run(run_id))
    shutil.rmtree(layout.run(other))
    assert eyes.look().changed == {run_id: None, other: None}
    assert eyes.look().changed == {}


def test_a_store_that_vanishes(eyes: Eyes, layout: Layout) -> None:
    """A store that is not there is trouble and no news: its runs are not gone, and are known when it is back."""
    run_id, writer = make_run(layout)
    end_run(writer)
    eyes.look()
    eyes.rest()
    os.rename(layout.root, "away")
    for _ in range(3):
        with pytest.raises(StoreNotFound):
            eyes.look()
        eyes.clock.pass_s(301)
    os.rename("away", layout.root)
    assert run_id not in eyes.look().changed


def test_output(eyes: Eyes, layout: Layout) -> None:
    """Of an output that is asked for its length is told, and the number of its file; of none nothing."""
    run_id, writer = make_run(layout)
    wanted = Wanted(outputs=frozenset({run_id}))
    assert eyes.look(wanted).outputs == {}
    Path(layout.output(run_id)).write_bytes(b"abc")
    assert eyes.look(wanted).outputs[run_id].size_bytes == 3
    writer.close()


# ---------------------------------------------------------------- cost


def test_what_rest_costs(eyes: Eyes, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of runs that have ended a small part is looked at in one look, by one system call each, and SQLite is not asked."""
    for _ in range(ROUND_LOOKS):
        end_run(make_run(layout)[1])
    eyes.clock.pass_s(301)
    eyes.look()
    eyes.rest()
    calls: list[str] = []
    real = os.stat

    def counting(path: Any, *rest: Any, **more: Any) -> os.stat_result:
        calls.append(str(path))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "stat", counting)
    eyes.store._index.cache.db.set_trace_callback(calls.append)
    for _ in range(ROUND_LOOKS):
        eyes.look()
    of_runs = [path for path in calls if path.endswith("/journal")]
    assert len(of_runs) <= ROUND_LOOKS + 2 and len(calls) <= len(of_runs) + ROUND_LOOKS * 2
    eyes.store._index.cache.db.set_trace_callback(None)


def test_a_running_run_asks_no_index(eyes: Eyes, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points of a running run reach us without a word to the index, by one short read each time."""
    run_id, writer = make_run(layout)
    writer.log({"m": 0.0}, 0)
    eyes.look()
    eyes.rest()
    asked: list[str] = []
    eyes.store._index.cache.db.set_trace_callback(asked.append)
    reads: list[int] = []
    real = tail.read_at

    def counting(fd: int, size: int, offset: int) -> bytes:
        reads.append(size)
        return real(fd, size, offset)

    monkeypatch.setattr(tail, "read_at", counting)
    for step in range(1, 10):
        writer.log({"m": float(step)}, step)
        assert run_id in eyes.look().changed
    assert asked == []
    assert len(reads) == 9 and max(reads) <= 4096
    eyes.store._index.cache.db.set_trace_callback(None)
    writer.close()
