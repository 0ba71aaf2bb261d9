"""The index says what a plain recomputation from every point ever written says, whatever was looked at in between."""

from __future__ import annotations

import math
import shutil
import struct
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.runs import TICK_NS, make_store, make_writer
from runfolio.errors import MetricNotFound
from runfolio.journal.writer import FINAL
from runfolio.model.ids import new_id
from runfolio.query.store import Store
from runfolio.testing.clock import ManualClock

VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, math.nan, 5e-324]),
    st.integers(-(2**53), 2**53),
    st.booleans(),
)


class Log(NamedTuple):
    """A call by one of the open writers."""

    writer: int
    metrics: dict[str, Any]
    step: Any
    ticks: int  # that pass before


class Join(NamedTuple):
    """Another writer in the same attempt."""

    rank: int | None
    ticks: int


class Resume(NamedTuple):
    """A new attempt, with a writer of its own; the others of before are closed, or go on by force."""

    rewind_to: int | None
    force: bool


class Look(NamedTuple):
    """A look at the store, half a second later."""


class Anew(NamedTuple):
    """Another process opens the store."""


NAMES = st.sampled_from(["a", "a", "b"])
RISING, AGAIN = object(), object()
STEPS = st.one_of(st.just(RISING), st.just(RISING), st.just(AGAIN), st.just(FINAL), st.integers(-3, 12))
LOGS = st.builds(
    Log, st.integers(0, 3), st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), STEPS, st.integers(0, 2)
)
ACTS = st.one_of(
    LOGS,
    LOGS,
    st.builds(Join, st.sampled_from([None, None, 0, 1]), st.integers(0, 2)),
    st.builds(Resume, st.none() | st.integers(-3, 12), st.booleans()),
    st.just(Look()),
    st.just(Anew()),
)


class Point(NamedTuple):
    """A value as it was logged; sorted, they stand in the order of events."""

    attempt: int
    time_ns: int
    journal: str
    seq: int
    rank: int | None
    metric: str
    step: int | None
    value: Any


class Script:
    """Writes one run, and keeps every point."""

    def __init__(self, layout: Any) -> None:
        self.layout, self.run_id, self.clock = layout, new_id(), ManualClock()
        self.points: list[Point] = []
        self.rewinds: list[tuple[int, int]] = []
        self.attempt, self.high = 1, -1
        self.writers = [(make_writer(layout, self.run_id, clock=self.clock), None, 1)]
        self.writers[0][0].event({"type": "run", "experiment": "e", "experiment_id": None, "name": "n"})

    def act(self, act: Any) -> None:
        self.clock.pass_ns(getattr(act, "ticks", 1) * TICK_NS)
        if isinstance(act, Log):
            self._log(act)
        elif isinstance(act, Join):
            self.writers.append((self._writer(act.rank, "attach"), act.rank, self.attempt))
        elif isinstance(act, Resume):
            for writer, *_ in [] if act.force else self.writers:
                writer.close(sync=False)
            self.attempt += 1
            writer = self._writer(None, "start")
            writer.event({"type": "attempt", "rewind_to": act.rewind_to, "command": None})
            if act.rewind_to is not None:
                self.rewinds.append((self.attempt, act.rewind_to))
            self.writers = [*(self.writers if act.force else []), (writer, None, self.attempt)]

    def _writer(self, rank: int | None, role: str) -> Any:
        return make_writer(self.layout, self.run_id, attempt=self.attempt, rank=rank, role=role, clock=self.clock)

    def _log(self, act: Log) -> None:
        writer, rank, attempt = self.writers[act.writer % len(self.writers)]
        step = self.high + 1 if act.step is RISING else self.high if act.step is AGAIN else act.step
        writer.log(act.metrics, step)
        at = None if step is FINAL else step
        self.high = self.high if at is None else max(self.high, at)
        for metric, value in act.metrics.items():
            place = (attempt, self.clock.wall_ns(), writer.journals[-1], len(self.points))
            self.points.append(Point(*place, rank, metric, at, value))

    def series(self) -> dict[tuple[str, int | None], list[tuple[int | None, Any]]]:
        """Give what every series should be, by one dict and one list each."""
        stepped: dict[Any, dict[int, Any]] = {}
        finals: dict[Any, list[Any]] = {}
        for point in sorted(self.points, key=lambda point: point[:4]):
            key = (point.metric, point.rank)
            if point.step is None:
                finals.setdefault(key, []).append((None, point.value))
            elif not any(later > point.attempt and point.step >= step for later, step in self.rewinds):
                stepped.setdefault(key, {})[point.step] = point.value
        keys = stepped.keys() | finals.keys()
        return {key: [*sorted(stepped.get(key, {}).items()), *finals.get(key, [])] for key in keys}


def summed(points: list[tuple[int | None, Any]]) -> dict[str, Any]:
    """Sum a series up, one point after the other."""
    known = [(step, value) for step, value in points if value == value]
    low = high = (None, math.nan)
    total = 0.0
    for step, value in known:
        low = low if low[1] <= value else (step, value)
        high = high if high[1] >= value else (step, value)
        total += float(value)
    kinds = {kind_of(value) for _, value in points}
    return {
        "first": points[0][1],
        "last": points[-1][1],
        "min": low[1],
        "max": high[1],
        "mean": total / len(known) if known else math.nan,
        "count": len(known),
        "nan_count": len(points) - len(known),
        "step_of_min": low[0],
        "step_of_max": high[0],
        "first_step": points[0][0],
        "last_step": points[-1][0],
        "kind": kinds.pop() if len(kinds) == 1 else "f",
    }


