"""What a signal means, by the clock, without processes."""

from __future__ import annotations

import signal

from hypothesis import given
from hypothesis import strategies as st

from runfolio.launch.signals import STOPS
from runfolio.launch.stopping import SAME_S, Stopping

INT, TERM, HUP, USR1, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGKILL


def alone(_number: int) -> bool:
    return False


def with_the_group(_number: int) -> bool:
    return True


def test_interrupts_escalate() -> None:
    """The first interrupt is passed on, the second is a SIGTERM, each further one a SIGKILL."""
    stopping = Stopping(30)
    assert [stopping.hear(INT, at, alone) for at in (0, 1, 2, 3)] == [INT, TERM, KILL, KILL]
    assert stopping.asked == INT


def test_what_the_group_has_had_is_not_sent_again() -> None:
    """A signal for the group is not passed on; the second interrupt is a SIGTERM all the same."""
    stopping = Stopping(30)
    assert [stopping.hear(number, 0, with_the_group) for number in (INT, TERM, HUP, USR1)] == [None] * 4
    assert stopping.hear(INT, 1, with_the_group) == TERM


def test_twins_are_one() -> None:
    """The same signal twice within a moment is one, as `timeout` sends it to child and group."""
    stopping = Stopping(30)
    assert stopping.hear(INT, 10.0, alone) == INT
    assert stopping.hear(INT, 10.0 + SAME_S / 2, alone) is None
    assert stopping.hear(INT, 11.0, alone) == TERM


def test_grace_begins_with_the_first_term() -> None:
    """SIGTERM and SIGHUP leave the script its grace, counted from the first; then it is ended, once."""
    stopping = Stopping(30)
    assert stopping.patience_s(0) is None
    stopping.hear(TERM, 100, with_the_group)
    stopping.hear(HUP, 120, alone)
    assert stopping.patience_s(121) == 9
    assert stopping.due(129.9) is None
    assert stopping.due(130) == KILL
    assert stopping.due(131) is None
    assert stopping.patience_s(131) is None


def test_user_signals_ask_for_nothing() -> None:
    """SIGUSR1 is passed on and stops nothing."""
    stopping = Stopping(30)
    assert stopping.hear(USR1, 0, alone) == USR1
    assert stopping.asked is None
    assert stopping.due(1e9) is None


@given(st.lists(st.tuples(st.sampled_from([*STOPS, USR1]), st.floats(0, 5), st.booleans())))
def test_first_stop_is_the_reason(heard: list[tuple[int, float, bool]]) -> None:
    """Whatever comes, the first signal that asks for the end is the one that is named."""
    stopping, now = Stopping(30), 0.0
    for number, later, group in heard:
        now += later
        stopping.hear(number, now, with_the_group if group else alone)
    assert stopping.asked == next((number for number, _, _ in heard if number in STOPS), None)
