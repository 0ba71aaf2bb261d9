"""Find a field of a run by its dotted name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runfolio.cli.facts import Facts
from runfolio.model.params import unflatten

MISSING = object()
_FAMILIES = ("params", "metrics", "summary", "tags")
_NAMES_MAX = 5_000


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


def nearest(facts: Facts, path: str) -> list[str]:
    """Give the names of fields that are most like an unknown one."""
    from difflib import get_close_matches

    names = [*facts]
    for family in (*_FAMILIES, "capture"):
        names += [f"{family}.{name}" for name in list(facts.get(family) or {})[:_NAMES_MAX]]
    return get_close_matches(path[:200], names, 3, 0.5) or list(facts)[:12]
