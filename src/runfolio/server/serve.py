"""Serve on this machine: find a port, listen, then open the stores; end at once when told to."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import uvicorn

from runfolio.errors import UsageError
from runfolio.server import limits
from runfolio.server.app import create_app
from runfolio.server.guard import Address
from runfolio.server.protocol import Protocol
from runfolio.server.served import Served

PORT = 2001
"""The port that is tried first."""
HOSTS = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "::1", "[::1]": "::1"}
"""The hosts that may be told, each with the address that is bound."""
_BACKLOG = 256
_TICK_S = 1.0
"""The header `Date` is written anew so often."""


def listen(host: str = "127.0.0.1", port: int | None = None) -> tuple[socket.socket, Address]:
    """Bind a socket of this machine alone.

    Args:
        port: None for 2001, or any free one where that is taken.

    Raises:
        UsageError: a host that others could reach, or a port that is taken.
    """
    bound = HOSTS.get(host)
    if bound is None:
        raise UsageError(
            f"--host {host!r}: runs are shown on this machine only (127.0.0.1, localhost, ::1), as nobody is asked who they are. "
            "From another machine use ssh -L; a server for a team will come"
        )
    wanted = (PORT, 0) if port is None else (port,)
    for one in wanted:
        try:
            made = _bound(bound, one)
        except OSError as error:
            trouble = error
            continue
        return made, Address(bound, made.getsockname()[1])
    raise UsageError(
        f"port {wanted[-1]} cannot be had: {trouble.strerror}; leave --port out for a free one"
    ) from trouble


def _bound(host: str, port: int) -> socket.socket:
    # The protocol is named: asyncio sends without delay only on sockets that say they are TCP, else each answer after a first one waits 40 ms.
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def serve(
    served: Sequence[Served],
    made: socket.socket,
    address: Address,
    on_start: Callable[[], None] | None = None,
    ui_folder: Path | None = None,
) -> None:
    """Serve until the process is told to end (SIGINT, SIGTERM).

    Args:
        on_start: is called once requests are answered.
    """
    server = server_of(served, address, on_start, ui_folder)
    try:
        server.run(sockets=[made])
    except KeyboardInterrupt:
        pass  # what uvicorn passes on once it has ended


def server_of(
    served: Sequence[Served],
    address: Address,
    on_start: Callable[[], None] | None = None,
    ui_folder: Path | None = None,
) -> Server:
    """Make a server that has not begun."""
    _log_to_stderr()
    config = uvicorn.Config(
        create_app(served, address=address, ui_folder=ui_folder),
        http=Protocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=limits.IDLE_TIMEOUT_S,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=limits.HEAD_BYTES_MAX,
    )
    return Server(config, on_start)


class Server(uvicorn.Server):
    """A server that says when it listens, and ends without waiting for streams."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._on_start is not None:
            self._on_start()

    async def main_loop(self) -> None:
        """Wait for the end. uvicorn itself looks ten times a second whether it has come, for a third of a percent of a core."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            try:
                await asyncio.wait_for(self._told.wait(), _TICK_S)
            except TimeoutError:
                pass
        self._loop = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.end()

    def end(self) -> None:
        """End soon; from any thread."""
        self.should_exit = True
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._told.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in list(self.server_state.tasks):
            task.cancel()  # what a thread has begun, an edit too, it brings to its end
        await super().shutdown(sockets)


def _log_to_stderr() -> None:
    """Write our own lines on standard error; uvicorn's say nothing that they do not."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    log = logging.getLogger("runfolio.server")
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setLevel(logging.WARNING)
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False


def end_process(code: int = 0) -> None:
    """End this process now, also while a thread still reads a store; readers leave nothing half done."""
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
