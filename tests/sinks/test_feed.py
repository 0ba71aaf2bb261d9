"""A feed: what goes to a sink arrives once and in order, and what a sink does wrong stays inside."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from runfolio.errors import MissingExtra
from runfolio.sinks.feed import Feed, Told
from runfolio.store.follow import Call
from sinks.entries import WAIT_S, Failing, Hanging, Journal, Kept, about, feed_of


def test_everything_arrives_in_order(tmp_path: Path) -> None:
    """Calls and events reach the sink in the order in which they were put."""
    journal, sink = Journal(), Kept()
    feed = feed_of(sink, tmp_path)
    first, second, third = journal.call(0, loss=1.0), journal.call(-1, loss=2.0), journal.call(None, loss=3.0)
    record = journal.event("record", step=3, value="text")
    for entry in (first, second, record, journal.event("summary", set={"r2": 0.5}), third):
        feed.put(entry)
    assert feed.close("finished", None, WAIT_S) == Told(sent=4)
    assert [name for name, _ in sink.told] == ["open", "log", "log", "record", "summary", "log", "close"]
    assert sink.of("log") == [first, second, third]
    assert sink.of("record") == [(3, "text")]
    assert sink.of("close") == [("finished", None)]


def test_params_follow_the_rules_of_the_run(tmp_path: Path) -> None:
    """The sink gets all params as a reader of the run sees them: first of an attempt, unless one replaces it."""
    first, second, sink = Journal(attempt=1), Journal("e" * 32, attempt=2), Kept()
    told = about(tmp_path, params={"lr": 3}, attempt=2)
    feed = feed_of(sink, tmp_path, about=told)
    feed.put(first.event("params", set={"lr": 1, "model.width": 64}))
    feed.put(first.event("params", set={"lr": 2}, replace=True))
    feed.put(second.event("params", set={"lr": 3, "depth": 1}))
    feed.put(second.event("params", set={"depth": 2}))
    feed.put(second.event("params", set={"depth": 4}, replace=True))
    feed.close("finished", None, WAIT_S)
    assert sink.of("params")[-1] == {"lr": 3, "model": {"width": 64}, "depth": 4}


def test_name_tags_and_notes_are_followed(tmp_path: Path) -> None:
    """What is renamed, tagged or noted later reaches the sink."""
    journal, sink = Journal(), Kept()
    feed = feed_of(sink, tmp_path)
    feed.put(journal.event("name", name="later"))
    feed.put(journal.event("tags", add={"best": ""}, remove=["baseline"]))
    feed.put(journal.event("notes", text="new"))
    feed.close("finished", None, WAIT_S)
    last = sink.of("describe")[-1]
    assert (last.name, last.tags, last.notes) == ("later", {"team": "ml", "best": ""}, "new")


def test_a_sink_that_raises_gets_it_again(tmp_path: Path) -> None:
    """What a sink refused at first is handed over again, nothing is lost, and the user is told once."""
    sink, troubles = Failing("log", times=7), []
    feed = feed_of(sink, tmp_path, troubles)
    for call in Journal().calls(50):
        feed.put(call)
    assert feed.close("finished", None, WAIT_S) == Told(sent=50, retried=7)
    assert sorted(call.step for call in sink.of("log")) == list(range(50))
    assert len(troubles) == 1
    assert "no route to host" in troubles[0]


def test_a_sink_that_cannot_open_yet_is_opened_later(tmp_path: Path) -> None:
    """Entries wait while the other side is away."""
    sink = Failing("open", times=5)
    feed = feed_of(sink, tmp_path)
    for call in Journal().calls(10):
        feed.put(call)
    assert feed.close("finished", None, WAIT_S) == Told(sent=10, retried=5)


def test_a_sink_that_always_raises_is_counted(tmp_path: Path) -> None:
    """A sink that never takes anything ends the feed in its time; all is told as dropped, and nothing raises."""
    sink, troubles = Failing("log"), []
    feed = feed_of(sink, tmp_path, troubles)
    for call in Journal().calls(200):
        feed.put(call)
    told = feed.close("finished", None, 0.2)
    assert (told.sent, told.dropped) == (0, 200)
    assert told.retried > 1
    assert told.error is not None
    assert "no route to host" in told.error
    assert len(troubles) == 1


def test_one_call_that_is_refused_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """Where a sink refuses one call for good and takes others, that one is dropped, and told."""

    class Picky(Kept):
        def log(self, calls: Sequence[Call]) -> None:
            if any(call.step == 13 for call in calls):
                raise ValueError("13 is refused")
            super().log(calls)

    sink = Picky()
    feed = feed_of(sink, tmp_path)
    for call in Journal().calls(40):
        feed.put(call)
    told = feed.close("finished", None, WAIT_S)
    assert (told.sent, told.dropped) == (39, 1)
    assert told.error == "ValueError: 13 is refused"
    assert sorted(call.step for call in sink.of("log")) == [step for step in range(40) if step != 13]


def test_a_hanging_sink_is_given_up(tmp_path: Path) -> None:
    """A sink that does not come back is left after the timeout; what it has not taken is told as dropped."""
    sink = Hanging()
    feed = feed_of(sink, tmp_path)
    calls = list(Journal().calls(30))
    feed.put(calls[0])
    assert sink.inside.wait(WAIT_S)
    for call in calls[1:]:
        feed.put(call)
    told = feed.close("finished", None, 0.05)
    assert told == Told(sent=0, dropped=30, error="gave up after 0.05 s, in log")
    sink.let_go.set()
    feed._thread.join(WAIT_S)
    assert feed.told == told  # also when it comes back in the end


def test_put_does_not_wait_for_a_slow_sink(tmp_path: Path) -> None:
    """While a sink holds one call, 50,000 more are put without waiting for it, and all arrive."""
    sink = Hanging()
    feed = feed_of(sink, tmp_path)
    for call in Journal().calls(50_000):
        feed.put(call)
    assert not sink.of("log")
    sink.let_go.set()
    assert feed.close("finished", None, WAIT_S) == Told(sent=50_000)
    assert len(sink.of("log")) == 50_000


def test_a_full_queue_drops_the_oldest_calls_and_keeps_the_facts(tmp_path: Path) -> None:
    """Beyond its bound the queue keeps the latest calls, counts the others, and loses no summary."""
    sink, journal = Hanging(), Journal()
    feed = feed_of(sink, tmp_path, queue_bytes=31_000)  # a hundred calls of one value
    feed.put(journal.call(-1, loss=0.0))
    assert sink.inside.wait(WAIT_S)
    feed.put(journal.event("summary", set={"early": 1}))
    for call in journal.calls(1000):
        feed.put(call)
    assert feed.told.dropped == 900
    sink.let_go.set()
    assert feed.close("finished", None, WAIT_S) == Told(sent=101, dropped=900)
    assert [call.step for call in sink.of("log")] == [-1, *range(900, 1000)]
    assert sink.of("summary") == [{"early": 1}]


def test_a_missing_package_is_told_once_and_not_waited_for(tmp_path: Path) -> None:
    """Without its package nothing is tried again; the install line is told."""

    def make() -> Kept:
        raise MissingExtra("feeding aim needs a package: pip install 'runfolio[aim]'")

    troubles: list[str] = []
    feed = Feed(make, about(tmp_path), "aim", troubles.append)
    feed._thread.join(WAIT_S)
    feed.put(Journal().call(0, loss=1.0))
    told = feed.close("finished", None, WAIT_S)
    assert (told.sent, told.dropped, told.retried) == (0, 1, 0)
    assert "pip install 'runfolio[aim]'" in str(told.error)
    assert len(troubles) == 1


def test_a_warning_that_raises_stays_inside(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where telling the user raises, the feed goes on."""

    def tell(message: str) -> None:
        raise RuntimeError(message)

    sink = Failing("log", times=1)
    feed = Feed(lambda: sink, about(tmp_path), "kept", tell, first_pause_s=0.001)
    feed.put(Journal().call(0, loss=1.0))
    assert feed.close("finished", None, WAIT_S) == Told(sent=1, retried=1)
    assert "no route to host" in capfd.readouterr().err


