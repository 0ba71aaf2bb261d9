"""The table of runs and one run, through the API."""

from __future__ import annotations

import math

import pytest
from starlette.testclient import TestClient

from query.runs import end_run, make_run, make_store, make_writer
from runfolio.query.store import Store
from runfolio.store.layout import Layout
from server.asking import client_of
from server.filling import add_run, store_path

STORE = "/api/v1/stores/store"


def test_stores_are_told(client: TestClient, ids: list[str]) -> None:
    """Each store is told with its name, its id and how many runs it has, beside the version."""
    told = client.get("/api/v1/stores").json()
    assert told["stores"] == [
        {
            "name": "store",
            "id": Layout(str(store_path())).store_id(),
            "runs": 6,
            "running": 0,
            "writable": True,
            "problem": None,
            "reading": None,
        }
    ]
    assert told["version"]


def test_names_are_told(client: TestClient) -> None:
    """The names are those that the runs have used, and a metric with a declared goal is the objective."""
    told = client.get(f"{STORE}/names").json()
    assert told["params"] == ["lr", "opt", "seed"]
    assert told["metrics"] == ["loss", "val/acc"]
    assert (told["goals"], told["objective"]) == ({"val/acc": "max"}, "val/acc")
    assert told["experiments"] == [{"name": "test", "runs": 6, "running": 0}]


def test_rows_come_by_column(client: TestClient, ids: list[str]) -> None:
    """Only the columns asked for come, in the order of the ids, newest first; what a run lacks is null."""
    columns = [
        "name",
        "params.lr",
        "metrics.val/acc.max",
        "params.none",
        "tags",
        "status",
        "attempts",
        "metrics.loss.last_step",
    ]
    told = client.get(f"{STORE}/runs", params={"column": columns, "limit": 2}).json()
    assert (told["total"], told["offset"], told["ids"]) == (6, 0, ids[:3:-1])
    assert told["columns"] == {
        "name": ["r5", "r4"],
        "params.lr": [0.1, 0.01],
        "metrics.val/acc.max": [0.5, 0.4],
        "params.none": [None, None],
        "tags": [{}, {}],
        "status": ["finished", "finished"],
        "attempts": [1, 1],
        "metrics.loss.last_step": [1, 1],
    }
    assert told["sparklines"] is None


def test_rows_are_filtered_sorted_and_paged(client: TestClient, ids: list[str]) -> None:
    """A filter, an order by a column's key whatever its name holds, and a window choose the rows."""
    asked = {"q": "lr == 0.1", "sort": "metrics.val/acc.max", "offset": 1, "limit": 1}
    told = client.get(f"{STORE}/runs", params=asked).json()
    assert (told["total"], told["ids"]) == (3, [ids[3]])
    downwards = client.get(f"{STORE}/runs", params={"sort": "-metrics.loss.last"}).json()["ids"]
    assert downwards == ids[::-1]


def test_runs_are_named(client: TestClient, ids: list[str]) -> None:
    """Runs that are named come in that order, each once; of those that are gone the others are left."""
    asked = f"{ids[3][:8]},{ids[0]},{ids[3]},{'0' * 32}"
    assert client.get(f"{STORE}/runs", params={"runs": asked}).json()["ids"] == [ids[3], ids[0]]
    assert client.get(f"{STORE}/runs", params={"runs": "0" * 32}).status_code == 404


def test_version_moves_with_any_row(client: TestClient, ids: list[str]) -> None:
    """The version stays while nothing happens, and is another one after an edit of a row outside the window."""

    def version() -> str:
        return str(client.get(f"{STORE}/runs", params={"limit": 1}).json()["version"])

    first = version()
    assert version() == first
    add_run("later")
    with Store(Layout(str(store_path()))) as other:
        assert len(other.runs()) == 7
    for _ in range(1000):
        if version() != first:
            break
    else:
        pytest.fail("the version did not move")


def test_sparklines_are_few_numbers(client: TestClient) -> None:
    """A sparkline has at most 32 numbers, the first and the last among them; what is not finite is null, no curve is null."""
    add_run("long", metrics={"m": [float(step) for step in range(1000)]})
    add_run("odd", metrics={"m": [1.0, math.nan, math.inf]})
    add_run("none")
    told = client.get(f"{STORE}/runs", params={"sparkline": "m", "runs": ",".join(_ids("none", "odd", "long"))}).json()
    none, odd, long = told["sparklines"]
    assert none is None
    assert odd == [1.0, None, None]
    assert (len(long), long[0], long[-1]) == (32, 0.0, 999.0)


