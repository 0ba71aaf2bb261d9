"""The live stream: what each listener is told, after a break too; what it costs; how it begins and ends."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from query.runs import end_run, make_run, make_store
from runfolio.query.standing import Head, Newest
from runfolio.server import limits
from runfolio.server.errors import Refused
from runfolio.server.live import board as board_module
from runfolio.server.live import listener as listener_module
from runfolio.server.live.board import Board
from runfolio.server.live.listener import Listener
from runfolio.server.live.looker import News, OutputSize, Seen, Wanted
from runfolio.server.live.poller import Poller, poller_of
from runfolio.server.served import Desk, Served, serve_all
from runfolio.store import edits
from runfolio.store.layout import Layout
from server.serving import Serving, serving, wait_for

LIVE = "/api/v1/stores/store/live"
ALL = Wanted(frozenset({"m"}), frozenset({"run"}))


class Event(NamedTuple):
    name: str
    id: str
    facts: Any


def events_of(words: bytes) -> list[Event]:
    """Read a stream as a browser does."""
    found = []
    for block in words.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "data" in fields:
            found.append(Event(fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def seen(status: str = "running", step: int = 0, version: int = 0) -> Seen:
    return Seen(Head(version, status, False, False), step, {"m": Newest(step, step / 2, 5_000_000)})


def news(changed: dict[str, Seen | None] | None = None, outputs: dict[str, OutputSize] | None = None) -> News:
    return News(changed or {}, {}, outputs or {})


class Ear:
    """A listener to a board, without a network."""

    def __init__(self, board: Board, last: str | None = None, epoch: str = "0123abcd", anew: bool = False) -> None:
        self.listener = Listener(board, epoch, lambda _: None, metrics=("m",), outputs=("run",), last=last, anew=anew)
        self.last = last

    def take(self) -> list[Event]:
        found = events_of(self.listener.take())
        self.last = found[-1].id if found else self.last
        return found


# ---------------------------------------------------------------- what is told


def test_greeting() -> None:
    """A new listener is told of all that runs, and of nothing else."""
    board = Board()
    board.post(news({"a": seen(step=3), "b": seen("finished")}))
    (event,) = Ear(board).take()
    assert event.name == "runs" and event.facts["version"] == event.id
    assert event.facts["runs"] == [{"id": "a", "status": "running", "step": 3, "values": {"m": [3, 1.5, 5]}}]


def test_changes() -> None:
    """What changes is told once: new runs as new, those that are gone as gone, archived ones as such."""
    board = Board()
    board.post(news({"a": seen()}))
    ear = Ear(board)
    ear.take()
    assert ear.take() == []
    board.post(news({"a": seen(step=1), "b": Seen(Head(1, "finished", True, False))}))
    (event,) = ear.take()
    assert {run["id"]: run for run in event.facts["runs"]} == {
        "a": {"id": "a", "status": "running", "step": 1, "values": {"m": [1, 0.5, 5]}},
        "b": {"id": "b", "status": "finished", "new": True, "archived": True},
    }
    board.post(news({"a": None}))
    assert ear.take()[0].facts["runs"] == [{"id": "a", "gone": True}]
    assert ear.take() == []


def test_a_metric_that_is_wanted_later() -> None:
    """Who goes on from a turn and wants a metric for the first time is told its newest value, though the run has not moved since."""
    board = Board()
    board.post(news({"a": seen(step=3), "b": seen("finished")}))
    (event,) = Ear(board, last="0123abcd-1", anew=True).take()
    assert event.facts["runs"] == [{"id": "a", "status": "running", "step": 3, "values": {"m": [3, 1.5, 5]}}]


def test_numbers_are_not_bent() -> None:
    """NaN, infinities and wide integers pass as the API marks them."""
    board = Board()
    values = {"m": Newest(2**60, float("nan"), 0)}
    board.post(news({"a": Seen(Head(0, "running", False, False), 2**60, values)}))
    (run,) = Ear(board).take()[0].facts["runs"]
    assert run["step"] == {"$": str(2**60)} and run["values"]["m"][1] == {"$": "NaN"}


def test_a_slow_listener() -> None:
    """Who takes nothing for long gets one message, in which each run stands once, as it is now; nothing is queued for it."""
    board = Board()
    board.post(news({"a": seen()}))
    ear = Ear(board)
    ear.take()
    for step in range(1, 10_000):
        board.post(news({"a": seen(step=step)}))
    (event,) = ear.take()
    assert [run["step"] for run in event.facts["runs"]] == [9_999]


def test_resume() -> None:
    """Who comes back with the last id gets what changed meanwhile, and nothing twice."""
    board = Board()
    board.post(news({"a": seen(), "b": seen(), "c": seen()}))
    ear = Ear(board)
    ear.take()
    board.post(news({"a": seen(step=1)}))
    ear.take()
    board.post(news({"b": None, "d": seen(step=7)}))
    (event,) = Ear(board, ear.last).take()
    assert [(run["id"], run.get("new"), run.get("gone")) for run in event.facts["runs"]] == [
        ("b", None, True),
        ("d", True, None),
    ]


@pytest.mark.parametrize(
    "last", ["", "x", "ffffffff-1", "0123abcd-99", "0123abcd--1", "0123abcd-1\n", "0123abcd-" + "9" * 400, "\ud800"]
)
def test_reset(last: str) -> None:
    """An id of another server, of the future or of no sense is answered by `reset`, and then the stream goes on."""
    board = Board()
    board.post(news({"a": seen()}))
    ear = Ear(board, last)
    assert [event.name for event in ear.take()] == ["reset"]
    board.post(news({"a": seen(step=1)}))
    assert [event.name for event in ear.take()] == ["runs"]


def test_too_much_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more runs have changed, or gone, than one message holds, all is asked anew; memory has a bound."""
    monkeypatch.setattr(board_module, "CHANGED_MAX", 10)
    board = Board()
    board.post(news({"a": seen()}))
    ear = Ear(board)
    ear.take()
    board.post(news({f"r{number}": seen("finished") for number in range(10)}))
    assert [event.name for event in ear.take()] == ["runs"]
    board.post(news({f"r{number}": seen("finished", version=1) for number in range(11)}))
    assert [event.name for event in ear.take()] == ["reset"]
    for number in range(6000):
        board.post(news({f"x{number}": seen()}))
        board.post(news({f"x{number}": None}))
    assert [event.name for event in ear.take()] == ["reset"]
    assert len(board._gone) <= 5000


