"""tag, note, rename, archive, delete, restore, undo: one run or many, tried before, told, and taken back."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

import runfolio
from cli.calling import call, fine, start


@pytest.fixture
def three() -> list[str]:
    """Give the ids of three ended runs, whose lr is 1, 2 and 3."""
    found = []
    for lr in (1, 2, 3):
        with start(name=f"run-{lr}", experiment="digits", params={"lr": lr}) as run:
            run.log({"loss": float(lr)}, step=0)
        found.append(run.id)
    return found


def facts(what: str) -> dict[str, object]:
    with runfolio.open_store() as store:
        return {run.id: getattr(run, what) for run in store.runs(deleted=None, archived=None)}


def test_tag_named_runs(three: list[str]) -> None:
    """Tags come to the named runs, by id or by name, and go again."""
    out = fine("tag", three[0][:8], "run-2", "--add", "best", "-a", "team=ml").lines
    assert len(out) == 2
    assert facts("tags") == {three[0]: {"best": "", "team": "ml"}, three[1]: {"best": "", "team": "ml"}, three[2]: {}}
    fine("tag", three[0][:8], "--remove", "best")
    assert facts("tags")[three[0]] == {"team": "ml"}


def test_tag_that_is_there_is_told(three: list[str]) -> None:
    """A run that has the tag already is told of, and no change is made: undo takes back the one before."""
    fine("tag", three[0], "--add", "best")
    assert "already" in fine("tag", three[0], "--add", "best").out
    fine("undo")
    assert facts("tags")[three[0]] == {}


def test_bulk_by_a_filter_and_back(three: list[str]) -> None:
    """All runs that fit are edited as one change, which one undo takes back."""
    fine("tag", "--filter", "params.lr > 1", "--add", "high")
    assert list(facts("tags").values()).count({"high": ""}) == 2
    assert "2 runs" in fine("undo").out
    assert set(map(str, facts("tags").values())) == {"{}"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("tag", "--filter", "True", "--add", "a"),
        ("archive", "--filter", "True"),
        ("delete", "--filter", "True"),
        ("rename", "--metric", "loss", "train/loss"),
        ("rename", "run-1", "other"),
    ],
)
def test_dry_run_changes_nothing(three: list[str], arguments: tuple[str, ...]) -> None:
    """What would be done is told run by run, and nothing is."""
    out = fine(*arguments, "--dry-run").lines
    assert len(out) == (1 if "run-1" in arguments else 3)
    assert all("would have" in line.lower() for line in out)
    assert (call("undo").code, fine("undo", "--list").out) == (1, "")


def test_nothing_is_touched_where_one_name_is_wrong(three: list[str]) -> None:
    """A name that fits no run keeps the others from being edited, and is told."""
    called = call("tag", three[0], "nobody", "--add", "a")
    assert called.code != 0
    assert "nobody" in called.err
    assert facts("tags")[three[0]] == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("tag", "--add", "a"),
        ("tag", "run-1"),
        ("tag", "run-1", "--filter", "True", "--add", "a"),
        ("tag", "run-1", "--add", "=x"),
        ("archive",),
        ("archive", "--filter", "params.lr >"),
        ("rename", "run-1", "x", "--filter", "True"),
        ("rename", "run-1"),
    ],
)
def test_bad_calls_are_refused(three: list[str], arguments: tuple[str, ...]) -> None:
    """What cannot be meant ends with a message, and nothing is edited."""
    called = call(*arguments)
    assert called.code != 0
    assert called.err and "Traceback" not in called.err
    assert call("undo").code == 1


def test_filter_that_fits_no_run(three: list[str]) -> None:
    """No run is no failure, and is told."""
    assert fine("archive", "--filter", "params.lr > 99").out == "No run fits.\n"


def test_note(three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes are replaced, appended to, read from standard input, and taken back."""
    fine("note", "run-1", "first")
    fine("note", "run-1", "second", "--append")
    assert facts("notes")[three[0]] == "first\nsecond"
    monkeypatch.setattr("sys.stdin", io.StringIO("piped\n"))
    fine("note", "run-1", "-")
    assert facts("notes")[three[0]] == "piped"
    fine("undo")
    assert facts("notes")[three[0]] == "first\nsecond"