def kind_of(value: Any) -> str:
    return "b" if isinstance(value, bool) else "i" if isinstance(value, int) else "f"


def exact(value: Any) -> Any:
    """Give something that is equal for the same bits and kind only."""
    return (kind_of(value), struct.pack(">d", value)) if isinstance(value, float | int) else value


def expect(store: Store, script: Script) -> None:
    """Fail where a store does not say what the script has written."""
    run = store.run(script.run_id)
    expected = script.series()
    told = {(name, rank) for name in run.metrics for rank in run.metrics.ranks(name)}
    assert told == set(expected)
    for (name, rank), points in expected.items():
        found, wanted = run.metrics.rank(name, rank), summed(points)
        for field, value in wanted.items():
            same = exact(getattr(found, field)) == exact(value) or (
                value != value and math.isnan(getattr(found, field))
            )
            assert same, f"{name}.{field} of rank {rank} is {getattr(found, field)!r}, not {value!r}"
        series = run.series(name, "none" if rank is None else rank)
        assert [(step, exact(value)) for step, value in series] == [(step, exact(value)) for step, value in points]


@given(acts=st.lists(ACTS, max_size=30))
@settings(max_examples=100)
def test_the_index_is_a_recomputation(tmp_path_factory: pytest.TempPathFactory, acts: list[Any]) -> None:
    """For any order of events of several writers, attempts, rewinds, ranks and repeated, lower or missing steps, the index that followed
    them, and one made anew, say what a plain recomputation says."""
    root = tmp_path_factory.mktemp("agree")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNFOLIO_DIR", str(root / "store"))
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        script, clock = Script(make_store()), ManualClock()
        stores = [Store(script.layout, clock)]
        for act in acts:
            script.act(act)
            if isinstance(act, Look | Anew):
                clock.pass_s(1)
                stores += [Store(script.layout, clock)] if isinstance(act, Anew) else []
                stores[-1].runs()
        clock.pass_s(1)
        for store in stores[-2:]:
            expect(store, script)
            store.close()
        shutil.rmtree(root / "cache")
        with Store(script.layout, clock) as anew:
            expect(anew, script)
        for writer, *_ in script.writers:
            writer.close(sync=False)
        shutil.rmtree(root)


@given(
    begin=st.sampled_from([[], [Join(0, 1)], [Resume(2, True)]]),
    chunks=st.lists(st.lists(LOGS, min_size=1, max_size=4), max_size=5),
)
@settings(max_examples=100)
def test_processes_that_catch_up_agree(
    tmp_path_factory: pytest.TempPathFactory, begin: list[Any], chunks: list[list[Any]]
) -> None:
    """A live run that each of many processes reads on from where the last one was says what a plain recomputation says."""
    root = tmp_path_factory.mktemp("agree")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNFOLIO_DIR", str(root / "store"))
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        script, clock = Script(make_store()), ManualClock()
        for acts in (begin, *chunks):
            for act in acts:
                script.act(act)
            clock.pass_s(1)
            Store(script.layout, clock).close()
        with Store(script.layout, clock) as store:
            expect(store, script)
        for writer, *_ in script.writers:
            writer.close(sync=False)
        shutil.rmtree(root)


def test_what_is_hidden_is_no_metric() -> None:
    """A metric of which a rewind has left nothing is not there, in numbers or as a series."""
    script = Script(make_store())
    for act in (Log(0, {"a": 1.0}, 5, 1), Resume(3, False), Log(0, {"b": 2.0}, 3, 1)):
        script.act(act)
    with Store(script.layout, ManualClock()) as store:
        run = store.run(script.run_id)
        assert list(run.metrics) == ["b"]
        with pytest.raises(MetricNotFound):
            run.series("a")


def test_an_old_attempt_that_goes_on_stays_hidden() -> None:
    """What a writer of a lower attempt logs after a rewind, behind its step, is hidden also where the index only carries on."""
    script, clock = Script(make_store()), ManualClock()
    with Store(script.layout, clock) as store:
        for act in (Log(0, {"a": 1.0}, 5, 1), Resume(6, True), Log(1, {"a": 2.0}, 6, 1)):
            script.act(act)
        clock.pass_s(1)
        expect(store, script)
        script.act(Log(0, {"a": 3.0}, 7, 1))
        clock.pass_s(1)
        expect(store, script)


def test_a_final_point_between_others_stays_at_the_end() -> None:
    """A point without a step, logged between negative and positive steps in one look, is not carried on as if it were step 0."""
    script = Script(make_store())
    for step in (-3, FINAL, 2):
        script.act(Log(0, {"a": float(len(script.points))}, step, 1))
    with Store(script.layout, ManualClock()) as store:
        expect(store, script)


def test_at_the_same_time_the_journal_decides() -> None:
    """Two writers that log the same step at the same nanosecond: the one with the higher journal id wins, whoever came first."""
    for turn in range(4):
        script = Script(make_store())
        script.act(Join(None, 1))
        for writer in (turn % 2, 1 - turn % 2):
            script.act(Log(writer, {"a": float(writer)}, 0, 0))
        with Store(script.layout, ManualClock()) as store:
            expect(store, script)
