"""Show groups of runs in a notebook: a table, the best first, and a verdict for each pair."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from runfolio.model.names import printable
from runfolio.query.html import table_html

if TYPE_CHECKING:
    from runfolio.query.groups import Group, Groups
    from runfolio.query.statistics.pairs import Pair

_TEXT_MAX = 60
_ROWS_MAX = 50
_NUMBERS = ("sd", "median", "iqm", "best", "worst")
_TITLES = ("n", "mean", "95 % interval", "sd", "median", "IQM", "best", "worst")


def groups_html(found: Groups) -> str:
    """Render groups. Whatever a name or value holds, it stands there as text."""
    which = "lowest" if found.goal == "min" else "highest"
    head = f"{_text(found.metric)} ({_text(found.at)}), {which} is best; {_text(found.over_words)}"
    keys = found.varying
    rows = (_row(group, keys) for group in found.groups[:_ROWS_MAX])
    table = table_html([*map(_text, keys), *_TITLES], rows)
    verdicts = "".join(f"<li>{_sentence(found, pair, keys)}</li>" for pair in found.pairs[:_ROWS_MAX])
    left = sum(map(len, found.left_out.values()))
    reasons = ", ".join(f"{len(runs):,} {reason}" for reason, runs in found.left_out.items())
    return (
        f"<div>{head}</div>{table}{_more(len(found) - _ROWS_MAX, 'groups')}"
        + (f"<ul>{verdicts}</ul>{_more(len(found.pairs) - _ROWS_MAX, 'comparisons')}" if verdicts else "")
        + (f"<div>Other params vary inside the groups: {_text(', '.join(found.inside))}.</div>" if found.inside else "")
        + (f"<div>Left out: {left:,} run{'' if left == 1 else 's'} ({reasons}).</div>" if left else "")
    )


def _row(group: Group, keys: list[str]) -> list[str]:
    told = group.description
    mean = " and ".join(map(_number, sorted(told.values))) if told.mean is None else _number(told.mean)
    ends = "-" if told.interval is None else f"{_number(told.interval.low)} … {_number(told.interval.high)}"
    cells = [_value(group.params, key) for key in keys]
    return [*cells, str(told.n), mean or "-", ends, *(_number(getattr(told, name)) for name in _NUMBERS)]


def _sentence(found: Groups, pair: Pair, keys: list[str]) -> str:
    a, b = (_label(found[at], keys) for at in (pair.a, pair.b))
    verdict, difference = pair.verdict, pair.difference
    text = f"{a} against {b}: <b>{_text(verdict.text, None)}</b>"
    if verdict.p is None or difference.interval is None:
        return text
    ends = f"{_number(difference.interval.low)} … {_number(difference.interval.high)}"
    return f"{text} (difference {_number(difference.value)}, 95 % interval {ends}; {_text(str(difference.test))}, p = {_number(verdict.p)})"


def _label(group: Group, keys: list[str]) -> str:
    told = (f"{_text(key)}={_value(group.params, key)}" if key in group.params else f"no {_text(key)}" for key in keys)
    return ", ".join(told) or "all runs"


def _value(params: dict[str, Any], key: str) -> str:
    if key not in params:
        return "-"
    value = params[key]
    return _number(value) if isinstance(value, float) else _text("none" if value is None else str(value))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _text(text: str, limit: int | None = _TEXT_MAX) -> str:
    return escape(printable(text, limit))


def _more(amount: int, what: str) -> str:
    return f"<div>… {amount:,} more {what}</div>" if amount > 0 else ""
