"""Journals that are made to harm, or damaged as no disk would, cost their own run a warning and no other run anything."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path
from zlib import crc32

import pytest

import runfolio
from runfolio.errors import RunNotFound
from runfolio.journal import columns, frame
from runfolio.journal.columns import read
from runfolio.journal.scan import scan
from runfolio.model.ids import new_id
from runfolio.store.layout import Layout
from runfolio.store.own import store_events
from runfolio.store.seal import seal

TIME_NS = 10**18


class Bytes:
    """A journal of a run, frame by frame, each with its right crc."""

    def __init__(self, run_id: str) -> None:
        self.journal_id = new_id()
        self.seed = frame.seed_of(self.journal_id)
        self.data = frame.file_header(self.journal_id)
        self.seq = 0
        told = f'{{"run": "{run_id}", "attempt": 1, "role": "start", "writer": "{self.journal_id}"}}'
        self.control(frame.OPEN, told.encode())

    def control(self, tag: int, payload: bytes = b"") -> None:
        self.data += frame.control(tag, self.seq, len(self.data), self.seed, TIME_NS, payload)
        self.seq += 1

    def keys(self, kind: str = "f") -> None:
        declared = (1, False, 0, TIME_NS, kind, b"a")
        self.data += frame.keys_frame(declared, self.seq, len(self.data), self.seed, struct.pack("<d", 1.0))
        self.seq += 1

    def metric(self, step: int) -> None:
        body = struct.pack("<HHiId", 1, self.seq & 0xFFFF, step, 1, 2.0)
        self.data += crc32(body, self.seed ^ len(self.data)).to_bytes(4, "little") + body
        self.seq += 1

    def write(self, folder: str) -> Path:
        os.makedirs(folder, exist_ok=True)
        path = Path(folder, self.journal_id + frame.SUFFIX)
        path.write_bytes(self.data)
        return path


def the_layout() -> Layout:
    return Layout(os.environ["RUNFOLIO_DIR"])


def sound_run() -> str:
    with runfolio.start(capture=False) as run:
        run.log({"a": 1.0})
    return run.id


def assert_store_lives(sound: str, hostile: str) -> None:
    """The list has the sound run; both can be shown and sealed."""
    with runfolio.open_store() as store:
        assert sound in {run.id for run in store.runs()}
        for run_id in (sound, hostile):
            run = store.run(run_id)
            assert run.status
            for metric in run.metrics:
                assert len(run.series(metric))
    assert seal(the_layout(), sound).journals == 1
    with suppress(RunNotFound):  # nothing of it can be read
        seal(the_layout(), hostile)


@pytest.mark.parametrize("told", [2**64 - 2, 2**63, 2**62, 0])
def test_A55_a_block_frame_that_tells_an_impossible_number(told: int) -> None:
    """A block frame whose number no journal reaches, or that goes back, is counted like any other frame."""
    sound, run_id = sound_run(), new_id()
    made = Bytes(run_id)
    made.keys()
    made.control(frame.BLOCK, struct.pack("<QQII", 32, told, 0, 0))
    made.data += b"\x11" * 8
    made.metric(1)
    made.control(frame.CLOSE, b"{}")
    path = made.write(the_layout().run_journal(run_id))
    found = read(str(path))
    assert (found.seq, found.closed, len(found.segments)) == (4, True, 2)
    assert_store_lives(sound, run_id)


@pytest.mark.parametrize("kind", ["x", "\0", "F", " "])
def test_A55_a_kind_that_is_none(kind: str) -> None:
    """A declaration with an unknown kind declares nothing; what stands around it is read."""
    sound, run_id = sound_run(), new_id()
    made = Bytes(run_id)
    made.keys(kind)
    made.control(frame.CLOSE, b"{}")
    path = made.write(the_layout().run_journal(run_id))
    assert (read(str(path)).metrics(), read(str(path)).closed) == ({}, True)
    assert_store_lives(sound, run_id)


@pytest.mark.parametrize("tag", [frame.BLOCK, frame.SYNC])
def test_A55_a_control_frame_without_its_payload(tag: int) -> None:
    """A block or sync frame that tells nothing is a frame that tells nothing."""
    made = Bytes(new_id())
    made.control(tag)
    made.keys()
    found = scan(made.data, made.journal_id)
    assert (len(found.frames), found.damage, found.torn) == (3, [], 0)


@pytest.mark.parametrize("end", [b"12345678", b"a frame"])
def test_A55_a_sparse_journal_of_a_tebibyte(end: bytes) -> None:
    """A journal that takes no room and claims a tebibyte is read in pieces: garbage at its end is a torn tail, a frame there is too far to go."""
    sound, run_id = sound_run(), new_id()
    made = Bytes(run_id)
    made.keys()
    path = made.write(the_layout().run_journal(run_id))
    size = 1 << 40
    with open(path, "r+b") as file:
        file.seek(size)
        if end == b"a frame":
            end = frame.control(frame.BEAT, made.seq, size & 0xFFFFFFFF, made.seed, TIME_NS)
        file.write(end)
    assert_store_lives(sound, run_id)
    with runfolio.open_store() as store:
        warnings = store.run(run_id).warnings
    assert len(warnings) == (1 if len(end) > 8 else 0)


def test_A55_a_sparse_journal_of_the_store() -> None:
    """The store's own events are read past a journal that does not fit into memory."""
    run_id = sound_run()
    the_layout().create()
    with open(Bytes(run_id).write(the_layout().journal), "r+b") as file:
        file.truncate(1 << 42)
    assert isinstance(store_events(the_layout()), list)


