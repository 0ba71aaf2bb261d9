"""Edits: events that come after a run, through journals of their own."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

import runfolio
from runfolio.errors import InvalidValue, RunNotFound, UsageError
from runfolio.model.fold import RunState, fold
from runfolio.store import edits
from runfolio.store.gc import collect
from runfolio.store.own import store_events, tell
from runfolio.store.seal import journals_of, seal
from runfolio.store.verify import verify

from .making import child, journals, small_run, spooling, start, the_layout


def state(run_id: str) -> RunState:
    return fold(event for journal in journals_of(the_layout(), run_id) for event in journal.events)


def test_each_edit_is_seen_and_can_be_taken_back() -> None:
    """Name, tags, notes, archive and delete stand in the run's state; nothing the run wrote is touched."""
    run_id = small_run(name="first", tags=["old"])
    (journal,) = journals(run_id)
    before = Path(journal.path).read_bytes()
    edits.rename(the_layout(), run_id, "second")
    edits.tag(the_layout(), run_id, {"team": "ml", "best": ""}, ["old"])
    edits.set_notes(the_layout(), run_id, "look")
    edits.archive(the_layout(), run_id)
    edits.delete(the_layout(), run_id)
    found = state(run_id)
    assert (found.name, found.tags, found.notes, found.archived, found.deleted) == (
        "second",
        {"team": "ml", "best": ""},
        "look",
        True,
        True,
    )
    edits.restore(the_layout(), run_id)
    edits.archive(the_layout(), run_id, False)
    assert (state(run_id).archived, state(run_id).deleted, state(run_id).oddities) == (False, False, 0)
    assert Path(journal.path).read_bytes() == before
    assert verify(the_layout()).findings == []


@pytest.mark.parametrize("ends", [False, True], ids=["running", "finished"])
@pytest.mark.parametrize("calls", [1, 10_000, 200_000])
def test_an_edit_is_later_than_what_was_said(monkeypatch: pytest.MonkeyPatch, calls: int, ends: bool) -> None:
    """An edit wins over what the run said before, however long the run and whatever the clock says meanwhile."""
    run = runfolio.start(name="first", capture=False)
    for step in range(calls):
        run.log({"loss": 1.0}, step=step)
    run.name = "second"
    if ends:
        run.finish()
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)
    edits.rename(the_layout(), run.id, "third")
    edits.rename(the_layout(), run.id, "fourth")
    assert state(run.id).name == "fourth"


def test_an_edit_is_signed() -> None:
    """Each edit says who made it, in a closed journal of the role edit."""
    run_id = small_run()
    id_ = edits.edit(the_layout(), run_id, {"type": "notes", "text": "a"}, {"type": "notes", "text": "b"})
    (journal,) = [journal for journal in journals(run_id) if journal.journal_id == id_]
    assert (journal.role, journal.closed, journal.opening["run"]) == ("edit", True, run_id)
    assert [event.body for event in journal.events] == [
        {"type": "notes", "text": text, "author": edits.author()} for text in "ab"
    ]
    assert "@" in edits.author() and not edits.author().startswith("@")


def test_F27_author_without_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a passwd entry and without names in the environment signs by number."""
    for name in ("LOGNAME", "USER", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def act() -> None:
        if os.geteuid() == 0:
            os.setuid(54321)
            assert edits.author().startswith("54321@")
        assert edits.author()

    assert child(act) == 0


def test_an_edit_belongs_to_the_latest_attempt() -> None:
    """An edit made after a resume stands behind what the new attempt said before it."""
    run_id = small_run(name="one")
    with runfolio.resume(run_id, capture=False) as run:
        run.name = "two"
        run.add_tags("two")
    edits.rename(the_layout(), run_id, "three")
    edits.tag(the_layout(), run_id, remove=["two"])
    assert (state(run_id).name, state(run_id).tags) == ("three", {})


def test_a_live_run_can_be_edited() -> None:
    """An edit of a running run touches nothing that its writer holds."""
    with start(name="live") as run:
        run.log({"loss": 1.0})
        edits.rename(the_layout(), run.id, "renamed")
        run.log({"loss": 2.0})
    assert state(run.id).name == "renamed"
    assert state(run.id).status_declared == "finished"


def test_a_run_without_journals_can_be_edited() -> None:
    """Where only the seal is left of the journals, an edit goes on from its latest attempt."""
    run_id = small_run(name="one")
    with runfolio.resume(run_id, capture=False) as run:
        run.name = "two"
    seal(the_layout(), run_id)
    collect(the_layout(), journals=True)
    assert journals(run_id) == []
    edits.rename(the_layout(), run_id, "three")
    assert state(run_id).name == "three"


def test_a_spooled_run_can_be_edited() -> None:
    """A run that is only in the spool has its edits in the store."""
    with spooling(), start(name="spooled") as run:
        run.log({"loss": 1.0})
    edits.rename(the_layout(), run.id, "edited")
    assert state(run.id).name == "edited"


def test_wrong_edits_are_refused() -> None:
    """An unknown run, a name that cannot be, no tags at all: said at once, and nothing is written."""
    run_id = small_run()
    before = os.listdir(the_layout().run_journal(run_id))
    with pytest.raises(RunNotFound):
        edits.delete(the_layout(), "0" * 32)
    with pytest.raises(InvalidValue):
        edits.rename(the_layout(), run_id, "a\0b")
    with pytest.raises(InvalidValue):
        edits.tag(the_layout(), run_id, {"": "x"})
    with pytest.raises(UsageError):
        edits.tag(the_layout(), run_id)
    assert os.listdir(the_layout().run_journal(run_id)) == before
    assert not os.path.exists(the_layout().run("0" * 32))


def test_F09_a_full_disk_raises() -> None:
    """An edit that cannot be written is an error of the command, not a silent loss."""
    import resource

    run_id = small_run(name="one")

    def act() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
        with pytest.raises(OSError, match="cannot be written"):
            edits.rename(the_layout(), run_id, "two")

    assert child(act) == 0
    assert state(run_id).name == "one"


def test_the_stores_own_events() -> None:
    """What is told of the store comes back in order, from journals that each teller writes by itself."""
    assert store_events(the_layout()) == []
    small_run()
    ids = {tell(the_layout(), {"type": "experiment", "id": str(number), "name": f"e{number}"}) for number in range(3)}
    assert len(ids) == 3
    found = store_events(the_layout())
    assert [event.body["name"] for event in found] == ["e0", "e1", "e2"]
    assert {event.role for event in found} == {"store"}
    assert verify(the_layout()).findings == []
    (first, *_) = sorted(os.listdir(the_layout().journal))
    Path(the_layout().journal, first).write_bytes(b"garbage")
    assert len(store_events(the_layout())) == 2


def test_A13_a_shared_store_is_shared_in_all_its_files() -> None:
    """In a store made for a group every folder is 2770 and every file 0660, whatever the umask: artifacts, seals and edits too."""
    before = os.umask(0o077)
    try:
        the_layout().create(shared=True)
        with start() as run:
            run.add_artifact(b"x", "x")
            run.log({"loss": 1.0})
        edits.rename(the_layout(), run.id, "y")
        seal(the_layout(), run.id)
        tell(the_layout(), {"type": "experiment", "id": "1", "name": "x"})
    finally:
        os.umask(before)
    for path in [Path(the_layout().root), *Path(the_layout().root).rglob("*")]:
        assert stat.S_IMODE(path.lstat().st_mode) == (0o2770 if path.is_dir() else 0o660), path
