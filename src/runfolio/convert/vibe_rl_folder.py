"""The folder of a vibe-rl run: what lies where in it, and what its path says about the run.

Source: vibe-rl, "Metrics & Logging", Where metrics live.
"""

from __future__ import annotations

import os
import re
import time
from typing import NamedTuple

METRICS = "metrics.jsonl"
CONFIG = "config.json"
WANDB_ID = "wandb_id.txt"
FOLDERS = ("logs", "checkpoints", "videos", "artifacts")
STAMP = "%Y%m%d_%H%M%S"

_STAMPED = re.compile(r"(.+)_(\d{8}_\d{6})", re.DOTALL)


class Names(NamedTuple):
    """What a run is called in the store."""

    experiment: str
    name: str
    in_folder: bool  # whether it lies in a run's folder


def names_of(path: str) -> Names:
    """Name a run by its folder, `<experiment>_<time>`, where the file lies in the `logs` of one; else by the file's own name."""
    root, stem = _root_of(path), os.path.splitext(os.path.basename(path))[0]
    if root is None:
        return Names(_sound(stem), _sound(stem), False)
    name = os.path.basename(root)
    stamped = _STAMPED.fullmatch(name)
    main = os.path.basename(path) == METRICS
    return Names(_sound(stamped[1] if stamped else name), _sound(name if main else f"{name}/{stem}"), True)


def started_s(path: str) -> float | None:
    """Give the time that the name of the run's folder tells, which is the local one; None where there is none."""
    stamped = _STAMPED.fullmatch(os.path.basename(_root_of(path) or ""))
    try:
        return time.mktime(time.strptime(stamped[2], STAMP)) if stamped else None
    except (ValueError, OverflowError):
        return None


def is_run_folder(root: str) -> bool:
    """Say whether this looks like the folder of a run: by its name, or by a folder that those have beside `logs`."""
    if not os.path.isdir(root):
        return False
    if _STAMPED.fullmatch(os.path.basename(os.path.abspath(root))):
        return True
    return any(os.path.isdir(os.path.join(root, folder)) for folder in FOLDERS[1:])


def _root_of(path: str) -> str | None:
    """Give the run's folder that a metrics file lies in."""
    logs = os.path.dirname(os.path.abspath(path))
    root = os.path.dirname(logs)
    return root if os.path.basename(logs) == "logs" and os.path.basename(root) and is_run_folder(root) else None


def _sound(name: str) -> str:
    return os.fsencode(name).decode(errors="backslashreplace")
