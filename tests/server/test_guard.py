"""Attacks of web pages: what does not come from here is refused, whatever it looks like."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from itertools import product

import pytest

from server.filling import fill, store_path
from server.serving import Serving, serving

STORE = "/api/v1/stores/store"


@pytest.fixture
def server() -> Iterator[Serving]:
    fill(2)
    with serving(store_path()) as one:
        yield one


def test_A24_reflected_text_is_no_page(server: Serving) -> None:
    """A24: what a request says comes back in JSON that no browser takes for a page, and no header of it comes back at all."""
    script = "<script>alert(1)</script>"
    for heard in (
        server.ask("/%3Cscript%3Ealert(1)%3C/script%3E"),
        server.ask(f"{STORE}/runs?q=%3Cscript%3Ealert(1)%3C/script%3E"),
        server.ask(f"{STORE}/runs?%3Cscript%3E=1"),
        server.ask(f"{STORE}/edits", {"Content-Type": script}, "POST", b"{}"),
    ):
        assert heard.status in (400, 404, 415)
        assert heard.header("content-type") == "application/json"
        assert heard.header("x-content-type-options") == "nosniff"
        assert all(script not in value for _, value in heard.headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain", "Origin": "https://evil.example"}, 403),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=a"}, 415),
        ({}, 415),
    ],
    ids=["fetch", "other-port", "origin", "null", "form-as-tab", "text", "form", "multipart", "nothing"],
)  # fmt: skip
def test_A26_csrf(server: Serving, headers: dict[str, str], status: int) -> None:
    """A26: what another site, a form or a no-cors fetch can send changes nothing."""
    body = b'{"runs": ["00000000"], "deleted": true}'
    heard = server.ask(f"{STORE}/edits", headers, "POST", body)
    assert heard.status in (status, 404)
    if heard.status == 404:  # the guard comes before the routes: only what it let pass gets so far
        assert status == 415
    assert server.ask(f"{STORE}/runs").json["total"] == 2


@pytest.mark.parametrize("target", ["/edits", "/undo", "/runs/00000000/delete"])
def test_A26_no_get_changes_anything(server: Serving, target: str) -> None:
    """A26: an image or a link asks by GET, which no route that changes something takes."""
    heard = server.ask(STORE + target, {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"})
    assert heard.status in (404, 405)


ORIGINS = [
    "https://evil.example",
    "null",
    "http://localhost:9999",
    "http://localhost.evil.com",
    "http://127.0.0.1.nip.io",
    "http://127.0.0.1:1",
    "http://evil#@localhost",
    "https://{host}",
    "http://{host}.evil.com",
    "http://{host}@evil.com",
    "http://{host} http://evil.com",
    "",
]


def test_A27_cors(server: Serving) -> None:
    """A27: no other origin may read an answer, nor ask in advance whether it may."""
    for origin in ORIGINS:
        _check_cors(server, origin)


def _check_cors(server: Serving, origin: str) -> None:
    told = {"Origin": origin.format(host=server.host)}
    for heard in (
        server.ask(f"{STORE}/runs", told),
        server.ask("/", told),
        server.ask(f"{STORE}/runs", {**told, "Access-Control-Request-Method": "POST"}, "OPTIONS"),
    ):
        assert heard.status == 403
        assert not [name for name, _ in heard.headers if name.startswith("access-control-")]
        assert "Origin" in (heard.header("vary") or "")


def test_A27_own_origin_passes(server: Serving) -> None:
    """A27: the app's own pages ask by any of the names that the server answers to."""
    for host in (server.host, f"localhost:{server.address.port}", f"[::1]:{server.address.port}"):
        told = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        heard = server.ask("/api/v1/stores", told)
        assert heard.status == 200
        assert not [name for name, _ in heard.headers if name.startswith("access-control-")]


HOSTS = [
    "evil.com:{port}",
    "evil.com",
    "10.evil.com:{port}",
    "192.168.evil.com",
    "localhost.:{port}",
    "LOCALHOST:{port}",
    "localhost",
    "127.0.0.1:99999",
    "127.0.0.1",
    "127.1:{port}",
    "0.0.0.0:{port}",
    "2130706433:{port}",
    "[::ffff:127.0.0.1]:{port}",
    "127.0.0.1:{port}.evil.com",
    "evil.com@127.0.0.1:{port}",
    "",
]


def test_A28_dns_rebinding(server: Serving) -> None:
    """A28: a name that is not exactly one of ours is refused everywhere, with a fitting origin too."""
    for host, target in product(HOSTS, ["/", "/health", "/api/v1/stores", "/assets/x.js"]):
        name = host.format(port=server.address.port)
        assert server.ask(target, {"Host": name}).status == 421, name
        assert server.ask(target, {"Host": name, "Origin": f"http://{name}"}).status == 421, name


