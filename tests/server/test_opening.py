"""While a store is busy or still being read, the rest answers, and a question says when to come back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from runfolio.query.store import Store
from runfolio.server import limits
from runfolio.server.app import create_app
from runfolio.server.errors import Refused
from runfolio.server.served import Desk, Served
from runfolio.store.layout import Layout
from server.asking import ADDRESS
from server.filling import fill, store_path
from server.serving import wait_for

STORE = "/api/v1/stores/store"


class Slow(Served):
    """A store that opens when it is told to."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout, "store")
        self.may_open = threading.Event()

    def _open(self) -> Store:
        self._progress(200, 10_000)
        self.may_open.wait()
        return super()._open()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    monkeypatch.setattr(limits, "OPENING_WAIT_S", 0.05)
    fill(1)
    one = Slow(Layout(str(store_path())))
    yield one
    one.may_open.set()


def test_a_store_that_is_being_read(slow: Slow) -> None:
    """While runs are read for the first time, pages come, the store says how far it is, and questions are told to come back."""
    with TestClient(create_app([slow], address=ADDRESS), base_url=ADDRESS.url) as client:
        assert client.get("/").status_code == 200
        assert client.get("/health").text == "ok"
        (told,) = client.get("/api/v1/stores").json()["stores"]
        assert (told["runs"], told["reading"], told["problem"]) == (None, [200, 10_000], None)
        answer = client.get(f"{STORE}/runs")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "200 of 10,000" in answer.json()["error"]["message"]
        slow.may_open.set()
        wait_for(lambda: client.get(f"{STORE}/runs").status_code == 200)
        assert client.get("/api/v1/stores").json()["stores"][0]["reading"] is None


def test_health_while_threads_are_busy() -> None:
    """Health and pages answer while every thread is held up by a question; beyond the bound a question is refused with 503."""

    async def story() -> None:
        desk, hold = Desk(), threading.Event()
        asked = [asyncio.ensure_future(desk.ask(hold.wait)) for _ in range(limits.WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            await desk.ask(hold.wait)
        assert refused.value.status == 503
        hold.set()
        assert await asyncio.gather(*asked) == [True] * limits.WAITING_MAX
        assert await desk.ask(hold.wait)
        desk.close()

    asyncio.run(story())


def test_a_store_that_is_held_up() -> None:
    """A question that takes long holds up neither health nor pages."""
    fill(1)
    served = Served(Layout(str(store_path())), "store")
    with TestClient(create_app([served], address=ADDRESS), base_url=ADDRESS.url) as client:
        assert client.get(f"{STORE}/runs").status_code == 200
        answers: list[int] = []
        assert served._store is not None
        with served._store._lock:
            waiting = [
                threading.Thread(target=lambda: answers.append(client.get(f"{STORE}/runs").status_code))
                for _ in range(8)
            ]
            for one in waiting:
                one.start()
            assert client.get("/health").text == "ok"
            assert client.get("/").status_code == 200
            assert answers == []
        for one in waiting:
            one.join()
        assert answers == [200] * 8
