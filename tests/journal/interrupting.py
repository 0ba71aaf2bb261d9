"""Raise an interrupt at every place of a call where CPython may deliver one, one place after the other."""

from __future__ import annotations

import dis
import os
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import runfolio

_TOOL = 4
ROOT = os.path.dirname(os.path.abspath(runfolio.__file__))


class Interrupted(KeyboardInterrupt):
    """Stands for Ctrl-C, or an exception that a signal handler raises."""


class Interrupt:
    """Do something at the `place`th instruction of our own code at which CPython looks for signals, and at `more` behind it.

    It looks when a function begins, when a call has returned, and when a loop goes back: between two of these places no handler runs.
    """

    def __init__(self, place: int, act: Callable[[], None], more: int = 0) -> None:
        self.place = place
        self._until = place + more
        self._act = act
        self._looks: dict[CodeType, dict[int, bool]] = {}
        self._last: dict[FrameType, int] = {}
        self.count = 0

    def during(self, call: Callable[..., object], *args: object) -> None:
        """Make a call and interrupt it."""
        next(self._traced(call, args))

    def _traced(self, call: Callable[..., object], args: tuple[object, ...]) -> Iterator[None]:
        # A generator, for its exception state of its own: an exception out of a trace function leaves one behind that nobody handles,
        # and all later ones of the thread would name it as their context.
        self._watch(True)
        try:
            call(*args)
        finally:
            self._watch(False)
        yield

    def _watch(self, on: bool) -> None:
        if sys.version_info < (3, 12):
            return sys.settrace(self._trace if on else None)
        # sys.settrace misses there the instructions of what has run untraced before
        monitoring = sys.monitoring
        if on and monitoring.get_tool(_TOOL) is None:
            monitoring.use_tool_id(_TOOL, __name__)
        monitoring.register_callback(_TOOL, monitoring.events.INSTRUCTION, self._instruction if on else None)
        monitoring.set_events(_TOOL, monitoring.events.INSTRUCTION if on else 0)

    def _instruction(self, code: CodeType, _offset: int) -> Any:
        if not code.co_filename.startswith(ROOT):
            return sys.monitoring.DISABLE
        return self._at(sys._getframe(1))

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(ROOT):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            self._at(frame)
        elif event == "return":
            self._last.pop(frame, None)
        return self._trace

    def _at(self, frame: FrameType) -> None:
        looks = self._looks.get(frame.f_code)
        if looks is None:
            looks = self._looks[frame.f_code] = {
                i.offset: looks_for_signals(i) for i in dis.get_instructions(frame.f_code)
            }
        before, here = self._last.get(frame), frame.f_lasti
        self._last[frame] = here
        if before is not None and looks.get(before):
            self.count += 1
            if self.place <= self.count <= self._until:
                self._watch(False)
                self._act()
                if self.count < self._until:
                    self._watch(True)


def looks_for_signals(instruction: dis.Instruction) -> bool:
    """Say whether CPython looks for signals at this instruction."""
    name = instruction.opname
    return name.startswith(("CALL", "RESUME")) or "BACKWARD" in name


def interrupt() -> None:
    """Raise as Ctrl-C does."""
    raise Interrupted


def every_place(act: Callable[[], None] = interrupt) -> Iterator[Interrupt]:
    """Give an interrupt for each place in turn; ends when the call came to its end before its place."""
    yield Interrupt(
        sys.maxsize, act
    )  # since Python 3.12 the instructions of a function are traced from its second call on
    place = 0
    while True:
        place += 1
        found = Interrupt(place, act)
        yield found
        if found.count < place:
            return
