"""The app's own files, and the plain pages where it is not built."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runfolio.server.app import App, create_app
from runfolio.server.served import serve_all
from runfolio.store.layout import Layout
from server.asking import ADDRESS
from server.filling import add_run, fill, store_path
from server.serving import serving

CANARY = "CANARY-4f1c"


@contextmanager
def app_of(folder: Path) -> Iterator[TestClient]:
    app = create_app(serve_all([Layout(str(store_path()))]), address=ADDRESS, ui_folder=folder)
    with TestClient(app, base_url=ADDRESS.url, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A small built app, with secrets around it."""
    ui = tmp_path / "ui"
    (ui / "assets").mkdir(parents=True)
    (tmp_path / "ui-evil").mkdir()
    (tmp_path / "ui-evil" / "c.js").write_text(CANARY)
    (tmp_path / "secret.js").write_text(CANARY)
    (ui / "index.html").write_text("<!doctype html><title>app</title>")
    (ui / "favicon.svg").write_text("<svg/>")
    (ui / "sources.sha256").write_text(CANARY)
    (ui / "assets" / "index-ya7RsA3K.js").write_text("x" * 5000)
    (ui / "assets" / "index-ya7RsA3K.js.br").write_bytes(b"brotli")
    (ui / "assets" / "plain.css").write_text("a{}")
    (ui / "assets" / "link-ya7RsA3K.js").symlink_to(tmp_path / "secret.js")
    (ui / ".git").mkdir()
    (ui / ".git" / "config").write_text(CANARY)
    return ui


@pytest.mark.parametrize(
    "path", ["/", "/store/runs", "/store/run/0123abcd", "/store/compare", "/store/seeds", "/gone/runs?q=lr<1"]
)
def test_every_page_is_the_app(built: Path, path: str) -> None:
    """Each address of the app gives its page, which is looked for anew each time."""
    with app_of(built) as client:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert answer.headers["cache-control"] == "no-cache"
        assert "<title>app</title>" in answer.text


def test_files_are_cached_by_their_names(built: Path) -> None:
    """A file with a hash in its name is kept for ever; others are looked for anew."""
    with app_of(built) as client:
        hashed = client.get("/assets/index-ya7RsA3K.js")
        assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert hashed.headers["content-type"] == "text/javascript; charset=utf-8"
        for path in ("/assets/plain.css", "/favicon.svg"):
            assert client.get(path).headers["cache-control"] == "no-cache"


def test_files_come_packed(built: Path) -> None:
    """A client that takes brotli or gzip gets it; one that takes neither gets the file as it is."""
    with app_of(built) as client:

        def coding(accepted: str) -> str | None:
            with client.stream("GET", "/assets/index-ya7RsA3K.js", headers={"Accept-Encoding": accepted}) as answer:
                return answer.headers.get("content-encoding")

        assert [coding(one) for one in ("br, gzip", "gzip", "gzip;q=0", "identity")] == ["br", "gzip", None, None]


def test_a_new_build_is_seen(built: Path) -> None:
    """A build beside a server that runs is served from then on."""
    with app_of(built) as client:
        assert client.get("/assets/new-12345678.js").status_code == 404
        (built / "assets" / "new-12345678.js").write_text("1")
        (built / "index.html").write_text("<!doctype html><title>newer</title>")
        assert "newer" in client.get("/").text
        assert client.get("/assets/new-12345678.js").status_code == 200


def test_A12_static_files(built: Path) -> None:
    """A12: nothing but the built files is served, whatever the path looks like: no folder above or beside, no link, no hidden file."""
    outside = [
        "/assets/../../secret.js",
        "/assets/..%2f..%2fsecret.js",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/%2e%2e%2f%2e%2e%2fsecret.js",
        "/static-files/../../../../etc/passwd",
        "/assets/.git/config",
        "/.git/config",
        "/assets/link-ya7RsA3K.js",
        "/ui-evil/c.js",
        "/../ui-evil/c.js",
        "/assets../ui-evil/c.js",
        "/assets//index-ya7RsA3K.js",
        "//assets/index-ya7RsA3K.js",
        "/assets/index-ya7RsA3K.js/",
        "/assets/INDEX-ya7RsA3K.js",
        "/assets\\index-ya7RsA3K.js",
        "/assets/index-ya7RsA3K.js.br",
        "/sources.sha256",
        "/index.html.gz",
        "/assets",
        "/assets/",
        "/etc/passwd",
        "//etc/passwd",
        "/file:///etc/passwd",
        "/assets/index-ya7RsA3K.js%00.css",
    ]
    app = create_app(serve_all([Layout(str(store_path()))]), address=ADDRESS, ui_folder=built)
    for path in outside:
        status, body = asyncio.run(ask_raw(app, path))
        assert status in (400, 404), path
        assert CANARY.encode() not in body and b"root:" not in body


async def ask_raw(app: App, path: str) -> tuple[int, bytes]:
    """Ask an app for exactly this path: a client would put it in order."""
    heard: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        heard.append(message)

    headers = [(b"host", f"{ADDRESS.host}:{ADDRESS.port}".encode())]
    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": path.encode("latin-1"),
        "query_string": b"",
        "headers": headers,
    }
    await app(scope, receive, send)
    return heard[0]["status"], heard[1]["body"]


# ---------------------------------------------------------------- without a built app


def test_plain_pages_list_the_runs(tmp_path: Path) -> None:
    """Without a built app the pages say how to get it, and list stores, runs by filter, and a run, without a script."""
    ids = fill(3)
    with app_of(tmp_path / "nothing") as client:
        first = client.get("/")
        assert "make ui" in first.text and 'href="/store/runs"' in first.text
        runs = client.get("/store/runs", params={"q": "lr == 0.1"})
        assert ids[1][:8] in runs.text and ids[0][:8] not in runs.text
        assert "1 run." in runs.text
        run = client.get(f"/store/run/{ids[1]}")
        assert "adam" in run.text and "val/acc" in run.text
        for page in (first, runs, run):
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert "<script" not in page.text and "style=" not in page.text


def test_plain_pages_tell_what_is_wrong(tmp_path: Path) -> None:
    """A filter that cannot be understood, a store and a run that are not there are told in words."""
    fill(1)
    with app_of(tmp_path / "nothing") as client:
        assert "is not closed" in client.get("/store/runs", params={"q": "(lr"}).text
        assert client.get("/none/runs").status_code == 404
        assert client.get(f"/store/run/{'0' * 32}").status_code == 404
        assert client.get("/store/run/latest").status_code == 404


def test_A23_plain_pages_show_names_as_text(tmp_path: Path) -> None:
    """A23: on the plain pages a name that would be markup is text."""
    hostile = '"><img src=x onerror=alert(1)></title><script>alert(1)</script>'
    run = add_run(hostile, {hostile: hostile}, {hostile: [1.0]}, notes=hostile, tags={hostile: hostile})
    with app_of(tmp_path / "nothing") as client:
        for page in (
            client.get("/store/runs", params={"q": hostile}),
            client.get("/store/runs"),
            client.get(f"/store/run/{run}"),
        ):
            assert "<img" not in page.text and "<script" not in page.text


def test_what_is_built_is_served() -> None:
    """The server of the package answers its first page, built or not."""
    with serving(store_path()) as server:
        heard = server.ask("/")
        assert (heard.status, heard.header("content-type")) == (200, "text/html; charset=utf-8")
