"""Tell from a query which of the points it can see, so that only those are read.

The query comes as the tree that DuckDB's `json_serialize_sql` makes. What is not understood restricts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

_PLAIN_JOINS = ("INNER", "LEFT", "RIGHT", "OUTER", "FULL")
_PLAIN_WAYS = ("REGULAR", "CROSS", "NATURAL")
_WITHOUT_METRIC = ("runs", "params", "artifacts")


class Scope(NamedTuple):
    """The metrics and runs whose points matter; None for all."""

    metrics: frozenset[str] | None
    runs: frozenset[str] | None


ALL = Scope(None, None)


def scope_of(tree: Any, table: str = "points") -> Scope:
    """Find what every use of the points in a query asks for in its WHERE: `metric = 'loss'`, `p.run in ('…', '…')`."""
    uses = list(_uses(tree, table))
    if not uses:
        return ALL
    return Scope(_union([use.metrics for use in uses]), _union([use.runs for use in uses]))


def tables_of(tree: Any) -> set[str]:
    """Give the names of all tables that a query names, in small letters."""
    if isinstance(tree, list):
        return set().union(*map(tables_of, tree))
    if not isinstance(tree, dict):
        return set()
    own = _name(tree) if tree.get("type") in ("BASE_TABLE", "SHOW_REF") else None
    return tables_of(list(tree.values())) | ({own.strip('"')} if own else set())


def _union(sets: list[frozenset[str] | None]) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for one in sets:
        if one is None:
            return None
        found |= one
    return found


def _uses(node: Any, table: str) -> Iterator[Scope]:
    """Yield the scope of each use of the table below a node."""
    if isinstance(node, list):
        for item in node:
            yield from _uses(item, table)
    elif isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and _name(node) in (table, None):
            yield ALL
        elif node.get("type") == "SELECT_NODE":
            yield from _uses_of_select(node, table)
        else:
            yield from _uses(list(node.values()), table)


def _uses_of_select(node: dict[str, Any], table: str) -> Iterator[Scope]:
    bases, others, plain = _taken_apart(node.get("from_table"))
    plain = plain and not node.get("sample")
    alone = len(bases) == 1 and not others
    bare = not others and all(_name(base) == table or _name(base) in _WITHOUT_METRIC for base in bases)
    bare = bare and sum(_name(base) == table for base in bases) == 1
    for base in bases:
        if _name(base) in (table, None):
            ok = plain and not base.get("sample") and not base.get("column_name_alias") and _name(base)
            alias = str(base.get("alias") or table).lower()
            where = node.get("where_clause")
            yield (Scope(_told(where, alias, "metric", bare), _told(where, alias, "run", alone)) if ok else ALL)
    yield from _uses(others, table)
    yield from _uses([value for key, value in node.items() if key != "from_table"], table)


def _taken_apart(source: Any) -> tuple[list[dict[str, Any]], list[Any], bool]:
    """Take a FROM apart into tables and all else; say whether a WHERE on a table may be applied before it is joined."""
    if not isinstance(source, dict):
        return [], [], True
    if source.get("type") == "BASE_TABLE":
        return [source], [], True
    if source.get("type") != "JOIN":
        return [], [source], True
    plain = (
        source.get("join_type") in _PLAIN_JOINS and source.get("ref_type") in _PLAIN_WAYS and not source.get("sample")
    )
    bases: list[dict[str, Any]] = []
    others: list[Any] = [value for key, value in source.items() if key not in ("left", "right")]
    others = [value for value in others if isinstance(value, dict)]  # the condition
    inner: list[Any] = []
    for side in ("left", "right"):
        more, rest, is_plain = _taken_apart(source.get(side))
        bases += more
        inner += rest
        plain = plain and is_plain
    return bases, inner + others, plain


def _name(base: dict[str, Any]) -> str | None:
    """Give the name of a table in small letters; None where it cannot be told."""
    name = base.get("table_name") or (base.get("qualified_name") or {}).get("path", [None])[-1]
    return name.lower() if isinstance(name, str) else None


def _told(where: Any, alias: str, column: str, bare: bool) -> frozenset[str] | None:
    """Give the texts that a WHERE demands a column to be one of; None where it does not."""
    if not isinstance(where, dict):
        return None
    if where.get("type") == "CONJUNCTION_AND":
        for child in where.get("children") or []:
            found = _told(child, alias, column, bare)
            if found is not None:
                return found
        return None
    if where.get("type") == "COMPARE_EQUAL":
        sides = [where.get("left"), where.get("right")]
    elif where.get("type") == "COMPARE_IN":
        sides = list(where.get("children") or [])
    else:
        return None
    if len(sides) == 2 and _is_column(sides[1], alias, column, bare):
        sides.reverse()
    if len(sides) < 2 or not _is_column(sides[0], alias, column, bare):
        return None
    texts = [_text(side) for side in sides[1:]]
    return None if None in texts else frozenset(text for text in texts if text is not None)


def _is_column(node: Any, alias: str, column: str, bare: bool) -> bool:
    names = [str(name).lower() for name in node.get("column_names") or []] if isinstance(node, dict) else []
    return names == [alias, column] or (bare and names == [column])


def _text(node: Any) -> str | None:
    """Give the text of a constant; None for anything else."""
    if not isinstance(node, dict) or node.get("type") != "VALUE_CONSTANT":
        return None
    literal, value = node.get("literal"), node.get("value")
    if isinstance(literal, dict) and literal.get("kind") == "STRING" and isinstance(literal.get("text"), str):
        return str(literal["text"])
    if (
        isinstance(value, dict)
        and (value.get("type") or {}).get("id") == "VARCHAR"
        and isinstance(value.get("value"), str)
    ):
        return str(value["value"])
    return None