def test_output() -> None:
    """That an output has grown, or was replaced, is told to who asked for it, once."""
    board = Board()
    board.post(news(outputs={"run": OutputSize(5, 0xAB), "other": OutputSize(1, 1)}))
    ear = Ear(board)
    assert [(one.name, one.facts) for one in ear.take()][1:] == [("output", {"id": "run", "size": 5, "file": "ab"})]
    assert not board.post(news(outputs={"run": OutputSize(5, 0xAB), "other": OutputSize(1, 1)}))
    assert ear.take() == []
    board.post(news(outputs={"run": OutputSize(5, 0xAC)}))
    assert [one.facts["file"] for one in ear.take()] == ["ac"]


# ---------------------------------------------------------------- the poller


@pytest.fixture
def layout() -> Layout:
    return make_store()


def act(layout: Layout, what: Callable[[Served], Coroutine[Any, Any, None]]) -> None:
    """Act on a served store, on an event loop of its own."""

    async def acted() -> None:
        desk = Desk()
        (served,) = serve_all([layout])
        served.begin(desk)
        try:
            async with asyncio.timeout(60):
                await what(served)
        finally:
            desk.close()
            served.close()

    asyncio.run(acted())


def listen(poller: Poller, *metrics: str, **more: Any) -> Listener:
    listener = Listener(poller.board, poller.epoch, poller.leave, metrics=metrics, **more)
    poller.join(listener)
    return listener


async def next_events(listener: Listener) -> list[Event]:
    """Wait for the next message."""
    while not (found := events_of(await anext(listener))):
        pass
    return found


def test_one_poller_for_all(layout: Layout) -> None:
    """Two listeners share one poller; each hears of its own metrics; nobody looks when the last has gone."""

    async def what(served: Served) -> None:
        _, writer = make_run(layout)
        writer.log({"m": 1.0, "n": 2.0}, 0)
        poller = poller_of(served)
        assert poller_of(served) is poller
        one, other = listen(poller, "m"), listen(poller, "n")
        assert (await next_events(one))[0].facts["runs"][0]["values"].keys() == {"m"}
        assert (await next_events(other))[0].facts["runs"][0]["values"].keys() == {"n"}
        task, looks = poller._task, poller.looks
        writer.log({"m": 3.0, "n": 4.0}, 1)
        assert (await next_events(one))[0].facts["runs"][0]["values"]["m"][:2] == [1, 3.0]
        assert (await next_events(other))[0].facts["runs"][0]["values"]["n"][:2] == [1, 4.0]
        assert poller._task is task and poller.looks <= looks + 2
        await one.aclose()
        await one.aclose()
        assert poller._task is task
        await other.aclose()
        assert poller._task is None and task is not None
        with pytest.raises(asyncio.CancelledError):
            await task
        writer.close()

    act(layout, what)


