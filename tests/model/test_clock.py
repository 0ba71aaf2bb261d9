"""A writer's time never goes back, whatever the wall clock does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runfolio.model.clock import SYSTEM_CLOCK, WriterClock
from runfolio.model.states import ALL, CANCELLED, FAILED, FINISHED, KILLED, is_over

HOUR_NS = 3_600 * 10**9


class HandClock:
    """A clock that stands where it is put."""

    def __init__(self, wall: int, boot: int) -> None:
        self.wall, self.boot = wall, boot

    def wall_ns(self) -> int:
        return self.wall

    def boot_ns(self) -> int:
        return self.boot


@given(st.lists(st.tuples(st.integers(-HOUR_NS, HOUR_NS), st.integers(0, HOUR_NS))))
def test_F28_wall_clock_jumps_move_no_point(moves: list[tuple[int, int]]) -> None:
    """The time of a writer is the wall at its opening plus what has passed, wherever the wall clock is set since."""
    clock = HandClock(1_700_000_000 * 10**9, 5)
    writer = WriterClock(clock)
    opened = writer.opened_ns
    passed = 0
    for wall, boot in moves:
        clock.wall += wall
        clock.boot += boot
        passed += boot
        assert writer.now_ns() == opened + passed


def test_system_clock_reads_both_clocks() -> None:
    """The machine's own clocks answer in nanoseconds, and the one from boot does not go back."""
    assert SYSTEM_CLOCK.wall_ns() > 1_600_000_000 * 10**9
    readings = [SYSTEM_CLOCK.boot_ns() for _ in range(100)]
    assert readings == sorted(readings)


def test_lost_is_not_over() -> None:
    """Only a declared end is an end: a lost run may come back."""
    assert {status for status in ALL if is_over(status)} == {FINISHED, FAILED, KILLED, CANCELLED}


def test_writers_of_a_process_agree() -> None:
    """Two writers of a process tell the same time: what one writes behind the other stands behind it."""
    offsets = {WriterClock(SYSTEM_CLOCK).offset_ns for _ in range(100)}
    assert len(offsets) == 1


def test_pause_between_two_readings_does_not_count() -> None:
    """Where the process is held between reading the wall and the boot clock, both are read again."""

    class Held(HandClock):
        held = 1

        def wall_ns(self) -> int:
            self.boot += self.held * HOUR_NS
            self.wall += self.held * HOUR_NS
            self.held = 0
            return self.wall

    clock = Held(1_700_000_000 * 10**9, 5)
    assert WriterClock(clock).now_ns() == clock.wall
