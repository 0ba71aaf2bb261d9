"""How the server starts and ends: on this machine only, told where, at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from runfolio.errors import UsageError
from runfolio.server.serve import Server, listen
from server.filling import fill, store_path
from server.serving import PATIENCE_S, serving


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `runfolio ui` in a process of its own; give it and the address that it prints."""
    program = "import sys; from runfolio.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "ui", "--no-browser", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield process, line.split(" ")[0]
    finally:
        process.kill()
        process.wait()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end; give the code and what was written on standard error."""
    _, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, err


LOOPBACK = ["127.0.0.1", "localhost", "::1", "[::1]"]
OTHERS = [
    "0.0.0.0",
    "::",
    "",
    "*",
    "192.168.0.1",
    "10.0.0.1",
    "example.com",
    "127.0.0.1.evil.com",
    "127.0.0.2",
    "0",
    "127.1",
    "::ffff:127.0.0.1",
]


@pytest.mark.parametrize("port", [None, 0], ids=["default", "told"])
@pytest.mark.parametrize("host", [*LOOPBACK, *OTHERS])
def test_only_this_machine(host: str, port: int | None) -> None:
    """Whatever port is told, a host that others could reach is refused before anything is bound, and loopback is bound exactly."""
    if host in OTHERS:
        with pytest.raises(UsageError, match="on this machine only"):
            listen(host, port)
        return
    try:
        made, address = listen(host, port)
    except UsageError:
        assert ":" in host and not socket.has_ipv6
        return
    with made:
        assert made.getsockname()[0] in ("127.0.0.1", "::1")
        assert made.getsockname()[1] == address.port
        assert (
            made.proto == socket.IPPROTO_TCP
        )  # else asyncio leaves Nagle's delay on: 40 ms for each answer after the first


def test_a_taken_port() -> None:
    """Where the usual port is taken another one is found; one that was told is refused, with what to do."""
    first, address = listen()
    with first:
        second, other = listen()
        second.close()
        assert other.port != address.port
        with pytest.raises(UsageError, match="leave --port out"):
            listen(port=address.port)


def test_ctrl_c_ends_it() -> None:
    """It prints where it listens and answers there; Ctrl-C ends it with 0, without a word, also while a stream is open."""
    fill(2)
    with running() as (process, url):
        assert urlopen(url).status == 200
        with urlopen(f"{url}api/v1/stores/store/live") as stream:
            assert stream.status == 200
            process.send_signal(signal.SIGINT)
            assert ended(process) == (0, "")


def test_it_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nobody asks anything it wakes once a second, not ten times."""
    woken: list[int] = []
    real = Server.on_tick

    async def counting(self: Server, counter: int) -> bool:
        woken.append(counter)
        return await real(self, counter)

    monkeypatch.setattr(Server, "on_tick", counting)
    fill(1)
    with serving(store_path()):
        before = len(woken)
        time.sleep(1.5)
        assert len(woken) - before <= 2


def test_it_begins_without_a_store() -> None:
    """Where there is no store yet it begins all the same; a place that was named and has none is refused."""
    with running() as (process, url):
        assert urlopen(url).status == 200
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 0
    with running(str(store_path())) as (process, _):
        code, err = ended(process)
        assert code == 2
        assert "no store here yet" in err


def test_several_stores_and_a_host() -> None:
    """Several stores are served by one process; a foreign host is refused with code 2 and the way to do it."""
    fill(1)
    with running(str(store_path())) as (_, url):
        assert b'"name":"store"' in urlopen(f"{url}api/v1/stores").read()
    with running("--host", "0.0.0.0") as (process, _):
        code, err = ended(process)
        assert (code, "ssh -L" in err) == (2, True)


HEAVY = ("numpy", "scipy", "duckdb", "matplotlib", "pandas", "sqlite3", "nanoarrow", "yaml", "starlette", "anyio")


def test_little_is_loaded_before_it_listens() -> None:
    """Until it listens, nothing that reads stores is loaded: it answers first, then looks at the runs."""
    fill(1)
    program = (
        "import sys\nfrom runfolio.server.serve import listen, server_of\nfrom runfolio.server.served import serve_all\n"
        "from runfolio.store.layout import find\nfrom runfolio.cli import main, ui\n"
        "made, address = listen(port=0)\nserver_of(serve_all([find()]), address)\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.split() == []
