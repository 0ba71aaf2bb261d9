"""The ASGI application: guard, find the route, read what is asked, act, answer. Every answer goes out by `_send`.

How a route is written (routes/stores.py is the pattern):

- One noun per file in `routes/`, which exports `ROUTES`, a list of `Route`. Its module stands in `_MODULES` of all_routes.py; there is no other
  register. They are loaded after the server listens.
- Its parameters are a frozen struct: `class CurvesAsked(Chosen, frozen=True, kw_only=True, forbid_unknown_fields=True)`. A field is a
  parameter; a tuple takes a repeated one (`metric: tuple[Name, ...] = ()`); bounds stand in `Annotated[int, Meta(ge=1, le=limits.BUCKETS_MAX)]`.
  `Chosen` adds runs, q, archived and deleted, which `served.chosen(store, call.asked)` turns into runs. What is unknown, twice or out of bounds
  is refused before the route is called.
- The body of a POST is a struct with `forbid_unknown_fields=True`, given as `body=`. Content type, size, origin and strictness are checked here.
- `async def curves(call: Call[CurvesAsked, None]) -> Answer` asks the store on a thread. Do all that takes longer than a millisecond there, the
  encoding of big answers too: `return await call.ask(lambda store: as_json(_facts(store, call.asked)))`.
- Give `as_json(value)` of a struct or plain values (times by `time_ms`, in ms), or `Answer(bytes, "application/vnd.runfolio.frame")`, or a
  stream: `Answer(async_iterator, "text/event-stream")`. `policy=Policy.SANDBOX` for bytes of artifacts.
- Refuse by raising: our own errors (`UsageError` 400, `NotFound` 404, `FilterError` 400 with its column …) become answers by errors.py;
  `Refused(status, kind, message)` says any other.
- `gives=` is the struct of the answer, or `type=` its media type; openapi.json is made from the same declarations. `dict[str, Any]` is for
  what is free.
- In a test: `client_of(store_path)` of tests/server/asking.py is a client of a running app.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from runfolio.server import limits, log
from runfolio.server.ahead import asked_ahead
from runfolio.server.answers import Answer, encoded, packable, packed
from runfolio.server.asked import body_of, plain_query, query_of
from runfolio.server.errors import Refused, nonsense, nothing_there, refusal_of
from runfolio.server.guard import Address, Guard
from runfolio.server.headers import TURN, headers_of
from runfolio.server.routing import Call, Route, Table, not_allowed, split
from runfolio.server.served import Desk, Served
from runfolio.server.static import Files, encodings_of, is_page

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def create_app(served: Sequence[Served], *, address: Address, ui_folder: Path | None = None) -> App:
    """Make the application.

    Args:
        served: the stores.
        address: where it listens; it answers to no other name.
        ui_folder: the built app; default: the one in the package.
    """
    return App(served, address, ui_folder)


class App:
    """The ASGI application.

    Contract: on one event loop. Stores are opened when it starts, after the server listens.
    """

    def __init__(self, served: Sequence[Served], address: Address, ui_folder: Path | None) -> None:
        self._served = {one.name: one for one in served}
        self._guard = Guard(address)
        self._paths = {one.layout.root: one.name for one in served}
        self._files = Files(ui_folder)
        self._desk = Desk()
        self._table: asyncio.Future[Table]
        self._readying: asyncio.Future[None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    # ---------------------------------------------------------------- start and end

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._table = asyncio.ensure_future(asyncio.to_thread(_load))
                for one in self._served.values():
                    one.begin(self._desk)
                self._readying = asyncio.ensure_future(self._ready())
                await send({"type": "lifespan.startup.complete"})
            else:
                self._readying.cancel()
                self._desk.close()
                for one in self._served.values():
                    one.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _ready(self) -> None:
        """Let the first store be ready for its first page; what fails here, the page's own question meets and tells."""
        await asyncio.shield(self._table)
        from runfolio.server.routes.overview import ready  # with the table

        for one in list(self._served.values())[:1]:
            while True:
                try:
                    known = await one.follow(ready)
                except Refused as refusal:
                    if refusal.kind == "Opening":
                        continue  # it waits a while each time
                except Exception as error:
                    logging.getLogger("runfolio.server").info("%s is not ready ahead", one.name, exc_info=error)
                else:
                    one.first_chart = one.first_chart or known
                break

    # ---------------------------------------------------------------- a request

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._act(scope, receive)
        except Exception as error:
            answer = self._refusal(error, scope)
        await self._send(answer, scope, receive, send)

    def _refusal(self, error: Exception, scope: Scope) -> Answer:
        refusal = refusal_of(error, self._paths)
        log.refused(refusal.status, refusal.kind, scope, refusal.message)
        if refusal.status == 500:
            logging.getLogger("runfolio.server").error("a mistake of ours", exc_info=error)
        headers = list(refusal.headers)
        if _has_body(scope):
            headers.append(("Connection", "close"))  # what is left of the body is not waited for
        return Answer(encoded(refusal.body()), status=refusal.status, headers=headers)

    async def _act(self, scope: Scope, receive: Receive) -> Answer:
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        in_api = raw_path.startswith((b"/api", b"/health"))
        self._guard.check(scope, page=not in_api)
        _check_size(scope, raw_path)
        parts = split(raw_path.partition(b"?")[0])
        method: str = scope["method"]
        if method != "POST" and _has_body(scope):
            raise nonsense(f"a {method} has no body")
        if parts[:1] == ["api"]:
            route, path = (await asyncio.shield(self._table)).find(method, parts)
            call = await self._call(route, path, scope, receive)
            if route.gives is None or "store" not in path:
                return await route.act(call)
            turn = await call.known_turn()
            answer = await route.act(call)
            answer.headers.append((TURN, turn))
            return answer
        if method not in ("GET", "HEAD"):
            raise not_allowed(["GET", "HEAD"])
        if parts == ["health"]:
            return Answer(b"ok", "text/plain; charset=utf-8")
        return await self._page(parts, scope)

    async def _page(self, parts: list[str], scope: Scope) -> Answer:
        """Give a page or a file of the app; a plain page where it is not built."""
        built, encodings = self._files.built, encodings_of(scope["headers"])
        if is_page(parts):
            if built:
                charts = {name: one.first_chart for name, one in self._served.items()}
                return self._files.page(encodings, asked_ahead(parts, scope["query_string"], charts))
            from runfolio.server import plain_pages

            return await plain_pages.page(parts, plain_query(scope["query_string"]), self._served)
        found = self._files.file(parts, encodings) if built else None
        if found is None:
            raise nothing_there("there is no such page; / leads to the runs")
        return found

    async def _call(self, route: Route, path: dict[str, str], scope: Scope, receive: Receive) -> Call[Any, Any]:
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        body = await self._body(route, headers, receive)
        return Call(query_of(scope["query_string"], route.asked), body, path, headers, self._served, self._desk)

    async def _body(self, route: Route, headers: dict[str, str], receive: Receive) -> Any:
        if route.body is None:
            return None
        if headers.get("content-type", "").lower().replace(" ", "") not in _JSON_TYPES:
            raise Refused(415, "NotJson", "send Content-Type: application/json")
        if headers.get("content-encoding", "identity") != "identity":
            raise Refused(415, "Packed", "send the body as it is, without Content-Encoding")
        return body_of(await _read(headers, receive), route.body)

    # ---------------------------------------------------------------- an answer

    async def _send(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        body = answer.body
        headers = headers_of(answer.policy, answer.cache)
        headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        headers.append((b"content-type", answer.type.encode("latin-1")))
        if isinstance(body, bytes):
            if "gzip" in encodings_of(scope["headers"]) and len(body) >= limits.GZIP_LEAST_BYTES and packable(answer):
                body = await self._packed(body)
                headers.append((b"content-encoding", b"gzip"))
            headers.append((b"content-length", b"%d" % len(body)))
        elif answer.length is not None:
            headers.append((b"content-length", b"%d" % answer.length))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if isinstance(body, bytes):
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        else:
            await _stream(body, scope, receive, send)

    async def _packed(self, body: bytes) -> bytes:
        if len(body) < _AT_ONCE:
            return packed(body)
        return await asyncio.to_thread(packed, body)


_JSON_TYPES = ("application/json", "application/json;charset=utf-8")
_AT_ONCE = 64 << 10


async def _read(headers: dict[str, str], receive: Receive) -> bytes:
    """Read a body, within its bound in bytes and in time.

    Raises:
        Refused: 408 or 413.
    """
    too_large = Refused(413, "TooLarge", f"a body has at most {limits.BODY_BYTES_MAX:,} bytes")
    told = headers.get("content-length", "0")
    if not told.isdecimal() or len(told) > 12 or int(told) > limits.BODY_BYTES_MAX:
        raise too_large
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.BODY_TIMEOUT_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "Gone", "the request ended before its body")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limits.BODY_BYTES_MAX:
                    raise too_large
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Refused(408, "TooSlow", f"the body took more than {limits.BODY_TIMEOUT_S:g} s") from None


