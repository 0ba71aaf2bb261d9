"""The seal: Parquet and run.json hold what the journals hold, bit for bit, and come into place whole."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runfolio
from runfolio.errors import InvalidValue, RunNotFound, Unreadable
from runfolio.journal.columns import Column
from runfolio.journal.frame import HEADER_SIZE
from runfolio.model.fold import fold
from runfolio.store import parquet, run_json
from runfolio.store.edits import rename
from runfolio.store.gc import collect
from runfolio.store.parquet import Origin, Run
from runfolio.store.seal import journals_of, seal
from runfolio.store.sealed import sealed_journals
from runfolio.store.verify import verify

from .making import (
    NANS,
    SPECIAL,
    child,
    foreign_writer,
    journals,
    killed_at_every_change,
    killed_run,
    points_of,
    small_run,
    start,
    the_layout,
)

VALUES = st.floats(allow_nan=False) | st.sampled_from([*SPECIAL, *NANS]) | st.integers(-(2**53), 2**53) | st.booleans()
KEYS = st.sampled_from(["loss", "Loss", "a/b", "é", "é", "😀", "it's", '"', "\n", "x" * 300, " ", "__proto__", "NULL"])
STEPS = st.none() | st.just(runfolio.FINAL) | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 5)


def sealed_points(run_id: str) -> dict[str, dict[str, list[tuple[bytes, ...]]]]:
    """Give every point of the seal as its bits, by journal and metric."""
    return {journal.journal_id: points_of(journal) for journal in sealed_journals(the_layout(), run_id)}


def assert_same(run_id: str) -> None:
    """The seal tells the same points and events as the journals."""
    assert sealed_points(run_id) == {journal.journal_id: points_of(journal) for journal in journals(run_id)}
    by_id = {journal.journal_id: journal for journal in journals(run_id)}
    for sealed in sealed_journals(the_layout(), run_id):
        journal = by_id[sealed.journal_id]
        assert repr(sealed.events) == repr(journal.events)
        assert (sealed.opening, sealed.end, sealed.seq, sealed.attempt, sealed.rank) == (
            journal.opening,
            journal.end,
            journal.seq,
            journal.attempt,
            journal.rank,
        )
        assert list(sealed.metrics()) == list(journal.metrics())


# ---------------------------------------------------------------------------------------------------------- bit for bit


@settings(max_examples=40)
@given(calls=st.lists(st.tuples(st.dictionaries(KEYS, VALUES, max_size=5), STEPS), max_size=30))
def test_F40_everything_comes_back_from_parquet(
    tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[dict[str, Any], Any]]
) -> None:
    """Any float64 with its payload and sign, ints, bools, any step or none, under any name: the seal holds what the journal holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNFOLIO_DIR", str(tmp_path_factory.mktemp("seal")))
        kept = 0
        with start() as run:
            for metrics, step in calls:
                try:
                    run.log(metrics, step=step)
                except InvalidValue:
                    assert step is None  # there is none behind the last of int64
                else:
                    kept += len(metrics)
        done = seal(the_layout(), run.id)
        assert done.points == kept
        assert_same(run.id)
        assert verify(the_layout(), run.id).sound


@pytest.mark.parametrize("values", [[0.0, -0.0], [NANS[0], NANS[1]], [NANS[0]], [-0.0], [*SPECIAL, *NANS]])
def test_F40_few_different_values_keep_their_bits(tmp_path: Path, values: list[float]) -> None:
    """Columns that a dictionary would shorten keep each sign and payload: 0.0 is not -0.0, one NaN is not another."""
    count = 30_000
    array = np.resize(np.array(values), count)
    origin = Origin("0" * 32, 1, None)
    column = Column(
        np.arange(count),
        np.zeros(count, bool),
        array,
        np.full(count, ord("f"), np.uint8),
        np.arange(count) * 1024,
        np.arange(count),
    )
    names = iter(range(100))
    path = parquet.write(
        lambda: str(tmp_path / f"{next(names)}.parquet"), [Run("m", origin, column)], [origin], {}, name_bytes_max=1
    )
    points = parquet.read(path, "m", [origin.id])
    assert points.values.tobytes() == array.tobytes()
    assert points.writer.tolist() == [0] * count
    foreign = duckdb.sql(f"SELECT count(*), count(value) FROM '{path}'").fetchall()
    assert foreign == [(count, count)]  # none became NULL


