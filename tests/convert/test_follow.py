"""Following a run: each entry once, in order, whatever the writers do."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

import runfolio
from runfolio.convert.view import snapshot
from runfolio.store.follow import Call, Follower, in_order
from runfolio.store.layout import find


def told(entries):
    return [(e.step, e.values) if isinstance(e, Call) else e.type for e in entries]


def test_each_entry_once_and_with_its_kind():
    """Floats, ints, bools and points without a step come as they were logged, and only once."""
    run = runfolio.start(capture=False)
    follower = Follower(find(None), run.id)
    run.log({"a": 1.5, "n": 3, "ok": True}, step=-1)
    run.log_record("x")
    run.log({"a": math.inf}, runfolio.FINAL)
    assert told(follower.poll()) == ["run", (-1, {"a": 1.5, "n": 3, "ok": True}), "record", (None, {"a": math.inf})]
    assert follower.poll() == []
    run.log({"a": 2.0}, step=0)
    assert told(follower.poll()) == [(0, {"a": 2.0})]
    run.finish()
    assert told(follower.poll()) == ["finish"]


def test_two_writers_stand_in_the_order_of_time():
    """The calls of two writers are merged by their times; each writer's stay in its order."""
    run = runfolio.start(capture=False)
    other = runfolio.attach(run.id)
    for step in range(50):
        (run if step % 3 else other).log({"a": float(step)}, step=step)
    follower = Follower(find(None), run.id)
    assert [entry.step for entry in follower.poll() if isinstance(entry, Call)] == list(range(50))


def test_rewound_calls_are_left_out_of_a_snapshot():
    """What a rewind hides is not in a snapshot; what came without a step stays."""
    with runfolio.start(capture=False) as run:
        for step in range(5):
            run.log({"a": 1.0}, step=step)
        run.log({"a": 5.0}, runfolio.FINAL)
    with runfolio.resume(run.id, rewind_to=2) as again:
        again.log({"a": 2.0}, step=2)
    found = snapshot(find(None), run.id)
    assert told(found.calls) == [(0, {"a": 1.0}), (1, {"a": 1.0}), (None, {"a": 5.0}), (2, {"a": 2.0})]
    assert (found.status, found.ended) == ("finished", True)


def test_sealed_run_without_journals_is_followed():
    """A run that is only left in its seal gives the same calls."""
    from click.testing import CliRunner

    from runfolio.cli.main import cli

    with runfolio.start(capture=False) as run:
        for step in range(40):
            run.log({"a": step / 7, "n": step} if step % 2 else {"ok": step > 20}, step=step)
    before = told(snapshot(find(None), run.id).entries)
    for arguments in (["seal"], ["gc", "--journals"]):
        ran = CliRunner().invoke(cli, arguments)
        assert ran.exit_code == 0, ran.output
    assert told(snapshot(find(None), run.id).entries) == before


@given(st.lists(st.tuples(st.integers(1, 2), st.lists(st.integers(0, 6), min_size=1, max_size=8)), max_size=4))
def test_order_is_that_of_a_sort(journals):
    """Merging gives what sorting all by (attempt, time, writer, sequence) gives, each writer's times made not to fall."""
    parts, keys = [], {}
    for number, (attempt, times) in enumerate(journals):
        writer, latest, part = f"{number:032x}", 0, []
        for seq, time_ns in enumerate(times):
            call = Call(seq, {}, time_ns, attempt, None, writer, seq)
            latest = max(latest, time_ns)
            keys[writer, seq] = (attempt, latest, writer, seq)
            part.append(call)
        parts.append(part)
    every = [call for part in parts for call in part]
    assert in_order(parts) == sorted(every, key=lambda call: keys[call.writer, call.seq])


def test_run_whose_journals_tell_nothing_new():
    """A journal that grows by a heartbeat alone gives nothing, and no error."""
    run = runfolio.start(capture=False)
    follower = Follower(find(None), run.id)
    follower.poll()
    other = runfolio.attach(run.id)
    other.pen.writer.beat()
    assert [entry for entry in follower.poll() if isinstance(entry, Call)] == []
    other.pen.writer.beat()
    assert follower.poll() == []
