"""`runfolio verify`, `seal`, `delete`, `restore`, `gc`, `init`, `doctor`: the care of a store."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from cli.calling import call, fine, start, store, write_run
from runfolio.journal.frame import BLOCK, HEADER_SIZE
from runfolio.journal.scan import scan
from runfolio.model.ids import new_id
from runfolio.store import spool


def logged(**facts: object) -> str:
    """Make a run with some points; return its id."""
    with start(**facts) as run:
        for step in range(20):
            run.log({"loss": 1.0 / (step + 1)}, step=step)
        run.flush()
    return run.id


def journal_of(run_id: str) -> Path:
    """Return the one journal of a run."""
    (path,) = Path(store().run_journal(run_id)).glob("*.jnl")
    return path


# --------------------------------------------------------------------------------------------------------------- verify


def test_verify_a_sound_store() -> None:
    """A store without damage ends with 0 and says what was checked."""
    run_id = logged()
    assert fine("verify").out.startswith("✓ Sound (1 run, ")
    assert fine("verify", run_id[:8]).code == 0
    assert fine("verify", "--json").json["sound"] is True


def test_F4_verify_names_file_offset_and_loss() -> None:
    """A flipped byte ends with 1; the file, the offset and what was lost are told."""
    run_id = logged()
    path = journal_of(run_id)
    data = bytearray(path.read_bytes())
    frames = scan(bytes(data), path.stem).frames
    victim = [frame for frame in frames if frame.tag < BLOCK and frame.offset > HEADER_SIZE][10]
    data[victim.offset + victim.size - 1] ^= 1
    path.write_bytes(data)
    called = call("verify")
    assert called.code == 1
    assert called.lines[0].startswith(f"{run_id[:8]} journal/{path.name} offset {victim.offset}: ")
    assert "1 frame missing" in called.lines[0] and "step" in called.lines[0]
    assert called.lines[-1].startswith("✗ Damaged: ")
    (finding,) = (one for one in call("verify", run_id, "--json").json["findings"] if one["offset"] == victim.offset)
    assert finding["damage"] is True and finding["run_id"] == run_id
    assert "is damaged" in fine("show", run_id).out


def test_a_torn_tail_is_sound() -> None:
    """What a kill cut off in the middle is told, and sound."""
    run_id = write_run(ended=False)
    path = journal_of(run_id)
    path.write_bytes(path.read_bytes()[:-12] + b"\x07" * 5)
    called = call("verify", run_id)
    assert called.code == 0 and "(sound)" in called.lines[0], called


# ----------------------------------------------------------------------------------------------------------------- seal


def test_seal_writes_the_views_once() -> None:
    """Every ended run gets its views, a second call finds nothing new, a running run is left alone."""
    run_id, live = logged(), start()
    assert fine("seal").out.startswith("Sealed 1 run: 20 points in ")
    assert os.path.exists(store().parquet(run_id)) and os.path.exists(store().run_json(run_id))
    assert fine("seal").out == "Nothing new to seal in 1 run.\n"
    assert "may go on" in fine("seal", live.id).out
    (facts,) = fine("seal", run_id, "--json").json
    assert facts["id"] == run_id and facts["changed"] is False and facts["points"] == 20
    live.finish()


def test_nothing_to_seal() -> None:
    """An empty store is no error."""
    store().create()
    assert fine("seal").out == "No run has ended yet.\n"


# ------------------------------------------------------------------------------------------------- delete, restore, gc


def test_delete_is_taken_back_by_restore() -> None:
    """A deleted run is out of sight and keeps its bytes; what is printed brings it back."""
    ids = [logged(name="one"), logged(name="two")]
    text = fine("delete", ids[0][:8], "two").out
    assert f"Deleted {ids[0][:8]} one." in text and f"Bring back: runfolio restore {ids[0][:8]} {ids[1][:8]}" in text
    assert fine("list", "--json").json == []
    assert "deleted     yes: runfolio restore" in fine("show", ids[0]).out
    assert "is deleted already" in fine("delete", ids[0]).out
    assert fine("restore", *ids).out.count("Restored") == 2
    assert len(fine("list", "--json").json) == 2
    assert "is not deleted" in fine("restore", ids[0]).out


def test_delete_knows_all_its_runs_first() -> None:
    """An unknown run among those named ends with 1, and none is deleted."""
    run_id = logged()
    assert call("delete", run_id, "nobody").code == 1
    assert len(fine("list", "--json").json) == 1
    assert call("delete").code == 2


def test_gc_frees_deleted_runs_and_says_how_many() -> None:
    """gc frees the bytes of deleted runs, and tells how many; a dry run frees nothing; a running run stays."""
    gone, kept, live = logged(), logged(), start(name="live")
    fine("delete", gone, live.id)
    assert fine("gc", "--dry-run").lines[-1].startswith("Would free 1 run, ")
    assert os.path.isdir(store().run(gone))
    lines = fine("gc").lines
    assert lines[0].startswith(f"Kept {live.id[:8]}: it is ") and lines[-1].startswith("Freed 1 run, ")
    assert not os.path.exists(store().run(gone))
    assert call("show", gone).code == 1 and call("restore", gone).code == 1
    assert [one["id"] for one in fine("list", "--json").json] == [kept]
    facts = fine("gc", "--json").json
    assert facts["runs"] == [] and facts["kept"][0]["run_id"] == live.id
    live.finish()


def test_gc_removes_sealed_journals_on_request() -> None:
    """Journals that are sealed go when asked for, and the run reads the same."""
    run_id = logged()
    before = fine("show", run_id, "--json").json["rows"]
    fine("seal")
    assert "sealed journal" in fine("gc", "--journals").out
    assert fine("show", run_id, "--json").json["rows"] == before


# ----------------------------------------------------------------------------------------------------------------- init


def test_init_makes_a_store_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store is made in the folder; again it says that it exists; runs started below are kept there."""
    monkeypatch.delenv("RUNFOLIO_DIR")
    root = str(tmp_path / ".runfolio")
    assert fine("init").out == f"Made a store: {root}\n"
    assert fine("init").out == f"A store exists already: {root}\n"
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert logged() and os.listdir(tmp_path / ".runfolio" / "runs")
    assert fine("init", "new/project").out.startswith(
        f"Made a store: {tmp_path / 'below' / 'new' / 'project' / '.runfolio'}\nRuns started here go elsewhere"
    )


