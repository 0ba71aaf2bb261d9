"""Exports: every format holds what the runs hold, whole or not at all, and a folder comes back bit for bit."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
import struct
import subprocess
from pathlib import Path

import duckdb
import polars as pl
import pytest

import runfolio
from query.runs import ELSEWHERE, end_run, make_run, make_store, make_writer
from runfolio.convert.exports.export import FORMATS, export, write_text
from runfolio.convert.foreign import Skipped
from runfolio.convert.importers.runfolio import BroughtHome, bring_home
from runfolio.errors import UsageError
from runfolio.store.gc import collect
from runfolio.store.layout import Layout
from runfolio.store.seal import seal
from runfolio.store.verify import verify

ODD_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000001234))[0]
VALUES = [0.1, -0.0, ODD_NAN, math.inf, -math.inf, 5e-324, 1e308]


def bits(values):
    return [struct.unpack("<Q", struct.pack("<d", value))[0] for value in values]


@pytest.fixture
def store():
    """Two runs: odd floats, ints, bools, ranks, a point without a step, params of all kinds, artifacts in versions, records, output."""
    params = {
        "lr": 0.1,
        "net": {"width": 64},
        "nan": math.nan,
        "text": "NaN",
        "none": None,
        "list": [1, "a"],
        "big": 10**30,
    }
    with runfolio.start("digits", "first", params, {"team": "ml", "best": ""}, "two\nlines", capture=False) as run:
        for step, value in enumerate(VALUES):
            run.log({"loss": value, "epoch": step, "on": step == 1}, step=step)
        run.log({'test,"acc"': 0.5}, step=runfolio.FINAL)
        run.log_record({"sample": "x", "n": math.inf}, step=1)
        run.summary["acc"] = math.nan
        run.add_artifact(b"one", "model.bin")
        run.add_artifact(b"two", "model.bin")
        run.add_artifact(b"plot", "../plots/a.png")
        run.define("loss", goal="min")
    Path(Layout(os.environ["RUNFOLIO_DIR"]).output(run.id)).write_bytes(b"epoch 1\r\x00done")
    with runfolio.start("digits", "second", capture=False) as run:
        helper = runfolio.attach(run.id, rank=1)
        run.log({"loss": 1.0}, step=0)
        helper.log({"loss": 2.0}, step=0)
        helper.finish()
    return runfolio.open_store()


def layout():
    return Layout(os.environ["RUNFOLIO_DIR"])


def other(name="other"):
    found = Layout(os.path.abspath(name))
    found.create()
    return found


def tree(folder):
    """Give each file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


# ---------------------------------------------------------------------------------------------------------------- json


def refuse(name):
    raise AssertionError(f"{name} is no strict JSON")


