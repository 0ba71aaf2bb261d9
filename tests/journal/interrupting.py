"""Raise an interrupt at every place of a call where CPython may deliver one, one place after the other."""

from __future__ import annotations

import dis
import os
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import runfolio

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

    def __enter__(self) -> Interrupt:
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: Any) -> None:
        sys.settrace(None)

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
                sys.settrace(None)
                self._act()
                if self.count < self._until:
                    sys.settrace(self._trace)


def looks_for_signals(instruction: dis.Instruction) -> bool:
    """Say whether CPython looks for signals at this instruction."""
    name = instruction.opname
    return name.startswith(("CALL", "RESUME")) or "BACKWARD" in name


def interrupt() -> None:
    """Raise as Ctrl-C does."""
    raise Interrupted


def every_place(act: Callable[[], None] = interrupt) -> Iterator[Interrupt]:
    """Give an interrupt for each place in turn; ends when the call came to its end before its place."""
    place = 0
    while True:
        place += 1
        found = Interrupt(place, act)
        yield found
        if found.count < place:
            return
