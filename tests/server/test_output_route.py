"""The output of a run over the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from query.runs import end_run, make_run
from runfolio.store.layout import Layout
from server.asking import client_of
from server.filling import add_run, store_path

STORE = "/api/v1/stores/store"


@pytest.fixture
def client() -> Iterator[TestClient]:
    Layout(str(store_path())).create()
    with client_of(store_path()) as one:
        yield one


def output_of(run_id: str) -> Path:
    return Path(Layout(str(store_path())).output(run_id))


def test_a_run_without_output(client: TestClient) -> None:
    """A run that keeps no output says so: it has no file."""
    run_id = add_run()
    answer = client.get(f"{STORE}/runs/{run_id}/output")
    assert answer.json() == {"from": 0, "to": 0, "size": 0, "cut_bytes": 0, "text": "", "ended": True, "file": None}
    assert client.get(f"{STORE}/runs/{run_id}/output/search?text=x").json() == {"matches": [], "more": False}


def test_follow(client: TestClient) -> None:
    """Who reads on from `to` gets what has come since; colours pass as they are; a file that was replaced has another number."""
    run_id, writer = make_run(Layout(str(store_path())))
    path = output_of(run_id)
    path.write_bytes(b"\x1b[31mred\x1b[0m\nhalf")
    first = client.get(f"{STORE}/runs/{run_id}/output").json()
    assert (first["text"], first["to"], first["ended"]) == ("\x1b[31mred\x1b[0m\nhalf", path.stat().st_size, False)
    with path.open("ab") as file:
        file.write(b" and half\n")
    then = client.get(f"{STORE}/runs/{run_id}/output?from={first['to']}").json()
    assert (then["text"], then["file"]) == (" and half\n", first["file"])
    Path("new").write_bytes(b"short\n[runfolio: 77 bytes of output are cut here]\nend\n")
    Path("new").rename(path)
    last = client.get(f"{STORE}/runs/{run_id}/output?from={then['to'] + 1000}").json()
    assert last["file"] != first["file"] and last["text"].endswith("end\n") and last["cut_bytes"] == 77
    writer.event({"type": "output", "size_bytes": path.stat().st_size, "cut_bytes": 78})
    end_run(writer)
    ended = client.get(f"{STORE}/runs/{run_id}/output?from=-4&bytes=4").json()
    assert (ended["text"], ended["cut_bytes"], ended["ended"]) == ("end\n", 78, True)


def test_search(client: TestClient) -> None:
    """Lines with a text are found, as many as were asked for."""
    run_id = add_run()
    output_of(run_id).write_bytes(b"a LOSS\nb\nc loss (.*)\n")
    found = client.get(f"{STORE}/runs/{run_id}/output/search", params={"text": "loss"}).json()
    assert found == {
        "matches": [{"line": 1, "from": 0, "text": "a LOSS"}, {"line": 3, "from": 9, "text": "c loss (.*)"}],
        "more": False,
    }
    assert client.get(f"{STORE}/runs/{run_id}/output/search", params={"text": "loss", "limit": 1}).json()["more"]
    assert client.get(f"{STORE}/runs/{run_id}/output/search", params={"text": ".*"}).json()["matches"][0]["line"] == 3


@pytest.mark.parametrize(
    "query",
    [
        "from=x",
        "bytes=0",
        "bytes=1000000000",
        "from=-99999999999999999999",
        "bytes=-1",
        "from=1&from=2",
        "to=3",
    ],
)
def test_bounds(client: TestClient, query: str) -> None:
    """What is out of bounds or makes no sense is refused."""
    run_id = add_run()
    output_of(run_id).write_bytes(b"x\n")
    assert client.get(f"{STORE}/runs/{run_id}/output?{query}").status_code == 400
    for text in ("", "a%0Ab", "x" * 201):
        assert client.get(f"{STORE}/runs/{run_id}/output/search?text={text}").status_code == 400


def test_no_such_run(client: TestClient) -> None:
    """A run that is not there has no output either."""
    for what in ("output", "output/search?text=x", "artifact?name=x", "preview?name=x"):
        assert client.get(f"{STORE}/runs/{'0' * 32}/{what}").status_code == 404