def test_json_is_one_strict_document(store):
    """Everything known of a run and each series: values as logged, texts for what JSON has no number for."""
    export(store, store.runs(), "json", "out.json")
    told = json.loads(Path("out.json").read_text(), parse_constant=refuse)
    assert told["format"] == 1 and [run["name"] for run in told["runs"]] == ["second", "first"]
    first = told["runs"][1]
    loss, epoch, on = (first["metrics"][name][0] for name in ("loss", "epoch", "on"))
    back = [
        {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(value, value) for value in loss["values"]
    ]
    assert repr(back) == repr([math.nan if value != value else value for value in VALUES])
    assert epoch["values"] == list(range(7)) and {type(value) for value in epoch["values"]} == {int}
    assert on["values"] == [False, True] + [False] * 5
    assert loss["times_ns"] == store.run("first").series("loss").times.view("int64").tolist()
    (final,) = first["metrics"]['test,"acc"']
    assert (final["rank"], final["steps"], final["values"]) == (None, [None], [0.5])
    assert [(one["rank"], one["values"]) for one in told["runs"][0]["metrics"]["loss"]] == [(None, [1.0]), (1, [2.0])]
    assert first["params"]["big"] == 10**30 and first["params"]["nan"] == first["params"]["text"] == "NaN"
    assert {"params.nan", "summary.acc", "records.0.value.n"} == set(first["nonfinite"])
    assert [(one["name"], one["version"]) for one in first["artifacts"]][:2] == [("model.bin", 1), ("model.bin", 2)]


def test_jsonl_has_the_same_objects_a_line_each(store):
    """A line for each run, the same object as in json."""
    export(store, store.runs(), "json", "out.json")
    export(store, store.runs(), "jsonl", "out.jsonl")
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert lines == json.loads(Path("out.json").read_text())["runs"]


def test_no_runs_are_an_empty_document(store):
    """Where there is nothing to export each format is there, and empty."""
    for form in FORMATS:
        export(store, [], form, f"none.{form}")
    assert json.loads(Path("none.json").read_text())["runs"] == [] and Path("none.jsonl").read_text() == ""
    assert pl.read_parquet("none.parquet").height == 0  # a path that ends so is the points
    export(store, [], "parquet", "tables")
    assert pl.read_parquet("tables/points.parquet").columns == [
        "run",
        "name",
        "metric",
        "rank",
        "step",
        "value",
        "kind",
        "time",
    ]


# ----------------------------------------------------------------------------------------------------------------- csv


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_csv_is_exact(store):
    """points.csv has each value to its last bit, with its kind and time; runs.csv a row for each run."""
    export(store, store.runs(), "csv", "out")
    found = rows("out/points.csv")
    loss = [row for row in found if row["metric"] == "loss" and row["name"] == "first"]
    assert (
        bits(math.copysign(1, float(row["value"])) if row["value"] == "-0.0" else 0 for row in loss)[1]
        == bits([-1.0])[0]
    )
    assert [float(row["value"]) for row in loss if row["value"] != "nan"] == [
        value for value in VALUES if value == value
    ]
    assert [row["value"] for row in found if row["metric"] == "epoch"] == [str(step) for step in range(7)]
    assert {row["kind"] for row in found if row["metric"] == "on"} == {"bool"}
    assert [(row["rank"], row["step"]) for row in found if row["name"] == "second"] == [("", "0"), ("1", "0")]
    times = [pl.Series([row["time"].rstrip("Z")]).str.to_datetime(time_unit="ns")[0] for row in loss[:1]]
    assert times and len(loss[0]["time"]) == len("2025-01-15T10:30:01.123456789Z")
    table = {row["name"]: row for row in rows("out/runs.csv")}
    assert table["first"]["params.big"] == str(10**30) and table["first"]["params.list"] == '[1,"a"]'
    assert table["first"]["metrics.epoch"] == "6" and table["second"]["params.lr"] == ""


def test_a_path_that_ends_in_csv_is_the_points(store):
    """To `….csv` and to standard output the points are written alone."""
    export(store, store.runs(), "csv", "points.csv")
    text = io.StringIO(newline="")
    write_text(store, store.runs(), "csv", text)
    assert Path("points.csv").read_bytes().decode() == text.getvalue()
    with pytest.raises(UsageError):
        write_text(store, store.runs(), "parquet", text)


# ------------------------------------------------------------------------------------------------------------- parquet


def test_parquet_has_the_five_tables_bit_for_bit(store):
    """DuckDB and polars read the tables; values have the bits that were logged, NaN's payload and -0.0 too."""
    export(store, store.runs(), "parquet", "out")
    assert sorted(os.listdir("out")) == [
        f"{name}.parquet" for name in ("artifacts", "metrics", "params", "points", "runs")
    ]
    points = pl.read_parquet("out/points.parquet")
    loss = points.filter((pl.col("metric") == "loss") & (pl.col("name") == "first"))
    assert bits(loss["value"].to_list()) == bits(VALUES)
    assert loss["time"].dt.epoch("ns").to_list() == store.run("first").series("loss").times.view("int64").tolist()
    assert duckdb.sql("select count(*), count(distinct run) from 'out/points.parquet'").fetchall() == [(24, 2)]
    assert duckdb.sql("select value from 'out/params.parquet' where param = 'lr'").fetchall() == [("0.1",)]
    export(store, store.runs(), "parquet", "points.parquet")
    assert pl.read_parquet("points.parquet").equals(points, null_equal=True)


def test_parquet_keeps_zeros_and_nans_that_come_often_apart():
    """Among many points of few values -0.0 stays -0.0, and each NaN keeps its payload."""
    layout = make_store()
    _, writer = make_run(layout)
    several = [0.0, -0.0, math.nan, ODD_NAN] * 1000
    for step, value in enumerate(several):
        writer.log({"loss": value}, step)
    end_run(writer)
    store = runfolio.open_store()
    export(store, store.runs(), "parquet", "points.parquet")
    assert bits(pl.read_parquet("points.parquet")["value"].to_list()) == bits(several)


def test_many_points_go_through_in_pieces(store, monkeypatch):
    """Points in several pieces are the same file as in one, in the same order."""
    from runfolio.query import relations

    export(store, store.runs(), "parquet", "whole.parquet")
    monkeypatch.setattr(relations, "ROWS_AT_ONCE", 5)
    export(store, store.runs(), "parquet", "pieces.parquet")
    assert pl.read_parquet("pieces.parquet").equals(pl.read_parquet("whole.parquet"), null_equal=True)
    assert sorted(name for name in os.listdir(".") if "parquet" in name) == ["pieces.parquet", "whole.parquet"]


# -------------------------------------------------------------------------------------------------- placed whole or not


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_is_left_of_an_export_that_is_interrupted(store, form):
    """Ctrl-C in the middle leaves neither a part nor a draft; what was there stays."""

    def interrupted(runs):
        yield runs[0]
        raise KeyboardInterrupt

    before = tree(".")
    with pytest.raises(KeyboardInterrupt):
        export(store, store.runs(), form, "out", watch=interrupted)
    export(store, store.runs(), form, "there")
    kept = tree("there") if os.path.isdir("there") else Path("there").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        export(store, store.runs(), form, "there", force=True, watch=interrupted)
    assert (tree("there") if os.path.isdir("there") else Path("there").read_bytes()) == kept
    shutil.rmtree("there") if os.path.isdir("there") else os.unlink("there")
    assert {name for name in tree(".") if not name.startswith("cache")} == {
        name for name in before if not name.startswith("cache")
    }


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_there_is_replaced_only_when_told(store, form):
    """A second export to the same place is refused, and replaces the first with force."""
    export(store, store.runs(), form, "out")
    with pytest.raises(UsageError, match="--force"):
        export(store, store.runs()[:1], form, "out")
    export(store, store.runs()[:1], form, "out", force=True)


@pytest.mark.parametrize("form", ["csv", "parquet", "folder"])
def test_a_folder_with_other_things_is_never_replaced(store, form):
    """Not even force removes a folder that holds anything but an export."""
    os.makedirs("precious")
    Path("precious/thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"thesis\.tex"):
        export(store, store.runs(), form, "precious", force=True)
    os.symlink("precious", "link")
    with pytest.raises(UsageError):
        export(store, store.runs(), form, "link", force=True)
    assert Path("precious/thesis.tex").read_text() == "years of work"


# -------------------------------------------------------------------------------------------------------------- folder


def test_a_folder_comes_back_bit_for_bit(store):
    """Journals, artifacts and output in another store have the same bytes under the same run ids; the second time nothing is new."""
    export(store, store.runs(), "folder", "out")
    target = other()
    found = list(bring_home(target, "out"))
    assert {(one.run_id, one.name, one.new) for one in found} == {(run.id, run.name, True) for run in store.runs()}
    for run in store.runs():
        assert tree(target.run(run.id)) == tree(layout().run(run.id))
    assert verify(target).sound
    assert [one.new for one in bring_home(target, "out")] == [False, False]
    with runfolio.open_store(target.root) as there:
        assert bits(there.run("first").series("loss").values) == bits(VALUES)
        assert there.run("first").artifact("model.bin").read_bytes() == b"two"


def test_a_person_and_other_programs_can_read_a_folder(store):
    """The tables, the artifacts by name, about.json and the sums are there; `sha256sum -c` agrees."""
    export(store, store.runs(), "folder", "out")
    run = Path("out/runs") / store.run("first").id
    assert (run / "files/model.bin").read_bytes() == b"two"
    assert json.loads((run / "about.json").read_text(), parse_constant=refuse)["params"]["lr"] == 0.1
    assert (run / "output.log").read_bytes() == b"epoch 1\r\x00done"
    assert not list(Path("out").rglob("*.tmp"))
    assert "files" in os.listdir(run) and all(path.is_file() for path in (run / "files").rglob("*.png"))
    assert duckdb.sql("select count(*) from 'out/points.parquet'").fetchall() == [(24,)]
    assert {row["name"] for row in rows("out/runs.csv")} == {"first", "second"}
    if shutil.which("sha256sum"):
        done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd="out", check=False, capture_output=True)
        assert done.returncode == 0, done.stdout


def test_another_store_and_a_single_run_can_be_brought_too(store):
    """A store, the project folder around it, and one run's folder in it are sources as well."""
    run = store.run("first")
    target = other()
    (found,) = bring_home(target, layout().run(run.id))
    assert (found.run_id, found.new) == (run.id, True)
    found = list(bring_home(target, layout().root))
    assert [one.new for one in found].count(True) == 1 and len(found) == 2
    with pytest.raises(UsageError, match="itself"):
        list(bring_home(layout(), layout().root))


def test_a_sealed_run_without_journals_comes_back(store):
    """Where gc has removed the journals, the seal is the run: it is exported, and brought home."""
    run = store.run("first")
    seal(layout(), run.id)
    collect(layout(), journals=True)
    assert not os.listdir(layout().run_journal(run.id))
    fresh = runfolio.open_store()
    export(fresh, [fresh.run(run.id)], "folder", "out")
    target = other()
    assert [one.new for one in bring_home(target, "out")] == [True]
    assert [one.new for one in bring_home(target, "out")] == [False]
    with runfolio.open_store(target.root) as there:
        assert bits(there.run("first").series("loss").values) == bits(VALUES)


def test_journals_that_gc_removed_here_do_not_come_again(store):
    """A run whose journals are all in the seal of this store is not new."""
    export(store, store.runs(), "folder", "out")
    for run in store.runs():
        seal(layout(), run.id)
    collect(layout(), journals=True)
    assert [one.new for one in bring_home(layout(), "out")] == [False, False]


def test_more_is_taken_and_more_is_kept():
    """A run that has gone on in the source is taken as far as it goes there; one that has gone on here is kept."""
    home = make_store()
    run_id, writer = make_run(home, "grows", process=ELSEWHERE)
    writer.log({"loss": 1.0}, 0)
    writer.sync()
    export(runfolio.open_store(), runfolio.open_store().runs(), "folder", "early")
    writer.log({"loss": 2.0}, 1)
    end_run(writer)
    later = make_writer(home, run_id, attempt=2)
    later.log({"loss": 3.0}, 2)
    later.close(sync=False)
    export(runfolio.open_store(), runfolio.open_store().runs(), "folder", "late")
    target = other()
    (first,) = bring_home(target, "early")
    assert isinstance(first, BroughtHome) and values(target, run_id) == [1.0]
    assert [one.new for one in bring_home(target, "late")] == [True]
    assert values(target, run_id) == [1.0, 2.0, 3.0]
    fresh = other("fresh")
    assert [one.new for one in bring_home(fresh, "late")] == [True]
    assert [one.new for one in bring_home(fresh, "early")] == [False]
    assert values(fresh, run_id) == [1.0, 2.0, 3.0]


def values(where, run_id):
    with runfolio.open_store(where.root) as store:
        return store.run(run_id).series("loss").values.tolist()


def test_a_journal_that_is_written_here_is_let_be(store):
    """Where the process of a cut journal lives on this machine, the run is skipped and says so."""
    run = store.run("first")
    export(store, [run], "folder", "out")
    target = other()
    list(bring_home(target, "out"))
    (name,) = os.listdir(target.run_journal(run.id))
    path = Path(target.run_journal(run.id)) / name
    path.write_bytes(path.read_bytes()[:2000])
    (found,) = bring_home(target, "out")
    assert isinstance(found, Skipped) and "still being written" in found.reason
    assert path.stat().st_size == 2000


# ----------------------------------------------------------------------------------------------------- foreign, broken


def test_a_foreign_folder_is_a_clear_error(tmp_path):
    """What is neither an export nor a store is refused, and no store is made for it."""
    (tmp_path / "foreign/runs/x").mkdir(parents=True)
    for path in ("foreign", "foreign/runs", "no such"):
        with pytest.raises(UsageError, match="neither"):
            list(bring_home(layout(), path))
    assert not layout().exists()


@pytest.mark.parametrize("kind", ["changed", "missing", "added", "cut"])
def test_a_broken_run_is_skipped_and_the_others_come(store, kind):
    """A file that is not as it was exported keeps its run out, with the reason; nothing of it is written."""
    export(store, store.runs(), "folder", "out")
    run = store.run("first")
    journal = next((Path("out/runs") / run.id / "journal").iterdir())
    if kind == "changed":
        data = bytearray(journal.read_bytes())
        data[200] ^= 1
        journal.write_bytes(data)
    elif kind == "missing":
        journal.unlink()
    elif kind == "cut":
        journal.write_bytes(journal.read_bytes()[:-8])
    else:
        shutil.copy(journal, journal.with_name("0" * 32 + ".jnl"))
    target = other()
    found = {type(one): one for one in bring_home(target, "out")}
    assert run.id in found[Skipped].path and "journal/" in found[Skipped].reason
    assert found[BroughtHome].name == "second" and not os.path.exists(target.run(run.id))


def test_without_sums_each_file_is_looked_at(store):
    """In a store, a journal of another run and a damaged artifact keep their run out."""
    first, second = store.run("first"), store.run("second")
    for name in os.listdir(layout().run_journal(second.id)):
        shutil.copy(os.path.join(layout().run_journal(second.id), name), layout().run_journal(first.id))
    target = other()
    found = {os.path.basename(getattr(one, "path", "")): one for one in bring_home(target, layout().root)}
    assert "belongs to run" in found[first.id].reason
    assert not os.path.exists(target.run(first.id))


def test_a_link_in_the_source_is_not_followed(store, tmp_path):
    """A symbolic link in the place of a file brings nothing in from elsewhere."""
    export(store, store.runs(), "folder", "out")
    os.unlink("out/SHA256SUMS")
    Path("out/store.json").write_text("{}")
    run = store.run("first")
    log = Path("out/runs") / run.id / "output.log"
    log.unlink()
    (tmp_path / "secret").write_text("secret")
    log.symlink_to(tmp_path / "secret")
    target = other()
    list(bring_home(target, "out"))
    assert not os.path.exists(target.output(run.id))


def test_a_damaged_artifact_is_told_and_the_rest_exported(store):
    """Bytes that rotted in the store do not stop an export: what is lacking is told."""
    run = store.run("first")
    digest = run.artifact("model.bin", 1).sha256
    for path in (os.path.join(layout().artifacts(run.id), digest), os.path.join(layout().blobs, digest)):
        if os.path.exists(path):
            os.chmod(path, 0o600)
            Path(path).write_bytes(b"rotten")
    (lacking,) = export(store, store.runs(), "folder", "out")
    assert lacking.run_id == run.id and "model.bin" in lacking.what
    assert (Path("out/runs") / run.id / "files/model.bin").read_bytes() == b"two"


def test_a_run_that_is_being_written_is_exported_up_to_now():
    """A live run is exported whole frames only, and comes back sound."""
    home = make_store()
    run_id, writer = make_run(home, "live")
    for step in range(100):
        writer.log({"loss": float(step)}, step)
    store = runfolio.open_store()
    export(store, store.runs(), "folder", "out")
    writer.log({"loss": 100.0}, 100)
    target = other()
    assert [one.new for one in bring_home(target, "out")] == [True]
    assert values(target, run_id) == [float(step) for step in range(100)] and verify(target).sound
    end_run(writer)


def test_a_journal_that_has_just_begun_is_left_out(tmp_path):
    """A companion that opens its journal while a run is exported takes nothing from the export: it comes home."""
    layout = make_store()
    run_id, writer = make_run(layout, "kept")
    end_run(writer)
    begun = Path(layout.run_journal(run_id)) / ("5" * 32 + ".jnl")
    begun.write_bytes(bytes(4096))
    store = runfolio.open_store(layout.root)
    export(store, store.runs(), "folder", str(tmp_path / "backup"))
    (home,) = bring_home(Layout(str(tmp_path / "home")), str(tmp_path / "backup"))
    assert isinstance(home, BroughtHome) and home.new
