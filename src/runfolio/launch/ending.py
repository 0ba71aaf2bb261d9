"""How a script ended, and the words for it."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

from runfolio.model.ids import short
from runfolio.model.names import printable
from runfolio.model.run_state import RunError
from runfolio.model.states import FAILED, FINISHED, KILLED

_REASON_MAX = 500


class Ending(NamedTuple):
    """The launcher's last word about a run."""

    status: str
    reason: str | None
    exit_code: int | None  # None where a signal ended the script
    signal: int | None = None

    @property
    def shell_code(self) -> int:
        """The exit code for the shell: the script's own, or 128 + the signal's number."""
        return self.exit_code if self.exit_code is not None else 128 + (self.signal or 0)

    def event(self) -> dict[str, object]:
        """Give the event that keeps it."""
        return {"type": "exit", **self._asdict()}


def ending_of(wait_status: int, asked: int | None, error: RunError | None, said: str | None = None) -> Ending:
    """Judge an end.

    Exit code 0 is finished, whatever came before: a script that was told to stop and says that all is well is believed.

    Args:
        wait_status: of the script's process.
        asked: the signal that asked it to stop, if one did.
        error: the exception that ended it, where it is known.
        said: the last line it wrote: the text of `sys.exit("text")` is nothing else.
    """
    code = os.waitstatus_to_exitcode(wait_status)
    if code < 0:
        return Ending(KILLED, _by_signal(-code, asked), None, -code)
    if code == 0:
        return Ending(FINISHED, None, 0)
    if asked is not None:
        return Ending(KILLED, signal_name(asked), code)
    if error is not None and error.kind == "KeyboardInterrupt":
        return Ending(KILLED, error.kind, code)
    return Ending(FAILED, _words(error) if error is not None else _code_words(code, said), code)


def last_line(
    run_id: str | None, ending: Ending, error: RunError | None, lost_points: int, causes: tuple[str, ...]
) -> str:
    """Put the end in one line.

    Args:
        run_id: None where nothing was tracked.
    """
    name = short(run_id) if run_id is not None else "not tracked, RUNFOLIO_MODE=disabled"
    lost = f", lost {lost_points:,} values ({', '.join(causes)})" if lost_points else ""
    if ending.status == FINISHED:
        return f"✓ Experiment completed successfully: {name}{lost}"
    if ending.status == KILLED:
        return f"✗ Experiment killed: {name} ({_how(ending.reason, ending)}){lost}"
    how = _how(_words(error), ending) if error else ending.reason or f"exit code {ending.exit_code}"
    return f"✗ Experiment failed: {name} ({how}){lost}"


def signal_name(number: int) -> str:
    """Give the name that people know a signal by."""
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time one
        return f"signal {number}"


def _by_signal(number: int, asked: int | None) -> str:
    if number == signal.SIGKILL and asked is not None:
        return f"{signal_name(asked)}, then SIGKILL"
    return signal_name(number)


def _words(error: RunError) -> str:
    return printable(f"{error.kind}: {error.message}" if error.message else error.kind, _REASON_MAX)


def _code_words(code: int, said: str | None) -> str:
    return f"exit code {code}, last line: {printable(said, _REASON_MAX)}" if said else f"exit code {code}"


def _how(why: str | None, ending: Ending) -> str:
    code = f"exit code {ending.exit_code}" if ending.exit_code is not None else None
    if ending.status == KILLED:
        return ", ".join(filter(None, (why, code)))
    return ": ".join(filter(None, (code, why)))
