"""Following a run: each entry once, in order, whatever the writers do."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import runfolio
from runfolio.convert.view import snapshot
from runfolio.store.follow import Call, Follower, Part, entries_of, in_order
from runfolio.store.layout import find
from runfolio.store.run_files import RunFiles


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


def test_run_that_was_looked_at_often_tells_the_same():
    """What stands in many small pieces, one for each look, comes in the same order as what is read at once."""
    run = runfolio.start(capture=False)
    files = RunFiles(find(None), run.id)
    for step in range(60):
        run.log(
            {"a": step / 7, "n": step} if step % 3 else {"ok": step > 20}, runfolio.FINAL if step % 7 == 0 else step
        )
        if step % 2:
            files.refresh()
    assert entries_of(files) == snapshot(find(None), run.id).entries
    assert [next(iter(entry.values)) for entry in entries_of(files) if isinstance(entry, Call)] == ["ok", "a", "a"] * 20


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
        writer, latest = f"{number:032x}", list(accumulate(times, max))
        names = [f"{number} {seq}" for seq in range(len(times))]
        keys |= {name: (attempt, latest[seq], writer, seq) for seq, name in enumerate(names)}
        parts.append(Part(attempt, writer, names, np.arange(len(times)), latest))
    assert in_order(parts) == sorted(keys, key=keys.__getitem__)


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
