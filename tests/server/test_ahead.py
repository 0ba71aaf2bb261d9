"""What the app will ask first is told with its page, and the overview brings the first rows of the table along."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from runfolio.query.survey.census import Census
from runfolio.server import limits
from runfolio.server.ahead import FIRST_ROWS, asked_ahead, chart_asked
from runfolio.server.served import Served
from runfolio.store.layout import Layout
from server.asking import client_of
from server.filling import add_run, store_path

STORE = "/api/v1/stores/store"
FIRST = f"stores/store/overview?rows={FIRST_ROWS}"
ALWAYS = ["name", "status", "created", "ended"]


@pytest.mark.parametrize(
    ("parts", "query", "asked"),
    [
        (["store", "runs"], b"", [FIRST]),
        (["store", "runs"], b"m=loss&sel=0123abcd", [FIRST]),
        ([], b"", ["stores", FIRST]),
        (["store", "runs"], b"q=lr+%3D+1", []),
        (["store", "runs"], b"sort=name", []),
        (["store", "runs"], b"by=none", []),
        (["store", "run", "0123abcd"], b"", []),
        (["store", "seeds"], b"", []),
        (["nothing", "runs"], b"", []),
    ],
)
def test_the_page_tells_what_it_asks_first(parts: list[str], query: bytes, asked: list[str]) -> None:
    """The page of all runs tells of its overview, the first page of the stores too; another view of nothing."""
    told = asked_ahead(parts, query, {"store": None, "other": None})
    assert told == [("Link", f"</api/v1/{one}>; rel=preload; as=fetch; crossorigin") for one in asked]


@pytest.mark.parametrize(
    ("parts", "query", "told"), [(["store", "runs"], b"", True), ([], b"", True), (["store", "runs"], b"m=loss", False)]
)
def test_the_page_tells_what_its_chart_asks(parts: list[str], query: bytes, told: bool) -> None:
    """Where it is known, and the address chooses nothing."""
    headers = asked_ahead(parts, query, {"store": "metric=a+b&buckets=50", "other": None})
    chart = "</api/v1/stores/store/series?metric=a+b&buckets=50>; rel=preload; as=fetch; crossorigin"
    assert (("Link", chart) in headers) == told
    assert not any("series" in value for _, value in asked_ahead(["other", "runs"], b"", {"other": None}))


def chart_told(client: TestClient, store: str) -> str | None:
    links = client.get(f"/{store}/runs").headers.get_list("Link", split_commas=True)
    return next((link.partition(">")[0].lstrip("<") for link in links if "/series?" in link), None)


def test_what_the_chart_asks_follows_the_overview(tmp_path: Path) -> None:
    """Of a store that nobody has made ready it is told once its overview was asked, with escapes where needed, and as the runs become more."""
    for number in range(3):
        add_run(f"r{number}", params={"lr": number}, metrics={"val/ü ~": [1.0, float(number)]})
    with client_of(tmp_path / "none", store_path()) as client:
        assert chart_told(client, "store") is None
        overview(client, rows=FIRST_ROWS)
        asked = chart_told(client, "store") or ""
        assert "metric=val%2F%C3%BC+%7E&buckets=1000&curves=1000&as=f8" in asked
        assert client.get(asked).status_code == 200
        for number in range(3, 31):
            add_run(f"r{number}", params={"lr": number}, metrics={"val/ü ~": [1.0, float(number)]})
        until = time.monotonic() + 20
        while overview(client, rows=FIRST_ROWS)["total"] < 31 and time.monotonic() < until:
            time.sleep(0.05)
        assert (chart_told(client, "store") or "").endswith("as=u2")


def test_a_very_long_name_is_not_told() -> None:
    """A header stays as short as all that stand between take it."""
    assert asked_ahead(["s", "runs"], b"", {"s": chart_asked("é" * 300, 3, None)}) != []
    long = asked_ahead(["s", "runs"], b"", {"s": chart_asked("é" * 3000, 3, None)})
    assert [value for _, value in long if "series" in value] == []


@pytest.mark.parametrize(
    ("runs", "groups", "asked"),
    [
        (30, None, "buckets=1000&curves=1000&as=f8"),
        (200, None, "buckets=1000&curves=1000&as=u2"),
        (500, None, "buckets=50&curves=1000&as=u2"),
        (2001, None, "buckets=50&curves=1000&bands=false&as=u2"),
        (500, 8, "buckets=1000&curves=0&group=*&as=f8"),
        (500, 9, "buckets=50&curves=1000&as=u2"),
    ],
)
def test_what_the_chart_asks_of_so_many_runs(runs: int, groups: int | None, asked: str) -> None:
    """The same as the app's own test of first_charts.ts expects."""
    assert chart_asked("loss", runs, groups) == f"metric=loss&{asked}"


