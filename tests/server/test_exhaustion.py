"""Attacks by size, number and slowness: each is refused within its bound, and others are answered meanwhile."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from itertools import product

import pytest

from runfolio.server import limits
from server.filling import add_run, fill, store_path
from server.serving import REFUSALS, Serving, hear, serving, wait_for

STORE = "/api/v1/stores/store"
JSON = {"Content-Type": "application/json"}
EDITS = f"{STORE}/edits"


@pytest.fixture
def server() -> Iterator[Serving]:
    fill(2)
    with serving(store_path()) as one:
        yield one


def head(server: Serving, *lines: str, method: str = "POST", target: str = EDITS) -> bytes:
    """Write the head of a request."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {server.host}", *lines, "", ""]).encode()


def is_closed(line: socket.socket) -> bool:
    """Wait until the server has closed a connection."""
    try:
        while line.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


# ---------------------------------------------------------------- A44: bodies, heads, connections


def test_A44_told_length(server: Serving) -> None:
    """A44: a body that says it is too large, or says no number, is refused before a byte of it is read."""
    for length in ("1000000000000", str(10**30), str(limits.BODY_BYTES_MAX + 1), "-1", "1e3", "0x10", "١"):
        heard = server.send(head(server, "Content-Type: application/json", f"Content-Length: {length}"))
        assert heard.status in (400, 413), length