def test_F03_a_hole_longer_than_a_piece_is_read_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the sizes of piece and window, frames behind zeros and garbage are found, and frames longer than a piece are read."""
    made = Bytes(new_id())
    made.keys()
    made.control(frame.EVENT, b'{"type": "notes", "text": "' + b"x" * 5000 + b'"}')
    whole = len(made.data)
    made.data += bytes(3000) + b"\x11" * 3000 + bytes(2000)
    made.metric(1)
    made.control(frame.CLOSE, b"{}")
    path = str(made.write(str(Path(the_layout().root))))
    expected = scan(made.data, made.journal_id)
    for piece, most in ((64, 64), (64, 256), (1024, 1024), (1 << 20, 1 << 24)):
        monkeypatch.setattr(columns, "_PIECE", piece)
        monkeypatch.setattr(columns, "_PIECE_MAX", most)
        monkeypatch.setattr(columns, "_WINDOW", max(piece, 128))
        found = read(path)
        assert (found.end, found.seq, found.damage) == (expected.end, expected.frames[-1].seq, expected.damage)
        assert [event.body["type"] for event in found.events] == ["notes"]
        assert [hole.offset for hole in found.damage] == [whole]


def test_F03_a_damaged_journal_of_more_than_two_gibibytes() -> None:
    """One read gives 2 GiB at most; what stands behind them in a damaged journal is read all the same."""
    asked = []

    def pread(fd: int, count: int, at: int) -> bytes:
        asked.append(count)
        return real(fd, min(count, 1000), at)

    made = Bytes(new_id())
    made.keys()
    made.data += b"\x11" * 8
    for step in range(500):
        made.metric(step)
    path = str(made.write(str(Path(the_layout().root))))
    real, os.pread = os.pread, pread
    try:
        found = read(path)
    finally:
        os.pread = real
    assert asked and sum(len(segment.seq) for segment in found.segments) == 501


def test_a_frame_that_ends_in_very_many_zeros_is_read_in_a_live_journal() -> None:
    """Zeros that were logged are told from the space reserved behind them, however many they are."""
    run = runfolio.start(capture=False)
    for step in range(3):
        run.log({f"m{n}": 0.0 if n else 1.0 for n in range(5000)}, step=step)
        column = read(str(run._writer.path)).column("m4999")
        assert column is not None and column.steps.tolist() == list(range(step + 1))
    run.finish()
