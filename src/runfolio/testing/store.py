"""What everything that answers as a store promises, as tests to inherit.

    class TestMyStore(StoreContract):
        def make_world(self): return MyWorld()

A world writes by the package's verbs (`start`, `attach`, `resume`) and reads by `open_store()`; the package itself is one.
"""

from __future__ import annotations

import math
import random
import struct
from typing import Any, Protocol

from runfolio.errors import MetricNotFound, ParamConflict, RankRequired, RunIsLive, RunNotFound
from runfolio.journal.writer import FINAL
from runfolio.testing.events import INTS, ODD_VALUES, refusal
from runfolio.testing.memory import MemoryStore

SUMS = ("first", "last", "min", "max", "count", "nan_count", "step_of_min", "step_of_max")


class World(Protocol):
    """What writes runs, and opens the store that holds them."""

    def start(self, **facts: Any) -> Any: ...
    def attach(self, run_id: str, rank: int | None = None) -> Any: ...
    def resume(self, run_id: str, rewind_to: int | None = None) -> Any: ...
    def open_store(self) -> Any: ...


class StoreContract:
    """Inherit, and say how to make a world with an empty store."""

    def make_world(self) -> Any:
        """Make an empty one."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------------- runs

    def test_an_empty_store_has_no_runs(self) -> None:
        """No runs is an answer; a run asked for by name is an error."""
        store = self.make_world().open_store()
        assert list(store.runs()) == []
        for ref in ("latest", "3f9a", "no such name", ""):
            refusal(RunNotFound, lambda ref=ref: store.run(ref))  # type: ignore[misc]

    def test_a_run_answers_to_id_prefix_name_and_latest(self) -> None:
        """The id, a unique prefix of it, the name and "latest" name the same run."""
        world = self.make_world()
        world.start(name="first").finish()
        run = world.start(name="second one")
        run.finish()
        store = world.open_store()
        for ref in (run.id, run.id[:12], "second one", "latest"):
            assert store.run(ref).id == run.id, ref
        assert {run.id for run in store.runs()} == {store.run("first").id, run.id}

    def test_a_name_of_several_runs_is_that_of_the_latest(self) -> None:
        """Two runs of one name: the later one answers, and each to its id."""
        world = self.make_world()
        ids = [world.start(name="twin").id for _ in range(2)]
        store = world.open_store()
        assert [store.run(ref).id for ref in ("twin", *ids)] == [ids[1], *ids]

    def test_what_was_set_comes_back(self) -> None:
        """Params, tags, notes, summary, experiment and name come back as they were set."""
        world = self.make_world()
        params = {"lr": 0.1, "layers": 3, "on": True, "opt": "adam", "none": None, "inf": math.inf}
        run = world.start(experiment="digits", name="n", params=params, tags=["best", "x"], notes="line\nline")
        run.set_params({"late": 1})
        run.summary["acc"] = 0.5
        run.summary["acc"] = 0.75
        run.add_tags(team="ml")
        run.finish()
        found = world.open_store().run(run.id)
        assert (found.experiment, found.name, found.notes) == ("digits", "n", "line\nline")
        assert dict(found.params) == {**params, "late": 1}
        assert [type(found.params[key]) for key in params] == [type(value) for value in params.values()]
        assert dict(found.tags) == {"best": "", "x": "", "team": "ml"}
        assert dict(found.summary) == {"acc": 0.75}

    def test_the_status_follows_the_run(self) -> None:
        """A run is running while it is written, then what it ended as."""
        world = self.make_world()
        for status in ("finished", "failed", "killed"):
            run = world.start()
            assert world.open_store().run(run.id).status == "running"
            run.finish(status)
            assert world.open_store().run(run.id).status == status

    def test_a_param_is_set_once_in_an_attempt(self) -> None:
        """Equal again is silent, another value is a conflict, a new attempt may differ and is the one shown."""
        world = self.make_world()
        run = world.start(params={"lr": 0.1})
        run.set_params({"lr": 0.1})
        refusal(ParamConflict, lambda: run.set_params({"lr": 0.2}))
        run.finish()
        assert world.open_store().run(run.id).params["lr"] == 0.1
        again = world.resume(run.id)
        again.set_params({"lr": 0.2})
        again.finish()
        assert world.open_store().run(run.id).params["lr"] == 0.2

    # -------------------------------------------------------------------------------------------------- series

    def test_a_series_comes_back_bit_for_bit(self) -> None:
        """Values, kinds and steps of every sort come back exactly, by rising step."""
        world = self.make_world()
        run = world.start()
        values: list[float] = [*ODD_VALUES, *INTS, True, False]
        for step in reversed(range(len(values))):
            run.log({"m": values[step]}, step=step)
        run.finish()
        series = world.open_store().run(run.id).series("m")
        assert list(series.steps) == list(range(len(values)))
        assert bits(series.values) == bits(values)
        assert "".join(series.kinds) == "f" * len(ODD_VALUES) + "i" * len(INTS) + "bb"
        assert not any(series.final)

    def test_the_later_write_of_a_step_wins(self) -> None:
        """The same metric and step twice: the later call is shown, also where it changes the kind."""
        world = self.make_world()
        run = world.start()
        for step, value in ((0, 1.0), (1, 2.0), (0, 3.0), (2, 4.0), (1, 5)):
            run.log({"m": value}, step=step)
        self._expect(world, run.id, "m", [(0, 3.0, "f"), (1, 5.0, "i"), (2, 4.0, "f")])

    def test_points_without_a_step_stand_at_the_end(self) -> None:
        """Points without a step never merge, and stand after the others in the order of the calls."""
        world = self.make_world()
        run = world.start()
        run.log({"m": 1.0}, step=FINAL)
        run.log({"m": 2.0}, step=2**63 - 1)
        run.log({"m": 3.0}, step=FINAL)
        self._expect(world, run.id, "m", [(2**63 - 1, 2.0, "f"), (None, 1.0, "f"), (None, 3.0, "f")])
        assert world.open_store().run(run.id).metrics["m"].last == 3.0

    def test_a_metric_that_is_not_there(self) -> None:
        """An unknown metric is an error by name."""
        world = self.make_world()
        run = world.start()
        refusal(MetricNotFound, lambda: world.open_store().run(run.id).series("nope"))

    def test_several_writers_make_one_series(self) -> None:
        """An attached writer goes on after the highest step, and its points stand in the same series."""
        world = self.make_world()
        run = world.start()
        run.log({"m": 0.0}, step=4)
        other = world.attach(run.id)
        other.log({"m": 1.0})
        run.log({"m": 2.0}, step=4)
        self._expect(world, run.id, "m", [(4, 2.0, "f"), (5, 1.0, "f")])

    def test_ranks_are_kept_apart(self) -> None:
        """Each rank has a series of its own; without a rank they are told."""
        world = self.make_world()
        run = world.start(rank=0)
        run.log({"m": 0.0, "only": 1.0}, step=0)
        world.attach(run.id, rank=1).log({"m": 10.0}, step=0)
        found = world.open_store().run(run.id)
        assert bits(found.series("m", rank=0).values) == bits([0.0])
        assert bits(found.series("m", rank=1).values) == bits([10.0])
        assert bits(found.series("only").values) == bits([1.0])
        assert sorted(refusal(RankRequired, lambda: found.series("m")).ranks) == [0, 1]  # type: ignore[type-var]
        refusal(MetricNotFound, lambda: found.series("m", rank=7))

    # -------------------------------------------------------------------------------------------------- attempts

    def test_a_running_run_is_not_resumed(self) -> None:
        """A run that is still written is refused."""
        world = self.make_world()
        run = world.start()
        refusal(RunIsLive, lambda: world.resume(run.id))

    def test_a_rewind_hides_what_came_before_it(self) -> None:
        """The points of lower attempts from the step on are hidden, those without a step kept; the next step follows what is visible."""
        world = self.make_world()
        run = world.start()
        for step in range(10):
            run.log({"m": float(step)}, step=step)
        run.log({"m": 99.0}, step=FINAL)
        run.finish()
        again = world.resume(run.id, rewind_to=3)
        again.log({"m": 50.0})
        again.finish()
        shown = [(0, 0.0, "f"), (1, 1.0, "f"), (2, 2.0, "f"), (3, 50.0, "f")]
        self._expect(world, run.id, "m", [*shown, (None, 99.0, "f")])
        third = world.resume(run.id)
        third.log({"m": 60.0})
        third.finish()
        self._expect(world, run.id, "m", [*shown, (4, 60.0, "f"), (None, 99.0, "f")])

    def test_agrees_with_the_oracle(self) -> None:
        """Random runs of several attempts, writers, ranks, rewinds and repeated steps read as those of `MemoryStore`."""
        for seed in range(5):
            world, oracle = self.make_world(), MemoryStore()
            mine, theirs = play(world, seed), play(oracle, seed)
            compare(world.open_store().run(mine), oracle.run(theirs))

    # -------------------------------------------------------------------------------------------------- judging

    def _expect(self, world: Any, run_id: str, metric: str, points: list[tuple[int | None, float, str]]) -> None:
        series = world.open_store().run(run_id).series(metric)
        assert rows(series) == [(step, struct.pack(">d", value), kind) for step, value, kind in points]


def play(world: Any, seed: int) -> str:
    """Write a random run; the same calls in every world. Returns its id."""
    dice = random.Random(seed)
    run = world.start(rank=dice.choice([None, 0]))
    writers = [run]
    for _ in range(dice.randrange(1, 4)):
        for _ in range(dice.randrange(40)):
            _log(dice, dice.choice(writers))
            if dice.random() < 0.1 and len(writers) < 4:
                writers.append(world.attach(run.id, rank=dice.choice([None, 0, 1])))
        for writer in reversed(writers):
            writer.finish()
        run = world.resume(run.id, rewind_to=dice.choice([None, None, dice.randrange(-2, 12)]))
        writers = [run]
    for _ in range(5):
        _log(dice, run)
    run.finish()
    return str(run.id)


def _log(dice: random.Random, writer: Any) -> None:
    metrics = {
        name: dice.choice([dice.random(), dice.randrange(9), math.nan, math.inf, True, -0.0])
        for name in dice.sample(["a", "b", "c"], dice.randrange(1, 4))
    }
    step = dice.choice([None, None, None, FINAL, dice.randrange(-3, 15)])
    writer.log(metrics, step=step)


def compare(run: Any, expected: Any) -> None:
    """Fail where a run does not read as another: series of each rank, and sums of each metric that has one."""
    ranks = {(call.metric, call.rank) for call in expected.visible()}
    for metric, rank in ranks:
        alone = len([1 for name, _ in ranks if name == metric]) == 1
        if alone or rank is not None:
            assert rows(run.series(metric, rank=rank)) == rows(expected.series(metric, rank=rank)), (metric, rank)
        if alone:
            found, told = run.metrics[metric], expected.metrics[metric]
            for name in SUMS:
                have, want = getattr(found, name), getattr(told, name)
                assert have == want or (have != have and want != want), f"{metric}.{name} is {have!r}, not {want!r}"
            assert math.isclose(found.mean, told.mean, rel_tol=1e-9) or repr(found.mean) == repr(told.mean), metric


def rows(series: Any) -> list[tuple[int | None, bytes, str]]:
    """Give the points of a series: step or None, the bits of the value, kind."""
    steps = [None if final else int(step) for step, final in zip(series.steps, series.final, strict=True)]
    return list(zip(steps, bits(series.values), map(str, series.kinds), strict=True))


def bits(values: Any) -> list[bytes]:
    """Give the float64 of each value bit for bit."""
    return [struct.pack(">d", float(value)) for value in values]
