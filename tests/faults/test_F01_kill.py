"""F1: a SIGKILL at any instant loses nothing that log() has returned from."""

from __future__ import annotations

import random

import pytest

from runfolio.store.layout import Layout
from runfolio.store.verify import verify

from .harness import Child, judge, must_take_more, the_run_folder
from .scale import times


def kill_at_random(store, dice, threads, mapped, acks_max):
    """Kill one script after a random number of acknowledgements; give the report."""
    child = Child("points.py", threads, 0, dice.choice([0, 50]), env={"RUNFOLIO_DIR": str(store), **mapped})
    child.until(dice.randrange(1, acks_max))
    child.kill()
    report = judge([store], child.acks.kept).must_be_sound()
    judge([store], child.acks.synced, in_flight=1 << 30)
    must_take_more(the_run_folder(store))
    assert verify(Layout(str(store))).sound
    return report


@pytest.mark.parametrize("kills", times(short=48, long=250, soak=1000))
def test_F01_kill_at_random_instants(tmp_path, kills, record_property):
    """Killed at random instants, with 1 and 8 threads, mapped and not: every acknowledged point is there, once, and no other."""
    dice, acked, read = random.Random(), 0, 0
    for number in range(kills):
        mapped = {} if number % 2 else {"RUNFOLIO_MAP": "0"}
        report = kill_at_random(tmp_path / f"store{number}", dice, (1, 8)[number // 2 % 2], mapped, 6000)
        acked, read = acked + report.acked, read + report.read
    figure = f"{kills} kills, {acked} points acknowledged, {read} read, 0 lost, 0 invented, 0 doubled; loss window 0 ms"
    record_property("F1", figure)
