"""What the environment says about tracking. An argument stands before it, a default behind it; an empty variable is none.

The variables of AIM's authentication are not read here: the process that feeds AIM inherits them.

Source: NTN experiment tracking, "Environment Variables".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from runfolio.errors import UsageError
from runfolio.model.names import shown

BACKENDS = ("file", "aim", "both", "none")


def backend_of(argument: str | None) -> str:
    """Choose the back end: the argument, $TRACKER_BACKEND, "file".

    Raises:
        UsageError: there is no such back end.
    """
    chosen = argument or os.environ.get("TRACKER_BACKEND") or "file"
    if chosen not in BACKENDS:
        said = "" if argument else ", as TRACKER_BACKEND says"
        raise UsageError(f"unknown tracking backend {shown(chosen)}{said}; choose from {', '.join(BACKENDS)}")
    return chosen


def folder_of(argument: str | os.PathLike[str] | None) -> str:
    """Choose the folder of the files: the argument, $TRACKER_DIR, experiment_logs."""
    return os.fspath(argument or os.environ.get("TRACKER_DIR") or "experiment_logs")


def repo_of(argument: str | os.PathLike[str] | None) -> str:
    """Choose AIM's repository: the argument, $AIM_REPO, .aim here. A folder is made absolute: another process opens it."""
    chosen = os.fspath(argument or os.environ.get("AIM_REPO") or ".aim")
    return chosen if "://" in chosen else os.path.abspath(chosen)


def name_of(argument: str | None, config: Mapping[str, Any]) -> str:
    """Choose the experiment's name: the argument, $EXPERIMENT_NAME, the config's model + "_experiment"."""
    if argument is not None and not isinstance(argument, str):
        raise UsageError(f"an experiment's name is text, not {shown(argument)}")
    model = config.get("model") if isinstance(config, Mapping) else None
    default = f"{model}_experiment" if isinstance(model, str) and model else "experiment"
    return argument or os.environ.get("EXPERIMENT_NAME") or default
