"""Lay out what a filter asks of a run, a row for each param and each metric, so that SQLite finds it without calling Python for each run.

The packed columns of `runs` stay what a listing reads. A run is laid out when it has come to rest: one that goes on would be written
again at each look. Those that are not laid out, and what is not laid out of them, are answered by `functions` from the packed columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from runfolio.store.functions import typed
from runfolio.store.run_row import Row, from_json
from runfolio.store.summary import LAST, MAX, Packed

DEFINITION = """
CREATE TABLE names (number INTEGER PRIMARY KEY, family TEXT, name TEXT, UNIQUE (family, name));
CREATE TABLE numbers (named INTEGER, run INTEGER, last, min, max, PRIMARY KEY (named, run)) WITHOUT ROWID;
CREATE TABLE facts (named INTEGER, run INTEGER, number, text, PRIMARY KEY (named, run)) WITHOUT ROWID;
"""
NUMBERS = ("last", "min", "max")
"""What is laid out of a metric, as it stands in a row between LAST and MAX."""
FAMILIES = ("params", "summary", "tags")
"""What is laid out as facts."""
BYTES_MAX, METRICS_MAX = 16 << 10, 1_000
"""A run whose params and all but the metrics are bigger in JSON, or that has more series, is not laid out."""

_NAMED = "named = (SELECT number FROM names WHERE family = '{family}' AND name = ?) AND run = runs.number"
_VALUE = {"n": "number", "t": "text", "": "coalesce(number, text)"}

TAKE_OUT = tuple(
    # A look-up for each name that there is: both tables are ordered by name first.
    f"DELETE FROM {table} WHERE named IN (SELECT number FROM names) AND run = ?"
    for table in ("facts", "numbers")
)


def metric_sql(which: str) -> str:
    """Write an expression that gives one of `NUMBERS` of a metric of a run that is laid out; its parameter is the name."""
    return f"(SELECT {which} FROM numbers WHERE {_NAMED.format(family='metrics')})"


def fact_sql(family: str, type_: str) -> str:
    """Write an expression that gives a param, a summary value or a tag of a run that is laid out; its parameter is the name.

    Args:
        type_: as for `functions.typed`.
    """
    return f"(SELECT {_VALUE[type_]} FROM facts WHERE {_NAMED.format(family=family)})"


class Told(NamedTuple):
    """What a row holds in its packed columns, decoded once."""

    params: dict[str, Any]
    more: dict[str, Any]
    packed: Packed
    small: bool  # enough to be laid out

    def names(self) -> Iterator[tuple[str, Iterable[str]]]:
        """Yield the names that the run has used, by family."""
        yield "params", self.params
        yield "metrics", self.packed.names
        for family in ("summary", "tags", "goals"):
            yield family, self.more[family]


def told(row: Row) -> Told:
    """Decode the packed columns of a row."""
    packed = Packed(row.summaries)
    small = len(row.params) + len(row.more) <= BYTES_MAX and len(packed.names) <= METRICS_MAX
    return Told(from_json(row.params), from_json(row.more), packed, small)


def facts(told: Told, run: int, number_of: Callable[[str, str], int]) -> Iterator[tuple[int, int, Any, Any]]:
    """Yield the rows of `facts` for a run.

    Args:
        run: its number.
        number_of: gives the number of a name, by family and name.
    """
    for family in FAMILIES:
        for name, value in (told.params if family == "params" else told.more[family]).items():
            number, text = typed(value, "n"), typed(value, "t")
            if number is not None or text is not None:
                yield number_of(family, name), run, number, text


def numbers(told: Told, run: int, number_of: Callable[[str, str], int]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of `numbers` for a run; as for `facts`."""
    return ((number_of("metrics", name), run, *some) for name, some in _numbers(told.packed))


def _numbers(packed: Packed) -> Iterable[tuple[str, Sequence[float | None]]]:
    """Give the numbers of each metric, NaN among them, which SQLite takes as NULL; of several ranks their mean, as `functions.Decoded.metric`."""
    pairs = [(name, raw[LAST : MAX + 1]) for name, raw in zip(packed.names, packed.raws(), strict=True)]
    if len(dict(pairs)) == len(pairs):
        return pairs
    ranks: dict[str, list[Sequence[float]]] = {}
    for name, numbers in pairs:
        ranks.setdefault(name, []).append(numbers)
    return ((name, [_mean(values) for values in zip(*several, strict=True)]) for name, several in ranks.items())


def _mean(values: Iterable[float]) -> float | None:
    known = [value for value in values if value == value]
    return sum(known) / len(known) if known else None
