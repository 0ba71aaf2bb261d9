"""The fold: one state from the events of a run, whatever order they are found in and whoever wrote them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import UsageError
from runfolio.model.events import Event
from runfolio.model.fold import EVENT_TYPES, RunFold, fold
from runfolio.model.run_state import Attempt, Conflict, RunError
from runfolio.model.strict_json import dumps, loads

from .test_strict_json import values

SHA = "ab" * 32
FORMAT = Path(__file__).parents[2] / "docs" / "formats" / "events.md"


def told(*bodies: dict[str, Any], attempt: int = 1, at: int = 100, journal: str = "a" * 32) -> list[Event]:
    """Return the events of one journal, one after another."""
    return [
        Event(loads(dumps(body)), at + index, attempt, journal, index, None, "start")
        for index, body in enumerate(bodies)
    ]


def params(**values: Any) -> dict[str, Any]:
    """Return a params event's body."""
    return {"type": "params", "set": values}


names = st.sampled_from(["a", "b", "a.b"])
small = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(), names)
counts = st.integers(0, 9)
sets = st.dictionaries(names, small, max_size=3)
ends = st.sampled_from(["finished", "failed", "killed", "running"])


def body(type: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for the bodies of one type."""
    return st.fixed_dictionaries({"type": st.just(type)}, optional=fields)


maybe_step = st.none() | st.integers(-5, 5)
sensible = st.one_of(
    body("run", experiment=names, experiment_id=names, name=names),
    body("attempt", rewind_to=maybe_step, command=st.lists(names)),
    body("name", name=names),
    body("alias", name=names),
    body("params", set=sets),
    body("summary", set=sets),
    body("tags", add=st.dictionaries(names, names), remove=st.lists(names)),
    body("notes", text=names),
    body("goal", metric=names, goal=st.sampled_from(["min", "max", "up"])),
    body("total_steps", value=counts),
    body("record", step=maybe_step, value=small),
    body("artifact", name=names, sha256=st.just(SHA), size_bytes=counts, step=maybe_step, media=names),
    body("data", path=names, size_bytes=counts, sha256=st.just(SHA), kind=names),
    body("capture", field=names, value=small),
    body("output", size_bytes=counts, cut_bytes=counts),
    body("error", kind=names, message=names, traceback=names),
    body("lost", points=counts, calls=counts, events=counts, cause=names, since_ns=counts),
    body("uncertain", journal=names),
    body("finish", status=ends, reason=names, exit_code=counts),
    body("exit", status=ends, reason=names, exit_code=counts, signal=counts),
    st.sampled_from([{"type": type} for type in ("archive", "unarchive", "delete", "restore", "later", "")]),
)
FIELDS = (
    "name set add remove text metric goal value step sha256 size_bytes cut_bytes media path kind field status reason "
    "exit_code signal message traceback points calls events cause since_ns rewind_to command experiment"
).split()
wrong = st.sampled_from(
    [None, True, -1, 2**70, 0.5, math.nan, "x", "\ud800", [], [1], ["x"], {}, {"x": [{}]}, {"": None}]
)
hostile = st.builds(
    lambda type, fields: {"type": type, **fields},
    st.sampled_from(EVENT_TYPES) | wrong,
    st.dictionaries(st.sampled_from(FIELDS), wrong, max_size=6),
)
places = st.tuples(st.integers(0, 20), st.integers(1, 3), st.sampled_from(["a", "b"]), st.integers(0, 60))


def events_of(bodies: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Event]]:
    """Return a strategy for the events of a run, in any order, each at a place of its own."""
    event = st.builds(lambda body, place: Event(body, *place, None, "start"), bodies, places)
    return st.lists(event, unique_by=lambda event: event.order_key, max_size=20)


# Order ----------------------------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(events_of(sensible), st.randoms(use_true_random=False))
def test_any_order_folds_to_the_same_state(events: list[Event], random: Any) -> None:
    """The state is the same for any order in which the events are found, and when they are found twice."""
    state = fold(events)
    shuffled = events + events[::2]
    random.shuffle(shuffled)
    assert fold(shuffled) == state
    assert repr(fold(shuffled)) == repr(state)


@given(events_of(sensible), st.integers(0, 20))
def test_folding_goes_on_where_it_stopped(events: list[Event], cut: int) -> None:
    """A fold that is continued is the fold of all events."""
    ordered = sorted(events, key=lambda event: event.order_key)
    folding = RunFold()
    for event in ordered[:cut]:
        folding.add(event)
    assert folding.state == fold(ordered[:cut])
    for event in ordered[cut:]:
        folding.add(event)
    assert folding.state == fold(events)


def test_late_events_are_refused() -> None:
    """A fold that goes on takes no event from before its last one; the same again is silent."""
    first, second = told(params(a=1), params(b=2))
    folding = RunFold()
    folding.add(second)
    folding.add(second)
    with pytest.raises(UsageError, match="fold all events"):
        folding.add(first)
    assert folding.state.params == {"b": 2} and folding.last == second.order_key


@settings(max_examples=300)
@given(events_of(hostile))
def test_hostile_events_never_raise(events: list[Event]) -> None:
    """Bodies with any values in any field fold to a state; the senseless ones are counted."""
    state = fold(events)
    assert 0 <= state.oddities <= len(events)


@given(st.sampled_from(EVENT_TYPES), values)
def test_body_that_is_no_object_is_counted(type: str, wrong: Any) -> None:
    """A body that is a list or a number, by damage or malice, is left out and counted."""
    if not isinstance(wrong, dict):
        assert fold([Event(wrong, 1, 1, "a", 0, None, "start")]).oddities == 1


def test_every_documented_type_is_folded() -> None:
    """Each type that docs/formats/events.md names is known to the fold, and no other."""
    rows = [line.split("|")[1] for line in FORMAT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(EVENT_TYPES) == sorted(name.strip(" `") for row in rows for name in row.split(","))


def test_unknown_types_and_fields_are_passed_over() -> None:
    """A later version's events and fields change nothing and are no oddity."""
    state = fold(told({"type": "hologram", "x": 1}, {"type": "name", "name": "n", "colour": "red"}))
    assert (state.name, state.oddities) == ("n", 0)


# Who it is ------------------------------------------------------------------------------------------------------------


def test_identity() -> None:
    """The first event names the run; renames and aliases follow."""
    run = {"type": "run", "experiment": "digits", "experiment_id": "e1", "name": "mlp"}
    state = fold(
        told(
            run,
            {"type": "alias", "name": "best"},
            {"type": "name", "name": "mlp-64"},
            {"type": "alias", "name": "best"},
        )
    )
    assert (state.experiment, state.experiment_id, state.name) == ("digits", "e1", "mlp-64")
    assert state.aliases == ["best"] and state.created_ns == 100
    again = fold(told(run, {**run, "experiment": "other", "name": "other"}))
    assert (again.experiment, again.name) == ("digits", "mlp")


def test_attempts() -> None:
    """Each attempt has its own start, end and command; a rewind is told with its attempt."""
    first = told({"type": "run"}, {"type": "finish", "status": "failed", "reason": "boom", "exit_code": 1})
    second = told({"type": "attempt", "rewind_to": 7, "command": ["python", "x.py"]}, attempt=2, at=500, journal="b")
    state = fold(second + first)
    assert state.attempts == [
        Attempt(1, 100, 101, "failed", "boom", 1),
        Attempt(2, 500, rewind_to=7, command=["python", "x.py"]),
    ]
    assert state.rewinds == [(2, 7)]
    assert (state.status_declared, state.reason, state.exit_code, state.error, state.ended_ns) == (None,) * 5
    assert (state.created_ns, state.started_ns) == (100, 500)


def test_no_events_no_facts() -> None:
    """A run without events has no attempt and no status."""
    state = fold([])
    assert state.attempts == [] and state.status_declared is None and state.error is None and state.created_ns is None


# Params ---------------------------------------------------------------------------------------------------------------


def test_the_earlier_writer_wins_and_the_conflict_is_told() -> None:
    """Two writers that disagree within an attempt: the earlier in the order of events wins; equal again is silent."""
    state = fold(told(params(lr=0.1, n=1), params(lr=0.1, n=1), params(lr=0.01, n=True)))
    assert state.params == {"lr": 0.1, "n": 1}
    assert state.conflicts == [Conflict("lr", 0.1, 0.01, 1), Conflict("n", 1, True, 1)]
    assert state.params_by_attempt == {}


def test_params_are_kept_per_attempt() -> None:
    """After a resume the later value is shown, and both are told; what did not change is not listed."""
    state = fold(
        told(params(lr=0.1, depth=3, nan=math.nan))
        + told(params(lr=0.1, depth=3, nan=math.nan, new="x"), attempt=2, at=200)
        + told(params(lr=0.01), params(lr=0.02), attempt=3, at=300)
        + told(params(lr=0.1), attempt=4, at=400)
    )
    assert {**state.params, "nan": None} == {"lr": 0.1, "depth": 3, "nan": None, "new": "x"}
    assert state.params_by_attempt == {"lr": {1: 0.1, 3: 0.01, 4: 0.1}}
    assert state.conflicts == [Conflict("lr", 0.01, 0.02, 3)]


# What was set ---------------------------------------------------------------------------------------------------------


def test_last_word_facts() -> None:
    """Summary, tags, notes, goals and total steps: the last in order counts."""
    state = fold(
        told(
            {"type": "summary", "set": {"acc": 0.5, "n": 1}},
            {"type": "summary", "set": {"acc": math.nan}},
            {"type": "tags", "add": {"team": "ml", "old": ""}},
            {"type": "tags", "add": {"new": ""}, "remove": ["old", "absent"]},
            {"type": "notes", "text": "one"},
            {"type": "notes", "text": "two"},
            {"type": "goal", "metric": "loss", "goal": "max"},
            {"type": "goal", "metric": "loss", "goal": "min"},
            {"type": "total_steps", "value": 10},
            {"type": "total_steps", "value": 20},
            {"type": "output", "size_bytes": 5, "cut_bytes": 0},
        )
    )
    assert math.isnan(state.summary["acc"]) and state.summary["n"] == 1  # type: ignore[arg-type]
    assert (state.tags, state.notes, state.goals, state.total_steps) == (
        {"team": "ml", "new": ""},
        "two",
        {"loss": "min"},
        20,
    )
    assert state.output == {"size_bytes": 5, "cut_bytes": 0} and state.oddities == 0


def test_artifacts_records_data() -> None:
    """The same artifact name again is a new version; records and data are listed in order."""
    state = fold(
        told(
            {"type": "artifact", "name": "m", "sha256": SHA, "size_bytes": 3, "step": 1, "media": None},
            {"type": "artifact", "name": "x", "sha256": SHA, "size_bytes": 0, "step": None, "media": "image/png"},
            {"type": "artifact", "name": "m", "sha256": SHA, "size_bytes": 4, "step": 2},
            {"type": "record", "step": 7, "value": {"sample": "the cat sat"}},
            {"type": "data", "path": "d.csv", "size_bytes": 9, "sha256": None, "kind": "file"},
        )
    )
    assert [(one.name, one.version, one.size_bytes) for one in state.artifacts] == [
        ("m", 1, 3),
        ("x", 1, 0),
        ("m", 2, 4),
    ]
    assert state.records[0][:4] == (7, {"sample": "the cat sat"}, 103, 1)
    assert state.data[0][:4] == ("d.csv", 9, None, "file")


@pytest.mark.parametrize("sha256", ["../" * 21 + "x", "AB" * 32, "ab" * 31, "ab" * 32 + "\n", None, 7])
def test_artifact_digest_is_a_digest(sha256: Any) -> None:
    """What names a file in the store is 64 hex digits or nothing."""
    state = fold(told({"type": "artifact", "name": "m", "sha256": sha256, "size_bytes": 3}))
    assert state.artifacts == [] and state.oddities == 1


def test_capture_keeps_first_and_latest() -> None:
    """What was found at the first start stays told beside what the latest attempt found."""
    one, two = {"type": "capture", "field": "host", "value": "a"}, {"type": "capture", "field": "host", "value": "b"}
    state = fold(told(one) + told(two, attempt=2, at=200))
    assert (state.capture_first, state.capture) == ({"host": "a"}, {"host": "b"})


# How it went ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_launcher_has_the_last_word(order: tuple[int, int]) -> None:
    """`exit` decides over `finish`, whichever stands first; the run's own reason is kept where both agree."""
    finish = {"type": "finish", "status": "finished", "reason": "early stop", "exit_code": None}
    killed = {"type": "exit", "status": "killed", "reason": None, "exit_code": 137, "signal": 9}
    pair = [finish, killed]
    state = fold(told(*(pair[index] for index in order)))
    assert (state.status_declared, state.reason, state.exit_code, state.attempts[-1].signal) == ("killed", None, 137, 9)
    agreed = fold(told(finish, {"type": "exit", "status": "finished", "exit_code": 0}))
    assert (agreed.status_declared, agreed.reason, agreed.exit_code, agreed.ended_ns) == (
        "finished",
        "early stop",
        0,
        101,
    )


def test_an_attempt_starts_without_an_end() -> None:
    """A resume takes back the end, the launcher's word too; its own finish counts again."""
    first = told({"type": "exit", "status": "failed", "exit_code": 1}, {"type": "error", "kind": "E", "message": "m"})
    begun = told({"type": "attempt"}, attempt=2, at=200)
    assert fold(first).status_declared == "failed" and fold(first).error == RunError("E", "m", "")
    assert fold(first + begun).status_declared is None and fold(first + begun).error is None
    done = told({"type": "attempt"}, {"type": "finish", "status": "finished"}, attempt=2, at=200)
    assert fold(first + done).status_declared == "finished"


def test_the_first_error_is_the_cause() -> None:
    """Of several errors in an attempt the first is told: the others follow from it."""
    errors = [{"type": "error", "kind": kind, "message": "", "traceback": "t"} for kind in ("KeyError", "SystemExit")]
    assert fold(told(*errors)).error == RunError("KeyError", "", "t")


def test_losses_add_up() -> None:
    """What each writer lost is added up, with the causes and since when."""
    one = {"type": "lost", "points": 3, "calls": 1, "events": 0, "cause": "no space", "since_ns": 9}
    state = fold(told(one, {**one, "since_ns": 5}, {"type": "lost", "points": 2, "cause": "I/O error"}))
    assert state.lost == (8, 2, 0, ("no space", "I/O error"), 5)
    assert fold(told(*({"type": "lost", "cause": str(i)} for i in range(99)))).lost.causes == tuple(map(str, range(16)))


def test_edits() -> None:
    """The last of archive and unarchive, delete and restore counts."""
    types = ["archive", "delete", "restore", "unarchive", "archive"]
    state = fold(told(*({"type": type, "author": "me"} for type in types)))
    assert state.archived and not state.deleted
    assert fold(told({"type": "delete"})).deleted


def test_uncertain() -> None:
    """Journals of which a sync failed are named once."""
    uncertain = [{"type": "uncertain", "journal": name} for name in ("a", "b", "a")]
    assert fold(told(*uncertain)).uncertain == ["a", "b"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "name"}, {"type": "name", "name": 7}, {"type": "params", "set": [1]}, {"type": "run", "name": 1},
        {"type": "tags", "add": {"a": 1}}, {"type": "tags", "remove": "a"}, {"type": "goal", "metric": "a", "goal": "up"},
        {"type": "total_steps", "value": 1.0}, {"type": "total_steps", "value": True}, {"type": "record", "step": 1},
        {"type": "record", "step": 2**63, "value": 1}, {"type": "artifact", "name": "a", "sha256": SHA, "size_bytes": -1},
        {"type": "finish", "status": "running"}, {"type": "exit", "status": "finished", "signal": "9"}, {"type": 7}, {},
        {"type": "lost", "points": -1}, {"type": "attempt", "command": "x"}, {"type": "attempt", "rewind_to": "7"},
        {"type": "capture", "field": "host"}, {"type": "error"}, {"type": "data"}, {"type": "output"}, {"type": "uncertain"},
        {"type": "notes", "text": 1},
    ],
    ids=str,
)  # fmt: skip
def test_senseless_events_change_nothing(wrong: dict[str, Any]) -> None:
    """An event of a known type with a field of the wrong type is counted, and is nowhere half applied."""
    state, clean = fold(told(wrong)), fold(told({"type": "later"}))
    assert state.oddities == 1
    state.oddities = 0
    assert state == clean