def test_a_store_of_any_name() -> None:
    """A name stands in the header as it stands in an address."""
    ((_, told),) = asked_ahead(["größe", "runs"], b"", {"größe": None})
    assert told.startswith("</api/v1/stores/gr%C3%B6%C3%9Fe/overview?")


def test_the_app_asks_for_as_many_rows() -> None:
    """The app's own number of rows is the one that is told, or the browser would ask twice."""
    client = Path(__file__).parents[2] / "ui/src/api/client.ts"
    found = re.search(r"export const PIECE = (\d+);", client.read_text(encoding="utf-8"))
    assert found and int(found[1]) == FIRST_ROWS


def overview(client: TestClient, rows: int = 0) -> Any:
    return client.get(f"{STORE}/overview", params={"rows": rows} if rows else {}).json()


def test_rows_of_the_table_come_along() -> None:
    """Where no seed varies they are what the table asks for: the default columns of the newest runs. Unasked none come."""
    for number in range(6):
        add_run(f"r{number}", params={"lr": number}, metrics={"m": [1.0, float(number)]})
    with client_of(store_path()) as client:
        assert overview(client)["table"] is None
        found = overview(client, rows=4)
        assert not found["folds"] and found["table"]["folded"] is None
        asked = {"column": [*ALWAYS, *found["default"]], "limit": 4}
        assert found["table"]["runs"] == client.get(f"{STORE}/runs", params=asked).json()


@pytest.mark.parametrize(("goal", "sort"), [("min", "metric"), ("max", "-metric")])
def test_groups_come_along(goal: str, sort: str) -> None:
    """Where it does they are the best groups first, and the runs in them beside."""
    for number in range(12):
        add_run(
            f"r{number}",
            params={"lr": number % 4, "seed": number // 4},
            metrics={"m": [1.0 + number]},
            goals={"m": goal},
        )
    with client_of(store_path()) as client:
        found = overview(client, rows=3)
        assert found["folds"]
        asked: dict[str, Any] = {"metric": "m", "at": "last", "sort": sort, "limit": 3}
        assert found["table"]["folded"] == client.get(f"{STORE}/folded", params=asked).json()
        members = [run for row in found["table"]["folded"]["rows"] for run in row["ids"]]
        assert len(members) == 9
        columns = [*ALWAYS, *found["default"]]
        named = client.get(f"{STORE}/runs", params={"runs": ",".join(members), "column": columns}).json()
        assert found["table"]["runs"] == named


def test_folding_that_says_nothing() -> None:
    """Where a seed varies, and yet most groups would be one run, rows are runs."""
    for number in range(10):
        add_run(f"r{number}", params={"a": number % 5, "b": number % 2, "seed": number}, metrics={"m": [1.0]})
    with client_of(store_path()) as client:
        found = overview(client, rows=20)
        assert found["folds"] and found["table"]["folded"] is None
        assert len(found["table"]["runs"]["ids"]) == 10


def test_an_empty_store() -> None:
    """Without a run there is an overview, and a table of nothing."""
    shutil.rmtree(Layout(str(store_path())).run(add_run("gone")))
    with client_of(store_path()) as client:
        found = overview(client, rows=5)
        assert (found["total"], found["folds"], found["table"]["runs"]["ids"]) == (0, False, [])


def test_ready_before_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first store is looked over before anybody asks, the others not; the page's own question then reads nothing again."""
    add_run("first", params={"lr": 1}, metrics={"m": [1.0]})
    shutil.copytree(store_path(), tmp_path / "other")
    read: list[int] = []
    write = Census._write_values
    monkeypatch.setattr(Census, "_write_values", lambda *told: (read.append(len(told[1])), write(*told))[1])
    with client_of(store_path(), tmp_path / "other") as client:
        until = time.monotonic() + 20
        while not read and time.monotonic() < until:
            time.sleep(0.01)
        assert read == [1]
        assert overview(client, rows=3)["total"] == 1
        assert read == [1]


def test_a_store_that_opens_slowly_is_made_ready_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is read for longer than a question waits, it is made ready when that is done."""
    add_run("first", params={"lr": 1}, metrics={"m": [1.0]})
    monkeypatch.setattr(limits, "OPENING_WAIT_S", 0.01)
    opened = Served._open
    monkeypatch.setattr(Served, "_open", lambda self: (time.sleep(0.2), opened(self))[1])
    with client_of(store_path()) as client:
        until = time.monotonic() + 20
        while chart_told(client, "store") is None and time.monotonic() < until:
            time.sleep(0.02)
        assert "metric=m&" in (chart_told(client, "store") or "")


def test_a_store_that_cannot_be_made_ready(tmp_path: Path) -> None:
    """Where the first store cannot be opened, the next ones are served all the same."""
    add_run("there", params={"lr": 1})
    with client_of(tmp_path / "nothing", store_path()) as client:
        assert client.get("/api/v1/stores/nothing/overview").status_code == 404
        assert overview(client)["total"] == 1
