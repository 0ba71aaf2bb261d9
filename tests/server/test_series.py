"""Curves and points through the API."""

from __future__ import annotations

import shutil
from typing import Any

import nanoarrow as na
import pytest
from nanoarrow.ipc import InputStream
from starlette.testclient import TestClient

import runfolio
from runfolio.query.charts import charting
from runfolio.server import limits
from runfolio.server.frames import Frame, read_frame
from runfolio.store.layout import Layout
from server.asking import client_of
from server.filling import add_run, store_path

STORE = "/api/v1/stores/store"


def frame(client: TestClient, **asked: Any) -> Frame:
    heard = client.get(f"{STORE}/series", params=asked)
    assert heard.status_code == 200, heard.text
    assert heard.headers["content-type"] == "application/vnd.runfolio.frame"
    return read_frame(heard.content)


def test_curves_come_as_a_frame(client: TestClient, ids: list[str]) -> None:
    """The curves of all runs come newest first, with the goal and words for what is drawn."""
    found = frame(client, metric="val/acc")
    assert [curve["id"] for curve in found.header["curves"]] == ids[::-1]
    assert found.header["goal"] == "max" and found.header["words"].startswith("val/acc · 6 runs · 2 points each · raw")
    assert found.array(found.header["curves"][0]["y"]).tolist() == [0.1, 0.5]
    (band,) = found.header["bands"]
    assert (band["runs"], band["centre_name"], band["band_name"]) == (6, "median", "10–90 % of the runs")
    assert found.array(band["count"]).tolist() == [6, 6]


def test_runs_windows_and_forms_are_chosen(client: TestClient, ids: list[str]) -> None:
    """Runs by id or filter, a window, a form, groups and the number of curves are as asked for."""
    named = frame(client, metric="loss", runs=f"{ids[3]},{ids[1][:8]}", **{"from": 1, "as": "u2", "bands": "false"})
    assert [curve["id"] for curve in named.header["curves"]] == [ids[3], ids[1]]
    assert named.array(named.header["curves"][0]["y"]) == pytest.approx([0.53]) and named.header["bands"] == []
    grouped = frame(client, metric="loss", q="params.lr = 0.1", group="lr", curves=0, centre="median")
    assert [(one["params"], one["runs"]) for one in grouped.header["bands"]] == [({"lr": 0.1}, 3)]
    assert grouped.header["curves"] == [] and grouped.header["runs"] == 3
    first = frame(client, metric="loss", curves=1, first=ids[2][:8])
    assert [curve["id"] for curve in first.header["curves"]] == [ids[2]]


def test_nothing_is_drawn_calmly(client: TestClient) -> None:
    """No runs, or a metric that none has, make a frame without curves."""
    for asked in ({"metric": "nothing"}, {"metric": "loss", "q": 'name = "nobody"'}, {"metric": "'; DROP TABLE x--"}):
        found = frame(client, **asked)
        assert found.header["curves"] == [] and found.header["with"] == 0 and found.header["range"] is None


def test_several_metrics_come_in_one_answer(client: TestClient) -> None:
    """Each as the frame that it has alone, after its length; a metric that no run has is a frame without curves."""
    asked = {"curves": "3", "as": "f4"}
    names = ["loss", "val/acc", "nothing"]
    rest = client.get(f"{STORE}/series", params={**asked, "metric": names}).content
    for name in names:
        size = int.from_bytes(rest[:8], "little")
        assert rest[8 : 8 + size] == client.get(f"{STORE}/series", params={**asked, "metric": name}).content
        rest = rest[8 + size + -size % 8 :]
    assert not rest


def test_several_metrics_share_the_bounds(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one answer may read and give is not more for being asked at once."""
    both = {"metric": ["loss", "val/acc"]}
    monkeypatch.setattr(limits, "POINTS_TOGETHER_MAX", 20)
    assert client.get(f"{STORE}/series", params={"metric": "loss"}).status_code == 200
    heard = client.get(f"{STORE}/series", params=both)
    assert heard.status_code == 400 and "at most 10" in heard.json()["error"]["message"]
    monkeypatch.undo()
    monkeypatch.setattr(limits, "NUMBERS_MAX", 20)
    assert client.get(f"{STORE}/series", params={"metric": "loss"}).status_code == 200
    assert client.get(f"{STORE}/series", params=both).status_code == 400


def test_what_is_too_much_is_told_before_anything_is_read(ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last of several metrics is too much, the first is not read for nothing."""
    add_run("long", metrics={"loss": [1.0] * 30})
    monkeypatch.setattr(limits, "POINTS_TOGETHER_MAX", 60)
    read: list[str] = []
    real = charting.read
    monkeypatch.setattr(charting, "read", lambda *told: (read.append(told[2]), real(*told))[1])
    with client_of(store_path()) as client:
        assert client.get(f"{STORE}/series", params={"metric": ["val/acc", "loss"]}).status_code == 400
        assert read == []
        assert client.get(f"{STORE}/series", params={"metric": "val/acc"}).status_code == 200
        assert "val/acc" in read


def test_a_frame_tells_its_turn(client: TestClient) -> None:
    """A frame says up to which turn of the stream it knows, as answers in JSON do."""
    told = client.get(f"{STORE}/series", params={"metric": "loss"}).headers["Runfolio-Turn"]
    assert told.partition("-")[0] == client.get(f"{STORE}/overview").headers["Runfolio-Turn"].partition("-")[0]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"metric": ""},
        {"metric": "loss", "x": "time"},
        {"metric": "loss", "x": "metric:"},
        {"metric": "loss", "from": "nan"},
        {"metric": "loss", "to": "1e999"},
        {"metric": "loss", "from": "2", "to": "1"},
        {"metric": "loss", "buckets": "1"},
        {"metric": "loss", "buckets": str(limits.BUCKETS_MAX + 1)},
        {"metric": "loss", "curves": str(limits.CURVES_MAX + 1)},
        {"metric": "loss", "curves": "-1"},
        {"metric": "loss", "as": "f2"},
        {"metric": "loss", "rank": "all"},
        {"metric": "loss", "smooth": "1"},
        {"metric": "loss", "q": "lr <"},
        {"metric": "loss", "runs": "zz"},
        {"metric": "loss", "colour": "red"},
        {"metric": ["loss"] * (limits.CHARTS_MAX + 1)},
        {"metric": "loss", "curves": ["1", "1"]},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(client: TestClient, asked: dict[str, Any]) -> None:
    """What a series cannot be asked for is 400, in words."""
    heard = client.get(f"{STORE}/series", params=asked)
    assert heard.status_code == 400 and heard.json()["error"]["message"]