def test_parquet_is_small(record_property: Any) -> None:
    """10 metrics × 20,000 steps of random floats take at most 8.5 bytes per point."""
    random = np.random.default_rng(0)
    values = random.random((20_000, 10)).tolist()
    with start() as run:
        for row in values:
            run.log({f"metric/{at}": value for at, value in enumerate(row)})
    done = seal(the_layout(), run.id)
    record_property("Parquet", f"{done.size_bytes / done.points:.2f} bytes per point")
    assert done.points == 200_000
    assert done.size_bytes / done.points <= 8.5


def test_parquet_is_small_where_times_jitter(tmp_path: Path, record_property: Any) -> None:
    """Steps of 100 ms that vary by a tenth cost 1.5 bytes more, and are below 8.5 too."""
    random = np.random.default_rng(0)
    times = random.normal(1e8, 1e7, 20_000).cumsum().astype(np.int64) // 1024 * 1024
    origin = Origin("0" * 32, 1, None)

    def column() -> Column:
        count = len(times)
        return Column(
            np.arange(count),
            np.zeros(count, bool),
            random.random(count),
            np.full(count, ord("f"), np.uint8),
            times,
            np.arange(count),
        )

    runs = [Run(f"metric/{at}", origin, column()) for at in range(10)]
    path = parquet.write(lambda: str(tmp_path / "x.parquet"), runs, [origin], {}, name_bytes_max=10)
    size = os.path.getsize(path) / 200_000
    record_property("Parquet, jittered times", f"{size:.2f} bytes per point")
    assert size <= 8.5


@pytest.mark.parametrize("rows_max", [1, 7, 20, 1000])
def test_points_that_do_not_fit_into_memory_at_once(rows_max: int) -> None:
    """However few points are held at a time, the file is the same."""
    run_id = small_run()
    seal(the_layout(), run_id)
    rows = "SELECT * FROM read_parquet(?)"
    whole = duckdb.execute(rows, [the_layout().parquet(run_id)]).fetchall()
    os.unlink(the_layout().parquet(run_id))
    seal(the_layout(), run_id, rows_max=rows_max)
    assert duckdb.execute(rows, [the_layout().parquet(run_id)]).fetchall() == whole
    assert_same(run_id)


def test_columns_for_other_readers() -> None:
    """Another Parquet reader finds one row per point, also those written over, with columns that explain themselves."""
    run_id = small_run()
    seal(the_layout(), run_id)
    path = the_layout().parquet(run_id)
    columns = duckdb.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    assert [(name, kind) for name, kind, *_ in columns] == [
        ("metric", "VARCHAR"), ("rank", "BIGINT"), ("step", "BIGINT"), ("value", "DOUBLE"), ("kind", "VARCHAR"), ("time", "TIMESTAMP_NS"),
        ("attempt", "BIGINT"), ("writer", "VARCHAR"), ("seq", "BIGINT"),
    ]  # fmt: skip
    rows = duckdb.execute(f"SELECT * FROM '{path}'").fetchall()
    assert len(rows) == 20 * 4 + 3
    assert [row[3] for row in rows if row[0] == "loss" and row[2] == 3] == [0.25, 7.0]
    assert {(row[0], row[4]) for row in rows} == {
        ("loss", "float"), ("acc", "float"), ("epoch", "int"), ("best", "bool"), ("val", "float"), ("test_acc", "float"),
    }  # fmt: skip
    assert [row[2] for row in rows if row[0] == "test_acc"] == [None]
    keys = [(row[0], row[6], row[7], row[8]) for row in rows]
    assert keys == sorted(keys)
    (journal,) = journals(run_id)
    meta = parquet.read_meta(path)
    assert [(told["journal"], told["end"], told["seq"], told["closed"]) for told in meta["journals"]] == [
        (journal.journal_id, journal.end, journal.seq, True)
    ]


