"""Whatever lies in a store, reading it raises nothing: it becomes a warning, and the other runs are as they were."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.runs import end_run, make_run, make_store, make_writer
from runfolio.errors import StoreNotFound, Unreadable
from runfolio.journal import frame
from runfolio.journal.writer import FINAL
from runfolio.model.ids import new_id
from runfolio.model.strict_json import dumps
from runfolio.query.run import Run
from runfolio.query.store import Store, open_store
from runfolio.testing.clock import ManualClock

FACTS = [name for name, fact in vars(Run).items() if not name.startswith("_") and not callable(fact)]


def ask_everything(run: Run) -> None:
    """Ask a run for all it has."""
    for name in FACTS:
        getattr(run, name)
    for name in run.metrics:
        for rank in run.metrics.ranks(name):
            repr(run.metrics.rank(name, rank))
        list(run.series(name, "all"))
        run.series(name, "mean").to_pandas()
    list(run.table().rows())
    repr(run)


def sound_run(layout: Any) -> str:
    run_id, writer = make_run(layout, "sound")
    writer.log({"m": 1.0}, 0)
    end_run(writer)
    return run_id


def journal_bytes() -> bytes:
    """Write a journal with some of everything."""
    layout = make_store()
    run_id, writer = make_run(layout, "victim")
    writer.event({"type": "params", "set": {"lr": 0.1}})
    for step in range(40):
        writer.log({"m": float(step), "n": step}, step)
    writer.log({"m": 0.5}, FINAL)
    writer.event({"type": "record", "step": 1, "value": "text"})
    writer.sync()
    end_run(writer)
    (path,) = Path(layout.run_journal(run_id)).iterdir()
    data = path.read_bytes()
    shutil.rmtree(layout.root)
    return data


CHANGES = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, 3000), st.just(b"")),
    st.tuples(st.just("put"), st.integers(0, 3000), st.binary(min_size=1, max_size=40)),
    st.tuples(st.just("zero"), st.integers(0, 3000), st.integers(1, 600).map(bytes)),
    st.tuples(st.just("add"), st.just(0), st.binary(max_size=80)),
    st.tuples(st.just("all"), st.just(0), st.binary(max_size=200)),
)


def changed(data: bytes, how: str, at: int, what: bytes) -> bytes:
    at = min(at, len(data))
    return {
        "cut": data[:at],
        "put": data[:at] + what + data[at + len(what) :],
        "zero": data[:at] + what + data[at + len(what) :],
        "add": data + what,
        "all": what,
    }[how]


@given(changes=st.lists(CHANGES, min_size=1, max_size=4))
@settings(max_examples=80)
def test_F03_damage_is_a_warning_and_never_an_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[Any]
) -> None:
    """A journal that is cut, overwritten, zeroed or garbage raises nowhere, and hides no other run."""
    root = tmp_path_factory.mktemp("damage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNFOLIO_DIR", str(root / "store"))
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        data = journal_bytes()
        layout = make_store()
        sound, victim = sound_run(layout), new_id()
        os.makedirs(layout.run_journal(victim))
        for change in changes:
            data = changed(data, *change)
        Path(layout.run_journal(victim), new_id() + frame.SUFFIX).write_bytes(data)
        with Store(layout, ManualClock()) as store:
            assert sound in {run.id for run in store.runs()}
            for run in store.runs(deleted=None, archived=None):
                ask_everything(run)
            store.compare()
            store.best("m", "min")
            store.series("m", "all")
            assert list(store.run("sound").series("m")) == [(0, 1.0)]
    shutil.rmtree(root)


def hostile(payloads: list[tuple[int, bytes]], opening: dict[str, Any]) -> bytes:
    """Make a journal whose every crc is right."""
    journal = new_id()
    data = frame.file_header(journal)
    seed = frame.seed_of(journal)
    for seq, (tag, payload) in enumerate([(frame.OPEN, dumps(opening)), *payloads]):
        data += frame.control(tag, seq, len(data), seed, 1_700_000_000 * 10**9, payload)
    return data


@pytest.mark.parametrize(
    "opening",
    [
        {"attempt": 2**70, "rank": 2**70},
        {"attempt": -1, "rank": -1},
        {"attempt": "x", "rank": [], "run": 5, "writer": {}, "role": None, "pid": "x", "boot_id": 1, "host": [1]},
        {"attempt": True, "rank": True, "pid": 2**70, "pid_start": 2**70},
    ],
)
def test_A55_a_hostile_opening_raises_nothing(opening: dict[str, Any]) -> None:
    """Numbers and types that no writer writes are passed over or told; they break neither this run nor the list."""
    layout = make_store()
    sound, victim = sound_run(layout), new_id()
    os.makedirs(layout.run_journal(victim))
    events: list[Any] = [
        {"type": "run", "experiment": 7},
        {"type": "name", "name": "\ud800"},
        {"type": "alias", "name": "\udfff"},
        {"type": "finish", "status": "failed", "reason": "\ud800"},
        {"type": "params", "set": {"a": 1}},
        {"type": "attempt", "rewind_to": 2**70},
    ]
    data = hostile([(frame.EVENT, dumps(event)) for event in events], opening)
    Path(layout.run_journal(victim), data[16:32].hex() + frame.SUFFIX).write_bytes(data)
    with Store(layout) as store:
        assert sound in {run.id for run in store.runs()}
        for run in store.runs():
            ask_everything(run)


@pytest.mark.parametrize("tag", [frame.KEYS, frame.BLOCK, frame.SYNC, frame.CLOSE, frame.EVENT, 0xFF33])
@pytest.mark.parametrize("payload", [b"", b"\xff" * 7, b"[" * 100_000, b'{"type": "params", "set": {"\\ud800": 1}}'])
def test_A55_a_hostile_frame_raises_nothing(tag: int, payload: bytes) -> None:
    """Frames whose crc is right and whose content is nonsense break neither this run nor the list."""
    layout = make_store()
    sound, victim = sound_run(layout), new_id()
    os.makedirs(layout.run_journal(victim))
    data = hostile(
        [(tag, payload), (frame.EVENT, dumps({"type": "notes", "text": "x"}))], {"run": victim, "attempt": 1}
    )
    Path(layout.run_journal(victim), data[16:32].hex() + frame.SUFFIX).write_bytes(data)
    with Store(layout) as store:
        assert {sound, victim} == {run.id for run in store.runs()}
        for run in store.runs():
            ask_everything(run)


def test_foreign_things_in_runs_are_passed_over() -> None:
    """Files, folders of other names, a run folder without journals, a FIFO or a folder named as a journal: none of them breaks the list."""
    layout = make_store()
    sound = sound_run(layout)
    runs = Path(layout.runs)
    (runs / ".DS_Store").write_bytes(b"x")
    (runs / "not-a-run" / "journal").mkdir(parents=True)
    (runs / new_id()).mkdir()
    (runs / new_id() / "journal").mkdir(parents=True)
    (runs / new_id()).write_bytes(b"a file where a folder should be")
    os.mkfifo(Path(layout.run_journal(sound), new_id() + frame.SUFFIX))
    Path(layout.run_journal(sound), new_id() + frame.SUFFIX).mkdir()
    Path(layout.run_journal(sound), "note.txt").write_bytes(b"x")
    with Store(layout) as store:
        (run,) = store.runs()
        assert (run.id, run.warnings) == (sound, [])
        assert list(run.series("m")) == [(0, 1.0)]


def test_a_journal_of_a_newer_format_is_told() -> None:
    """What this version cannot read is named in the warnings; the rest of the run is read."""
    layout = make_store()
    run_id = sound_run(layout)
    newer = new_id()
    head = bytearray(frame.file_header(newer))
    head[8] = 9
    body = bytes(head[:12]) + bytes(4) + bytes(head[16:])
    head[12:16] = frame.crc32(body[16:], frame.crc32(body[:12])).to_bytes(4, "little")
    Path(layout.run_journal(run_id), newer + frame.SUFFIX).write_bytes(bytes(head))
    with Store(layout) as store:
        run = store.run(run_id)
        assert len(run.warnings) == 1
        assert newer in run.warnings[0]
        assert "Upgrade runfolio" in run.warnings[0]
        assert run.series("m").values[0] == 1.0


def test_F17_a_copied_run_is_recognised() -> None:
    """A run's folder that was copied under another id is told to be a copy, and adds nothing to the run that it copies."""
    layout = make_store()
    original, copy = sound_run(layout), new_id()
    shutil.copytree(layout.run(original), layout.run(copy))
    with Store(layout) as store:
        found = store.run(copy)
        assert found.copy_of == original
        assert "a copy of run" in found.warnings[0]
        assert store.run(original).copy_of is None
        assert len(store.run(original).series("m")) == 1


