"""Where the metrics file of a path is: the path itself, or in the run's folder that it names.

Source: vibe-rl, "Metrics & Logging"; the header of its program passes the folder where the signature wants the file.
"""

from __future__ import annotations

import os
from pathlib import Path

from runfolio.convert.vibe_rl_folder import METRICS


def metrics_file(path: str | os.PathLike[str]) -> Path:
    """Give the metrics file that a path, or a RunDir, means."""
    path = Path(path)
    return path / "logs" / METRICS if path.is_dir() else path
