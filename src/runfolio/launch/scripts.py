"""Run a script as a tracked run, from its start to the last word about it."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from runfolio.errors import UsageError
from runfolio.launch.aftermath import state_of
from runfolio.launch.ending import Ending, ending_of, last_line
from runfolio.launch.output_log import OutputLog, output_bytes_max
from runfolio.launch.process import end_of, is_in_our_group, script_environment, send, start_process
from runfolio.launch.pump import Pump, Sink
from runfolio.launch.script import Script
from runfolio.launch.sealing import seal_later
from runfolio.launch.signals import STOPS, Signals
from runfolio.launch.stopping import Stopping
from runfolio.launch.streams import STDOUT, Stream, close_ends, copy_sizes, fill_standard, open_streams
from runfolio.launch.traceback_text import last_error, last_line_of
from runfolio.launch.witness import Witness
from runfolio.model.params import flatten
from runfolio.model.states import FAILED
from runfolio.model.strict_json import dumps
from runfolio.sdk import trouble
from runfolio.sdk.disabled import TOLD_PARAMS
from runfolio.sdk.launched import About, begin_launched
from runfolio.sdk.surroundings import mode
from runfolio.sdk.writing import Pen
from runfolio.store import spool

GRACE_S = 30.0
"""Between a SIGTERM and the end by force, where $RUNFOLIO_GRACE_S tells no other: what Slurm leaves too."""


class _Ran(NamedTuple):
    """What is known of a process that has ended."""

    wait_status: int
    asked: int | None  # the signal that asked it to stop
    tail: bytes = b""  # of what it wrote last, to standard error where that is apart


def run_script(script: Script, about: About) -> int:
    """Run a script as a tracked run; return the exit code for the shell.

    Raises:
        UsageError: a name, tag or param that cannot be kept, or a bad setting; nothing has been started then.
        OSError: the script's process could not be started.
    """
    grace_s, bytes_max = _grace_s(), output_bytes_max()
    fill_standard()
    with Signals() as signals:  # before there is a run: an early Ctrl-C must find its end as well
        if mode() == "disabled":
            return _run_untracked(script, about, signals, grace_s)
        with warnings.catch_warnings():  # of a disk the script warns, and our last lines: once is enough
            warnings.simplefilter("ignore", trouble.RunfolioWarning)
            pen = begin_launched(about)
            try:
                return _run_tracked(script, pen, signals, grace_s, bytes_max)
            finally:
                pen.close()


def _run_untracked(script: Script, about: About, signals: Signals, grace_s: float) -> int:
    environment = script_environment(None, "", piped=False)
    environment[TOLD_PARAMS] = dumps(flatten(about.params)).decode()
    pid = start_process(script.words, environment, ())
    ran = _wait(pid, signals, (), grace_s)
    ending = ending_of(ran.wait_status, ran.asked, None)
    Sink(STDOUT).write(_line(last_line(None, ending, None, 0, ())))
    return ending.shell_code


def _run_tracked(script: Script, pen: Pen, signals: Signals, grace_s: float, bytes_max: int) -> int:
    log, out = OutputLog(pen.layout.output(pen.run_id), bytes_max), Sink(STDOUT)
    try:
        ran = _run(script, pen, signals, grace_s, log, out)
    except OSError as failed:
        pen.writer.event(Ending(FAILED, f"the script could not be started: {failed.strerror}", None).event())
        raise
    pen.writer.event({"type": "output", **log.close()._asdict()})
    code, text = _last_word(pen, ran)
    if not out.at_line_start:
        out.write(b"\n")
    out.write(text)
    return code


def _last_word(pen: Pen, ran: _Ran) -> tuple[int, bytes]:
    """End the run; give the code for the shell and the words for the screen."""
    state = state_of(pen.layout, pen.run_id)
    error = state.error
    code, said = os.waitstatus_to_exitcode(ran.wait_status), None
    if error is None and code > 0:
        error = last_error(ran.tail)
        if error is not None:
            pen.writer.event({"type": "error", **error._asdict()})
        elif code == 1:  # as sys.exit("text") gives, which writes the text
            said = last_line_of(ran.tail)
    ending = ending_of(ran.wait_status, ran.asked, error, said)
    pen.writer.event(ending.event())
    pen.close()
    seal_later(pen.layout, pen.run_id)
    kept = [f"runfolio: the store could not be written; kept in {place}" for place in _spools(pen)]
    line = last_line(pen.run_id, ending, error, state.lost.points, state.lost.causes)
    return ending.shell_code, b"".join(map(_line, (*kept, line)))


def _spools(pen: Pen) -> list[str]:
    return spool.journals_of(pen.layout.root, pen.run_id)


def _run(script: Script, pen: Pen, signals: Signals, grace_s: float, log: OutputLog, out: Sink) -> _Ran:
    """Start the script, carry its output, and wait for its end."""
    streams = open_streams()
    bell, ringing = os.pipe()
    piped = not all(stream.is_terminal for stream in streams)
    try:
        environment = script_environment(pen.run_id, pen.layout.root, piped)
        pid = start_process(script.words, environment, streams)
    finally:
        close_ends(streams)
    sinks = {stream.source: out if stream.sink == STDOUT else Sink(stream.sink) for stream in streams}
    pump = Pump(sinks, log, bell)
    pump.start()
    ran = _wait(pid, signals, streams, grace_s)
    os.close(ringing)
    _let_run_dry(pump, signals)
    return ran._replace(tail=pump.tails[streams[-1].source])


def _wait(pid: int, signals: Signals, streams: Sequence[Stream], grace_s: float) -> _Ran:
    """Wait for the script's end; hand on the signals that are meant for it."""
    stopping, witness = Stopping(grace_s), Witness()
    try:
        while (status := end_of(pid)) is None:
            for number in signals.wait(stopping.patience_s(time.monotonic())):
                _hand_on(number, pid, stopping, witness, streams)
            if (due := stopping.due(time.monotonic())) is not None:
                send(pid, due)
        for number in signals.wait(0):  # what ended it may be heard after its end
            stopping.hear(number, time.monotonic(), lambda _: True)
        return _Ran(status, stopping.asked)
    finally:
        witness.close()


def _hand_on(number: int, pid: int, stopping: Stopping, witness: Witness, streams: Sequence[Stream]) -> None:
    if number == signal.SIGCHLD:
        return
    if number == signal.SIGWINCH:
        if copy_sizes(streams):
            send(pid, number)  # it has had one from our terminal, but perhaps before its own had the new size
        return
    passed = stopping.hear(number, time.monotonic(), lambda heard: is_in_our_group(pid) and witness.saw(heard))
    if passed is not None:
        send(pid, passed)


def _let_run_dry(pump: Pump, signals: Signals) -> None:
    """Wait until all output has been handed on; no longer than the user's patience, where our reader does not read."""
    while pump.is_alive():
        pump.join(0.05)
        if any(number in STOPS for number in signals.wait(0)):
            return


def _grace_s() -> float:
    told = os.environ.get("RUNFOLIO_GRACE_S") or str(GRACE_S)
    try:
        grace_s = float(told)
    except ValueError:
        grace_s = -1.0
    if not 0 <= grace_s < float("inf"):
        raise UsageError(f"RUNFOLIO_GRACE_S is {told!r}; it must be a number of seconds")
    return grace_s


def _line(text: str) -> bytes:
    """Render a line for standard output; what its encoding lacks becomes a question mark."""
    return f"{text}\n".encode(getattr(sys.stdout, "encoding", None) or "utf-8", "replace")