# ------------------------------------------------------------------------------------------------------------- run.json


def strict(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"bare {name}")

    return json.loads(text, parse_constant=refuse)


def test_F40_run_json_is_strict_and_loses_nothing() -> None:
    """run.json parses with a strict parser, tells NaN from the text "NaN", and its events fold to the same state as the journals'."""
    run_id = small_run(name="named", tags={"a": "b"}, notes="½")
    seal(the_layout(), run_id)
    path = the_layout().run_json(run_id)
    told = strict(Path(path).read_text())
    assert (told["id"], told["name"], told["status"], told["tags"], told["notes"]) == (
        run_id,
        "named",
        "finished",
        {"a": "b"},
        "½",
    )
    assert told["params"] == {"lr": 0.1, "nothing": "NaN", "text": "NaN"}
    assert [way for way in told["floats"] if way.startswith("params")] == ["params.nothing"]
    (loss,) = told["metrics"]["loss"]
    assert (loss["count"], loss["max"], loss["step_of_max"], loss["last"], loss["last_step"]) == (20, 7.0, 3, 0.05, 19)
    assert told["metrics"]["best"][0]["max"] is True and told["metrics"]["epoch"][0]["last"] == 3
    assert list(told["metrics"]) == ["loss", "acc", "epoch", "best", "val", "test_acc"]
    sealed = run_json.read(path)
    assert sealed is not None
    assert fold(sealed.events) == fold(event for journal in journals(run_id) for event in journal.events)