def test_resume_when_nobody_listened(layout: Layout) -> None:
    """What changes while nobody listens is told to who comes back."""

    async def what(served: Served) -> None:
        _, writer = make_run(layout)
        writer.log({"m": 1.0}, 0)
        poller = poller_of(served)
        one = listen(poller, "m")
        last = (await next_events(one))[-1].id
        await one.aclose()
        end_run(writer)
        back = listen(poller, "m", last=last)
        (event,) = await next_events(back)
        assert event.name == "runs" and event.facts["runs"][0]["status"] == "finished"
        await back.aclose()

    act(layout, what)


def test_a_store_that_vanishes(layout: Layout) -> None:
    """While the store is away nothing is told, and the stream stays open; when it is back it goes on."""

    async def what(served: Served) -> None:
        run_id, writer = make_run(layout)
        writer.log({"m": 1.0}, 0)
        poller = poller_of(served)
        one = listen(poller, "m")
        await next_events(one)
        os.rename(layout.root, "away")
        waiting = asyncio.ensure_future(next_events(one))
        with pytest.raises(Exception, match="no store"):
            await poller.look()
        assert not waiting.done()
        os.rename("away", layout.root)
        edits.archive(layout, run_id)
        poller.join(one)  # rouses it, as a page that comes would
        assert (await waiting)[0].facts["runs"][0].get("gone") is None
        await one.aclose()
        writer.close()

    act(layout, what)


def test_edits_from_here(layout: Layout) -> None:
    """A run that was changed from here is told of with the next look."""

    async def what(served: Served) -> None:
        run_id, writer = make_run(layout)
        end_run(writer)
        poller = poller_of(served)
        one = listen(poller)
        await next_events(one)
        edits.delete(layout, run_id)
        poller.hint([run_id])
        assert (await next_events(one))[0].facts["runs"][0]["deleted"]
        await one.aclose()

    act(layout, what)


