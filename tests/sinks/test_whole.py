"""A real run fed to sinks that raise, hang or are slow: its own data is whole, and its loop never met the sink."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.sinks.feed import Feed, Told
from runfolio.sinks.make import make
from runfolio.store.follow import Call, Follower
from runfolio.store.layout import find
from sinks.entries import WAIT_S, Failing, Hanging, Kept, about, feed_of

STEPS = 5_000


class Slow(Kept):
    """Takes each call by itself, after another thread had its turn, as a tracker does that makes a request for each."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0

    def log(self, calls: Sequence[Call]) -> None:
        for call in calls:
            turn = threading.Thread(target=lambda: None)
            turn.start()
            turn.join()
            self.turns += 1
            super().log([call])


def train(feed: Feed) -> str:
    """Log a run of STEPS calls, and follow it into the feed meanwhile."""
    run = runfolio.start(experiment="digits", params={"lr": 0.1})
    follower = Follower(find(None), run.id)
    for step in range(STEPS):
        run.log({"loss": 1 / (step + 1), "acc": step / STEPS}, step=step)
        if step % 1000 == 0:
            follow(follower, feed)
    run.summary["r2"] = 0.5
    run.finish()
    follow(follower, feed)
    return run.id


def follow(follower: Follower, feed: Feed) -> None:
    for entry in follower.poll():
        feed.put(entry)


def assert_whole(run_id: str) -> None:
    """The run has every point, bit for bit."""
    found = runfolio.open_store().run(run_id)
    loss = found.series("loss")
    assert loss.steps.tolist() == list(range(STEPS))
    assert loss.values.tolist() == [1 / (step + 1) for step in range(STEPS)]
    assert (found.status, found.summary["r2"]) == ("finished", 0.5)


def test_a_sink_that_raises(tmp_path: Path, record_property: Any) -> None:
    """One that always raises: nothing of it is seen in the loop, everything is counted, the run is whole."""
    sink, troubles = Failing("log"), []
    feed = feed_of(sink, tmp_path, troubles)
    run_id = train(feed)
    told = feed.close("finished", None, 0.3)
    assert_whole(run_id)
    assert (told.sent, told.dropped) == (0, STEPS)
    assert sink.raised > 1
    assert len(troubles) == 1
    record_property(
        "a sink that raises", f"{sink.raised} times; {STEPS} calls whole here, {told.dropped} told as dropped"
    )


def test_a_sink_that_hangs(tmp_path: Path) -> None:
    """One that never comes back from its first call: all of the loop ran while it hung, and the run is whole."""
    sink = Hanging()
    feed = feed_of(sink, tmp_path)
    run_id = train(feed)
    assert sink.inside.wait(WAIT_S)
    assert_whole(run_id)
    told = feed.close("finished", None, 0.05)
    assert (told.sent, told.dropped) == (0, STEPS)
    assert sink.of("log") == []
    sink.let_go.set()


def test_a_sink_that_is_slow(tmp_path: Path) -> None:
    """One that takes its time for each call has them all in the end, in order, bit for bit."""
    sink = Slow()
    feed = feed_of(sink, tmp_path)
    run_id = train(feed)
    assert feed.close("finished", None, WAIT_S) == Told(sent=STEPS)
    assert_whole(run_id)
    assert sink.turns == STEPS
    assert [(call.step, call.values["loss"]) for call in sink.of("log")] == [(s, 1 / (s + 1)) for s in range(STEPS)]
    assert sink.of("summary") == [{"r2": 0.5}]
    assert sink.of("params")[-1] == {"lr": 0.1, "model": {"width": 64}}


@pytest.mark.parametrize("kind", ["tensorboard"])
def test_a_real_sink_from_a_real_run(kind: str, tmp_path: Path) -> None:
    """What a run logs while it lives stands in the other tracker when the feed is closed."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    feed = Feed(lambda: make(kind, {"log_dir": "logs"}), about(tmp_path), kind, pytest.fail)
    assert_whole(train(feed))
    assert feed.close("finished", None, WAIT_S) == Told(sent=STEPS)
    found = EventAccumulator(str(tmp_path / "logs"), size_guidance={"scalars": 0}).Reload().Scalars("acc")
    assert [event.step for event in found] == list(range(STEPS))
