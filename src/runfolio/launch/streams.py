"""Give the script a standard output and error: a terminal of its own for each of ours that is one, else a pipe.

Both ours on one terminal become one, so that their order is kept; on two, or on none, they stay apart. Standard input and the controlling
terminal stay the script's own: keys, passwords, Ctrl-C and Ctrl-Z reach it as without us.
"""

from __future__ import annotations

import os
import termios
from collections.abc import Sequence
from typing import NamedTuple

STDOUT, STDERR = 1, 2


class Stream(NamedTuple):
    """What the script writes, on its way to one of our own streams."""

    source: int  # where we read it
    ends: dict[int, int]  # the script's descriptors, and what they are copies of
    sink: int
    is_terminal: bool


def open_streams() -> list[Stream]:
    """Make the streams of a script that is to be started.

    Raises:
        OSError: no pipe or terminal is to be had.
    """
    terminals = [fd for fd in (STDOUT, STDERR) if os.isatty(fd)]
    if len(terminals) == 2 and _same_terminal(STDOUT, STDERR):
        return [_terminal((STDOUT, STDERR))]
    return [_terminal((fd,)) if fd in terminals else _pipe(fd) for fd in (STDOUT, STDERR)]


def close_ends(streams: Sequence[Stream]) -> None:
    """Close our copies of the script's ends, once it has its own."""
    for end in {end for stream in streams for end in stream.ends.values()}:
        os.close(end)


def copy_sizes(streams: Sequence[Stream]) -> bool:
    """Give the script's terminals the size of ours; True where there are any."""
    terminals = [stream for stream in streams if stream.is_terminal]
    for stream in terminals:
        try:
            termios.tcsetwinsize(stream.source, termios.tcgetwinsize(stream.sink))
        except (OSError, termios.error):
            pass
    return bool(terminals)


def fill_standard() -> None:
    """Open /dev/null in place of a standard stream that is closed, lest a file of ours take its number."""
    for fd in (0, STDOUT, STDERR):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _same_terminal(a: int, b: int) -> bool:
    return os.fstat(a).st_rdev == os.fstat(b).st_rdev


def _pipe(fd: int) -> Stream:
    source, end = os.pipe()
    return Stream(source, {fd: end}, fd, False)


def _terminal(fds: tuple[int, ...]) -> Stream:
    """Open a terminal like ours, that hands on what is written as it is: ours adds the carriage returns."""
    source, end = os.openpty()
    try:
        mode = termios.tcgetattr(fds[0])
        mode[1] &= ~termios.OPOST
        mode[3] &= ~termios.ECHO
        termios.tcsetattr(end, termios.TCSANOW, mode)
    except termios.error:
        pass
    stream = Stream(source, dict.fromkeys(fds, end), fds[0], True)
    copy_sizes([stream])
    return stream