def test_A13_init_shared_ignores_the_umask(tmp_path: Path) -> None:
    """A store for a group is writable for it whatever the umask says."""
    before = os.umask(0o077)
    try:
        fine("init", "--shared", str(tmp_path / "group"))
    finally:
        os.umask(before)
    for folder in ("", "runs", "journal", "claims", "blobs"):
        assert stat.S_IMODE(os.stat(tmp_path / "group" / ".runfolio" / folder).st_mode) == 0o2770


def test_init_leaves_foreign_folders_alone(tmp_path: Path) -> None:
    """A folder of that name that holds something else is refused; one that a store was half made in is finished."""
    foreign = tmp_path / "a" / ".runfolio"
    foreign.mkdir(parents=True)
    (foreign / "thesis.tex").write_text("mine")
    called = call("init", str(tmp_path / "a"))
    assert called.code == 3 and "thesis.tex" in called.err and os.listdir(foreign) == ["thesis.tex"]
    (tmp_path / "b" / ".runfolio" / "runs").mkdir(parents=True)
    fine("init", str(tmp_path / "b"))
    (tmp_path / "c").write_text("a file")
    assert call("init", str(tmp_path / "c")).code == 3


# --------------------------------------------------------------------------------------------------------------- doctor


def test_doctor_says_which_store_and_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The store, why this one, the file system, the cost of a log and the versions are told; nothing is left behind."""
    logged()
    before = sorted(os.listdir(store().root))
    facts = fine("doctor", "--json").json
    assert sorted(os.listdir(store().root)) == before
    found = facts["findings"]
    assert facts["sound"] is True and facts["trouble"] == []
    assert (found["store"]["path"], found["store"]["chosen_by"], found["store"]["runs"]) == (
        store().root,
        "$RUNFOLIO_DIR",
        1,
    )
    assert found["log"]["p50_us"] > 0 and found["disk"]["writable"] is True and found["versions"]["runfolio"]
    text = fine("doctor").out
    assert "µs for 10 metrics" in text and text.endswith("✓ Everything is well.\n")
    monkeypatch.delenv("RUNFOLIO_DIR")
    assert fine("doctor", "--json").json["findings"]["store"]["chosen_by"].startswith("no .runfolio upward")
    (tmp_path / ".runfolio").mkdir()
    assert fine("doctor", "--json").json["findings"]["store"]["chosen_by"].startswith("the nearest .runfolio upward")


def test_doctor_before_the_first_run() -> None:
    """Without a store nothing is wrong, nothing is written, and it says what makes one."""
    text = fine("doctor").out
    assert "not made yet: the first run makes it" in text and not os.path.exists(store().root)


def test_doctor_does_not_promise_a_store_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the place of the store cannot be written, nothing says that the first run makes it."""
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # as the system says it of a disk mounted read-only
    called = call("doctor")
    assert called.code == 1 and "the first run makes it" not in called.out and "it cannot be made" in called.out


