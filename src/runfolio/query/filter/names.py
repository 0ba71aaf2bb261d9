"""Find what a name in a filter means: a field of the run, a param, a number of a metric, a summary value, a tag."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple

from runfolio.errors import FilterError
from runfolio.query.filter.grammar import Name
from runfolio.query.filter.tokens import WORDS
from runfolio.store.functions import NUMBERS

TEXTS = ("id", "name", "experiment", "status", "reason", "notes")
TIMES = {"created": "created_ns", "started": "started_ns", "ended": "ended_ns", "since": "since_ns"}
COUNTS = ("attempts", "exit_code", "total_steps", "lost_points")
FLAGS = ("archived", "deleted")
FIELDS = (*TEXTS, *TIMES, *COUNTS, *FLAGS, "duration", "tags")
FAMILIES = ("params", "metrics", "summary", "tags")
SLOW = ("median", "auc", "at")
"""What only the points themselves tell."""
AGGREGATES = (*NUMBERS, *SLOW)

Known = Mapping[str, frozenset[str]]
"""The names there are in a store: of "params", "metrics", "summary", "tags" and "goals"."""


class Meaning(NamedTuple):
    """What a name means."""

    family: str  # field, params, metrics, summary, tags
    key: str
    which: str = ""  # of a metric
    argument: int | None = None


def meaning_of(name: Name, known: Known, text: str) -> Meaning:
    """Find what a name means.

    Raises:
        FilterError: nothing, or several things; the nearest are offered.
    """
    first, rest = name.parts[0], name.parts[1:]
    if first in FAMILIES and (rest or first != "tags"):
        if not rest:
            raise FilterError(f"{first} needs a name: {first}.…", text, name.at)
        return _in_family(first, rest, name, known, text)
    if first in FIELDS and not rest:
        _no_argument(name, text)
        return Meaning("field", first)
    return _bare(name, known, text)


def _in_family(family: str, parts: tuple[str, ...], name: Name, known: Known, text: str) -> Meaning:
    if family == "metrics":
        return _metric(parts, name, known, text)
    _no_argument(name, text)
    key = ".".join(parts)
    if key not in known[family] and any(known.values()):
        raise FilterError(f"no run has {_one(family)} {key!r}{_near(key, known[family])}", text, name.at)
    return Meaning(family, key)


def _metric(parts: tuple[str, ...], name: Name, known: Known, text: str) -> Meaning:
    metrics, whole = known["metrics"], ".".join(parts)
    key, which = whole, "last"
    if whole not in metrics and len(parts) > 1:
        if parts[-1] in AGGREGATES:
            key, which = ".".join(parts[:-1]), parts[-1]
        elif ".".join(parts[:-1]) in metrics:
            near = _near(parts[-1], frozenset(AGGREGATES))
            raise FilterError(
                f"a metric has {', '.join(AGGREGATES[:-1])} and at(step), but no {parts[-1]!r}{near}", text, name.at
            )
    if key not in metrics and any(known.values()):
        raise FilterError(f"no run has a metric {key!r}{_near(key, metrics)}", text, name.at)
    if (which == "at") != (name.argument is not None):
        raise FilterError("at needs a step, and nothing else has one: metrics.loss.at(100)", text, name.at)
    if which == "best" and key not in known["goals"] and any(known.values()):
        reason = (
            f"no run has told whether {key!r} is better low or high; say .min or .max, or run.define({key!r}, goal=…)"
        )
        raise FilterError(reason, text, name.at)
    return Meaning("metrics", key, which, name.argument)


def _bare(name: Name, known: Known, text: str) -> Meaning:
    """Resolve a name without its family, where only one family has it."""
    key = ".".join(name.parts)
    found = [Meaning(family, key) for family in ("params", "summary") if key in known[family]]
    stem = ".".join(name.parts[:-1])
    if key in known["metrics"] or (stem in known["metrics"] and name.parts[-1] in AGGREGATES):
        found.append(_metric(name.parts, name, known, text))
    if not found:
        found = [
            Meaning(family, one) for family in ("params", "summary") for one in known[family] if one.endswith("." + key)
        ]
    if len(found) == 1:
        if found[0].family != "metrics":
            _no_argument(name, text)
        return found[0]
    if found:
        several = " or ".join(sorted(f"{one.family}.{one.key}" for one in found)[:5])
        raise FilterError(f"{key!r} may be {several}; say which", text, name.at)
    every = frozenset(FIELDS).union(*(known[family] for family in ("params", "metrics", "summary")))
    searched = f'; runs whose name has it: name like "*{key}*"' if text.strip() == key else ""
    raise FilterError(f"no field, param or metric is called {key!r}{_near(key, every)}{searched}", text, name.at)


def _no_argument(name: Name, text: str) -> None:
    if name.argument is not None:
        raise FilterError("only a metric has a value at a step: metrics.loss.at(100)", text, name.at)


def _one(family: str) -> str:
    return {"params": "a param", "summary": "a summary value", "tags": "a tag"}[family]


def _near(key: str, names: frozenset[str]) -> str:
    if not names:
        return ""
    near = get_close_matches(key[:200], sorted(names)[:5000], 3, 0.5)
    if not near:
        return f"; there are {', '.join(sorted(names)[:5])}"
    quoted = ", in backticks" if any(_needs_quotes(one) for one in near) else ""
    return f"; did you mean {' or '.join(map(_as_typed, near))}{quoted}?"


def _needs_quotes(name: str) -> bool:
    """Say whether a name would be read as something else, as `val/acc` as a division."""
    return "`" not in name and not all(part.isidentifier() and part not in WORDS for part in name.split("."))


def _as_typed(name: str) -> str:
    return f"`{name}`" if _needs_quotes(name) else repr(name)