def test_A53_listeners_are_bounded(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """A53: beyond the bound a listener is refused with 503; one that leaves makes room."""
    monkeypatch.setattr(limits, "STREAMS_MAX", 3)

    async def what(served: Served) -> None:
        poller = poller_of(served)
        all_ = [listen(poller) for _ in range(3)]
        with pytest.raises(Refused) as refused:
            listen(poller)
        assert refused.value.status == 503
        await all_.pop().aclose()
        all_.append(listen(poller))
        for one in all_:
            await one.aclose()

    act(layout, what)


def test_idle_cost_on_the_wire(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream on which nothing happens sends a comment of three bytes every 20 s: less than 100 bytes a minute."""
    assert listener_module.COMMENT_EVERY_S == 20
    monkeypatch.setattr(listener_module, "COMMENT_EVERY_S", 0.01)

    async def what(served: Served) -> None:
        poller = poller_of(served)
        one = listen(poller)
        await next_events(one)
        assert [await anext(one) for _ in range(5)] == [b":\n\n"] * 5
        await one.aclose()

    act(layout, what)


# ---------------------------------------------------------------- over the network


@pytest.fixture
def server(layout: Layout) -> Iterator[Serving]:
    with serving(layout.root) as one:
        yield one


class Stream:
    """A stream over a bare socket."""

    def __init__(self, server: Serving, query: str = "", *headers: str) -> None:
        self.line = server.connect()
        head = [f"GET {LIVE}{query} HTTP/1.1", f"Host: {server.host}", *headers, "", ""]
        self.line.sendall("\r\n".join(head).encode())
        self._rest = b""
        self.head = self._upto(b"\r\n\r\n").decode()

    def _upto(self, end: bytes) -> bytes:
        while end not in self._rest:
            part = self.line.recv(65536)
            assert part, "the stream has ended"
            self._rest += part
        found, _, self._rest = self._rest.partition(end)
        return found

    def event(self) -> Event:
        """Wait for an event."""
        while True:
            size = int(self._upto(b"\r\n"), 16)
            while len(self._rest) < size + 2:
                part = self.line.recv(65536)
                assert part, "the stream has ended"
                self._rest += part
            words, self._rest = self._rest[:size], self._rest[size + 2 :]
            found = events_of(words)
            if found:
                return found[0]

    def until(self, condition: Callable[[Any], bool]) -> Any:
        """Wait for a run of which something is told."""
        while True:
            for run in self.event().facts.get("runs", ()):
                if condition(run):
                    return run


_SCRIPT = """
import runfolio, sys
with runfolio.start("test", capture=False) as run:
    print(run.id, flush=True)
    for line in sys.stdin:
        run.log({"m": float(line)}, step=int(line))
"""


def test_points_of_another_process(server: Serving) -> None:
    """A point that another process logs is on the stream, and so is the run's beginning and end."""
    stream = Stream(server, "?metric=m")
    assert "text/event-stream" in stream.head and "no-store" in stream.head
    script = subprocess.Popen([sys.executable, "-c", _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert script.stdin and script.stdout
    run_id = script.stdout.readline().strip()
    assert stream.until(lambda run: run["id"] == run_id)["new"]
    for step in range(3):
        print(step, file=script.stdin, flush=True)
        assert stream.until(lambda run: "values" in run)["values"]["m"][:2] == [step, float(step)]
    script.stdin.close()
    assert stream.until(lambda run: run["status"] != "running")["status"] == "finished"
    script.wait()
    stream.line.close()


def test_a_run_that_is_removed(server: Serving, layout: Layout) -> None:
    """A run that is removed while it is shown is told as gone, and the stream goes on."""
    stream = Stream(server)
    stream.event()
    run_id, writer = make_run(layout)
    end_run(writer)
    stream.until(lambda run: run["id"] == run_id)
    shutil.rmtree(layout.run(run_id))
    assert stream.until(lambda run: run["id"] == run_id and "gone" in run)["gone"]
    make_run(layout)[1].close()
    assert stream.until(lambda run: "status" in run)["new"]
    stream.line.close()


def test_resume_over_the_network(server: Serving, layout: Layout) -> None:
    """A browser that comes back with Last-Event-ID goes on where it was; of an older server's id it is told to ask anew."""
    stream = Stream(server)
    last = stream.event().id
    stream.line.close()
    run_id, writer = make_run(layout)
    writer.log({"m": 1.0}, 0)
    back = Stream(server, "", f"Last-Event-ID: {last}")
    assert back.until(lambda run: run["id"] == run_id)["new"]
    assert Stream(server, "", "Last-Event-ID: ffffffff-3").event().name == "reset"
    writer.close()


def test_what_came_since_an_answer(server: Serving, layout: Layout) -> None:
    """Every answer says up to which turn it knows; a stream asked from there tells what came after it, what has ended already too."""
    answer = server.ask("/api/v1/stores/store/runs")
    turn = answer.header("runfolio-turn")
    assert turn and answer.json["total"] == 0
    run_id, writer = make_run(layout)
    end_run(writer)
    told = Stream(server, f"?since={turn}").until(lambda run: run["id"] == run_id)
    assert told["new"] and told["status"] == "finished"
    assert Stream(server, "?since=ffffffff-0").event().name == "reset"
    assert server.ask(f"{LIVE}?since=soon").status == 400


def test_looks_do_not_overlap(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look whose listener has gone is still brought to its end before the next one begins."""
    at_once: list[int] = []
    looking = 0

    def look(self: Poller, store: object, wanted: Wanted) -> News:
        nonlocal looking
        looking += 1
        at_once.append(looking)
        time.sleep(0.05)
        looking -= 1
        return news()

    monkeypatch.setattr(Poller, "_look", look)

    async def what(served: Served) -> None:
        poller = poller_of(served)
        for _ in range(3):
            one = listen(poller)
            await asyncio.sleep(0.02)
            await one.aclose()
        await asyncio.gather(poller.known_turn(), poller.known_turn(), poller.look())

    act(layout, what)
    assert len(at_once) >= 2 and set(at_once) == {1}


def test_output_over_the_network(server: Serving, layout: Layout) -> None:
    """That the output of a run grows is told to who asks for it, by the first digits of its id too."""
    run_id, writer = make_run(layout)
    stream = Stream(server, f"?output={run_id[:8]}")
    stream.event()
    Path(layout.output(run_id)).write_bytes(b"abc")
    while (event := stream.event()).name != "output":
        pass
    assert (event.facts["id"], event.facts["size"]) == (run_id, 3)
    stream.line.close()
    writer.close()


def test_a_client_that_goes(server: Serving, layout: Layout) -> None:
    """When the reader of a stream has gone, nobody looks at the store any more."""
    stream = Stream(server)
    stream.event()
    (poller,) = pollers()
    assert poller._task is not None
    stream.line.close()
    wait_for(lambda: poller._task is None)


def test_the_server_stops(layout: Layout) -> None:
    """A server that is told to stop ends its streams, and does not wait for them."""
    with serving(layout.root) as server:
        stream = Stream(server)
        stream.event()
    with pytest.raises((AssertionError, OSError)):
        stream.event()


@pytest.mark.parametrize(
    "query",
    ["?metric=", "?metrics=m", "?output=x", "?output=../../x", "?" + "&".join(f"metric=m{n}" for n in range(101))],
)
def test_bounds(server: Serving, query: str) -> None:
    """What makes no sense is refused before a stream begins."""
    assert server.ask(LIVE + query).status == 400


def test_no_such_run(server: Serving) -> None:
    """The output of a run that is not there cannot be followed."""
    assert server.ask(f"{LIVE}?output={'0' * 32}").status == 404


def pollers() -> list[Poller]:
    from runfolio.server.live.poller import _ALL

    return [poller for poller in _ALL if poller._listeners]