def test_F17_a_journal_of_another_run_is_left_out() -> None:
    """A journal that was copied in from another run, or twice under another name, is told and not merged."""
    layout = make_store()
    run_id, other = sound_run(layout), sound_run(layout)
    (mine,), (theirs,) = (list(Path(layout.run_journal(id_)).iterdir()) for id_ in (run_id, other))
    shutil.copy(theirs, mine.parent / theirs.name)
    twice = make_writer(layout, run_id, role="attach")
    twice.log({"m": 5.0}, FINAL)
    twice.close(sync=False)
    shutil.copy(
        twice.path or Path(mine.parent, twice.journals[0] + frame.SUFFIX), mine.parent / (new_id() + frame.SUFFIX)
    )
    with Store(layout) as store:
        run = store.run(run_id)
        assert list(run.series("m")) == [(0, 1.0), (None, 5.0)]
        assert sorted(warning.split(" ", 1)[1].split(" ")[0:2] for warning in run.warnings) == [
            ["belongs", "to"],
            ["is", "a"],
        ]


def test_a_store_that_is_none_says_so(tmp_path: Path) -> None:
    """No store, a foreign folder and a newer store are told apart, and nothing is made."""
    with pytest.raises(StoreNotFound, match="there is no store here yet"):
        open_store(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "store.json").write_text("[1, 2]")
    with pytest.raises(Unreadable, match="not a runfolio store"):
        open_store(foreign)
    (foreign / "store.json").write_bytes(dumps({"format": 99, "id": new_id()}))
    with pytest.raises(Unreadable, match="format 99"):
        open_store(foreign)
