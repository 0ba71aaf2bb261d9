"""F3: a file that ends anywhere, in zeros or in garbage holds exactly the frames that stand wholly before its end."""

from __future__ import annotations

import random

import pytest

from runfolio.journal.scan import scan

from .journals import make_journal, read_both
from .scale import times


def check(folder, journal, cut, filling):
    """Cut at this place, fill up, and compare: a frame is there where its bytes are (it may end in zeros)."""
    data = journal.data[:cut] + filling
    found = scan(data, journal.name) if folder is None else read_both(folder, journal.name, data)
    whole = [good for good in journal.scan.frames if good.offset + good.size <= cut]
    if len(whole) < len(journal.scan.frames):
        torn = journal.scan.frames[len(whole)]
        end = torn.offset + torn.size
        whole += [torn] if data[torn.offset : end] == journal.data[torn.offset : end] else []
    assert found.frames == whole, cut
    assert found.damage == []


def fillings(dice, cut):
    """Give what may stand behind the cut: nothing, zeros or garbage up to 4 KiB, reserved zeros far beyond."""
    rest = -cut % 4096
    return [b"", bytes(rest), dice.randbytes(rest), bytes(rest) + bytes(65536)]


def test_F03_every_end_of_a_small_file(tmp_path, record_property):
    """A file of 10 KiB, cut at every byte; with zeros, garbage, and reserved space behind the cut."""
    journal, dice = make_journal(tmp_path, 10 << 10), random.Random(3)
    for cut in range(len(journal.data) + 1):
        filling = fillings(dice, cut)[cut % 3]
        check(tmp_path if cut % 13 == 0 else None, journal, cut, filling)
    record_property("F3", f"100 % of {len(journal.data) + 1} ends of a file of 10 KiB")


@pytest.mark.parametrize("cuts", times(short=40, long=500, soak=65_536))
def test_F03_the_last_64_kib_of_a_larger_file(tmp_path, cuts, record_property):
    """A file of several blocks, cut in its last 64 KiB, and filled up."""
    journal, dice = make_journal(tmp_path, 200 << 10), random.Random(4)
    places = range(len(journal.data) - 65_536, len(journal.data) + 1)
    for cut in sorted(dice.sample(places, cuts)):
        check(tmp_path, journal, cut, dice.choice(fillings(dice, cut)))
    record_property("F3", f"100 % of {cuts} ends in the last 64 KiB of 200 KiB")
