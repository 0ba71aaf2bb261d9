"""Have an ended run sealed, by a process that nobody waits for."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from runfolio.store.layout import Layout

_COMMAND = "runfolio.cli.seal"


def seal_later(layout: Layout, run_id: str) -> None:
    """Start `runfolio seal`, in the background and silent. `RUNFOLIO_SEAL=off` does without; so does a system that has no room for it."""
    if os.environ.get("RUNFOLIO_SEAL") == "off" or not layout.exists() or find_spec(_COMMAND) is None:
        return
    # -P: it must not import what happens to lie in the working directory.
    command = [sys.executable, "-P", "-m", "runfolio", "seal", run_id]
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    environment = {**os.environ, "RUNFOLIO_DIR": layout.root}
    try:
        os.posix_spawn(sys.executable, command, environment, file_actions=null, setpgroup=0)
    except OSError:
        pass
