"""The writer's own rules: steps, key sets, times, calls from inside of a call, the end."""

from __future__ import annotations

import os
import signal

import pytest

from runfolio.errors import InvalidValue, RunIsClosed
from runfolio.journal import frame, scan
from runfolio.journal.key_sets import SETS_MAX
from runfolio.journal.writer import FINAL, PENDING_MAX
from runfolio.testing.clock import ManualClock

from .reading import journals_in, points_of, scan_file, told_by
from .writing import make_writer


def logged(writer):
    """Give metric, step and value of each point, in order."""
    return [(key, step, value) for key, step, value, _ in told_by(writer).points]


# ------------------------------------------------------------------------------------------------------ steps


def test_the_next_step_follows_the_highest(tmp_path):
    """Without a step: the highest so far + 1, over all metrics; a lower step in between does not lower it."""
    writer = make_writer(tmp_path, high=41)
    writer.log({"a": 0.0})
    writer.log({"b": 0.0}, 7)
    writer.log({"a": 1.0})
    assert [step for _, step, _ in logged(writer)] == [42, 7, 43]
    assert writer.high == 43


@pytest.mark.parametrize("first", [0, -(2**63), 2**63 - 1, 2**31, -(2**31)])
@pytest.mark.parametrize("second", [0, -(2**63), 2**63 - 1, 2**31, 2**32, -(2**31) - 1])
def test_F29_steps_far_apart_declare_anew(tmp_path, first, second):
    """Two steps whose distance fits no 32 bits stand in two key sets of the same keys, exactly, with the bulk path in between."""
    writer = make_writer(tmp_path)
    for step in (first, first, first, second, second, second, first):
        writer.log({"a": 1.0}, step)
    assert [step for _, step, _ in logged(writer)] == [first, first, first, second, second, second, first]


def test_F29_the_last_step_has_no_next(tmp_path):
    """After the highest step there is, a call without one is refused by name, and the run goes on with others."""
    writer = make_writer(tmp_path)
    writer.log({"a": 1.0}, 2**63 - 1)
    for _ in range(3):
        with pytest.raises(InvalidValue, match="64 bits"):
            writer.log({"a": 2.0})
    writer.log({"a": 3.0}, 5)
    assert logged(writer) == [("a", 2**63 - 1, 1.0), ("a", 5, 3.0)]


def test_F29_what_is_no_step_is_refused_on_the_bulk_path_too(tmp_path):
    """A float, bool, text or too large step is refused when the key set is long known, and takes nothing with it."""
    writer = make_writer(tmp_path)
    for step in range(5):
        writer.log({"a": 1.0}, step)
    for step in (7.0, True, "7", 2**63, -(2**63) - 1):
        with pytest.raises(InvalidValue):
            writer.log({"a": 9.0}, step)
    writer.log({"a": 2.0})
    assert [step for _, step, _ in logged(writer)] == [0, 1, 2, 3, 4, 5]


def test_final_points_have_no_step_and_take_none(tmp_path):
    """FINAL, as often as one likes, beside the same key set with steps."""
    writer = make_writer(tmp_path)
    for number in range(4):
        writer.log({"a": float(number)}, FINAL)
        writer.log({"a": float(number)})
    assert [step for _, step, _ in logged(writer)] == [None, 0, None, 1, None, 2, None, 3]


# ------------------------------------------------------------------------------------------------------ times


def test_a_time_beyond_the_ticks_declares_anew(tmp_path):
    """After 73 minutes the 32 bits of a time are full: a new declaration, and every time is right to a microsecond."""
    clock = ManualClock()
    writer = make_writer(tmp_path, clock=clock)
    start, times = clock.wall_ns(), []
    for minutes in (0, 1, 72, 1, 60, 60 * 24 * 365):
        clock.pass_s(minutes * 60)
        for _ in range(2):
            writer.log({"a": 1.0})
            times.append(clock.wall_ns() - start)
    found = [p.time_ns - start for p in points_of(scan_file(writer.path))]
    assert all(0 <= told - time <= 1024 for told, time in zip(times, found, strict=True))


