"""F4: every flipped bit is found, costs at most its block, and hides nothing behind it."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

import runfolio
from journal.reading import points_of
from journal.writing import make_writer
from runfolio.journal import frame, scan
from runfolio.store.layout import Layout
from runfolio.store.verify import verify

from .journals import make_journal, read_both
from .scale import times


def flipped(data, bit):
    """Give the bytes with one bit turned."""
    at, mask = bit // 8, 1 << bit % 8
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def block_of(journal, offset):
    """Give the range of offsets of the block that holds this one."""
    ends = [good.offset + good.size for good in journal.scan.frames if good.tag == frame.BLOCK]
    start = max([32, *(end for end in ends if end <= offset)])
    return range(start, min([len(journal.data), *(end for end in ends if end > offset)]))


def check_flip(folder, journal, bit):
    """Turn one bit: it must be told, nothing may be invented, and only its own block may have lost anything."""
    found = read_both(folder, journal.name, flipped(journal.data, bit))
    last = journal.scan.frames[-1]
    if bit // 8 < 32:
        assert found.header_damaged and found.frames == journal.scan.frames
        return 0
    if bit // 8 >= last.offset:
        assert found.torn and not found.closed  # the close frame itself: told as a torn tail
    else:
        assert found.unsound and any(hole.offset <= bit // 8 < hole.offset + hole.size for hole in found.damage)
    block = block_of(journal, bit // 8)
    kept = set(found.frames)
    assert kept <= set(journal.scan.frames), "invented"
    assert all(good in kept for good in journal.scan.frames if good.offset not in block)
    points = set(points_of(found))
    assert points <= set(journal.points), "invented"
    numbers = {good.seq for good in journal.scan.frames if good.offset in block}
    assert all(point in points for point in journal.points if point.seq not in numbers)
    return len(journal.points) - len(points)


@pytest.mark.parametrize("flips", times(short=2_000, long=12_000, soak=None))
def test_F04_every_bit_of_a_small_file(tmp_path, flips, record_property):
    """Each bit of a file of 4 KiB."""
    journal = make_journal(tmp_path, 4 << 10)
    bits = range(len(journal.data) * 8)
    chosen = bits if flips is None else sorted(random.Random(5).sample(bits, flips))
    most = max(check_flip(tmp_path, journal, bit) for bit in chosen)
    record_property(
        "F4", f"{len(chosen)} of {len(chosen)} flips found in a file of 4 KiB; at most {most} points lost by one"
    )


@pytest.mark.parametrize("size", times(short=(512, 8), long=(4 << 10, 12), soak=(100 << 10, 1000)))
def test_F04_flips_all_over_a_large_file(tmp_path, size, record_property):
    """A thousand flips at once: each lies in a place that is told as damaged, and every frame that none has hit is there."""
    size_kb, rounds = size
    journal, dice = make_journal(tmp_path, size_kb << 10), random.Random(6)
    for _ in range(rounds):
        data = bytearray(journal.data)
        bits = dice.sample(range(32 * 8, journal.scan.frames[-1].offset * 8), 1000)
        for bit in bits:
            data[bit // 8] ^= 1 << bit % 8
        found = read_both(tmp_path, journal.name, bytes(data))
        hit = {bit // 8 for bit in bits}
        holes = sorted((hole.offset, hole.offset + hole.size) for hole in found.damage)
        assert all(any(start <= place < end for start, end in holes) for place in hit)
        untouched = {
            good for good in journal.scan.frames if hit.isdisjoint(range(good.offset, good.offset + good.size))
        }
        kept = set(found.frames)
        assert kept <= set(journal.scan.frames)
        assert untouched - kept <= {good for good in untouched if good.tag <= frame.TAG_MAX}
        declared = scan.key_sets(found)
        assert all(good in kept for good in untouched if good.tag > frame.TAG_MAX or good.tag in declared)
    record_property("F4", f"{rounds * 1000} of {rounds * 1000} flips found in a file of {size_kb} KiB")


@pytest.mark.parametrize("sectors", times(short=15, long=100, soak=None))
def test_F04_a_sector_of_zeros_or_of_another_place(tmp_path, sectors, record_property):
    """512 bytes zeroed, or another sector's instead: told, nothing invented, nothing lost but in the blocks that it touches."""
    journal, dice = make_journal(tmp_path, 150 << 10), random.Random(7)
    frames, points = set(journal.scan.frames), set(journal.points)
    places = range(512, journal.scan.frames[-1].offset - 512, 512)
    chosen = list(places) if sectors is None else dice.sample(places, sectors)
    for place in chosen:
        other = dice.choice(places)
        for sector in (bytes(512), journal.data[other : other + 512]):
            data = journal.data[:place] + sector + journal.data[place + 512 :]
            if data == journal.data:
                continue
            found = read_both(tmp_path, journal.name, data)
            assert found.unsound
            kept = set(found.frames)
            assert kept <= frames and set(points_of(found)) <= points
            touched = range(block_of(journal, place).start, block_of(journal, place + 511).stop)
            assert all(good in kept for good in journal.scan.frames if good.offset not in touched)
    record_property("F4", f"{2 * len(chosen)} sectors zeroed or repeated: all found, nothing invented")


def test_F04_a_lost_block_hides_no_other(tmp_path):
    """Hundreds of key sets in use and any one block gone: every point of the other blocks can still be read."""
    writer = make_writer(tmp_path, mapped=False)
    for turn in range(40):
        for number in range(150):
            writer.log({f"{number}/" + "k" * 150: float(turn), "x": 1.0}, turn)
            if turn == number % 12:
                writer.log({f"once {number}": 1.0}, turn)
    writer.close()
    with open(writer.path, "rb") as file:
        data = file.read()
    whole = scan.scan(data, writer.journals[0])
    points = points_of(whole)
    ends = [32, *(good.offset + good.size for good in whole.frames if good.tag == frame.BLOCK)]
    assert len(ends) > 4
    for start, end in pairwise(ends):
        found = scan.scan(data[:start] + bytes(end - start) + data[end:], writer.journals[0])
        numbers = {good.seq for good in whole.frames if start <= good.offset < end}
        assert {p for p in points if p.seq not in numbers} <= set(points_of(found)), f"block at {start}"


def test_F04_verify_names_what_is_damaged(tmp_path):
    """`verify` names the run, the file and the offset, says how many frames are missing and between which steps."""
    store = tmp_path / "store"
    with runfolio.start(store=store, capture=False) as run:
        for step in range(100):
            run.log({"loss": float(step)}, step)
        path = run._writer.path
    data = bytearray(open(path, "rb").read())
    found = scan.scan(bytes(data), run._writer.journals[0])
    victim = next(good for good in found.frames if good.tag == 1 and good.seq > found.frames[-1].seq - 40)
    data[victim.offset + 20] ^= 1
    with open(path, "wb") as file:
        file.write(data)
    report = verify(Layout(str(store)))
    (finding,) = [finding for finding in report.findings if finding.damage]
    assert not report.sound
    assert (finding.run_id, finding.offset) == (run.id, victim.offset)
    assert finding.file.endswith(run._writer.journals[0] + ".jnl")
    step = next(p.step for p in points_of(found) if p.seq == victim.seq)
    assert str(step) in finding.message or str(step - 1) in finding.message, finding.message
