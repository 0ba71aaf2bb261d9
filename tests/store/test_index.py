"""The index: what it looks at, what it remembers, and that it can be lost at any time."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from query.runs import ELSEWHERE, HERE, end_run, make_run, make_store, make_writer, tree_of
from runfolio.errors import StoreNotFound, Unreadable
from runfolio.model.ids import new_id
from runfolio.query.packed import packed, whole
from runfolio.query.store import Store
from runfolio.store import cache as cache_module
from runfolio.store import edits
from runfolio.store.cache import Cache
from runfolio.store.index import Room
from runfolio.store.layout import cache_folder
from runfolio.testing.clock import ManualClock

LATE = 2**62  # every folder's time is long past


@pytest.fixture
def layout():
    return make_store()


@pytest.fixture
def clock():
    return ManualClock(wall_ns=LATE)


class Opened:
    """Counts what is opened and listed below a folder while it is switched on."""

    root: ClassVar[str | None] = None
    opened: ClassVar[list[str]] = []
    listed: ClassVar[list[str]] = []

    @classmethod
    def hear(cls, event: str, args: tuple[object, ...]) -> None:
        if cls.root is None or event not in ("open", "os.listdir", "os.scandir") or not isinstance(args[0], str):
            return
        if args[0].startswith(cls.root):
            (cls.opened if event == "open" else cls.listed).append(os.path.relpath(args[0], cls.root))


sys.addaudithook(Opened.hear)


@pytest.fixture
def opened(layout):
    Opened.root, Opened.opened, Opened.listed = layout.root, [], []
    yield Opened
    Opened.root = None


def index_file(layout):
    return Path(cache_folder(layout.root, layout.store_id()), "index.sqlite")


def facts_of(store):
    """Give what a store says of all its runs."""
    return [
        (
            run.id,
            run.name,
            run.experiment,
            run.status,
            run.params,
            run.tags,
            repr([(n, repr(run.metrics[n])) for n in run.metrics]),
        )
        for run in store.runs(deleted=None, archived=None)
    ]


def some_runs(layout, count=4):
    for i in range(count):
        _, writer = make_run(layout, f"run-{i}", f"e{i % 2}")
        writer.event({"type": "params", "set": {"i": i, "nested.x": [1, None]}})
        writer.event({"type": "tags", "add": {"t": str(i)}, "remove": []})
        for step in range(3):
            writer.log({"m": i + step / 10}, step)
        end_run(writer)


# ------------------------------------------------------------------------------------------------------------ looking


def test_a_settled_run_is_not_opened_again(layout, clock, opened):
    """A second look, by this process or another, opens no file of runs whose journals are all closed, and lists `runs/` only."""
    some_runs(layout)
    first = Store(layout, clock)
    assert len(opened.opened) > 4
    opened.opened.clear(), opened.listed.clear()
    clock.pass_s(1)
    assert len(first.runs()) == 4
    assert (opened.opened, opened.listed) == ([], ["runs"])
    opened.listed.clear()
    assert len(Store(layout, clock).runs()) == 4
    assert (opened.opened, opened.listed) == (["store.json"], ["runs"])


def test_the_disk_is_looked_at_twice_a_second_at_most(layout, clock, opened):
    """However often it is asked, a store lists its runs anew only when half a second has passed."""
    some_runs(layout, 2)
    store = Store(layout, clock)
    opened.listed.clear()
    for _ in range(100):
        clock.pass_s(0.1)
        store.runs()
        store.experiments()
        store.best("m", "min")
    assert opened.listed.count("runs") == 20


def test_a_new_run_is_seen_after_half_a_second(layout, clock):
    """What came between two looks is there after the next one; a run that is asked for by its id at once."""
    store = Store(layout, clock)
    run_id, _ = make_run(layout, "new")
    assert store.runs() == []
    assert store.run(run_id).name == "new"
    clock.pass_s(0.5)
    assert [run.id for run in store.runs()] == [run_id]


def test_a_run_asked_for_by_a_new_name_is_found_at_once(layout, clock):
    """A name that is not known is looked for once more where runs have come since."""
    store = Store(layout, clock)
    run_id, _ = make_run(layout, "just begun")
    assert store.run("just begun").id == store.run("latest").id == run_id


def test_a_later_edit_is_seen(layout, clock):
    """A journal that joins a settled run, as an edit does, makes it be read again."""
    run_id, writer = make_run(layout, "old name")
    end_run(writer)
    store = Store(layout, clock)
    edit = make_writer(layout, run_id, role="edit")
    edit.event({"type": "name", "name": "new name"})
    edit.close(sync=False)
    clock.pass_s(1)
    assert [run.name for run in store.runs()] == ["new name"]
    assert store.run("new name").status == "finished"


def test_two_changes_at_the_same_instant_are_both_seen(layout):
    """A folder whose time is too young to be trusted is listed again: a journal that came in the same tick of the clock is not missed."""
    run_id, writer = make_run(layout)
    end_run(writer)
    folder = layout.run_journal(run_id)
    stamp = os.stat(folder).st_mtime_ns
    clock = ManualClock(wall_ns=stamp)
    store = Store(layout, clock)
    edit = make_writer(layout, run_id, role="edit")
    edit.event({"type": "name", "name": "renamed"})
    edit.close(sync=False)
    os.utime(folder, ns=(stamp, stamp))
    clock.pass_s(1)
    assert [run.name for run in store.runs()] == ["renamed"]


def test_a_live_run_is_caught_up_with(layout, clock, opened):
    """Another process that lists a live run reads what is new in its journal, not all of it, and without numpy; the numbers are the same."""
    _, writer = make_run(layout, "live")
    for step in range(5000):
        writer.log({"m": step / 3, "n": step}, step)
    Store(layout, clock).close()
    read = []
    pread = os.pread

    def counting(fd, size, offset):
        data = pread(fd, size, offset)
        read.append(len(data))
        return data

    for step in range(5000, 5010):
        writer.log({"m": step / 3, "n": step, "new": True}, step)
    writer.log({"m": -1.0, "n": 7}, 6000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pread", counting)
        (run,) = Store(layout, clock).runs()
    assert sum(read) < 2000
    caught = [repr(run.metrics[name]) for name in run.metrics]
    index_file(layout).unlink()
    (run,) = Store(layout, clock).runs()
    assert caught == [repr(run.metrics[name]) for name in run.metrics]
    assert run.metrics["new"].count == 10


def test_a_removed_run_is_forgotten(layout, clock):
    """A run whose folder is gone is gone from every listing."""
    some_runs(layout, 3)
    store = Store(layout, clock)
    gone = store.runs()[0].id
    shutil.rmtree(layout.run(gone))
    clock.pass_s(1)
    assert gone not in {run.id for run in store.runs()}
    assert len(store.runs()) == 2


def test_a_run_in_the_spool_is_listed(layout, clock, monkeypatch, tmp_path):
    """A run that could not be written into the store is listed with where it waits, and stays one run when it has come home."""
    import runfolio
    from runfolio.store import spool

    run_id, writer = make_run(layout, "homeless")
    writer.log({"m": 1.0}, 0)
    end_run(writer)
    waiting = spool.run_journal(spool.make_base(), layout.root, run_id)
    os.makedirs(os.path.dirname(waiting))
    shutil.move(layout.run_journal(run_id), waiting)
    store = runfolio.open_store()
    run = store.run("homeless")
    assert (run.spooled_in, run.status, run.series("m").values[0]) == ([waiting], "finished", 1.0)
    assert "waits in the spool" in run.warnings[0]
    os.makedirs(layout.run_journal(run_id))
    spool.bring_home(layout.root, run_id, layout.run_journal(run_id))
    again = runfolio.open_store()
    assert [(run.id, run.spooled_in) for run in again.runs()] == [(run_id, [])]


def test_listing_settled_runs_needs_no_numpy(layout):
    """A process that lists and filters a settled store loads neither numpy nor DuckDB, nor the modules that decode journals."""
    some_runs(layout)
    (Path(layout.runs) / new_id() / "journal").mkdir(parents=True)
    for folder in Path(layout.runs).iterdir():
        os.utime(folder / "journal", ns=(0, 0))
    code = (
        "import sys; from runfolio.query.store import Store; from runfolio.store.layout import find; runs = Store(find()).runs();"
        "print(len(runs), [r.metrics['m'].last + r.params['i'] for r in runs]);"
        "print(sorted({'numpy', 'duckdb', 'nanoarrow', 'asyncio', 'runfolio.journal.columns'} & set(sys.modules)))"
    )
    for expected in ("['numpy', 'runfolio.journal.columns']", "[]"):
        told = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        assert told[0].startswith("4 ")
        assert told[1] == expected


# ------------------------------------------------------------------------------------------------------------ status


def test_a_run_of_this_machine_is_judged_at_once(layout, clock):
    """Where its process is here, a run is running while that lives, and killed as soon as it is gone."""
    child = subprocess.Popen(["sleep", "100"])
    with open(f"/proc/{child.pid}/stat") as file:
        started = int(file.read().rpartition(")")[2].split()[19])
    run_id, writer = make_run(layout, process={**HERE, "pid": child.pid, "pid_start": started})
    writer.log({"m": 1.0}, 0)
    store = Store(layout, clock)
    assert store.run(run_id).status == "running"
    child.kill()
    child.wait()
    clock.pass_s(1)
    run = store.run(run_id)
    assert (run.status, run.status_reason) == (
        "killed",
        f"process {child.pid} on {HERE['host']} is gone without a word",
    )
    assert run.since is not None
    clock.pass_s(1)
    assert [run.status for run in Store(layout, clock).runs()] == ["killed"]


def test_what_a_process_wrote_just_before_its_death_is_read(layout, clock):
    """A run is not settled by a death before everything that it wrote has been read."""
    run_id, writer = make_run(layout, process={**HERE, "pid": 2**22 + 5, "pid_start": 1})
    writer.log({"m": 1.0}, 0)
    store = Store(layout, clock)
    assert store.run(run_id).status == "killed"
    assert store._index.cache.ask("SELECT open FROM runs") == [(None,)]
    assert store.run(run_id).metrics["m"].last == 1.0


def test_a_run_of_another_machine_is_judged_by_its_heartbeat(layout, clock):
    """A first look says running, not yet confirmed; while it moves, running; 45 s after its last move, lost; and running again when it moves."""
    run_id, writer = make_run(layout, process=ELSEWHERE)
    store = Store(layout, clock)
    run = store.run(run_id)
    assert (run.status, run.status_reason) == (
        "running",
        "not yet confirmed: process 7 on elsewhere is watched from here",
    )
    clock.pass_s(10)
    writer.beat()
    assert (store.run(run_id).status, store.run(run_id).status_reason) == ("running", None)
    clock.pass_s(44)
    assert store.run(run_id).status == "running"
    clock.pass_s(2)
    run = store.run(run_id)
    assert (run.status, run.status_reason) == ("lost", "no sign of life from process 7 on elsewhere")
    writer.beat()
    assert store.run(run_id).status == "running"


def test_a_run_of_another_container_is_judged_by_its_heartbeat(layout, clock):
    """On the same machine, but where process ids mean others, the heartbeat decides, and nothing is settled by its silence."""
    run_id, writer = make_run(layout, process={**HERE, "pid": 2**22 + 5, "pid_ns": "another"})
    store = Store(layout, clock)
    clock.pass_s(50)
    assert store.run(run_id).status == "lost"
    writer.log({"m": 1.0}, 0)
    clock.pass_s(1)
    assert store.run(run_id).status == "running"
    assert store.run(run_id).metrics["m"].last == 1.0


def test_a_run_from_before_a_reboot_was_killed(layout):
    """A process of an earlier boot of this machine is gone; after a day its run is settled."""
    clock = ManualClock()  # long before this boot
    run_id, writer = make_run(layout, process={**HERE, "boot_id": "an earlier boot"}, clock=clock)
    store = Store(layout, clock)
    assert store.run(run_id).status == "killed"
    assert store._index.cache.ask("SELECT open IS NULL FROM runs") == [(0,)]
    writer.log({"m": 1.0}, 0)
    clock.pass_s(1)
    assert store.run(run_id).metrics["m"].last == 1.0
    clock.pass_s(100_000)
    assert store.run(run_id).status == "killed"
    assert store._index.cache.ask("SELECT open IS NULL FROM runs") == [(1,)]


def test_the_last_look_is_kept_between_processes(layout, clock):
    """Another process that opens the store goes on watching from where the last one was."""
    run_id, _ = make_run(layout, process=ELSEWHERE)
    Store(layout, clock).close()
    clock.pass_s(46)
    assert [run.status for run in Store(layout, clock).runs()] == ["lost"]
    assert run_id


def test_the_latest_attempt_decides(layout, clock):
    """A run that ended and was resumed is running again, until its new attempt ends."""
    run_id, writer = make_run(layout)
    end_run(writer, "failed")
    store = Store(layout, clock)
    assert store.run(run_id).status == "failed"
    again = make_writer(layout, run_id, attempt=2)
    again.event({"type": "attempt", "rewind_to": None, "command": None})
    clock.pass_s(1)
    run = store.run(run_id)
    assert (run.status, run.ended, run.attempt_count) == ("running", None, 2)
    end_run(again)
    clock.pass_s(1)
    assert store.run(run_id).status == "finished"


# ------------------------------------------------------------------------------------------------------------ the cache


def test_reading_writes_nothing_into_the_store(layout, clock):
    """After everything was asked, no file or folder of the store has changed."""
    some_runs(layout)
    make_run(layout, "live")
    before = tree_of(layout.root)
    with Store(layout, clock) as store:
        for run in store.runs():
            for name in run.metrics:
                run.series(name)
            run.table()
            repr(run.state)
        store.series("m")
        store.compare()
    assert tree_of(layout.root) == before


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no database at all" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.write_bytes(path.read_bytes()[:4096] + os.urandom(8192) + path.read_bytes()[12288:]),
        lambda path: sqlite3.connect(path).executescript("UPDATE meta SET value = 'another'"),
        lambda path: sqlite3.connect(path).executescript("DROP TABLE runs"),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (shutil.rmtree(path.parent), path.parent.write_bytes(b"")),
        lambda path: (shutil.rmtree(path.parent.parent), path.parent.parent.write_bytes(b"")),
    ],
)
def test_the_index_can_be_lost_at_any_time(layout, clock, harm):
    """An index that is gone, empty, garbage, cut, overwritten, of another form or cannot be written costs nothing but time."""
    some_runs(layout)
    with Store(layout, clock) as store:
        before = facts_of(store)
        assert len(before) == 4
        store.series("m")
    harm(index_file(layout))
    with Store(layout, clock) as store:
        assert facts_of(store) == before
        assert sum(len(series) for series in store.series("m").values()) == 12


def test_a_locked_index_is_done_without(layout, clock, monkeypatch):
    """Where another process does not let go of the file, a store goes on in memory and sees what is new."""
    from runfolio.store import cache

    monkeypatch.setattr(cache, "LOCK_WAIT_S", 0.01)
    some_runs(layout, 2)
    Store(layout, clock).close()
    make_run(layout, "while locked")
    holder = sqlite3.connect(index_file(layout))
    holder.execute("BEGIN EXCLUSIVE")
    store = Store(layout, clock)
    assert len(store.runs()) == 3
    assert store.run("while locked")
    holder.rollback()


def test_two_readers_share_an_index(layout, clock):
    """Two stores of the same folder, each with new runs seen by the other first, say the same."""
    stores = [Store(layout, clock), Store(layout, clock)]
    for i in range(6):
        some_runs(layout, 1)
        clock.pass_s(1)
        stores[i % 2].runs()
    clock.pass_s(1)
    assert facts_of(stores[0]) == facts_of(stores[1])
    assert len(stores[0].runs()) == 6


def test_two_stores_never_share_an_index(layout, clock, tmp_path):
    """A store that was copied with its id has an index of its own, and so has one at another path."""
    some_runs(layout, 2)
    Store(layout, clock).close()
    copy = tmp_path / "copy"
    shutil.copytree(layout.root, copy)
    import runfolio

    run_id = runfolio.open_store(copy).runs()[0].id
    shutil.rmtree(copy / "runs" / run_id)
    assert len(runfolio.open_store(copy).runs()) == 1
    assert len(Store(layout, clock).runs()) == 2


def laid_out(store):
    """Give what is laid out for filters, by the names of the runs, of their metrics and of the rest."""
    ask = store._index.cache.ask
    question = (
        "SELECT runs.name, names.name, {} FROM {} JOIN names ON names.number = named JOIN runs ON runs.number = run"
    )
    rows = [*ask(question.format("last", "numbers")), *ask(question.format("coalesce(facts.number, text)", "facts"))]
    total = sum(ask(f"SELECT count(*) FROM {table}")[0][0] for table in ("numbers", "facts"))
    assert total == len(rows), "something is laid out of a run that is not there"
    return {(run, name): value for run, name, value in rows}


def test_what_is_laid_out_follows_the_run(layout, clock):
    """A run is laid out for filters when it comes to rest; an edit lays it out anew, a new attempt and its removal leave nothing of it."""
    run_id, writer = make_run(layout, "a")
    writer.event({"type": "params", "set": {"lr": 0.5, "text": "x", "nan": float("nan")}})
    writer.event({"type": "tags", "add": {"old": "1"}, "remove": []})
    writer.log({"m": 1.0}, 0)
    store = Store(layout, clock)
    assert laid_out(store) == {}
    assert [run.name for run in store.runs("lr = 0.5 and m = 1 and tags.old = '1'")] == ["a"]
    end_run(writer)
    clock.pass_s(1)
    store.runs()
    assert laid_out(store) == {("a", "lr"): 0.5, ("a", "text"): "x", ("a", "old"): "1", ("a", "m"): 1.0}
    edit = make_writer(layout, run_id, role="edit")
    edit.event({"type": "tags", "add": {"new": "2"}, "remove": ["old"]})
    edit.close(sync=False)
    clock.pass_s(1)
    assert store.runs("tags.old is not None") == []
    assert laid_out(store) == {("a", "lr"): 0.5, ("a", "text"): "x", ("a", "new"): "2", ("a", "m"): 1.0}
    again = make_writer(layout, run_id, attempt=2)
    again.event({"type": "attempt", "rewind_to": None, "command": None})
    again.log({"m": 2.0}, 1)
    clock.pass_s(1)
    assert [run.metrics["m"].last for run in store.runs("m = 2")] == [2.0]
    assert laid_out(store) == {}
    end_run(again)
    clock.pass_s(1)
    assert len(store.runs("m = 2")) == 1
    assert laid_out(store)["a", "m"] == 2.0
    shutil.rmtree(layout.run(run_id))
    clock.pass_s(1)
    assert store.runs() == []
    assert laid_out(store) == {}


def test_a_run_that_was_killed_is_laid_out(layout, clock):
    """A run that is judged dead is laid out by whoever finds it so, without its journals being read again."""
    child = subprocess.Popen(["sleep", "100"])
    with open(f"/proc/{child.pid}/stat") as file:
        started = int(file.read().rpartition(")")[2].split()[19])
    _, writer = make_run(layout, "a", process={**HERE, "pid": child.pid, "pid_start": started})
    writer.log({"m": 1.0}, 0)
    Store(layout, clock).close()
    child.kill()
    child.wait()
    store = Store(layout, clock)
    assert [run.status for run in store.runs("m = 1")] == ["killed"]
    assert laid_out(store) == {("a", "m"): 1.0}


def test_a_run_of_several_ranks_is_laid_out_by_their_mean(layout, clock):
    """What is laid out of a metric is what the packed numbers of all ranks tell."""
    run_id, writer = make_run(layout, "a")
    for rank, value in ((1, 2.0), (2, 5.0), (3, float("nan"))):
        other = make_writer(layout, run_id, role="worker", rank=rank)
        other.log({"m": value, "n": float("nan")}, 0)
        other.close(sync=False)
    end_run(writer)
    store = Store(layout, clock)
    assert laid_out(store) == {("a", "m"): 3.5, ("a", "n"): None}
    assert [run.name for run in store.runs("m = 3.5 and n is None")] == ["a"]


def test_a_big_run_is_answered_though_it_is_not_laid_out(layout, clock):
    """A run with long texts or very many metrics is not laid out, so that the index stays small, and is found all the same."""
    for name, params, metrics in (("text", {"p": "x" * 20_000}, 1), ("wide", {"p": "y"}, 2_000)):
        _, writer = make_run(layout, name)
        writer.event({"type": "params", "set": params})
        writer.log({f"m{i}": float(i) for i in range(metrics)}, 0)
        end_run(writer)
    store = Store(layout, clock)
    assert laid_out(store) == {}
    assert [run.name for run in store.runs('p like "x*"')] == ["text"]
    assert [run.name for run in store.runs("m1999 = 1999 and p = 'y'")] == ["wide"]


def test_a_look_that_is_broken_off_leaves_no_numbers_of_names(tmp_path):
    """A number that a name got in a transaction which was broken off is not used afterwards: another process may have given it away."""
    one, other = (Cache(str(tmp_path / "index.sqlite")) for _ in range(2))

    def broken_off():
        one._number("params", "x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one.safely(broken_off)
    theirs = other.safely(lambda: other._number("params", "y"))
    assert one.safely(lambda: one._number("params", "x")) != theirs
    assert one.safely(lambda: one._number("params", "y")) == theirs


def test_decoded_journals_are_held_within_bounds(layout, clock):
    """However many runs are read, what is held of them stays below the bound, and the latest is among it."""
    some_runs(layout, 12)
    store = Store(layout, clock)
    held = store._index._held
    ids = [run.id for run in store.runs()]
    one_bytes = store._index.files(ids[0]).size_bytes
    store._index._room = Room(one_bytes * 5)
    for run_id in [*ids, *ids[:3], ids[2]]:
        store._index.files(run_id)
        assert store._index._held_bytes == sum(folding.files.size_bytes for folding, _ in held.values())
        assert one_bytes <= store._index._held_bytes <= one_bytes * 5
        assert next(reversed(held)) == run_id
    store.close()
    assert store._index._held_bytes == 0


def test_a_light_store_says_the_same(layout, clock):
    """Of a store that holds little of each run the runs say the same, one by one, as a whole list and column by column."""
    some_runs(layout)
    heavy, light = Store(layout, clock), Store(layout, clock, light=True)
    assert facts_of(light) == facts_of(heavy)
    listed = light.runs("m > 1", sort="-m")
    assert [run.id for run in listed] == [run.id for run in heavy.runs("m > 1", sort="-m")]
    assert all(run._row.params is run._row.more is run._row.summaries is None for run in listed)
    assert [run._row for run in whole(light, listed)] == [run._row for run in heavy.runs("m > 1", sort="-m")]
    assert list(packed(listed, "summaries")) == [run._row.summaries for run in heavy.runs("m > 1", sort="-m")]


def test_a_packed_column_of_a_run_that_has_gone_is_none(layout, clock):
    """Of runs that a list still names and the store no longer has, there is nothing to read, and the others are read."""
    some_runs(layout, 3)
    store = Store(layout, clock, light=True)
    listed = store.runs()
    shutil.rmtree(layout.run(listed[1].id))
    clock.pass_s(1)
    assert len(store.runs()) == 2
    assert [text is None for text in packed(listed, "params")] == [False, True, False]
    assert [run.name for run in whole(store, listed)] == ["run-2", "run-1", "run-0"]


def test_what_is_remembered_goes_the_oldest_first(tmp_path, monkeypatch):
    """Beyond the bound the oldest points are forgotten, a few at a time; the latest stay, also when much of the file is free."""
    cache = Cache(str(tmp_path / "index.sqlite"))
    monkeypatch.setattr(cache_module, "POINTS_BYTES_MAX", 1 << 20)
    for number in range(300):
        cache.safely(lambda number=number: cache.remember([("m", f"{number:032x}", None, 1, bytes(10_000))]))
    kept = sorted(int(run, 16) for run, _ in cache.points("m"))
    assert kept == list(range(kept[0], 300))
    assert 50 < len(kept) < 150


# ---------------------------------------------------------------------------------------------- a disk that is not there


def test_runs_of_a_disk_that_is_not_there_are_not_forgotten(layout, clock, opened):
    """Where the store cannot be seen, that is said; when it is back, its runs are known without opening one of their files."""
    some_runs(layout)
    store = Store(layout, clock)
    clock.pass_s(1)
    os.rename(layout.root, f"{layout.root}-away")
    for _ in range(2):
        with pytest.raises(StoreNotFound):
            store.runs()
    os.rename(f"{layout.root}-away", layout.root)
    opened.opened.clear()
    assert len(store.runs()) == 4
    assert opened.opened == []


def test_runs_that_cannot_be_listed_are_not_forgotten(layout, clock):
    """A folder of runs that cannot be read, as where too many files are open, is told as such; what is known stays."""
    some_runs(layout)
    store = Store(layout, clock)
    clock.pass_s(1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(Unreadable, match="cannot be read"):
            store.runs()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert store._index.cache.ask("SELECT count(*) FROM runs") == [(4,)]
    assert len(store.runs()) == 4


def test_another_store_in_its_place_is_no_change_of_this_one(layout, clock):
    """Where another store stands under the same path, this one's runs are not forgotten for it."""
    some_runs(layout)
    store = Store(layout, clock)
    os.rename(layout.root, f"{layout.root}-away")
    layout.create()
    clock.pass_s(1)
    with pytest.raises(Unreadable, match="another store"):
        store.runs()
    assert store._index.cache.ask("SELECT count(*) FROM runs") == [(4,)]