def test_a_later_feed_sends_only_what_is_new(tmp_path: Path) -> None:
    """What was sent before to the same place is not sent again, and not counted, whoever asks for it."""
    journal = Journal()
    old = list(journal.calls(20))
    first = feed_of(Kept(), tmp_path)
    for call in old:
        first.put(call)
    assert first.close("killed", "SIGKILL", WAIT_S).sent == 20

    second, sink = Journal("e" * 32, attempt=2), Kept()
    feed = feed_of(sink, tmp_path, about=about(tmp_path, attempt=2))
    new = [second.event("attempt", rewind_to=10), *second.calls(5)]
    for entry in [*old, *new]:
        feed.put(entry)
    assert feed.close("finished", None, WAIT_S) == Told(sent=5)
    assert sink.of("log") == new[1:]
    assert sink.of("rewind") == [10]

    again = Kept()
    feed = feed_of(again, tmp_path, about=about(tmp_path, attempt=3))
    for entry in [*old, *new]:
        feed.put(entry)
    assert feed.close("finished", None, WAIT_S) == Told()
    assert again.of("rewind") == []


def test_what_was_given_up_is_sent_by_the_next_feed(tmp_path: Path) -> None:
    """A feed that could not hand over an entry leaves it to the next one."""
    calls = list(Journal().calls(5))
    first = feed_of(Failing("log"), tmp_path)
    for call in calls:
        first.put(call)
    assert first.close("finished", None, 0.05).dropped == 5
    sink = Kept()
    second = feed_of(sink, tmp_path)
    for call in calls:
        second.put(call)
    assert second.close("finished", None, WAIT_S) == Told(sent=5)
    assert sink.of("log") == calls


def test_a_feed_waits_without_waking(tmp_path: Path) -> None:
    """A feed with nothing to do sleeps on its condition: its thread is there, and calls nothing."""
    sink = Kept()
    feed = feed_of(sink, tmp_path)
    feed.put(Journal().call(0, loss=1.0))
    done = threading.Event()
    real = sink.close
    sink.close = lambda status, reason: (real(status, reason), done.set())  # type: ignore[assignment, misc, func-returns-value]
    assert feed.close("finished", None, WAIT_S).sent == 1
    assert done.is_set()
    assert [name for name, _ in sink.told] == ["open", "log", "close"]
