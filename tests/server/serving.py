"""A real server on a free port, asked through bare sockets: clients put an attack in order before they send it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any, NamedTuple

from runfolio.server.guard import Address
from runfolio.server.serve import listen, server_of
from runfolio.server.served import serve_all
from runfolio.store.layout import Layout

PATIENCE_S = 30.0
REFUSALS = {400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 416, 421, 422, 429, 431, 503, 507}


class Heard(NamedTuple):
    """An answer as it came over the line."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The kind of an error."""
        return str(self.json["error"]["kind"])


class Serving(NamedTuple):
    """A server that runs."""

    address: Address

    @property
    def host(self) -> str:
        return f"{self.address.host}:{self.address.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection((self.address.host, self.address.port), PATIENCE_S)

    def send(self, raw: bytes) -> Heard:
        """Send these bytes on a connection of their own, and hear the first answer."""
        with self.connect() as line:
            try:
                line.sendall(raw)
            except OSError:
                pass  # it was refused before its end
            return hear(line)

    def ask(
        self, target: str = "/health", headers: dict[str, str] | None = None, method: str = "GET", body: bytes = b""
    ) -> Heard:
        """Ask with exactly these headers beside Host, which they may overrule."""
        found = {"Host": self.host, "Connection": "close", **(headers or {})}
        if body and "Content-Length" not in found:
            found["Content-Length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in found.items())]
        return self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


def hear(line: socket.socket) -> Heard:
    """Read one answer; nothing at all is status 0."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        part = _receive(line)
        if not part:
            return Heard(0, [], raw)
        raw += part
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (one.partition(":") for one in lines)]
    length = next((int(value) for name, value in headers if name == "content-length"), None)
    while length is None or len(body) < length:
        part = _receive(line)
        if not part:
            break
        body += part
    return Heard(int(first.split(" ")[1]), headers, body)


def _receive(line: socket.socket) -> bytes:
    try:
        return line.recv(65536)
    except ConnectionResetError:
        return b""


@contextmanager
def serving(*stores: str | PathLike[str]) -> Iterator[Serving]:
    """Serve these stores on a free port, on a thread."""
    made, address = listen(port=_free_port())
    server = server_of(serve_all(Layout(str(store)) for store in stores), address)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [made]})
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield Serving(address)
    finally:
        server.end()
        thread.join(PATIENCE_S)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.005)
