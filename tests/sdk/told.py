"""What the tests of the SDK read back: the journals of a run, by the standard library reader."""

from __future__ import annotations

from typing import Any

from runfolio.journal.scan import rows
from runfolio.sdk.past import Past, read_past
from runfolio.store.layout import find


def past(run_id: str) -> Past:
    """Read what a run's journals hold."""
    return read_past(find(), run_id)


def points(run_id: str) -> list[tuple[str, int | None, float, str]]:
    """Give all points as (metric, step or None, value, kind), journal by journal, in order."""
    return [
        (key, row.step, value, kind)
        for scan in past(run_id).scans
        for row in rows(scan)
        for key, value, kind in zip(row.columns.keys, row.values, row.columns.kinds, strict=True)
    ]


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
