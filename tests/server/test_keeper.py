"""A store that is kept as the disk is, beside the questions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from runfolio.query.store import Store
from runfolio.server.keeper import Keeper
from runfolio.store import edits
from runfolio.store.layout import Layout
from runfolio.testing.clock import ManualClock
from server.filling import fill, store_path


class Counted(Store):
    """Counts the looks that are made beside the questions."""

    refreshed = 0
    trusted_s = 0.0

    def refresh(self) -> float:
        self.refreshed += 1
        return super().refresh()

    def trust(self, for_s: float) -> None:
        self.trusted_s = for_s
        super().trust(for_s)


@pytest.fixture
def store() -> Iterator[Counted]:
    fill(3)
    with Counted(Layout(str(store_path())), ManualClock(), light=True) as one:
        yield one


async def _until_trusted(store: Counted) -> None:
    async with asyncio.timeout(60):
        while not store.trusted_s:
            await asyncio.sleep(0)


def test_a_look_is_made_beside_the_questions(store: Counted) -> None:
    """Where looking takes long, it is made by the keeper when somebody asks; the questions after it see what it saw and look no more."""
    layout, (run, *_) = Layout(store.path), store.runs()
    edits.edit(layout, run.id, {"type": "name", "name": "renamed"})

    async def asked() -> None:
        keeper = Keeper(long_s=-1)
        keeper.rouse(store)
        keeper.rouse(store)
        await _until_trusted(store)
        keeper.stop()

    asyncio.run(asked())
    assert store.refreshed == 1
    assert store.trusted_s > 10
    assert store.runs()[0].name == "renamed"


def test_a_small_store_is_left_to_the_questions(store: Counted) -> None:
    """Where looking takes no time, nobody else looks: each question sees what is there."""

    async def asked() -> None:
        keeper = Keeper()
        keeper.rouse(store)
        assert keeper._task is None

    asyncio.run(asked())


def test_a_keeper_goes_where_the_store_has_gone(store: Counted) -> None:
    """A store that cannot be read ends the looking, and the next question begins it anew."""

    async def asked() -> None:
        keeper = Keeper(long_s=-1)
        store_path().rename("away")
        keeper.rouse(store)
        assert keeper._task is not None
        await keeper._task
        assert keeper._task is None
        os.rename("away", store.path)
        keeper.rouse(store)
        await _until_trusted(store)
        keeper.stop()

    asyncio.run(asked())
    assert store.refreshed == 2