def test_doctor_names_what_waits_in_the_spool() -> None:
    """Runs that the store could not take are named with their folder, and end with 1."""
    fine("init", os.path.dirname(store().root))
    run_id = new_id()
    folder = spool.run_journal(spool.make_base(), store().root, run_id)
    os.makedirs(folder)
    called = call("doctor")
    assert called.code == 1 and run_id[:8] in called.out and "runfolio doctor --bring-home moves" in called.out
    assert os.path.dirname(os.path.dirname(folder)) in [line.strip() for line in called.lines]
    assert call("doctor", "--json").json["findings"]["spool"]["runs"] == [run_id]


def to_spool(run_id: str) -> None:
    """Put the journals of a run where they go when the store cannot be written."""
    folder = spool.run_journal(spool.make_base(), store().root, run_id)
    os.makedirs(os.path.dirname(folder))
    os.rename(store().run_journal(run_id), folder)


@pytest.mark.filterwarnings("ignore::runfolio.RunfolioWarning")
def test_doctor_brings_home_what_has_ended() -> None:
    """Runs that wait in the spool are moved into the store on request; one that is still written stays."""
    run_id, live = logged(), start(name="live")
    live.log({"loss": 1.0})
    for one in (run_id, live.id):
        to_spool(one)
    before = fine("show", run_id, "--json").json["rows"]
    assert "waits in the spool" in fine("show", run_id).out
    called = call("doctor", "--bring-home")
    assert called.code == 1 and f"{run_id[:8]} is home." in called.lines
    assert f"{live.id[:8]} stays in the spool: it may still be written" in called.out
    assert fine("show", run_id, "--json").json["rows"] == before and len(before) == 10
    assert os.listdir(store().run_journal(run_id))
    live.finish()
    assert fine("doctor", "--bring-home", "--json").json["findings"]["spool"]["runs"] == []


def test_runs_of_a_store_that_was_never_made_are_read_from_the_spool(tmp_path: Path) -> None:
    """Where the store could not even be made, runs are listed and shown all the same, with where they wait and what brings them home."""
    run_id = logged(name="mlp")
    to_spool(run_id)
    shutil.rmtree(store().root)
    lines = fine("list").lines
    assert lines[1].split()[:4] == ["✓", "finished", run_id[:8], "mlp"]
    assert lines[2] == f"1 run waits in the spool, as the store could not be made: {store().root}"
    assert lines[3].startswith("runfolio doctor --bring-home moves it there from ") and str(tmp_path) in lines[3]
    assert [one["id"] for one in fine("list", "--json").json] == [run_id]
    assert "waits in the spool" in fine("show", run_id[:8]).out
    assert fine("get", "mlp", "metrics.loss.last").out == "0.05\n"
    assert fine("compare").lines[1].split()[2] == run_id[:8]
    assert not os.path.exists(store().root)
    called = call("verify")
    assert called.code == 2 and "1 run waits in the spool" in called.err
    assert fine("doctor", "--bring-home").lines[0] == f"{run_id[:8]} is home."
    assert fine("list").lines[1:] == [lines[1]]


def test_doctor_tells_a_newer_store() -> None:
    """A store of a newer format is trouble, told with what to do."""
    logged()
    Path(store().store_json).write_text('{"format": 99, "id": "' + "0" * 32 + '"}')
    called = call("doctor")
    assert called.code == 1 and "format 99" in called.out and "Upgrade runfolio" in called.out


def test_doctor_tells_whom_it_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A link called .runfolio upward is not followed, and told."""
    monkeypatch.delenv("RUNFOLIO_DIR")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".runfolio").symlink_to(tmp_path / "elsewhere")
    called = call("doctor")
    assert (
        called.code == 1
        and f"passed over, as it is no folder of yours or root's: {tmp_path / '.runfolio'}" in called.out
    )
