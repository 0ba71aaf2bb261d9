"""The folder of a vibe-rl run: what lies where in it, and what the run is called by its path.

Source: vibe-rl, "Metrics & Logging", Where metrics live.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

METRICS = "metrics.jsonl"
CONFIG = "config.json"
WANDB_ID = "wandb_id.txt"
FOLDERS = ("logs", "checkpoints", "videos", "artifacts")
_STAMPED = re.compile(r"(.+)_\d{8}_\d{6}", re.DOTALL)


class Names(NamedTuple):
    """What a run is called in the store."""

    experiment: str
    name: str


def names_of(path: str) -> Names:
    """Name a run by its folder, `<experiment>_<time>`, where the file lies in the `logs` of one; else by the file's own name."""
    folder, file = os.path.split(os.path.abspath(path))
    root, stem = os.path.dirname(folder), os.path.splitext(file)[0]
    name = os.path.basename(root)
    if os.path.basename(folder) != "logs" or not name or not is_run_folder(root):
        return Names(_sound(stem), _sound(stem))
    stamped = _STAMPED.fullmatch(name)
    experiment = stamped[1] if stamped else name
    return Names(_sound(experiment), _sound(name if file == METRICS else f"{name}/{stem}"))


def is_run_folder(root: str) -> bool:
    """Say whether this looks like the folder of a run: named so, or with a folder beside `logs` that those have."""
    if _STAMPED.fullmatch(os.path.basename(os.path.abspath(root))):
        return True
    return any(os.path.isdir(os.path.join(root, folder)) for folder in FOLDERS[1:])


def _sound(name: str) -> str:
    return os.fsencode(name).decode(errors="backslashreplace")