async def _stream(body: AsyncIterator[bytes], scope: Scope, receive: Receive, send: Send) -> None:
    """Send a stream until it ends or its reader has gone; uvicorn takes what nobody reads any more without a word."""
    tasks = [asyncio.ensure_future(_send_parts(body, scope, send)), asyncio.ensure_future(_gone(receive))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            await tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        close = getattr(body, "aclose", None)
        if close is not None:
            with suppress(Exception):
                await close()


async def _send_parts(body: AsyncIterator[bytes], scope: Scope, send: Send) -> None:
    if scope["method"] != "HEAD":
        async for part in body:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _has_body(scope: Scope) -> bool:
    """Say whether a body comes, or is told to."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


def _check_size(scope: Scope, raw_path: bytes) -> None:
    if len(raw_path) + len(scope["query_string"]) > limits.TARGET_BYTES_MAX:
        raise Refused(414, "TooLong", f"an address has at most {limits.TARGET_BYTES_MAX:,} bytes")
    if len(scope["headers"]) > limits.HEADERS_MAX:
        raise Refused(431, "HeadTooLarge", f"a request has at most {limits.HEADERS_MAX} headers")


def _load() -> Table:
    """Load the routes; some bring numpy, which the first page need not wait for."""
    from runfolio.server.all_routes import ROUTES
    from runfolio.server.openapi import route_of

    return Table([*ROUTES, route_of(ROUTES)])
