"""Read a metrics file back.

Source: vibe-rl, "Metrics & Logging", Reading metrics back.
"""

from __future__ import annotations

import os
from typing import Any

from runfolio.convert.vibe_rl_lines import record_of
from runfolio.dialects.vibe_rl.paths import metrics_file
from runfolio.dialects.vibe_rl.runs import live_run
from runfolio.sdk.following import settle


def read_metrics(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Give the records of a file in the order of writing; none where there is no file.

    What this process has written so far is in it. Blank lines and those that a crash has torn are left out.
    """
    path = metrics_file(path)
    run = live_run(path)
    if run is not None:
        settle(run)
    try:
        with open(path, "rb") as file:
            return [record for line in file if (record := record_of(line)) is not None]
    except FileNotFoundError:
        return []