def test_A48_points_of_one_question(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A48: a question for more points or numbers than one answer may have is refused by that number, before it is read."""
    monkeypatch.setattr(limits, "POINTS_MAX", 11)
    for path in (f"{STORE}/series", f"{STORE}/points"):
        heard = client.get(path, params={"metric": "loss"})
        assert heard.status_code == 400 and "12 points" in heard.text and "at most 11" in heard.text
    monkeypatch.setattr(limits, "POINTS_MAX", 12)
    monkeypatch.setattr(limits, "NUMBERS_MAX", 11)
    heard = client.get(f"{STORE}/series", params={"metric": "loss"})
    assert heard.status_code == 400 and "at most 11" in heard.text


def test_a_run_that_is_gone_is_left_out(client: TestClient, ids: list[str]) -> None:
    """Of runs that are named, one that was deleted from the disk is left out; where all are gone it is 404."""
    client.get(f"{STORE}/runs")
    shutil.rmtree(Layout(str(store_path())).run(ids[0]))
    found = frame(client, metric="loss", runs=f"{ids[0]},{ids[1]}")
    assert [curve["id"] for curve in found.header["curves"]] == [ids[1]]
    heard = client.get(f"{STORE}/series", params={"metric": "loss", "runs": "0" * 32})
    assert heard.status_code == 404


def test_a_long_frame_comes_whole() -> None:
    """A frame beyond a megabyte is not packed, and comes with its length."""
    for seed in range(3):
        add_run(params={"seed": seed}, metrics={"m": list(map(float, range(30_000)))})
    with client_of(store_path()) as client:
        heard = client.get(f"{STORE}/series", params={"metric": "m", "buckets": 10_000})
    assert "content-encoding" not in heard.headers and int(heard.headers["content-length"]) == len(heard.content)
    assert len(read_frame(heard.content).header["curves"]) == 3


def test_points_come_as_an_arrow_stream(client: TestClient, ids: list[str]) -> None:
    """Every point of the metrics comes with run, metric, rank, step, value, kind and time, as the library reads them."""
    heard = client.get(f"{STORE}/points", params={"metric": ["loss", "val/acc"]})
    assert heard.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table = na.Array(InputStream.from_readable(heard.content)).to_pylist()
    store = runfolio.open_store()
    expected = [
        (run.id, metric, step, value)
        for metric in ("loss", "val/acc")
        for run in store.runs()
        for step, value in run.series(metric)
    ]
    assert [(row["run"], row["metric"], row["step"], row["value"]) for row in table] == expected
    assert list(table[0]) == ["run", "metric", "rank", "step", "value", "kind", "time"] and table[0]["kind"] == "float"


def test_points_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run longer than a piece comes in several, with every point once and in order; nothing is a stream without rows."""
    from runfolio.query.charts import point_slices

    monkeypatch.setattr(point_slices, "ROWS_MAX", 4)
    for seed in range(3):
        add_run(params={"seed": seed}, metrics={"m": [float(value) for value in range(5 + seed)]})
    with client_of(store_path()) as client:
        heard = client.get(f"{STORE}/points", params={"metric": "m"})
        values = [row["value"] for row in na.Array(InputStream.from_readable(heard.content)).to_pylist()]
        assert values == [*range(7), *range(6), *range(5)]
        empty = client.get(f"{STORE}/points", params={"metric": "m", "q": 'name = "nobody"'})
        assert na.Array(InputStream.from_readable(empty.content)).to_pylist() == []
        assert client.get(f"{STORE}/points", params={"metric": "nothing"}).status_code == 404
        assert client.get(f"{STORE}/points").status_code == 400
