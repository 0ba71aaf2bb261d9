"""Overview, folded, compare, diff and groups through the API."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from starlette.testclient import TestClient

from cli.calling import fine
from runfolio.server import limits
from server.asking import client_of
from server.filling import add_run, store_path

STORE = "/api/v1/stores/store"


def ask(client: TestClient, what: str, **asked: Any) -> Any:
    heard = client.get(f"{STORE}/{what}", params=asked)
    assert heard.status_code == 200, heard.text
    return heard.json()


def told_by_command(*arguments: str) -> Any:
    """Give what a command prints as JSON."""
    found = fine(*arguments, "--json").json
    found.pop("nonfinite", None)
    return found


def test_overview_tells_what_runs_are_made_of(client: TestClient) -> None:
    """What varies comes with its weight, the objective first; what is the same is told once; the seed is named."""
    found = ask(client, "overview")
    assert (found["total"], found["running"], found["objective"]) == (6, 0, {"metric": "val/acc", "goal": "max"})
    assert found["columns"][0] == {
        "key": "metrics.val/acc.last", "kind": "number", "filled": 6, "distinct": 6, "weight": 1.0,
    }  # fmt: skip
    assert found["same"] == [{"key": "params.opt", "value": "adam"}] and found["over"] == ["seed"]
    assert set(found["default"]) == {"metrics.val/acc.last", "metrics.loss.last", "params.lr", "params.seed"}
    assert ask(client, "overview", metric="loss")["objective"] == {"metric": "loss", "goal": "min"}
    assert ask(client, "overview", q='name = "nobody"')["total"] == 0


def test_folded_runs(client: TestClient, ids: list[str]) -> None:
    """Rows fold over the seed, with ids, values and the interval's name, in pages."""
    found = ask(client, "folded", metric="loss", sort="metric")
    assert (found["total"], found["runs"], found["by"], found["over"]) == (2, 6, ["lr"], ["seed"])
    assert found["interval"] == "95 % t" and found["rows"][0]["params"] == {"lr": 0.01}
    assert found["rows"][0]["ids"] == [ids[4], ids[2], ids[0]] and found["rows"][0]["values"] == [0.54, 0.52, 0.5]
    assert found["rows"][0]["mean"] == pytest.approx(0.52) and found["rows"][0]["n"] == 3
    assert ask(client, "folded", offset=1, limit=1)["rows"][0]["n"] == 3
    assert len(ask(client, "folded", by=["lr", "seed"])["rows"]) == 6
    bare = ask(client, "folded", by="lr", members="false")["rows"]
    assert [(row["runs"], row["ids"], row["values"]) for row in bare] == [(3, [], []), (3, [], [])]
    assert client.get(f"{STORE}/folded", params={"by": "nothing"}).status_code == 404
    for wrong in ({"sort": "x"}, {"at": "median"}, {"limit": str(limits.ROWS_MAX + 1)}, {"offset": "-1"}):
        assert client.get(f"{STORE}/folded", params=wrong).status_code == 400


def test_runs_side_by_side(client: TestClient, ids: list[str]) -> None:
    """Only what differs has a row; the baseline is the first run, or the one that is told."""
    found = ask(client, "compare", runs=f"{ids[0]},{ids[1]}")
    assert found["baseline"] == ids[0] and [run["name"] for run in found["runs"]] == ["r0", "r1"]
    params, metrics = found["sections"]
    assert (params["name"], params["equal"], [row["key"] for row in params["rows"]]) == ("params", 2, ["lr"])
    assert metrics["rows"][1]["key"] == "val/acc" and metrics["rows"][1]["best"] == [1]
    assert metrics["rows"][1]["delta"] == [None, pytest.approx(0.1)]
    assert ask(client, "compare", runs=f"{ids[0]},{ids[1]}", baseline=ids[1][:8])["baseline"] == ids[1]
    assert ask(client, "compare", q='name = "nobody"') == {"runs": [], "baseline": None, "sections": []}
    assert client.get(f"{STORE}/compare", params={"runs": ids[0], "baseline": ids[1]}).status_code == 404
    gone = "0" * 32
    found = ask(client, "compare", runs=f"{gone},{ids[1]},{ids[0]}", baseline=gone[:8])
    assert found["baseline"] == ids[1] and len(found["runs"]) == 2  # what is gone is left out, the baseline too
    assert client.get(f"{STORE}/compare", params={"runs": gone, "baseline": gone}).status_code == 404


def test_too_many_runs_side_by_side(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """More runs than can stand side by side are refused by that number."""
    monkeypatch.setattr(limits, "COMPARED_MAX", 5)
    heard = client.get(f"{STORE}/compare")
    assert heard.status_code == 400 and "at most 5" in heard.text


def test_diff_is_what_the_command_says(client: TestClient, ids: list[str]) -> None:
    """Why it changed is the object of `runfolio diff --json`."""
    found = ask(client, "diff", a=ids[0], b=ids[1])
    assert found == told_by_command("diff", ids[0], ids[1]) and found["changes"]["params"][0]["key"] == "lr"
    assert client.get(f"{STORE}/diff", params={"a": ids[0]}).status_code == 400
    assert client.get(f"{STORE}/diff", params={"a": ids[0], "b": "0" * 32}).status_code == 404


def test_groups_are_what_the_command_says(client: TestClient) -> None:
    """Statistics over seeds are the object of `runfolio stats --json`; each run of a group comes with its value and seed."""
    found = ask(client, "groups", metric="val/acc", by="params.lr")
    expected = told_by_command("stats", "val/acc", "--by", "lr")
    for group, theirs in zip(found["groups"], expected["groups"], strict=True):
        assert [run["id"] for run in group["runs"]] == theirs["runs"]
        assert [run["value"] for run in group["runs"]] == group["values"]
        assert sorted(run["seed"] for run in group["runs"]) == [0, 1, 2]
        group["runs"] = theirs["runs"]
    assert found == expected
    assert client.get(f"{STORE}/groups", params={"metric": "nothing"}).status_code == 404
    assert ask(client, "groups", by="params.lr")["metric"] == ask(client, "overview")["objective"]["metric"]
    assert ask(client, "groups", metric="loss")["goal"] == "min"  # no run says so, but its name does
    assert ask(client, "groups", metric="loss", goal="min", at="1")["at"] == "step 1"


def test_numbers_and_names_of_any_kind(ids: list[str]) -> None:
    """NaN, infinities, large ints and names of any text go through every answer without harm."""
    strange = "<img src=x onerror=alert(1)>"
    for seed, value in enumerate((math.nan, math.inf, -math.inf, 1e308)):
        add_run(
            strange, {"__proto__": 2**60 + seed, "$": "'; --", "seed": seed}, {"constructor": [value], strange: [value]}
        )
    with client_of(store_path()) as client:
        for what in ("overview", "folded", "compare"):
            text = client.get(f"{STORE}/{what}", params={"metric": strange} if what != "compare" else {}).text
            json.loads(text, parse_constant=lambda name: pytest.fail(f"a bare {name}"))
        row = ask(client, "folded", by="__proto__", metric=strange, sort="-params.__proto__")["rows"][0]
        assert row["params"] == {"__proto__": {"$": str(2**60 + 3)}} and row["values"] == [1e308]
        assert ask(client, "compare", runs=",".join(ids[:2]))["runs"][0]["id"] == ids[0]
        assert client.get(f"{STORE}/groups", params={"metric": strange, "goal": "min"}).status_code == 200
