"""What the tests of the SDK read back: the journals of a run, by the standard library reader."""

from __future__ import annotations

from typing import Any

from runfolio.journal.scan import key_sets
from runfolio.sdk.past import Past, read_past
from runfolio.store.layout import find


def past(run_id: str) -> Past:
    """Read what a run's journals hold."""
    return read_past(find(), run_id)


def points(run_id: str) -> list[tuple[str, int | None, float, str]]:
    """Give all points as (metric, step or None, value, kind), journal by journal, in order."""
    from struct import unpack_from

    found: list[tuple[str, int | None, float, str]] = []
    for scan in past(run_id).scans:
        sets = key_sets(scan)
        for frame in scan.frames:
            columns = sets.get(frame.tag)
            if columns is None:
                continue
            step = None if columns.final else columns.step_base + unpack_from("<i", frame.payload)[0]
            values = unpack_from(f"<{len(columns.keys)}d", frame.payload, 8)
            found += [(key, step, value, kind) for key, value, kind in zip(columns.keys, values, columns.kinds, strict=True)]
    return found


def script(body: str, **env: str) -> Any:
    """Run a script in a fresh interpreter; returns the finished process with its text output."""
    import os
    import subprocess
    import sys
    import textwrap

    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(body)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "RUNFOLIO_CAPTURE": "none", **env},
        check=False,
    )
