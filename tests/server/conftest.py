"""A store with a few runs, and a client of an app that serves it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from server.asking import client_of
from server.filling import fill, store_path


@pytest.fixture
def ids() -> list[str]:
    return fill()


@pytest.fixture
def client(ids: list[str]) -> Iterator[TestClient]:
    with client_of(store_path()) as one:
        yield one
