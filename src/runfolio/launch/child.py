"""Become the script: run by its path in a bare Python, which the script's own takes the place of.

    python -I -S child.py LAUNCHER_PID SCRIPT|-m MODULE [ARGUMENT…]

Two things can only be done in the process itself: to ask the kernel for a SIGTERM at the launcher's death (Linux), and to let the signals through
that were held back while there was nobody to hear them. `_signal` and not `signal`, as that costs 5 ms more; the script is waiting.
"""

import _signal  # type: ignore[import-not-found]  # typeshed does not know it
import os
import sys

PR_SET_PDEATHSIG = 1


def main(launcher: str, *words: str) -> None:
    """Take the launcher's pid and what to run."""
    try:
        from ctypes import CDLL

        if sys.platform == "linux":
            CDLL(None).prctl(PR_SET_PDEATHSIG, _signal.SIGTERM)
    except (ImportError, OSError, AttributeError):  # a Python without ctypes: the script outlives its launcher
        pass
    if os.getppid() != int(launcher):  # it died before it could be asked for
        os._exit(1)
    for name in ("SIGINT", "SIGPIPE", "SIGXFSZ"):  # what this Python changed for itself
        number = getattr(_signal, name)
        if name != "SIGINT" or _signal.getsignal(number) is _signal.default_int_handler:
            _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    os.execv(sys.executable, [sys.executable, *words])


if __name__ == "__main__":
    main(*sys.argv[1:])