@settings(max_examples=30)
@given(
    params=st.dictionaries(
        st.text(st.characters(exclude_characters="\0.", exclude_categories=["Cs"]), min_size=1),
        st.floats()
        | st.text(st.characters(exclude_categories=["Cs"]))
        | st.integers()
        | st.none()
        | st.lists(st.floats()),
        max_size=4,
    )
)
def test_F40_params_survive_run_json(tmp_path_factory: pytest.TempPathFactory, params: dict[str, Any]) -> None:
    """Whatever was set comes back from run.json with its type and value, NaN and infinities among texts that look like them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNFOLIO_DIR", str(tmp_path_factory.mktemp("params")))
        with start(params=params) as run:
            pass
        seal(the_layout(), run.id)
        (sealed,) = sealed_journals(the_layout(), run.id)
        assert repr(fold(sealed.events).params) == repr(params)


# ------------------------------------------------------------------------------------------------------ what is covered


def test_sealing_again_changes_nothing() -> None:
    """A second seal finds everything covered, and touches neither file."""
    run_id = small_run()
    assert seal(the_layout(), run_id).changed
    paths = [the_layout().parquet(run_id), the_layout().run_json(run_id)]
    before = [os.stat(path) for path in paths]
    again = seal(the_layout(), run_id)
    assert not again.changed and again.points == 83
    assert [os.stat(path) for path in paths] == before


def test_a_live_writer_is_left_out_until_it_ends() -> None:
    """Only closed journals are sealed; the others follow when they have ended, and readers take those from the journals."""
    run = start()
    run.log({"loss": 1.0})
    done = seal(the_layout(), run.id)
    assert (done.journals, len(done.left_open), done.changed) == (0, 1, False)
    assert not os.path.exists(the_layout().parquet(run.id))
    other = runfolio.attach(run.id, rank=1)
    other.log({"loss": 2.0})
    other.finish()
    done = seal(the_layout(), run.id)
    assert (done.journals, len(done.left_open), done.points) == (1, 1, 1)
    run.finish()
    done = seal(the_layout(), run.id)
    assert (done.journals, done.left_open, done.points) == (2, [], 2)
    assert_same(run.id)


def test_a_writer_of_another_machine_is_left_out() -> None:
    """A journal that is not closed, whose process cannot be judged from here, is not taken for ended."""
    run_id = small_run()
    writer = foreign_writer(run_id)
    writer.log({"loss": 1.0})
    assert seal(the_layout(), run_id).left_open == writer.journals
    writer.close()
    assert seal(the_layout(), run_id).left_open == []


def test_F01_a_killed_run_is_sealed_and_trimmed() -> None:
    """The journal of a process that is proved dead counts as ended: all its points are sealed, the space it had reserved is given back."""
    run_id = killed_run()
    (path,) = [journal.path for journal in journals(run_id)]
    done = seal(the_layout(), run_id)
    assert (done.points, done.left_open) == (50, [])
    assert_same(run_id)
    assert os.path.getsize(path) == journals(run_id)[0].end
    assert json.loads(Path(the_layout().run_json(run_id)).read_text())["status"] is None


def test_an_edit_changes_run_json_only() -> None:
    """An event without points leaves metrics.parquet alone."""
    run_id = small_run()
    seal(the_layout(), run_id)
    before = os.stat(the_layout().parquet(run_id))
    rename(the_layout(), run_id, "later")
    assert seal(the_layout(), run_id).changed
    assert os.stat(the_layout().parquet(run_id)) == before
    assert json.loads(Path(the_layout().run_json(run_id)).read_text())["name"] == "later"
    assert verify(the_layout(), run_id).sound


def test_attempts_and_ranks_are_sealed() -> None:
    """Attempts, ranks and rewinds are in the file: every point stays, the summary shows what is visible."""
    with start(rank=0) as run:
        for step in range(10):
            run.log({"loss": float(step)}, step=step)
    with runfolio.resume(run.id, rewind_to=5, rank=0, capture=False) as again:
        again.log({"loss": 50.0}, step=5)
    with runfolio.attach(run.id, rank=1) as other:
        other.log({"loss": 100.0}, step=0)
    seal(the_layout(), run.id)
    assert_same(run.id)
    rows = duckdb.execute(
        "SELECT rank, attempt, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL", [the_layout().parquet(run.id)]
    ).fetchall()
    assert rows == [(0, 1, 10), (0, 2, 1), (1, 2, 1)]
    told = json.loads(Path(the_layout().run_json(run.id)).read_text())["metrics"]["loss"]
    assert [(one["rank"], one["count"], one["last"]) for one in told] == [(0, 6, 50.0), (1, 1, 100.0)]


def test_no_run_no_seal() -> None:
    """An unknown run is said to be none."""
    small_run()
    with pytest.raises(RunNotFound):
        seal(the_layout(), "0" * 32)


def test_a_run_without_points_is_sealed() -> None:
    """A run that logged nothing has a seal too, with an empty table."""
    with start(name="empty") as run:
        pass
    assert seal(the_layout(), run.id).points == 0
    assert parquet.count_rows(the_layout().parquet(run.id)) == 0
    assert_same(run.id)


# ------------------------------------------------------------------------------------------- without journals, and after


def without_journals(run_id: str) -> list[dict[str, Any]]:
    """Seal a run and remove its journals; return what they held."""
    seal(the_layout(), run_id)
    before = [points_of(journal) for journal in journals(run_id)]
    collect(the_layout(), journals=True)
    assert journals(run_id) == []
    return before


def test_a_run_without_journals_goes_on() -> None:
    """A run whose journals are gone may get a new attempt: sealed again, the file holds the points of both."""
    run_id = small_run()
    (before,) = without_journals(run_id)
    writer = foreign_writer(run_id)
    for step in range(20, 30):
        writer.log({"loss": float(step), "new": 1.0}, step)
    writer.close()
    done = seal(the_layout(), run_id, rows_max=13)
    assert done.points == 83 + 20
    (added,) = journals(run_id)
    found = sealed_points(run_id)
    assert found.pop(added.journal_id) == points_of(added)
    assert list(found.values()) == [before]
    rows = duckdb.execute(
        "SELECT metric, attempt, writer, seq FROM read_parquet(?)", [the_layout().parquet(run_id)]
    ).fetchall()
    assert rows == sorted(rows)
    assert verify(the_layout(), run_id).sound


def test_a_damaged_seal_is_made_anew_from_the_journals() -> None:
    """Where the journals have everything, a broken seal is replaced, and what there was of it put aside."""
    run_id = small_run()
    seal(the_layout(), run_id)
    for path in (the_layout().parquet(run_id), the_layout().run_json(run_id)):
        Path(path).write_bytes(b"garbage")
    assert not verify(the_layout(), run_id).sound
    assert seal(the_layout(), run_id).changed
    assert_same(run_id)
    assert verify(the_layout(), run_id).sound
    aside = list(Path(the_layout().run(run_id)).glob("*.damaged"))
    assert [path.read_bytes() for path in aside] == [b"garbage"] * 2


def test_a_damaged_seal_that_alone_has_the_points_is_not_overwritten() -> None:
    """Where the journals are gone, a seal that cannot be read stays as it is, for whoever can mend it."""
    run_id = small_run()
    without_journals(run_id)
    rename(the_layout(), run_id, "later")
    for path in (the_layout().run_json(run_id), the_layout().parquet(run_id)):
        whole = Path(path).read_bytes()
        Path(path).write_bytes(whole[:-10] + b"0123456789")
        with pytest.raises(Unreadable):
            seal(the_layout(), run_id)
        assert Path(path).read_bytes() == whole[:-10] + b"0123456789"
        Path(path).write_bytes(whole)
    assert seal(the_layout(), run_id).changed


# ------------------------------------------------------------------------------------------------ two at once, and kills


def _seal(root: str, run_id: str, barrier: Any) -> None:
    from runfolio.store.layout import Layout

    barrier.wait()
    seal(Layout(root), run_id)


def test_sealers_at_once() -> None:
    """Several processes that seal one run at the same time leave one sound seal, and nothing else."""
    run_id = small_run()
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    sealers = [context.Process(target=_seal, args=(the_layout().root, run_id, barrier)) for _ in range(4)]
    for sealer in sealers:
        sealer.start()
    for sealer in sealers:
        sealer.join()
        assert sealer.exitcode == 0
    assert_same(run_id)
    assert verify(the_layout()).sound
    assert sorted(os.listdir(the_layout().run(run_id))) == ["journal", "metrics.parquet", "run.json"]


def test_another_sealer_between_the_two_files() -> None:
    """Where another sealer replaces the points before run.json tells of ours, the two files belong together in the end all the same."""
    run_id = small_run()
    once = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and arguments[1] == the_layout().run_json(run_id) and not once:
            once.append(1)
            os.unlink(the_layout().parquet(run_id))
            seal(the_layout(), run_id)

    def act() -> None:
        sys.addaudithook(hook)
        seal(the_layout(), run_id)

    assert child(act) == 0
    assert verify(the_layout()).findings == []
    assert_same(run_id)


def test_F07_sealing_killed_anywhere(tmp_path: Path) -> None:
    """Killed before any of its changes, a sealer leaves the old seal or the new one, both sound; the next one completes it."""
    run_id = small_run()
    seal(the_layout(), run_id)
    writer = foreign_writer(run_id)
    writer.log({"loss": 9.0}, 99)
    writer.close()
    home, master = Path(the_layout().root), tmp_path / "master"
    shutil.copytree(home, master)

    def prepare() -> None:
        shutil.rmtree(home)
        shutil.copytree(master, home)

    kills = 0
    for _ in killed_at_every_change(prepare, lambda: seal(the_layout(), run_id)):
        kills += 1
        assert verify(the_layout()).sound
        found = sealed_points(run_id)
        by_id = {journal.journal_id: points_of(journal) for journal in journals(run_id)}
        assert len(found) in (1, 2) and all(by_id[id_] == points for id_, points in found.items())
        seal(the_layout(), run_id)
        assert_same(run_id)
        report = verify(the_layout())
        assert report.sound and not report.findings
        collect(the_layout())
        assert sorted(os.listdir(the_layout().run(run_id))) == ["journal", "metrics.parquet", "run.json"]
    assert kills > 6


_CALLS = ("write", "pwrite64", "sendfile", "copy_file_range", "fsync", "fdatasync", "rename", "unlink", "ftruncate")


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_F07_sealing_killed_in_a_system_call(call: str, tmp_path: Path) -> None:
    """Killed before its first or second write, sync or rename, a sealer leaves the old seal or the new one, both sound."""
    killed_in_a_system_call(call, tmp_path, 2)


@pytest.mark.long
def test_F07_sealing_killed_in_every_system_call(tmp_path: Path, record_property: Any) -> None:
    """So it is for each of them."""
    kills = sum(killed_in_a_system_call(call, tmp_path / call, 1000) for call in _CALLS)
    record_property("F7", f"sealing killed before each of its {kills} calls: old or new, both sound")


def killed_in_a_system_call(call: str, tmp_path: Path, most: int) -> int:
    """Kill sealers, each before a later one of these calls; return how many were killed."""
    run_id = small_run()
    seal(the_layout(), run_id)
    writer = foreign_writer(run_id)
    writer.log({"loss": 9.0}, 99)
    writer.close()
    program = f"from runfolio.store.seal import *; seal(Layout({the_layout().root!r}), {run_id!r})"
    home, master = the_layout().root, str(tmp_path / "master")
    shutil.copytree(home, master)
    for when in range(1, most + 1):
        shutil.rmtree(home)
        shutil.copytree(master, home)
        trace = [
            "strace",
            "-f",
            "-o",
            "/dev/null",
            "-e",
            f"trace={call}",
            "-e",
            f"inject={call}:signal=KILL:when={when}",
        ]
        try:
            done = subprocess.run(
                [*trace, sys.executable, "-B", "-c", program], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            pytest.skip("cannot trace: no strace")
        if "Operation not permitted" in done.stderr:
            pytest.skip("cannot trace")
        assert "Traceback" not in done.stderr, done.stderr
        assert verify(the_layout()).sound
        by_id = {journal.journal_id: points_of(journal) for journal in journals(run_id)}
        found = sealed_points(run_id)
        assert len(found) in (1, 2) and all(by_id[id_] == points for id_, points in found.items())
        seal(the_layout(), run_id)
        assert_same(run_id)
        if done.returncode == 0:
            return when - 1
    return most


def test_a_full_disk_leaves_the_old_seal() -> None:
    """A sealer that cannot write raises OSError, and leaves the seal there was and no draft."""
    import resource

    run_id = small_run()
    seal(the_layout(), run_id)
    with runfolio.attach(run_id, rank=1) as run:
        for step in range(2000):
            run.log({"loss": step**0.5})

    def act() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(OSError):
            seal(the_layout(), run_id)

    assert child(act) == 0
    assert verify(the_layout()).sound
    assert len(sealed_points(run_id)) == 1
    assert not list(Path(the_layout().root).rglob("*.tmp"))


def test_F03_a_torn_journal_is_sealed_to_its_last_good_frame() -> None:
    """A closed journal's copy, cut anywhere, is no closed journal; with its process dead it is sealed as far as it goes."""
    run_id = killed_run()
    (journal,) = journals(run_id)
    whole = Path(journal.path).read_bytes()[: journal.end]
    for cut in range(HEADER_SIZE, journal.end, 333):
        Path(journal.path).write_bytes(whole[:cut])
        for path in (the_layout().parquet(run_id), the_layout().run_json(run_id)):
            Path(path).unlink(missing_ok=True)
        if journals(run_id)[0].opening:
            seal(the_layout(), run_id)
            assert_same(run_id)


def test_F17_a_moved_and_a_copied_store_are_sealed_alike(tmp_path: Path) -> None:
    """A store that was moved or copied as a whole is sealed and read as before."""
    run_id = small_run()
    seal(the_layout(), run_id)
    points = sealed_points(run_id)
    shutil.copytree(the_layout().root, tmp_path / "it's [a] copy*")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNFOLIO_DIR", str(tmp_path / "it's [a] copy*"))
        assert not seal(the_layout(), run_id).changed
        os.unlink(the_layout().parquet(run_id))
        assert seal(the_layout(), run_id).changed
        assert sealed_points(run_id) == points
        assert [journal.journal_id for journal in journals_of(the_layout(), run_id)] == list(points)
