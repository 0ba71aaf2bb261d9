"""HTTP/1.1 as uvicorn and h11 speak it, with what they leave open: how long a request may take to come, how many connections there may be, and that
an answer to what is no HTTP bears our headers too.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from runfolio.server import limits, log
from runfolio.server.answers import encoded
from runfolio.server.errors import Refused
from runfolio.server.headers import NO_STORE, Policy, headers_of

_BROKEN = Refused(400, "NoHttp", "this is no HTTP that a server can rely on")
_TOO_MANY_BYTES = Refused(431, "HeadTooLarge", f"the headers have more than {limits.HEAD_BYTES_MAX:,} bytes")
_TOO_SLOW = Refused(408, "TooSlow", f"the headers took more than {limits.HEAD_TIMEOUT_S:g} s")
_TOO_MANY = Refused(
    503, "Busy", f"there are {limits.CONNECTIONS_MAX} connections already; close some windows, then try again"
)
_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class Protocol(H11Protocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > limits.CONNECTIONS_MAX:
            self._refuse(_TOO_MANY)
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop("_head_timer")
        self._stop("_write_timer")
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._await_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_head()

    # ---------------------------------------------------------------- time

    def _await_head(self) -> None:
        """Let the clock run while a request has begun to come and its headers are not complete, or none has come on a fresh connection."""
        waiting = self.conn.their_state is h11.IDLE and (bool(self.conn.trailing_data[0]) or self.cycle is None)
        if not waiting or self.transport.is_closing():
            self._stop("_head_timer")
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(limits.HEAD_TIMEOUT_S, self._head_is_late)

    def _head_is_late(self) -> None:
        if self.conn.trailing_data[0]:
            self._refuse(_TOO_SLOW)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(limits.WRITE_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop("_write_timer")

    def _stop(self, name: str) -> None:
        timer: asyncio.TimerHandle | None = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)

    # ---------------------------------------------------------------- refusing

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; uvicorn calls this while it handles h11's error."""
        hint = getattr(sys.exc_info()[1], "error_status_hint", 400)
        self._refuse(_TOO_MANY_BYTES if hint == 431 else _BROKEN)

    def _refuse(self, refusal: Refused) -> None:
        """Answer without the application, and close."""
        log.refused(refusal.status, refusal.kind, {"client": self.client}, refusal.message)
        body = encoded(refusal.body())
        own = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        headers = [*headers_of(Policy.PAGE, NO_STORE), *own]
        response = h11.Response(status_code=refusal.status, headers=headers, reason=_PHRASES[refusal.status].encode())
        try:
            for event in (response, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass  # an answer is under way already; the end of the connection tells enough
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: a request to become a WebSocket is answered as what it is besides, a GET."""