def test_A44_lying_length(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A44: a body shorter than it says is waited for no longer than its time."""
    monkeypatch.setattr(limits, "BODY_TIMEOUT_S", 0.1)
    assert server.ask(EDITS, {**JSON, "Content-Length": "50"}, "POST", b"{}").status == 408


def test_A44_endless_chunks(server: Serving) -> None:
    """A44: a body of ever more chunks is refused at its bound, and the connection closed."""
    with server.connect() as line:
        line.sendall(head(server, "Content-Type: application/json", "Transfer-Encoding: chunked"))
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        sent = 0
        try:
            while sent < 64 * limits.BODY_BYTES_MAX:
                line.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
        assert sent < 64 * limits.BODY_BYTES_MAX


def test_A44_slowloris(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A44: many requests that come a byte at a time are let go after their time, however often a byte comes; others are answered."""
    monkeypatch.setattr(limits, "HEAD_TIMEOUT_S", 0.3)
    lines = [server.connect() for _ in range(50)]
    try:
        for line in lines:
            line.sendall(b"GET /health HTTP/1.1\r\nHost: ")
        assert server.ask().body == b"ok"
        heard = [hear(line) for line in lines]
        assert {one.status for one in heard} == {408}
        assert all(is_closed(line) for line in lines)
    finally:
        for line in lines:
            line.close()


def test_A44_a_byte_now_and_then(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A44: bytes that keep coming do not move the end of the time for a head."""
    monkeypatch.setattr(limits, "HEAD_TIMEOUT_S", 0.3)
    with server.connect() as line:
        line.settimeout(0.02)
        heard = b""
        for byte in b"GET /health HTTP/1.1\r\n" + b"X: " + b"a" * 5000:
            try:
                line.sendall(bytes([byte]))
                heard += line.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
            break
        assert heard.startswith(b"HTTP/1.1 408 ")


def test_A44_silent_connections(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A44: a connection on which nothing comes is closed, without a word."""
    monkeypatch.setattr(limits, "HEAD_TIMEOUT_S", 0.05)
    with server.connect() as line:
        assert hear(line) == (0, [], b"")


def test_A44_a_client_that_takes_nothing(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A44: a client that asks for much and takes none of it is let go after its time."""
    monkeypatch.setattr(limits, "WRITE_TIMEOUT_S", 0.2)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect((server.address.host, server.address.port))
        line.settimeout(0.05)
        asked = head(server, method="GET", target="/api/openapi.json")

        def is_let_go() -> bool:
            try:
                line.sendall(asked * 50)
            except TimeoutError:
                return False
            except OSError:
                return True
            return False

        wait_for(is_let_go)


def test_A44_heads(server: Serving) -> None:
    """A44: too many headers, too large a one and too long an address are refused."""
    many = "\r\n".join(f"X-{number}: 1" for number in range(200))
    assert server.send(head(server, many, method="GET", target="/health")).status == 431
    hundred_thousand = "\r\n".join(f"X-{number}: 1" for number in range(100_000))
    assert server.send(head(server, hundred_thousand, method="GET", target="/health")).status == 431
    assert server.send(head(server, "X: " + "a" * (1 << 20), method="GET", target="/health")).status == 431
    assert server.ask("/health?" + "a" * limits.TARGET_BYTES_MAX).status == 414
    assert server.ask("/" + "a" * (1 << 20)).status == 431
    assert server.ask().body == b"ok"


def test_A44_pipelined_flood(server: Serving) -> None:
    """A44: requests sent one behind the other are answered one by one, in order; none is begun before the last is done."""
    with server.connect() as line:
        line.sendall(head(server, method="GET", target="/health") * 100)
        heard = b""
        while heard.count(b"\r\n\r\nok") < 100:
            heard += line.recv(65536)
        assert heard.count(b"HTTP/1.1 200") == 100


def test_A44_get_with_a_body(server: Serving) -> None:
    """A44: a body where none belongs is refused, and what is left of it is not waited for."""
    for target, told in product(
        ("/", "/health", "/api/v1/stores", "/nothing"), ("Content-Length: 1000000", "Transfer-Encoding: chunked")
    ):
        with server.connect() as line:
            line.sendall(head(server, told, method="GET", target=target))
            assert hear(line).status == 400
            assert is_closed(line)


# ---------------------------------------------------------------- A45: packed bodies


def test_A45_packed_bodies(server: Serving) -> None:
    """A45: a packed body is never unpacked, so it cannot grow."""
    body = gzip.compress(gzip.compress(b"0" * 10_000_000))
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "GZIP"):
        assert server.ask(EDITS, {**JSON, "Content-Encoding": coding}, "POST", body).status == 415, coding


def test_A45_packed_transfer(server: Serving) -> None:
    """A45: nor is one that is packed on its way."""
    packed = zlib.compress(b"{}")
    heard = server.ask(EDITS, {**JSON, "Transfer-Encoding": "gzip, chunked", "Content-Length": "8"}, "POST", packed)
    assert heard.status in (400, 413, 415, 501)


# ---------------------------------------------------------------- A46: JSON

BODIES = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "17 levels": b'{"runs": ' + b"[" * 17 + b"]" * 17 + b"}",
    "long int": b'{"name": ' + b"9" * 5000 + b"}",
    "beyond float": b'{"name": 1e400}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "twice": b'{"q": "lr == 1", "q": "lr == 2", "deleted": true}',
    "surrogate": b'{"q": "name == 1", "notes": "\\ud800"}',
    "surrogate key": b'{"q": "", "add_tags": {"\\udc00": "x"}}',
    "BOM": b"\xef\xbb\xbf{}",
    "UTF-16": '{"q": ""}'.encode("utf-16"),
    "no UTF-8": b'{"q": "\xff"}',
    "raw control": b'{"q": "\x00"}',
    "trailing": b'{"q": ""} x',
    "comment": b'{"q": "" /* */}',
    "single quotes": b"{'q': ''}",
    "nothing": b" ",
    "list": b"[]",
    "text": b'"x"',
    "unknown": b'{"q": "", "deleted": true, "constructor": 1}',
    "wrong kind": b'{"runs": "00000000", "deleted": true}',
    "many keys": json.dumps({str(number): 1 for number in range(100_000)}).encode(),
    "half": b'{"q": "',
}


def test_A46_json(server: Serving) -> None:
    """A46: what is no strict JSON, or not what the route takes, is refused with 400 or 413, and changes nothing."""
    for name, body in BODIES.items():
        heard = server.ask(EDITS, JSON, "POST", body)
        assert heard.status in (400, 413), name
        assert heard.json["error"]["message"].isprintable(), name
    assert server.ask(f"{STORE}/runs").json["total"] == 2


def test_A46_text_of_a_gigabyte(server: Serving) -> None:
    """A46: a text of more bytes than a body may have is refused before it is read."""
    heard = server.ask(EDITS, {**JSON, "Content-Length": str(1 << 30)}, "POST", b'{"q": "' + b"a" * 1000)
    assert heard.status == 413


# ---------------------------------------------------------------- A48: much asked at once


ODD_QUESTIONS = [
    "limit=1000000000",
    "limit=1001",
    "limit=-1",
    "limit=99999999999999999999999",
    "offset=-1",
    "offset=1.5",
    "limit=1&limit=2",
    "limit=nan",
    "limit=",
    "limit=null",
    "&".join(f"column=params.k{number}" for number in range(501)),
    "&".join(["a=1"] * 1001),
    "runs=" + ",".join(["0" * 8] * 1001),
    "runs=00000000,,",
    "runs=latest",
    "q=" + "a" * 16_385,
    "unknown=1",
    "q=%",
    "q=%zz",
    "q=%ff",
    "q=%00",
    "archived=2",
]


def test_A48_bounds(server: Serving) -> None:
    """A48: what is beyond a bound, stands twice or makes no sense is refused; nothing is cut down in silence."""
    for asked in ODD_QUESTIONS:
        assert server.ask(f"{STORE}/runs?{asked}").status == 400, asked[:40]


def test_A48_patterns(server: Serving) -> None:
    """A48: a pattern with many stars and a long text are matched without backtracking; a pattern beyond its bound is refused."""
    add_run("a" * 5000)
    stars = "*a" * 100 + "b"
    assert server.ask(f"{STORE}/runs?q=name%20like%20%22{stars}%22").json["total"] == 0
    assert server.ask(f"{STORE}/runs?q=name%20like%20%22{'*a' * 5000}%22").status == 400
    assert server.ask(f"{STORE}/runs?q=name%20like%20%22(a%2B)%2B$%22").json["total"] == 0


def test_A48_a_page_far_out(server: Serving) -> None:
    """A48: a window behind the end is empty, and costs nothing."""
    told = server.ask(f"{STORE}/runs?offset=1000000").json
    assert (told["total"], told["ids"]) == (2, [])


# ---------------------------------------------------------------- A49: large names, many of them


def test_A49_large_names(server: Serving) -> None:
    """A49: a name as long as it may be, and many params and tags, are shown whole; longer ones are refused at the edit."""
    name = "n" * 16_384
    run = add_run(
        name, {f"k{number}": number for number in range(3000)}, tags={f"t{number}": "v" for number in range(1000)}
    )
    told = server.ask(f"{STORE}/runs/{run}").json
    assert (told["name"], len(told["params"]), len(told["tags"])) == (name, 3000, 1000)
    body = json.dumps({"runs": [run], "name": "9" * 1_000_000}).encode()
    assert server.ask(EDITS, JSON, "POST", body).status == 400
    body = json.dumps({"runs": [run], "add_tags": {f"x{number}": "" for number in range(50_000)}}).encode()
    assert server.ask(EDITS, JSON, "POST", body).status == 400


# ---------------------------------------------------------------- A53: sockets


def test_A53_too_many_connections(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A53: beyond the bound a connection is told so at once, with 503; when others close, there is room again."""
    monkeypatch.setattr(limits, "CONNECTIONS_MAX", 20)
    idle = [server.connect() for _ in range(20)]
    try:
        wait_for(lambda: _status(server) == 503)
        idle.pop().close()
        wait_for(lambda: _status(server) == 200)
    finally:
        for line in idle:
            line.close()


def _status(server: Serving) -> int:
    return server.ask().status


def test_A53_idle_streams(server: Serving) -> None:
    """A53: beyond the bound a stream is refused with 503, while pages and questions are answered; a stream that closes makes room."""
    target = f"{STORE}/live"
    streams = []
    try:
        for _ in range(limits.STREAMS_MAX):
            line = server.connect()
            line.sendall(head(server, "Accept: text/event-stream", method="GET", target=target))
            assert line.recv(4096).startswith(b"HTTP/1.1 200")
            streams.append(line)
        assert server.ask(target).status == 503
        assert server.ask().body == b"ok"
        assert server.ask(f"{STORE}/runs").status == 200
        streams.pop().close()

        def opens() -> bool:
            with server.connect() as line:
                line.sendall(head(server, method="GET", target=target))
                return line.recv(4096).startswith(b"HTTP/1.1 200")

        wait_for(opens)
    finally:
        for line in streams:
            line.close()


def test_refusals_are_of_the_list(server: Serving) -> None:
    """Whatever is refused has a status of the agreed list."""
    for target, method in (
        ("/x", "GET"),
        ("/", "POST"),
        (EDITS, "GET"),
        (EDITS, "PUT"),
        ("/health", "DELETE"),
        ("/", "TRACE"),
    ):
        assert server.ask(target, method=method).status in REFUSALS