def test_rename_run_and_metric(three: list[str]) -> None:
    """A run has its new name at once, also to be named by; a metric is shown as the new one in all runs that have it."""
    fine("rename", "run-1", "best")
    assert "best" in fine("show", "best").out
    fine("rename", "--metric", "loss", "train/loss", "--filter", "params.lr < 3")
    assert [list(metrics) for metrics in facts("metrics").values()].count(["train/loss"]) == 2
    fine("undo")
    fine("undo")
    assert facts("name")[three[0]] == "run-1"
    assert [list(metrics) for metrics in facts("metrics").values()] == [["loss"]] * 3


def test_archive_and_back(three: list[str]) -> None:
    """Archived runs are out of sight, and come back by name or by undo."""
    fine("archive", "run-1", "run-2")
    assert "run-1" not in fine("list").out
    assert "run-1" in fine("list", "--archived").out
    fine("archive", "--back", "run-1")
    assert sorted(facts("archived").values()) == [False, False, True]
    fine("undo")
    fine("undo")
    assert not any(facts("archived").values())


def test_delete_restore_undo(three: list[str]) -> None:
    """Deleted runs come back by restore or by undo, and a delete says so."""
    out = fine("delete", "run-1", "run-2").out
    assert f"runfolio restore {three[0][:8]}" in out
    fine("restore", three[0])
    assert sorted(facts("deleted").values()) == [False, False, True]
    fine("undo")
    fine("undo")
    assert not any(facts("deleted").values())


def test_undo_lists_and_leaves_others_changes(three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are listed, the latest first; one of somebody else is taken back only when asked for."""
    fine("tag", "run-1", "--add", "a")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    fine("archive", "run-2")
    listed = fine("undo", "--list").lines
    assert ["archived" in listed[0], "tagged" in listed[1], len(listed)] == [True, True, 2]
    monkeypatch.setenv("LOGNAME", "a-third")
    called = call("undo")
    assert (called.code, "--anyone" in called.out) == (1, True)
    assert "archived" in fine("undo", "--anyone").out
    assert not any(facts("archived").values())


def test_undo_after_gc(three: list[str]) -> None:
    """A delete whose runs gc has removed keeps no earlier change from being taken back."""
    fine("tag", "--filter", "True", "--add", "a")
    fine("delete", "run-1")
    fine("gc")
    assert len(facts("tags")) == 2
    assert "tagged" in fine("undo").out
    assert set(map(str, facts("tags").values())) == {"{}"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("tag", "run-1", "--remove", "nope"), "run-1 is tagged so already."),
        (("rename", "run-1", "run-1"), "run-1 is called so already."),
        (("note", "run-1", ""), "run-1 has these notes already."),
        (("archive", "--back", "run-1"), "run-1 is not archived."),
        (("archive", "--back", "--filter", "lr < 3"), "Nothing to change: each of 2 runs is not archived."),
        (("restore", "run-1"), "run-1 is not deleted."),
    ],
    ids=["tag", "rename", "note", "archive", "archive by a filter", "restore"],
)
def test_what_changes_nothing_says_why(three: list[str], arguments: tuple[str, ...], told: str) -> None:
    """An edit that finds everything as it wants it says how it is, in words that are true of it; also by a filter."""
    out = fine(*arguments).out
    assert told in out
    assert "Nothing of yours" in call("undo").out


def test_a_metric_that_no_run_has_is_not_renamed_in_silence(three: list[str]) -> None:
    """A metric that none of the runs has is refused, with those that there are."""
    called = call("rename", "--metric", "losss", "x")
    assert (called.code, called.out) == (1, "") and "'losss'" in called.err and "they have 'loss'" in called.err


def test_nothing_is_told_before_it_is_done(three: list[str]) -> None:
    """Where the store cannot be written an edit does not say that it was made."""
    os.rename("store/journal", "elsewhere") if os.path.isdir("store/journal") else None
    Path("store/journal").write_text("in the way")
    called = call("tag", "run-1", "--add", "best")
    assert (called.code, called.out) == (3, "") and "cannot be written" in called.err
