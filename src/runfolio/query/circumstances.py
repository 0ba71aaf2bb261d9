"""What made a run what it is, in flat facts by section: params and seed, code, packages, machine, command, data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runfolio.model.run_state import DataUse, RunState
    from runfolio.query.run import Run

SECTIONS = ("params", "seed", "code", "packages", "machine", "command", "data")
Facts = dict[str, Any]
Sections = dict[str, "Facts | None"]
_SEED = re.compile(r"(.*_)?(seed|rng)s?(_.*)?|random_state", re.IGNORECASE)
_OF_CODE = ("commit", "branch", "dirty", "remote", "untracked")
_OF_COMMAND = ("command", "cwd", "user")
_OF_OTHERS = ("git", "packages", *_OF_COMMAND)


def is_seed(key: str) -> bool:
    """Say whether a param is one that only draws numbers, by the end of its dotted key."""
    return _SEED.fullmatch(key.rpartition(".")[2]) is not None


def circumstances(run: Run) -> Sections:
    """Give the facts of a run by section; None for a section of which nothing was captured."""
    return circumstances_of(run.flat_params, run.state)


def circumstances_of(params: Facts, state: RunState) -> Sections:
    """Give the same of a run's params and what its events tell."""
    seeds = {key for key in params if is_seed(key)}
    return {
        "params": {key: value for key, value in params.items() if key not in seeds},
        "seed": {key: params[key] for key in params if key in seeds},
        **_captured(state),
        "data": _data(state),
    }


def git_of(run: Run) -> Facts:
    """Give what was captured of its repository; empty outside of one."""
    found = run.capture.get("git")
    return found if isinstance(found, dict) else {}


def _captured(state: RunState) -> Sections:
    capture = state.capture
    packages = capture.get("packages")
    known = isinstance(packages, dict) and not set(packages) == {"error"}
    machine = {key: value for key, value in capture.items() if key not in _OF_OTHERS}
    command = {key: capture[key] for key in _OF_COMMAND if key in capture}
    return {
        "code": _code(capture["git"]) if "git" in capture else None,
        "packages": dict(packages) if known and isinstance(packages, dict) else None,
        "machine": _flat(machine) if machine else None,
        "command": command or None,
    }


def _code(git: object) -> Facts:
    if not isinstance(git, dict):
        return {"repository": "none"}
    facts = {key: git[key] for key in _OF_CODE if git.get(key) is not None}
    return {"repository": "git", **facts, "patch": git.get("patch") or ""}


def _flat(facts: Mapping[str, Any]) -> Facts:
    """Flatten nested facts; the members of a list, such as GPUs, by their place."""
    found: Facts = {}
    for key, value in facts.items():
        if isinstance(value, list):
            value = {str(place): one for place, one in enumerate(value)}
        if isinstance(value, dict) and value:
            found.update((f"{key}.{inner}", one) for inner, one in _flat(value).items())
        elif value != {}:
            found[key] = value
    return found


def _data(state: RunState) -> Facts:
    return {one.path: _data_facts(one) for one in state.data}


def _data_facts(one: DataUse) -> Facts:
    return {"sha256": one.sha256, "size_bytes": one.size_bytes}