def test_F28_a_wall_clock_that_jumps_moves_no_point(tmp_path):
    """Back an hour, forward a year, to 1970 and 2038: times go on as if nothing had happened, and the order of points stays."""
    clock = ManualClock()
    writer = make_writer(tmp_path, clock=clock)
    start = clock.wall_ns()
    for jump_s in (0, -3600, 365 * 86400, -start // 10**9, 2**31 - start // 10**9):
        clock.set_wall(start + jump_s * 10**9)
        clock.pass_s(1)
        writer.log({"a": 1.0})
        writer.event({"type": "notes", "text": ""})
    found = scan_file(writer.path)
    assert [round((p.time_ns - start) / 1e9) for p in points_of(found)] == [1, 2, 3, 4, 5]
    assert [(good.time_ns - start) // 10**9 for good, _ in scan.events(found)] == [1, 2, 3, 4, 5]


# ------------------------------------------------------------------------------------------------------ key sets


def test_the_cache_of_key_sets_is_bounded(tmp_path):
    """Three times as many key sets as the cache holds, twice over: every point is there, and the memory stays bounded."""
    writer = make_writer(tmp_path)
    for turn in range(2):
        for number in range(3 * SETS_MAX):
            writer.log({f"k{number}": float(number)}, turn)
    assert len(writer._sets) <= SETS_MAX
    assert logged(writer) == [(f"k{n}", turn, float(n)) for turn in range(2) for n in range(3 * SETS_MAX)]


def test_a_file_that_is_full_of_key_sets_is_followed_by_another(tmp_path, monkeypatch):
    """When a file's tags are used up the writer goes on in a new journal, and nothing is lost, told as lost, or warned of."""
    monkeypatch.setattr(frame, "TAG_MAX", 5)
    heard = []
    writer = make_writer(tmp_path, on_trouble=heard.append)
    for number in range(23):
        writer.log({f"k{number}": float(number)}, number)
    writer.close()
    assert logged(writer) == [(f"k{n}", n, float(n)) for n in range(23)]
    assert len(writer.journals) == 5 and heard == [] and writer.lost.points == 0
    assert all(scan_file(path).closed for path in journals_in(tmp_path))


def test_keys_in_another_order_are_the_same_key_set(tmp_path):
    """The order of the keys in the dict makes no new key set on the bulk path, and never swaps values."""
    writer = make_writer(tmp_path)
    for _ in range(3):
        writer.log({"a": 1.0, "b": 2.0})
    writer.log({"b": 3.0, "a": 4.0})
    assert {(key, value) for key, step, value in logged(writer) if step == 3} == {("a", 4.0), ("b", 3.0)}


def test_as_many_keys_but_others(tmp_path):
    """Key sets of the same size alternate without a mix-up; so do their kinds."""
    writer = make_writer(tmp_path)
    expected = []
    for step in range(30):
        metrics = [{"a": 1.0, "b": 2.0}, {"a": 1, "b": 2.0}, {"a": 1.0, "c": 2.0}, {"a": True, "b": 2.0}][step % 4]
        writer.log(metrics, step)
        expected += [(key, step, value, type(value)) for key, value in metrics.items()]
    types = {"f": float, "i": int, "b": bool}
    found = [(key, step, value, types[kind]) for key, step, value, kind in told_by(writer).points]
    assert found == [(key, step, float(value), kind) for key, step, value, kind in expected]


def test_F41_ints_that_no_float64_equals_are_refused_on_the_bulk_path(tmp_path):
    """2**53 + 1 is refused after any number of small ints too; 2**60, which a float64 equals, is kept."""
    writer = make_writer(tmp_path)
    for number in range(5):
        writer.log({"n": number})
    for odd in (2**53 + 1, -(2**53) - 1, 2**64, 10**400):
        with pytest.raises(InvalidValue, match="'n'"):
            writer.log({"n": odd})
    writer.log({"n": 2**60})
    assert logged(writer)[-1] == ("n", 5, float(2**60))


# ------------------------------------------------------------------------------------------------------ from inside


def test_F26_a_call_from_a_signal_handler_is_kept(tmp_path):
    """A handler that interrupts log() and logs itself: no deadlock, each point once, and both before the outer call returns."""
    writer = make_writer(tmp_path)
    writer.log({"a": 0.0}, 0)
    writer.log({"a": 0.0}, 1)
    inner = 0

    def handler(*_):
        nonlocal inner
        inner += 1
        mine = inner  # handlers nest
        writer.log({"inner": float(mine)}, mine)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        outer = 2
        while inner < 300:
            writer.log({"a": float(outer)}, outer)
            outer += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    points = logged(writer)
    assert sorted(step for key, step, _ in points if key == "inner") == list(range(1, inner + 1))
    assert [step for key, step, _ in points if key == "a"] == list(range(outer))


def test_F26_calls_from_inside_are_bounded_and_counted(tmp_path):
    """What is logged from inside of one call beyond the bound is not kept, and is counted."""
    writer = make_writer(tmp_path)
    more = PENDING_MAX + 10

    def folder():
        for number in range(more):
            writer.log({"inner": float(number), "other": 0.0}, number)
        return str(tmp_path), True

    writer._places._folders = [folder]
    writer.log({"outer": 1.0}, 0)
    points = logged(writer)
    assert sum(key == "inner" for key, _, _ in points) == PENDING_MAX
    assert (writer.lost.points, writer.lost.calls) == (20, 10)
    writer.log({"later": 1.0}, 1)
    told = [body for body in told_by(writer).events if body["type"] == "lost"]
    assert sum(body["points"] for body in told) == 20


def test_F26_a_trouble_hook_that_logs(tmp_path):
    """A hook that logs when it hears of trouble neither deadlocks nor recurses for ever."""
    folders = iter([OSError(30, "read-only")])

    def folder():
        trouble = next(folders, None)
        if trouble:
            raise trouble
        return str(tmp_path), True

    writer = make_writer(tmp_path, on_trouble=lambda cause: writer.log({"heard": 1.0}, 5))
    writer._places._folders = [folder, *writer._places._folders]
    writer.log({"a": 1.0}, 0)
    assert sorted(logged(writer)) == [("a", 0, 1.0), ("heard", 5, 1.0)]


# ------------------------------------------------------------------------------------------------------ the end


def test_nothing_is_taken_after_the_end(tmp_path):
    """After close: log and event raise, sync and beat and a second close do no harm, the file stays as it is."""
    writer = make_writer(tmp_path)
    writer.log({"a": 1.0})
    assert writer.close()
    size = os.path.getsize(journals_in(tmp_path)[0])
    for call in (
        lambda: writer.log({"a": 1.0}),
        lambda: writer.log({"a": 1.0}, 3),
        lambda: writer.event({"type": "x"}),
    ):
        with pytest.raises(RunIsClosed):
            call()
    writer.beat()
    assert writer.sync() and writer.close()
    assert os.path.getsize(journals_in(tmp_path)[0]) == size


def test_a_writer_that_was_told_nothing_leaves_no_file(tmp_path):
    """F47: no event, no journal."""
    writer = make_writer(tmp_path)
    writer.log({})
    writer.beat()
    assert writer.sync() and writer.close()
    assert journals_in(tmp_path) == []


def test_large_events_and_wide_calls(tmp_path):
    """An event of 9 MB and a call of 100,000 metrics fit, mapped too, and do not disturb what is beside them."""
    writer = make_writer(tmp_path)
    writer.log({"a": 1.0}, 0)
    writer.event({"type": "notes", "text": "x" * 9_000_000})
    wide = {f"metric/{number}": float(number) for number in range(1000)}
    for part in range(100):
        writer.log({f"{part}/{key}": value for key, value in wide.items()}, part)
    writer.log({"a": 2.0}, 1)
    told = told_by(writer)
    assert len(told.points) == 100_002 and len(told.events[0]["text"]) == 9_000_000
