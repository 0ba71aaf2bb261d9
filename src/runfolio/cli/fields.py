"""Find a field of a run by its dotted name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runfolio.cli.facts import METRIC_FIELDS, Facts
from runfolio.model.names import shown
from runfolio.model.params import unflatten

MISSING = object()
_FAMILIES = ("params", "metrics", "summary", "tags")
_NAMES_MAX = 5_000
_FIRST = 12
_ALIKE = 0.6


def lookup(value: Any, path: str) -> Any:
    """Find `path` in nested facts; `MISSING` where there is nothing. Names may hold dots themselves: the longest that fits is taken."""
    if not path:
        return value
    if isinstance(value, list):
        head, _, rest = path.partition(".")
        inside = head.isdecimal() and len(head) < 10 and int(head) < len(value)
        return lookup(value[int(head)], rest) if inside else MISSING
    if not isinstance(value, dict):
        return MISSING
    for name, rest in _splits(path):
        if name in value:
            found = lookup(value[name], rest)
            if found is not MISSING:
                return found
    branch = {name[len(path) + 1 :]: item for name, item in value.items() if name.startswith(f"{path}.")}
    return unflatten(branch) if branch else MISSING


def _splits(path: str) -> Iterator[tuple[str, str]]:
    """Cut a path in two at each of its dots, the longest head first."""
    yield path, ""
    at = path.rfind(".")
    while at >= 0:
        yield path[:at], path[at + 1 :]
        at = path.rfind(".", 0, at)


def find(facts: Facts, path: str) -> Any:
    """Find a field by its full name, or by its bare one among params, metrics, summary and tags. A metric stands for its last value."""
    found = lookup(facts, path)
    for family in _FAMILIES:
        if found is MISSING:
            found = lookup(facts.get(family, {}), path)
    return found["last"] if isinstance(found, dict) and "nan_count" in found else found


def why_missing(facts: Facts, path: str) -> str:
    """Say why a run has no such field: what is known of it, or which fields are most like it."""
    head = path.removeprefix("capture.").partition(".")[0]
    if head in ("git", "patch") and "capture" in facts:
        return _why_no_git(facts["capture"], path)
    if head == "error":
        return "the run has no error"
    near = nearest(facts, path)
    if near:
        return f"this run has no field {shown(path)}; near to it: {', '.join(map(shown, near))}"
    return f"this run has no field {shown(path)}; there are {', '.join(list(facts)[:_FIRST])} and more"


def _why_no_git(capture: Facts, path: str) -> str:
    if "git" not in capture:
        return f"{path} is not known: git was not captured for this run"
    git = capture["git"]
    if not isinstance(git, dict):
        return f"{path} is not known: the run was not started in a git repository"
    if path.endswith("patch") and git.get("dirty") is False:
        return "there is no patch: nothing was uncommitted"
    return f"{path} is not known" + (f": {git['error']}" if git.get("error") else "; it was not captured")


def nearest(facts: Facts, path: str) -> list[str]:
    """Give the names of fields that are most like an unknown one, whole or bare as it is, the most like first."""
    from difflib import get_close_matches

    names = [*facts]
    for family in (*_FAMILIES, "capture"):
        names += [form for name in list(facts.get(family) or {})[:_NAMES_MAX] for form in (f"{family}.{name}", name)]
    for name in list(facts.get("metrics") or {})[:_NAMES_MAX]:
        if path.removeprefix("metrics.").startswith(f"{name}."):
            begin = path[: path.rindex(f"{name}.") + len(name)]
            names += [f"{begin}.{end}" for end in METRIC_FIELDS]
    return get_close_matches(path[:200], dict.fromkeys(names), 3, _ALIKE)