def test_A28_odd_hosts(server: Serving) -> None:
    """A28: no host, two hosts, a target with a host of its own, and what a proxy would say, gain nothing."""
    own = server.host.encode()
    assert server.send(b"GET /health HTTP/1.1\r\n\r\n").status == 400
    assert server.send(b"GET /health HTTP/1.0\r\n\r\n").status == 421
    assert server.send(b"GET /health HTTP/1.1\r\nHost: " + own + b"\r\nHost: evil.com\r\n\r\n").status in (400, 421)
    assert server.send(b"GET http://evil.com/health HTTP/1.1\r\nHost: evil.com\r\n\r\n").status == 421
    assert server.send(b"GET http://evil.com/api/v1/stores HTTP/1.1\r\nHost: " + own + b"\r\n\r\n").status == 400
    for name in ("X-Forwarded-Host", "X-Host", "Forwarded"):
        assert server.ask("/health", {"Host": "evil.com", name: server.host}).status == 421
        assert server.ask("/health", {name: "evil.com"}).body == b"ok"


def test_A29_host_poisons_no_path(server: Serving) -> None:
    """A29: what stands in Host never becomes part of the path that is judged."""
    for host in ("a/health?x=", "a:b@c/login", "{host}/health", "{host}?", "{host}#", "{host}\\x"):
        assert server.ask(f"{STORE}/runs", {"Host": host.format(host=server.host)}).status in (400, 421)


SHAPES = [
    "//api/v1/stores",
    "/API/v1/stores",
    "/api/./v1/stores",
    "/x/..;/api/v1/stores",
    "/%2fapi/v1/stores",
    "/api/v1/stores/",
    "/api%2fv1%2fstores",
    "/assets/../api/v1/stores",
    "\\api\\v1\\stores",
    "/api/v1/stores%00",
    "/api/v1/stores/store%2fruns",
    "/api/v1/stores/%2e%2e/stores",
]


def test_A29_one_shape_of_a_path(server: Serving) -> None:
    """A29: a path in any other shape is another path: there is none, also from where the plain one is refused."""
    for target in SHAPES:
        heard = server.ask(target)
        assert heard.status in (400, 404)
        assert server.ask(target, {"Sec-Fetch-Site": "cross-site"}).status in (400, 403)
    assert server.ask("/", {"X-Original-URL": "/api/v1/stores", "X-HTTP-Method-Override": "DELETE"}).body[:1] != b"{"


def test_A30_no_frame(server: Serving) -> None:
    """A30: no page may be framed; a browser that tells of a frame is refused before."""
    heard = server.ask("/")
    assert "frame-ancestors 'none'" in (heard.header("content-security-policy") or "")
    assert heard.header("x-frame-options") == "DENY"
    framed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert server.ask("/", framed).status == 403
    tab = {**framed, "Sec-Fetch-Dest": "document"}
    assert server.ask("/", tab).status == 200


@pytest.mark.parametrize("next_", ["//evil.com", "https:evil.com", "/\\evil.com", "%2f%2fevil.com", "/%09/evil.com"])
def test_A31_no_redirect(server: Serving, next_: str) -> None:
    """A31: no answer leads anywhere else."""
    for target in (f"/?next={next_}", f"/login?next={next_}", f"/{next_}", f"/{next_}/.."):
        heard = server.ask(target)
        assert heard.status in (200, 400, 404)
        assert heard.header("location") is None


@pytest.mark.parametrize("target", ["/", f"{STORE}/live", "/ws"])
def test_A32_no_hijacked_stream(server: Serving, target: str) -> None:
    """A32: neither a WebSocket nor an event stream opens for another site."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZQ==",
    }
    assert server.ask(target, {**upgrade, "Origin": "https://evil.example"}).status == 403
    stream = {
        "Accept": "text/event-stream",
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Dest": "empty",
    }
    assert server.ask(target, {**stream, "Origin": "https://evil.example"}).status == 403
    assert server.ask("/ws", {**upgrade, "Origin": f"http://{server.host}"}).status != 101


def test_A33_log_lines(server: Serving) -> None:
    """A33: each refused request is one line of JSON in ASCII, whatever it holds; control characters are escaped."""
    lines: list[str] = []
    watching = logging.Handler()
    watching.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("runfolio.server").addHandler(watching)
    try:
        hostile = "%0d%0aHTTP/1.1 200 OK%1b]52;c;evil%07%e2%80%ae".replace(" ", "%20")
        server.ask(f"/api/v1/{hostile}", {"Sec-Fetch-Site": "cross-site"})
        server.ask(f"{STORE}/runs?{hostile}=1")
        server.ask(f"{STORE}/runs?q=%1b%5b2J")
        server.ask("/api/\x7f\xff")
    finally:
        logging.getLogger("runfolio.server").removeHandler(watching)
    assert len(lines) == 4
    for line in lines:
        assert line.isascii() and line.isprintable()
        assert {"time", "status", "kind", "method", "path", "client", "message"} <= json.loads(line).keys()


def test_A33_names_of_headers(server: Serving) -> None:
    """A33: a line break in a parameter becomes no header of an answer."""
    heard = server.ask(f"{STORE}/runs?column=a%22%0d%0aSet-Cookie:%20x=1")
    assert heard.status == 400
    assert heard.header("set-cookie") is None
