"""What is written is read: the writer, the scan and the columns agree with plain Python about any sequence of calls."""

from __future__ import annotations

import os
import zlib
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.journal import frame, scan, tail
from runfolio.journal.columns import JournalColumns
from runfolio.testing.clock import ManualClock

from .reading import assert_agree, points_of, scan_file
from .writing import call_lists, make_writer, play


@contextmanager
def small(block_bytes, chunks):
    """Make blocks and reservations small, so that a few calls cross many of their borders."""
    before = frame.BLOCK_BYTES, tail.CHUNKS
    frame.BLOCK_BYTES, tail.CHUNKS = block_bytes, chunks
    try:
        yield
    finally:
        frame.BLOCK_BYTES, tail.CHUNKS = before


def check(writer, expected):
    """Fail where the journals of a writer hold anything but what was expected, once and in order."""
    points, events = [], []
    for journal_id in writer.journals:
        found = scan_file(os.path.join(os.path.dirname(writer.path), journal_id + ".jnl"))
        assert (found.damage, found.torn, found.header_damaged) == ([], 0, False)
        assert [good.seq for good in found.frames] == list(range(len(found.frames)))
        points += [(p.metric, p.step, p.bits, p.kind) for p in points_of(found)]
        events += [body for _, body in scan.events(found)]
    assert points == expected.points
    assert events == expected.events
    assert writer.lost == (0, 0, 0)


@pytest.mark.parametrize("mapped", [True, False])
@given(
    told=call_lists(),
    block_bytes=st.sampled_from([256, 1024, 1 << 16]),
    chunks=st.sampled_from([(8192,), (8192, 65536)]),
)
def test_what_is_written_is_read(tmp_path_factory, mapped, told, block_bytes, chunks):
    """Random key sets, kinds, steps, events and pauses: each point and event once, in order, bit for bit, by both readers."""
    folder = tmp_path_factory.mktemp("journal")
    with small(block_bytes, chunks):
        clock = ManualClock()
        writer = make_writer(folder, mapped=mapped, clock=clock)
        expected = play(writer, told, clock)
        if writer.path:
            check(writer, expected)  # while it is open
            assert_agree(columns(writer.path), scan_file(writer.path))
        path = writer.path
        assert writer.close()
    if path:
        check(writer, expected)
        found = scan_file(path)
        assert found.closed and os.path.getsize(path) == found.end
        assert_agree(columns(path), found)


@pytest.mark.parametrize("mapped", [True, False])
@given(parts=st.lists(call_lists(12), min_size=1, max_size=8), block_bytes=st.sampled_from([256, 4096]))
def test_columns_follow_a_growing_journal(tmp_path_factory, mapped, parts, block_bytes):
    """Columns that are refreshed while the journal grows say the same as columns that read it at once."""
    folder = tmp_path_factory.mktemp("journal")
    with small(block_bytes, (8192,)):
        writer = make_writer(folder, mapped=mapped)
        writer.event({"type": "first"})
        following = JournalColumns(writer.path)
        for told in parts:
            play(writer, told)
            following.refresh()
            assert_agree(following, scan_file(writer.path))
        writer.close()
        following.refresh()
        assert_agree(following, scan_file(writer.path))
        assert not following.refresh()


@settings(max_examples=25)
@given(cut=st.integers(0, 4000), told=call_lists(30))
def test_columns_follow_a_journal_whose_end_comes_in_pieces(tmp_path_factory, cut, told):
    """A reader that sees only a part of a frame waits for the rest: nothing is lost, doubled or taken for damage."""
    folder = tmp_path_factory.mktemp("journal")
    writer = make_writer(folder, mapped=False)
    writer.event({"type": "first"})
    play(writer, told)
    writer.close()
    with open(writer.path, "rb") as file:
        whole = file.read()
    path = os.path.join(tmp_path_factory.mktemp("copy"), os.path.basename(writer.path))
    at = min(cut, len(whole))
    with open(path, "wb") as file:
        file.write(whole[:at])
    following = JournalColumns(path)
    following.refresh()
    for end in range(at, len(whole) + 7, 7):
        with open(path, "ab") as file:
            file.write(whole[at:end])
        at = min(end, len(whole))
        following.refresh()
    assert_agree(following, scan.scan(whole, writer.journals[0]))


def columns(path):
    """Read a journal by columns at once."""
    journal = JournalColumns(path)
    journal.refresh()
    return journal


def test_a_block_frame_covers_each_block(tmp_path):
    """Every block frame carries the crc of the bytes since the last one, and stands as soon as 64 KiB are full."""
    writer = make_writer(tmp_path)
    for step in range(20_000):
        writer.log({"a": 1.0, "b": float(step)}, step)
    writer.close()
    found, data, start = scan_file(writer.path), open(writer.path, "rb").read(), frame.HEADER_SIZE
    blocks = [good for good in found.frames if good.tag == frame.BLOCK]
    for good in blocks:
        told = frame.parse_block(good.payload)
        assert (told.start, told.seq, told.crc) == (start, good.seq, zlib.crc32(data[start : good.offset]))
        assert good.offset - start <= frame.BLOCK_BYTES + 1024
        start = good.offset + good.size
    assert len(blocks) >= 9 and found.frames[-1].tag == frame.CLOSE and found.frames[-2].tag == frame.BLOCK
