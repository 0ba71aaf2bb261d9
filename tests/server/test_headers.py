"""Every answer bears the headers of its policy: of all routes, whether they answer or refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from msgspec.structs import fields
from starlette.testclient import TestClient

from runfolio.query.store import Store
from runfolio.server.all_routes import ROUTES
from runfolio.server.app import create_app
from runfolio.server.routing import Route
from runfolio.server.served import Served
from runfolio.store.layout import Layout
from server.asking import ADDRESS, client_of
from server.filling import fill, store_path
from server.serving import serving

T = TypeVar("T")
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; frame-src 'self'; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
PAGES = [
    "/",
    "/store/runs",
    "/store/run/00000000",
    "/store/compare",
    "/store/seeds",
    "/health",
    "/nothing",
    "/store/nothing",
]


class Failing(Served):
    """A store of which every question fails by a mistake of ours."""

    async def ask(self, act: Callable[[Store], T]) -> T:
        raise ZeroDivisionError("a mistake with a /path/of/ours in it")


def address_of(route: Route, run: str) -> str:
    return route.path.replace("{store}", "store").replace("{run}", run)


def check(answer: Any) -> None:
    """See that an answer bears what it must."""
    headers = answer.headers
    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS
    policy = headers["content-security-policy"]
    assert policy in (PAGE, SANDBOX)
    assert headers.get("x-frame-options") == ("DENY" if policy == PAGE else None)
    assert "()" in headers["permissions-policy"]
    assert "Origin" in headers["vary"]
    assert "server" not in headers
    assert "strict-transport-security" not in headers
    assert not [name for name in headers if name.startswith("access-control-") or name == "set-cookie"]
    if answer.url.path.startswith("/api"):
        assert headers["cache-control"] == "no-store"


def ask(client: TestClient, method: str, path: str) -> Any:
    """Ask, and hear no more than the head of a stream."""
    body = {"content": b"{}", "headers": {"Content-Type": "application/json"}} if method == "POST" else {}
    with client.stream(method, path, **body) as answer:
        return answer


def _query(route: Route) -> str:
    """Give a query with what a route cannot do without."""
    required = [field.name for field in fields(route.asked) if field.required]
    return "?" + "&".join(f"{name}={'0' * 8}" for name in required) if required else ""


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if "event-stream" not in route.type], ids=lambda one: f"{one.method} {one.path}"
)
def test_headers_of_every_route(route: Route) -> None:
    """200 or what is asked wrongly, 404, 405 and 500 of each route bear the headers."""
    run = fill(1)[0]
    other = "DELETE"
    with client_of(store_path()) as client:
        check(ask(client, route.method, address_of(route, run)))
        missing = ask(client, route.method, address_of(route, "0" * 32).replace("/store/", "/none/"))
        assert missing.status_code in ((404,) if "{store}" in route.path else (200, 404)) or missing.status_code == 400
        check(missing)
        refused = ask(client, other, address_of(route, run))
        assert (refused.status_code, refused.headers["allow"].split(", ")[0]) == (405, route.method)
        check(refused)
    failing = create_app([Failing(Layout(str(store_path())), "store")], address=ADDRESS)
    with TestClient(failing, base_url=ADDRESS.url, raise_server_exceptions=False) as client:
        answer = ask(client, route.method, f"{address_of(route, run)}{_query(route)}")
        assert answer.status_code == (500 if "{store}" in route.path or "stores" in route.path else 200)
        check(answer)


def test_a_mistake_of_ours_is_told_without_its_facts() -> None:
    """A 500 says that it is our mistake, without the traceback, the message or a path."""
    fill(1)
    failing = create_app([Failing(Layout(str(store_path())), "store")], address=ADDRESS)
    with TestClient(failing, base_url=ADDRESS.url, raise_server_exceptions=False) as client:
        answer = client.get("/api/v1/stores/store/runs")
        assert answer.status_code == 500
        assert answer.json()["error"]["kind"] == "Mistake"
        assert "path" not in answer.text and "Traceback" not in answer.text
        check(answer)


@pytest.mark.parametrize("path", PAGES)
def test_headers_of_pages(path: str) -> None:
    """Pages, files and what is no page bear the headers, for each method."""
    fill(1)
    with client_of(store_path()) as client:
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            answer = client.request(method, path)
            assert answer.status_code in ((200, 404) if method in ("GET", "HEAD") else (405, 404))
            check(answer)


def test_headers_of_what_is_no_http() -> None:
    """What never reaches the application is answered with the headers too."""
    with serving() as server:
        for raw in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000):
            heard = server.send(raw)
            assert heard.status in (400, 431)
            told = dict(heard.headers)
            assert {name: told.get(name) for name in ALWAYS} == ALWAYS
            assert told["content-security-policy"] == PAGE
            assert "server" not in told
