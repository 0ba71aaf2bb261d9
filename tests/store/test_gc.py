"""gc: deleted runs free their bytes, and nothing that anybody needs goes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import RunNotFound
from runfolio.model.ids import new_id
from runfolio.store import edits, spool
from runfolio.store.blobs import draft_in, open_blob
from runfolio.store.gc import GcReport, collect
from runfolio.store.layout import Layout
from runfolio.store.seal import seal
from runfolio.store.sealed import sealed_journals
from runfolio.store.verify import verify

from .making import (
    child,
    foreign_writer,
    journals,
    killed_at_every_change,
    killed_run,
    points_of,
    small_run,
    spooling,
    start,
    the_layout,
)

HOUR_S = 3600


def size_of_store() -> int:
    """Add up the bytes of a store, each file once whatever its names."""
    found = {}
    for path in Path(the_layout().root).rglob("*"):
        info = path.lstat()
        if path.is_file():
            found[info.st_ino] = info.st_size
    return sum(found.values())


def with_artifacts(*contents: bytes, **more: Any) -> str:
    with start(**more) as run:
        for number, content in enumerate(contents):
            run.add_artifact(content, f"{number}.bin")
        run.log({"loss": 1.0})
    return run.id


def deleted(run_id: str) -> str:
    edits.delete(the_layout(), run_id)
    return run_id


def must_not_wait() -> None:
    raise AssertionError("waited")


def gc(**more: Any) -> GcReport:
    return collect(the_layout(), wait=must_not_wait, **more)


def names_of_blobs() -> list[str]:
    return sorted(os.listdir(the_layout().blobs))


# --------------------------------------------------------------------------------------------------------- what goes


def test_a_deleted_run_frees_its_bytes() -> None:
    """The run, its artifacts and what only it used are gone; the report says how many bytes, and a dry run says the same before."""
    gone = with_artifacts(b"alone" * 1000, b"shared" * 1000)
    stays = with_artifacts(b"shared" * 1000)
    deleted(gone)
    before = size_of_store()
    would = gc(dry_run=True)
    assert size_of_store() == before
    done = gc()
    assert (done.runs, done.blobs, done.kept) == ([gone], 1, [])
    assert done == would
    assert done.size_bytes == before - size_of_store() > 5000
    assert os.listdir(the_layout().runs) == [stays]
    assert verify(the_layout()).findings == []
    again = gc()
    assert (again.runs, again.size_bytes, again.blobs) == ([], 0, 0)


def test_what_is_not_deleted_stays() -> None:
    """Nothing of a run that is there, archived or restored is touched, whatever its end."""
    runs = [
        with_artifacts(b"a"),
        small_run(),
        killed_run(),
        with_artifacts(b"b", name="archived"),
        deleted(with_artifacts(b"c")),
    ]
    edits.archive(the_layout(), runs[3])
    edits.restore(the_layout(), runs[4])
    before = size_of_store()
    done = gc(journals=True)
    assert done == GcReport([], 0, 0, 0, 0, 0, [])
    assert size_of_store() == before
    assert verify(the_layout()).findings == []


def test_a_running_run_stays_though_deleted() -> None:
    """A run that is being written keeps its bytes until it ends."""
    run = start()
    run.add_artifact(b"x", "x")
    run.log({"loss": 1.0})
    deleted(run.id)
    done = gc()
    assert done.runs == [] and [kept.run_id for kept in done.kept] == [run.id]
    run.log({"loss": 2.0})
    run.finish()
    assert verify(the_layout()).findings == []
    assert gc().runs == [run.id]
    assert names_of_blobs() == []


def test_an_attached_writer_keeps_a_run_too() -> None:
    """A finished run to which another process is adding is not removed."""
    run_id = small_run()
    with runfolio.attach(run_id, rank=1) as other:
        other.log({"loss": 1.0})
        deleted(run_id)
        assert gc().runs == []
    assert gc().runs == [run_id]


def test_a_killed_run_goes() -> None:
    """Where the process is known to be dead, the run goes at once."""
    run_id = deleted(killed_run())
    assert gc().runs == [run_id]


@pytest.mark.parametrize("moves", [False, True])
def test_a_run_of_another_machine_is_watched_first(moves: bool) -> None:
    """A deleted run that is not closed and cannot be judged from here goes only when it did not move for a while. A dry run does not wait."""
    run_id = new_id()
    the_layout().create()
    writer = foreign_writer(run_id)
    writer.event({"type": "run", "experiment": "x", "experiment_id": None, "name": None})
    deleted(run_id)
    waits = []

    def wait() -> None:
        waits.append(1)
        if moves:
            writer.beat()

    assert gc(dry_run=True).runs == [run_id]
    done = collect(the_layout(), wait=wait)
    assert waits == [1]
    assert done.runs == ([] if moves else [run_id])
    assert bool(done.kept) == moves
    assert os.path.isdir(the_layout().run(run_id)) == moves


def test_a_spooled_run_goes_with_its_spool() -> None:
    """What a deleted run has in the spool goes too, and cannot bring it back."""
    with spooling(), start() as run:
        run.log({"loss": 1.0})
    deleted(run.id)
    assert spool.runs_of(the_layout().root) == [run.id]
    assert gc().runs == [run.id]
    assert spool.runs_of(the_layout().root) == []
    assert os.listdir(the_layout().runs) == []


def test_a_run_that_cannot_be_read_stays() -> None:
    """A journal of a newer format may hold a restore, or tell of artifacts: the run stays, and so does every blob."""
    from runfolio.journal import frame

    run_id = deleted(with_artifacts(b"a"))
    other = deleted(with_artifacts(b"b"))
    path = Path(the_layout().run_journal(run_id), "0" * 32 + ".jnl")
    bare = frame.HEADER.pack(frame.MAGIC, 9, 32, 0, bytes(16))
    path.write_bytes(frame.HEADER.pack(frame.MAGIC, 9, 32, frame.crc32(bare[16:], frame.crc32(bare[:12])), bytes(16)))
    done = gc()
    assert (done.runs, done.blobs) == ([other], 0)
    assert [kept.run_id for kept in done.kept] == [run_id]
    assert len(names_of_blobs()) == 2


def test_a_linked_run_folder_goes_without_its_target(tmp_path: Path) -> None:
    """Where somebody moved a run's folder elsewhere and left a symbolic link, only the link is removed."""
    run_id = deleted(with_artifacts(b"a"))
    shutil.move(the_layout().run(run_id), tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", the_layout().run(run_id))
    gc()
    assert os.listdir(the_layout().runs) == []
    assert (tmp_path / "elsewhere" / "journal").is_dir()


# ----------------------------------------------------------------------------------------------------- blobs and artifacts


def test_F52_a_blob_in_use_stays_however_it_is_used() -> None:
    """A content stays as long as any run has it, by its own link, by a copy without links, or by an event alone."""
    by_event, by_link = with_artifacts(b"event"), with_artifacts(b"link")
    copied = with_artifacts(b"copy")
    for digest in os.listdir(the_layout().artifacts(by_event)):
        os.unlink(os.path.join(the_layout().artifacts(by_event), digest))
    for digest in os.listdir(the_layout().artifacts(copied)):
        path = os.path.join(the_layout().artifacts(copied), digest)
        os.unlink(path)
        shutil.copyfile(os.path.join(the_layout().blobs, digest), path)
    assert gc(now_s=time.time() + 10 * HOUR_S).blobs == 0
    assert len(names_of_blobs()) == 3
    for run_id in (by_event, by_link, copied):
        deleted(run_id)
    assert gc().blobs == 3
    assert names_of_blobs() == []


def test_only_contents_are_removed_from_blobs() -> None:
    """A file that is no content of ours is left where it lies."""
    with_artifacts(b"a")
    Path(the_layout().blobs, "README").write_text("mine")
    Path(the_layout().blobs, "0" * 64).write_text("an orphan")
    assert gc().blobs == 1
    assert "README" in names_of_blobs()


def test_an_artifact_of_no_event_goes_when_it_is_old() -> None:
    """What a killed script had copied and not told of goes after an hour; while a writer lives it stays however old."""
    run = start()
    run.add_artifact(b"told", "x")
    stray = Path(the_layout().artifacts(run.id), "f" * 64)
    stray.write_bytes(b"stray")
    later = time.time() + 2 * HOUR_S
    assert gc(now_s=later).artifacts == 0
    run.finish()
    assert gc().artifacts == 0
    assert gc(now_s=later, dry_run=True).artifacts == 1
    assert stray.exists()
    assert gc(now_s=later).artifacts == 1
    assert os.listdir(the_layout().artifacts(run.id)) == names_of_blobs()


def test_an_artifact_of_a_damaged_run_stays() -> None:
    """Where an event may be lost, an artifact that no event tells of is not taken for nobody's."""
    run_id = with_artifacts(b"told")
    Path(the_layout().artifacts(run_id), "f" * 64).write_bytes(b"stray")
    (journal,) = journals(run_id)
    data = bytearray(Path(journal.path).read_bytes())
    data[400] ^= 1
    Path(journal.path).write_bytes(bytes(data))
    assert gc(now_s=time.time() + 2 * HOUR_S).artifacts == 0


def test_drafts_go_with_their_process() -> None:
    """The draft of a dead process goes at once, that of a living one never, one that cannot be judged after an hour."""
    run_id = with_artifacts(b"a")
    folder = the_layout().artifacts(run_id)
    program = f"from runfolio.store.blobs import draft_in; print(draft_in({folder!r}))"
    dead = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    paths = {
        "dead": dead,
        "mine": draft_in(folder),
        "unknown": os.path.join(the_layout().root, f"store.json.{new_id()}.tmp"),
    }
    for path in paths.values():
        Path(path).write_bytes(b"half")
    assert gc().drafts == 1
    assert {name for name, path in paths.items() if os.path.exists(path)} == {"mine", "unknown"}
    assert gc(now_s=time.time() + 2 * HOUR_S).drafts == 2


# ------------------------------------------------------------------------------------------------------------- journals


def test_sealed_journals_may_go() -> None:
    """A journal that is closed, sealed and the same in the seal is removed when asked for; readers see the same run."""
    run_id = small_run(name="named")
    before = [points_of(journal) for journal in journals(run_id)]
    with runfolio.open_store() as store:
        metrics, series = repr(dict(store.run(run_id).metrics)), store.run(run_id).series("loss").values.tobytes()
    assert gc(journals=True).journals == 0  # not sealed yet
    seal(the_layout(), run_id)
    size = size_of_store()
    assert gc(journals=True, dry_run=True).journals == 1
    assert len(journals(run_id)) == 1
    done = gc(journals=True)
    assert done.journals == 1 and done.size_bytes == size - size_of_store() > 0
    assert journals(run_id) == []
    assert [points_of(journal) for journal in sealed_journals(the_layout(), run_id)] == before
    assert verify(the_layout()).findings == []
    with runfolio.open_store() as store:
        run = store.run(run_id)
        assert (run.name, run.status, repr(dict(run.metrics))) == ("named", "finished", metrics)
        assert run.series("loss").values.tobytes() == series


def test_journals_stay_unless_everything_is_in_the_seal() -> None:
    """A journal that is open, damaged, longer than its seal, or not the same bit for bit in a seal that is whole, stays."""
    run_id = small_run()
    seal(the_layout(), run_id)
    (journal,) = journals(run_id)
    parquet, told, path = (
        Path(way) for way in (the_layout().parquet(run_id), the_layout().run_json(run_id), journal.path)
    )
    files = {one: one.read_bytes() for one in (parquet, told, path)}

    def spoil_points() -> None:
        parquet.write_bytes(files[parquet][:1000] + b"!" + files[parquet][1001:])

    def lose_points() -> None:
        parquet.unlink()

    def spoil_events() -> None:
        told.write_bytes(files[told].replace(b'"lr": 0.1', b'"lr": 0.2'))

    def spoil_end() -> None:
        told.write_bytes(files[told].replace(f'"end": {journal.end}'.encode(), f'"end": {journal.end - 8}'.encode()))

    def spoil_sheet() -> None:
        other = small_run()
        seal(the_layout(), other)
        shutil.copyfile(the_layout().parquet(other), parquet)

    def spoil_journal() -> None:
        path.write_bytes(files[path][:900] + bytes(8) + files[path][908:])

    def open_journal() -> None:
        path.write_bytes(files[path][: journal.end - 32])

    for spoil in (spoil_points, lose_points, spoil_events, spoil_end, spoil_sheet, spoil_journal, open_journal):
        spoil()
        collect(the_layout(), journals=True, wait=must_not_wait)
        assert path.exists(), spoil.__name__
        for one, content in files.items():
            one.write_bytes(content)
    assert collect(the_layout(), journals=True, wait=must_not_wait).journals == 1


def test_points_that_differ_in_one_bit_keep_the_journals() -> None:
    """A seal whose checksum is right and whose points are not is no reason to remove a journal."""
    from runfolio.store import run_json
    from runfolio.store.blobs import hash_of

    run_id = small_run()
    seal(the_layout(), run_id)
    path = the_layout().parquet(run_id)
    import duckdb

    meta = (
        bytes(duckdb.execute("SELECT value FROM parquet_kv_metadata(?)", [path]).fetchall()[0][0])
        .decode()
        .replace("'", "''")
    )
    bent = "SELECT * REPLACE (CASE WHEN value = -0.0 AND metric = 'val' THEN 0.0 ELSE value END AS value)"
    duckdb.execute(
        f"COPY ({bent} FROM read_parquet('{path}')) TO '{path}.new' (FORMAT parquet, KV_METADATA {{runfolio: '{meta}'}})"
    )
    os.replace(f"{path}.new", path)
    told = Path(the_layout().run_json(run_id))
    sealed = run_json.read(str(told))
    digest = hash_of(path)
    assert sealed is not None and digest is not None
    told.write_text(told.read_text().replace(sealed.sheet.sha256, digest))
    assert gc(journals=True).journals == 0


def test_a_live_runs_closed_journals_stay() -> None:
    """While a run goes on none of its journals goes."""
    run = start()
    other = runfolio.attach(run.id, rank=1)
    other.log({"loss": 1.0})
    other.finish()
    seal(the_layout(), run.id)
    assert gc(journals=True).journals == 0
    run.finish()


# ------------------------------------------------------------------------------------------------- beside others, and kills


def test_F52_gc_beside_a_run_that_adds_artifacts() -> None:
    """While one process adds, deletes and adds again the same contents, gc after gc removes none that is in use."""
    done = threading.Event()
    troubles: list[BaseException] = []

    def sweep() -> None:
        try:
            while not done.is_set():
                collect(the_layout(), wait=must_not_wait)
        except BaseException as trouble:
            troubles.append(trouble)

    the_layout().create()
    thread = threading.Thread(target=sweep)
    thread.start()
    kept = {}
    try:
        for round_ in range(12):
            with start() as run:
                run.add_artifact(b"shared" * 100, "shared")
                run.add_artifact(str(round_ // 2).encode(), "own")
            if round_ % 3:
                with suppress(RunNotFound):  # gone before the edit had closed its journal
                    deleted(run.id)
            else:
                kept[run.id] = str(round_ // 2).encode()
    finally:
        done.set()
        thread.join()
    assert troubles == []
    collect(the_layout(), wait=must_not_wait)
    assert set(os.listdir(the_layout().runs)) == set(kept)
    assert verify(the_layout()).findings == []
    for run_id, own in kept.items():
        found = []
        for digest in os.listdir(the_layout().artifacts(run_id)):
            with open_blob(the_layout(), run_id, digest) as file:
                found.append(file.read())
        assert sorted(found) == sorted([own, b"shared" * 100])


def _collect(root: str, barrier: Any) -> None:

    barrier.wait()
    collect(Layout(root), journals=True)


def test_F52_several_gcs_at_once() -> None:
    """Several processes that collect at the same time remove what is to go, and nothing else."""
    stays = [with_artifacts(b"shared", str(number).encode()) for number in range(4)]
    for number in range(8):
        deleted(with_artifacts(b"shared", b"gone", str(100 + number).encode()))
    for run_id in stays[:2]:
        seal(the_layout(), run_id)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    processes = [context.Process(target=_collect, args=(the_layout().root, barrier)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert sorted(os.listdir(the_layout().runs)) == sorted(stays)
    assert len(names_of_blobs()) == 1 + 4
    assert verify(the_layout()).findings == []


def test_F52_gc_killed_anywhere(tmp_path: Path, record_property: Any) -> None:
    """Killed before any of its changes, gc has removed nothing that is referenced; the next one leaves no orphan."""
    stays = with_artifacts(b"shared", b"own")
    sealed = small_run()
    seal(the_layout(), sealed)
    points = [points_of(journal) for journal in journals(sealed)]
    deleted(with_artifacts(b"shared", b"gone"))
    with spooling(), start() as run:
        run.log({"loss": 1.0})
    deleted(run.id)
    home, spooled, master = Path(the_layout().root), Path(os.environ["RUNFOLIO_SPOOL"]), tmp_path / "master"
    subprocess.run(["cp", "-a", home, master], check=True)
    shutil.copytree(spooled, tmp_path / "spooled")

    def prepare() -> None:
        for target, source in ((home, master), (spooled, tmp_path / "spooled")):
            shutil.rmtree(target, ignore_errors=True)
            subprocess.run(["cp", "-a", source, target], check=True)

    kills = 0
    for _ in killed_at_every_change(prepare, lambda: gc(journals=True)):
        kills += 1
        assert verify(the_layout(), stays).findings == []
        assert verify(the_layout(), sealed).sound
        gc(journals=True, now_s=time.time() + 2 * HOUR_S)
        gc(now_s=time.time() + 4 * HOUR_S)  # the folder of an emptied folder is new
        assert sorted(os.listdir(the_layout().runs)) == sorted([stays, sealed])
        assert spool.runs_of(the_layout().root) == []
        assert len(names_of_blobs()) == 2
        assert [points_of(journal) for journal in sealed_journals(the_layout(), sealed)] == points
        assert not list(home.rglob("*.tmp"))
        assert verify(the_layout()).findings == []
    record_property("F52", f"killed at {kills - 1} places, nothing in use lost, no orphan left")
    assert kills > 15


def test_F51_adding_killed_anywhere(tmp_path: Path) -> None:
    """A script killed at any change while it adds artifacts leaves a sound run; gc removes the half of it that no event tells of."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_text(name)
    run_id = small_run()
    home, master = Path(the_layout().root), tmp_path / "master"
    subprocess.run(["cp", "-a", home, master], check=True)

    def prepare() -> None:
        shutil.rmtree(home)
        subprocess.run(["cp", "-a", master, home], check=True)

    def act() -> None:
        with runfolio.attach(run_id) as run:
            run.add_artifact(folder)

    for _ in killed_at_every_change(prepare, act):
        assert verify(the_layout()).sound
        collect(the_layout(), now_s=time.time() + 2 * HOUR_S, wait=must_not_wait)
        assert not list(home.rglob("*.tmp"))
        told = {
            event.body["sha256"] for journal in journals(run_id) for event in journal.events if event.type == "artifact"
        }
        assert set(names_of_blobs()) == told
        assert verify(the_layout()).sound
    assert len(names_of_blobs()) == 3


def in_child_with_hook(hook: Callable[[str, tuple[Any, ...]], None], act: Callable[[], object]) -> int:
    def hooked() -> None:
        sys.addaudithook(hook)
        act()

    return child(hooked)


def test_a_killed_gc_is_no_longer_a_run() -> None:
    """A run whose removal was begun is no run for any reader, however much of it is left."""
    run_id = deleted(with_artifacts(b"a"))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.remove":
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child_with_hook(hook, gc) == signal.SIGKILL
    (left,) = os.listdir(the_layout().runs)
    assert left.startswith(run_id) and left.endswith(".gone")
    with runfolio.open_store() as store:
        assert len(store.runs()) == 0
    assert verify(the_layout()).findings == []
    assert gc().size_bytes > 0
    assert os.listdir(the_layout().runs) == []


def test_a_run_that_comes_to_life_meanwhile_is_put_back() -> None:
    """A writer that begins between gc's look and its move gets its run back whole."""
    run_id = deleted(with_artifacts(b"a"))
    home = the_layout().run(run_id)
    runs: list[Any] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and arguments[0] == home:
            runs.append(runfolio.attach(run_id, rank=3))
            runs[0].log({"loss": 5.0})

    def act() -> None:
        done = gc()
        assert (done.runs, [kept.run_id for kept in done.kept]) == ([], [run_id])
        runs[0].log({"loss": 6.0})
        runs[0].finish()

    assert in_child_with_hook(hook, act) == 0
    assert sum(len(points) for journal in journals(run_id) for points in points_of(journal).values()) == 3
    assert verify(the_layout()).findings == []
    assert gc().runs == [run_id]
    assert os.listdir(the_layout().runs) == []