def test_runs_that_were_deleted_by_hand_are_gone(layout, clock):
    """Where the store is there and its folder of runs is not, there are no runs."""
    some_runs(layout)
    store = Store(layout, clock)
    shutil.rmtree(layout.runs)
    clock.pass_s(1)
    assert store.runs() == []


# ---------------------------------------------------------------------------------------------- looked at by somebody else


def test_a_trusted_store_is_not_looked_over_by_questions(layout, clock, opened):
    """While somebody else looks, a question lists no folder of runs at rest; new runs and what running ones say it sees all the same."""
    some_runs(layout)
    writer_run, running = make_run(layout, "running")
    store = Store(layout, clock, light=True)
    clock.pass_s(1)
    assert len(store.runs()) == 5
    store.trust(60)
    clock.pass_s(1)
    opened.listed.clear()
    store.runs()
    assert opened.listed == [f"runs/{writer_run}/journal"]
    running.event({"type": "params", "set": {"late": 1}})
    make_run(layout, "new")
    clock.pass_s(1)
    assert [run.name for run in store.runs("late == 1")] == ["running"]
    assert "new" in [run.name for run in store.runs()]


def test_a_trusted_store_shows_edits_after_the_next_look(layout, clock):
    """What is said of a run at rest is seen with the next look of whoever looks, or when nobody does any more."""
    some_runs(layout)
    store = Store(layout, clock)
    first, second = (run.id for run in store.runs()[:2])
    store.trust(60)
    edits.edit(layout, first, {"type": "name", "name": "renamed"})
    clock.pass_s(1)
    assert store.runs(name="renamed") == []
    store.refresh()
    assert [run.id for run in store.runs(name="renamed")] == [first]
    edits.edit(layout, second, {"type": "name", "name": "too"})
    clock.pass_s(61)
    assert [run.id for run in store.runs(name="too")] == [second]


def test_what_came_since_a_scan_stays(layout, clock):
    """A run that came after the folders were looked at, and is known already, is not taken to be gone."""
    some_runs(layout, 2)
    store = Store(layout, clock)
    scan = store._index.scan()
    run_id, _ = make_run(layout, "new")
    store.look_at(run_id)
    store._index.take_in(scan)
    assert len(store._index.cache.ask("SELECT id FROM runs")) == 3


def test_a_big_column_is_read_when_asked_for(layout, clock):
    """Params, notes and metrics of any size come back, though a listing does not carry them along."""
    run_id, writer = make_run(layout, "big")
    params = {f"p{i}": "x" * 100 for i in range(3000)}
    writer.event({"type": "params", "set": params})
    writer.event({"type": "notes", "text": "n" * 200_000})
    writer.log({f"m{i}": float(i) for i in range(2000)}, 0)
    store = Store(layout, clock)
    run = store.run(run_id)
    assert run._row.params is run._row.more is run._row.summaries is None
    assert run.params == params
    assert run.notes == "n" * 200_000
    assert run.metrics["m1999"].last == 1999.0
    assert json.loads(json.dumps(run.tags)) == {}
    assert new_id() not in {run.id for run in store.runs()}
