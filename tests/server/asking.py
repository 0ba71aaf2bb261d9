"""A client of a running app, for tests of routes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from starlette.testclient import TestClient

from runfolio.server.app import create_app
from runfolio.server.guard import Address
from runfolio.server.served import serve_all
from runfolio.store.layout import Layout

ADDRESS = Address("127.0.0.1", 2001)


@contextmanager
def client_of(*stores: str | PathLike[str]) -> Iterator[TestClient]:
    """Give a client of an app that serves these stores; addresses without a host are its own."""
    app = create_app(serve_all(Layout(str(store)) for store in stores), address=ADDRESS)
    with TestClient(app, base_url=ADDRESS.url, raise_server_exceptions=False) as client:
        yield client
