"""End runs with their script: at exit, by an exception, by a signal; and know which run is the active one.

atexit cannot tell how a script ended, so sys.excepthook and sys.exit are watched while a run is active. A signal handler of ours stands only
where the disposition is the default, in the main thread; it ends the run and sends the signal again. The user's own handlers are never replaced.
"""

from __future__ import annotations

import _thread
import atexit
import builtins
import os
import sys
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from runfolio.model.states import FAILED

if TYPE_CHECKING:
    from runfolio.sdk.active import ActiveRun

_SIGNALS = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")

_active: list[ActiveRun] = []
_companions: list[int] = []
_chores: list[Callable[[], None]] = []
_watching = False
_hooked = False
_taken_in = 0
_exit_code: int | None = None
_error: BaseException | None = None


def active() -> ActiveRun | None:
    """Give the run that was begun last and has not ended."""
    return _active[-1] if _active else None


def begun(run: ActiveRun) -> None:
    """Make a run the active one, and see to its end."""
    _active.append(run)
    _watch()
    _hook_signals()


def ended(run: ActiveRun) -> None:
    """Take a run off the active ones."""
    reap()
    if run in _active:
        _active.remove(run)


def launched_run() -> str | None:
    """Give the id of the run that the launcher made for this script, until a `start` here has taken it."""
    run_id = os.environ.get("RUNFOLIO_RUN_ID")
    return run_id if run_id and _taken_in != os.getpid() else None


def take_launched_run() -> None:
    """Remember that a `start` of this process took the launcher's run: the next one begins a run of its own."""
    global _taken_in
    _taken_in = os.getpid()


def companion(pid: int | None) -> None:
    """Remember a process of ours, to be reaped when it has ended."""
    if pid is not None:
        _companions.append(pid)


def chore(do: Callable[[], None]) -> None:
    """Have something done now and then, by the thread that keeps a journal; it must not wait."""
    if do not in _chores:
        _chores.append(do)


def reap() -> None:
    """Take in companions that have ended, and do the chores; never waits."""
    for do in _chores:
        do()
    for pid in list(_companions):
        try:
            done, _ = os.waitpid(pid, os.WNOHANG)
        except OSError:
            done = pid  # somebody else reaped it
        if done:
            try:
                _companions.remove(pid)
            except ValueError:
                pass


def _watch() -> None:
    global _watching
    if _watching:
        return
    _watching = True
    atexit.register(_at_exit)
    _hook_exceptions()
    _hook_exit()


def _at_exit() -> None:
    """End what is still active: as failed after an exception or a non-zero sys.exit."""
    error = _error
    if error is None and not hasattr(sys, "ps1"):  # an excepthook set after ours; in a session it may be an old one
        error = getattr(sys, "last_value", None)
    for run in list(reversed(_active)):
        try:
            if error is not None:
                run.fail(error)
            elif _exit_code:
                run.finish(FAILED, reason=f"exit code {_exit_code}", exit_code=_exit_code)
            else:
                run.finish_with_script()
        except KeyboardInterrupt as again:  # of someone who does not wait for the disk: all is written, if not synced
            error = again
        except Exception as trouble:
            print(f"runfolio: could not end run {run.id[:8]}: {trouble}", file=sys.stderr)
    if isinstance(error, KeyboardInterrupt):
        _die_as_interrupted()


def _die_as_interrupted() -> None:
    """Have Python die of SIGINT after an unhandled KeyboardInterrupt, as without us: any exec() at exit clears its note of that."""
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        pass


def _hook_exceptions() -> None:
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        global _error
        _error = error
        before(kind, error, traceback)

    sys.excepthook = hook


def _hook_exit() -> None:
    """Hear of sys.exit, and of exit and quit, which are no functions but objects of a class of the site module."""
    before = sys.exit

    def leave(code: Any = None, /) -> Any:
        _hear_exit(code)
        before(code)

    sys.exit = leave
    quitter: Any = type(getattr(builtins, "exit", None))
    if quitter.__module__ != "_sitebuiltins":  # python -S has none, IPython its own
        return
    call = quitter.__call__

    def quit_(self: Any, code: Any = None) -> Any:
        _hear_exit(code)
        return call(self, code)

    quitter.__call__ = quit_


def _hear_exit(code: object) -> None:
    global _exit_code
    import threading

    if threading.current_thread() is threading.main_thread():
        _exit_code = code if isinstance(code, int) else 0 if code is None else 1


def _hook_signals() -> None:
    import signal
    import threading

    global _hooked
    if _hooked or threading.current_thread() is not threading.main_thread():
        return  # a later run, begun in the main thread, will
    _hooked = True
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        try:
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _on_signal)
        except (ValueError, OSError):
            return


def _let_signals_be() -> None:
    """Leave signals to the child of a fork: its runs are the parent's, and a handler of ours could come too late for its end."""
    import signal

    for name in _SIGNALS if _hooked else ():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is _on_signal:
            signal.signal(number, signal.SIG_DFL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_signals_be)


def _send_again(number: int) -> bool:
    """Send a signal again from another thread: from this one it would come back before the interrupted call has gone on."""

    def send() -> None:
        time.sleep(0.001)
        os.kill(os.getpid(), number)

    try:
        _thread.start_new_thread(send, ())
    except RuntimeError:
        return False
    return True


def _on_signal(number: int, _frame: FrameType | None) -> None:
    import signal

    if any(run.busy for run in _active) and _send_again(number):
        return  # inside of log(): that call goes on, and the signal comes again in a millisecond
    name = signal.Signals(number).name
    for run in list(reversed(_active)):
        run.end_in_a_hurry(name)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