def test_ranks_are_taken_together() -> None:
    """Of a metric that several ranks log the table has what is over all of them, and the sparkline their mean."""
    layout = make_store()
    run, first = make_run(layout, "ranks", rank=0)
    second = make_writer(layout, run, rank=1, role="join")
    for step in range(3):
        first.log({"m": float(step)}, step)
        second.log({"m": float(step + 2)}, step)
    second.close(sync=False)
    end_run(first)
    with client_of(store_path()) as client:
        asked = {"column": ["metrics.m.min", "metrics.m.max", "metrics.m.count", "metrics.m.last"], "sparkline": "m"}
        told = client.get(f"{STORE}/runs", params=asked).json()
    assert [values[0] for values in told["columns"].values()] == [0.0, 4.0, 6, None]
    assert told["sparklines"] == [[1.0, 2.0, 3.0]]


def _ids(*names: str) -> list[str]:
    with Store(Layout(str(store_path()))) as store:
        return [store.run(name).id for name in names]


def test_a_run_comes_whole(client: TestClient, ids: list[str]) -> None:
    """A run has what `show --json` tells, times in ms, its siblings by seed and the params in which they differ."""
    told = client.get(f"{STORE}/runs/{ids[3][:8]}").json()
    assert told["id"] == ids[3]
    assert told["params"] == {"lr": 0.1, "seed": 1, "opt": "adam"}
    assert told["metrics"]["loss"]["last"] == 0.53
    assert told["ended"] >= told["created"] > 1e12
    assert told["siblings"] == [ids[1], ids[3], ids[5]]
    assert told["differs"] == ["seed"]


def test_numbers_are_not_bent(client: TestClient) -> None:
    """NaN, infinities and ints beyond 2**53 are marked; a key that begins with $ is told from a mark."""
    run = add_run("odd", {"big": 2**53 + 1, "inf": -math.inf, "$": "NaN"}, {"m": [math.nan]})
    told = client.get(f"{STORE}/runs/{run}").json()
    assert told["params"] == {"big": {"$": str(2**53 + 1)}, "inf": {"$": "-Infinity"}, "$$": "NaN"}
    assert told["metrics"]["m"]["last"] == {"$": "NaN"}


def test_a_place_without_a_store_says_what_to_do() -> None:
    """Where there is no store yet the app starts, and says how to make one; once it is made it is shown."""
    with client_of(store_path()) as client:
        (told,) = client.get("/api/v1/stores").json()["stores"]
        assert told["runs"] is None
        assert "runfolio init makes one" in told["problem"]
        assert str(store_path()) not in told["problem"]
        assert client.get(f"{STORE}/runs").status_code == 404
        add_run("first")
        assert client.get(f"{STORE}/runs").json()["total"] == 1


def test_stores_have_names_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A store is named after its project's folder; two of one name, and one named like an address of ours, get a number."""
    import runfolio

    base = tmp_path_factory.mktemp("places")
    stores = [
        base / "a" / "lab" / ".runfolio",
        base / "b" / "lab" / ".runfolio",
        base / "api",
        base / "é 1 %2f" / ".runfolio",
    ]
    for store in stores:
        runfolio.start("e", store=store, capture=False).finish()
    with client_of(*stores, stores[0]) as client:
        told = [one["name"] for one in client.get("/api/v1/stores").json()["stores"]]
        assert told == ["lab", "lab-2", "api-2", "é-1-2f"]
        for name in told:
            assert client.get(f"/api/v1/stores/{name}/runs").json()["total"] == 1


def test_an_unknown_column_is_refused(client: TestClient) -> None:
    """A column that there is none of is refused, with those there are."""
    answer = client.get(f"{STORE}/runs", params={"column": "metrics.loss"})
    assert answer.status_code == 400
    assert "metrics.NAME.last" in answer.json()["error"]["message"]


def test_errors_of_filters_tell_the_column(client: TestClient) -> None:
    """An error in a filter tells its column, from 1, and what is wrong in words."""
    error = client.get(f"{STORE}/runs", params={"q": "lr == 0.1 and nothing > 3"}).json()["error"]
    assert (error["kind"], error["column"]) == ("FilterError", 15)


def test_answers_are_packed(client: TestClient) -> None:
    """An answer above 1 kB is packed for who takes gzip, and as it is for who does not."""
    packed = client.get("/api/openapi.json", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/api/openapi.json", headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
