"""Turn a parsed filter into a condition of SQL, all values of the user as parameters.

Logic has two values: a comparison with something missing is false, so `not` of it is true. NaN counts as missing. Text and numbers are never equal,
and neither is less than the other.
"""

from __future__ import annotations

import time
from difflib import get_close_matches
from typing import NamedTuple

from runfolio.errors import FilterError
from runfolio.model.states import ALL
from runfolio.query.filter import names
from runfolio.query.filter.grammar import (
    Arithmetic,
    Both,
    Compare,
    IsNone,
    Like,
    Literal,
    Name,
    Node,
    Not,
    Several,
    SortKey,
    Within,
    parse,
    parse_sort,
)
from runfolio.query.filter.names import Known, Meaning, meaning_of
from runfolio.query.filter.times import seconds_of
from runfolio.store import laid_out
from runfolio.store.functions import PATTERN_MAX

_DURATION = "((earlier_ns + max(0, coalesce(ended_ns, CASE status WHEN 'running' THEN {now} ELSE last_ns END) - started_ns)) / 1e9)"
_IN_MORE = ("notes", *names.COUNTS)
_DIFFERENT = "different"


class Slow(NamedTuple):
    """A number of a metric that only its points tell, to be found before the question is asked."""

    metric: str
    which: str  # median, auc, at
    argument: int | None


class Condition(NamedTuple):
    """A condition on rows of the index. `slow(id, n)` in it gives the n-th of `slow` for a run."""

    sql: str
    values: tuple[object, ...]
    slow: tuple[Slow, ...]


class Order(NamedTuple):
    """What stands behind ORDER BY; what is missing comes last."""

    sql: str
    values: tuple[object, ...]
    slow: tuple[Slow, ...]


def compile_filter(text: str, known: Known, slow: tuple[Slow, ...] = ()) -> Condition:
    """Compile a filter.

    Args:
        known: the names there are in the store; where there are none at all, any name is let pass.
        slow: those that another part of the same question has already.

    Raises:
        FilterError: it cannot be understood; the column tells where.
    """
    compiler = _Compiler(text, known, slow)
    sql = compiler.truth(parse(text))
    return Condition(sql, tuple(compiler.values), tuple(compiler.slow))


def compile_sort(text: str, known: Known, slow: tuple[Slow, ...] = ()) -> Order:
    """Compile what to sort by: `-metrics.acc.max, name`."""
    compiler = _Compiler(text, known, slow)
    parts = [compiler.sort_key(key) for key in parse_sort(text)]
    return Order(", ".join(parts), tuple(compiler.values), tuple(compiler.slow))


class _Compiler:
    """Writes SQL from left to right, and its parameters in the same order."""

    def __init__(self, text: str, known: Known, slow: tuple[Slow, ...]) -> None:
        self._text, self._known = text, known
        self._now_s = time.time()
        self.values: list[object] = []
        self.slow = list(slow)

    def _bind(self, value: object) -> str:
        self.values.append(value)
        return "?"

    def _wrong(self, reason: str, at: int) -> FilterError:
        return FilterError(reason, self._text, at)

    # ---------------------------------------------------------------- truth

    def truth(self, node: Node) -> str:
        """Write an expression of 0 or 1, never NULL."""
        if isinstance(node, Both):
            return f"({f' {node.op} '.join(self.truth(part) for part in node.parts)})"
        if isinstance(node, Not):
            return f"(NOT {self.truth(node.of)})"
        if isinstance(node, Compare):
            return self._compare(node)
        if isinstance(node, Within):
            return self._within(node)
        if isinstance(node, Like):
            return self._like(node)
        if isinstance(node, IsNone):
            return f"({self.value(node.of, '')} IS NULL)"
        if isinstance(node, Several):
            raise self._wrong("a list stands only behind 'in'", node.at)
        if isinstance(node, Literal) and not isinstance(node.value, bool):
            raise self._wrong("this is no condition; compare it with something", node.at)
        if isinstance(node, Literal):
            return str(int(node.value is True))
        if isinstance(node, Name) and self._meaning(node) == Meaning("field", "tags"):
            raise self._wrong('tags are asked for as "baseline" in tags, or tags.team == "ml"', node.at)
        return f"coalesce({self.value(node, 'n')} <> 0, 0)"

    def _compare(self, node: Compare) -> str:
        left, right, op = node.left, node.right, node.op
        for side in (left, right):
            if isinstance(side, Literal) and side.value is None:
                if op not in ("=", "!="):
                    raise self._wrong(
                        "None is neither less nor more than anything; 'is None' asks for what is missing", node.at
                    )
                none = IsNone(node.at, left if side is right else right)
                return self.truth(none if op == "=" else Not(node.at, none))
        self._check_status(left, right)
        type_ = self._type(left, right)
        if op == "!=":
            # Of two types, both there: they differ.
            present = f"{self.value(left, '')} IS NOT NULL AND {self._side(right, left, '')} IS NOT NULL"
            return f"({present} AND NOT {self._equal(left, right, type_, '=')})"
        return self._equal(left, right, type_, op)

    def _equal(self, left: Node, right: Node, type_: str, op: str) -> str:
        if type_ == _DIFFERENT:
            return "0"
        if type_:
            return f"coalesce({self._side(left, right, type_)} {op} {self._side(right, left, type_)}, 0)"
        same_type = f"(typeof({self.value(left, '')}) = 'text') = (typeof({self.value(right, '')}) = 'text')"
        return f"coalesce({same_type} AND {self.value(left, '')} {op} {self.value(right, '')}, 0)"

    def _side(self, node: Node, other: Node, type_: str) -> str:
        """Write one side of a comparison; text beside a moment is a moment."""
        if isinstance(node, Literal) and isinstance(node.value, str) and self._is_time(other):
            seconds = seconds_of(node.value, self._now_s)
            if seconds is None:
                reason = (
                    f'{node.value!r} is no moment; say 2026-11-20, "2026-11-20 14:30", "2 days ago", today or yesterday'
                )
                raise self._wrong(reason, node.at)
            return self._bind(seconds)
        return self.value(node, type_)

    def _type(self, left: Node, right: Node) -> str:
        """Say what both sides of a comparison must be: "n" numbers, "t" text, "" the same; or that they never are."""
        if self._is_time(left) or self._is_time(right):
            return "n"
        kinds = {self._kind(left), self._kind(right)} - {""}
        return kinds.pop() if len(kinds) == 1 else _DIFFERENT if kinds else ""

    def _kind(self, node: Node) -> str:
        if isinstance(node, Literal):
            return "t" if isinstance(node.value, str) else "n"
        if isinstance(node, Name):
            meaning = self._meaning(node)
            if meaning.family == "field":
                return "t" if meaning.key in names.TEXTS else "n"
            return {"metrics": "n", "tags": "t"}.get(meaning.family, "")
        return "n"

    def _is_time(self, node: Node) -> bool:
        return (
            isinstance(node, Name) and self._meaning(node).family == "field" and self._meaning(node).key in names.TIMES
        )

    def _check_status(self, left: Node, right: Node) -> None:
        for name, told in ((left, right), (right, left)):
            if isinstance(name, Name) and self._meaning(name) == Meaning("field", "status"):
                for literal in told.items if isinstance(told, Several) else (told,):
                    if isinstance(literal, Literal) and isinstance(literal.value, str) and literal.value not in ALL:
                        near = get_close_matches(literal.value, ALL, 1)
                        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(ALL)}"
                        raise self._wrong(f"no run has the status {literal.value!r}; {hint}", literal.at)

    def _within(self, node: Within) -> str:
        stack = node.stack
        if isinstance(stack, Several):
            self._check_status(node.needle, stack)
            equals = [self._compare(Compare(item.at, "=", node.needle, item)) for item in stack.items]
            return f"({' OR '.join(equals)})" if equals else "0"
        if not isinstance(stack, Name):
            raise self._wrong("behind 'in' stands a list, tags, a text field or a param", stack.at)
        meaning = self._meaning(stack)
        if meaning == Meaning("field", "tags"):
            return f"tagged(more, {self.value(node.needle, 't')})"
        if meaning.family == "params":
            needle = "" if isinstance(node.needle, Name) else self._kind(node.needle)
            listed = f"holds(params, {self._bind(meaning.key)}, {self.value(node.needle, needle)})"
            return f"({listed} OR coalesce(instr({self.value(stack, 't')}, {self.value(node.needle, 't')}) > 0, 0))"
        return f"coalesce(instr({self.value(stack, 't')}, {self.value(node.needle, 't')}) > 0, 0)"

    def _like(self, node: Like) -> str:
        pattern = node.pattern
        if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
            raise self._wrong("behind 'like' stands a pattern with * and ?, in quotes: name like \"mlp*\"", pattern.at)
        if len(pattern.value) > PATTERN_MAX:
            raise self._wrong(f"a pattern has at most {PATTERN_MAX} characters", pattern.at)
        return f"fits({self.value(node.text, 't')}, {self._bind(pattern.value)})"

    # ---------------------------------------------------------------- values

    def value(self, node: Node, type_: str) -> str:
        """Write a value; NULL where it is missing or not of the type."""
        if isinstance(node, Literal):
            fits = type_ in ("", "t" if isinstance(node.value, str) else "n")
            return self._bind(node.value) if fits else "NULL"
        if isinstance(node, Name):
            return self._name(node, type_)
        if isinstance(node, Arithmetic):
            if type_ == "t":
                return "NULL"
            left, right = self.value(node.left, "n"), self.value(node.right, "n")
            if node.op == "%":
                return f"modulo({left}, {right})"
            # As floats: an int beyond 64 bits would be an error, and 1/2 be 0.
            return f"(CAST({left} AS REAL) {node.op} CAST({right} AS REAL))"
        if isinstance(node, Several):
            raise self._wrong("a list stands only behind 'in'", node.at)
        return self.truth(node)

    def _meaning(self, name: Name) -> Meaning:
        return meaning_of(name, self._known, self._text)

    def _name(self, name: Name, type_: str) -> str:
        meaning = self._meaning(name)
        if meaning.family == "field":
            return self._field(meaning.key, type_, name)
        if meaning.family == "metrics":
            return "NULL" if type_ == "t" else self._metric(meaning)
        function = "param(params" if meaning.family == "params" else f"told(more, '{meaning.family}'"
        return self._either(laid_out.fact_sql(meaning.family, type_), f"{function}, ?, '{type_}')", meaning.key)

    def _either(self, laid: str, packed: str, name: str) -> str:
        """Ask what was laid out of a run where it was, else its packed columns; each has the name as its only parameter."""
        self.values += [name, name]
        return f"CASE laid_out WHEN 1 THEN {laid} ELSE {packed} END"

    def _metric(self, meaning: Meaning) -> str:
        if meaning.which in laid_out.NUMBERS:
            packed = f"metric(summaries, more, ?, '{meaning.which}')"
            return self._either(laid_out.metric_sql(meaning.which), packed, meaning.key)
        if meaning.which not in names.SLOW:
            return f"metric(summaries, more, {self._bind(meaning.key)}, {self._bind(meaning.which)})"
        slow = Slow(meaning.key, meaning.which, meaning.argument)
        if slow not in self.slow:
            self.slow.append(slow)
        return f"slow(id, {self._bind(self.slow.index(slow))})"

    def _field(self, key: str, type_: str, name: Name) -> str:
        if key == "tags":
            raise self._wrong('tags are asked for as "baseline" in tags, or tags.team == "ml"', name.at)
        if type_ not in ("", "t" if key in names.TEXTS else "n"):
            return "NULL"
        if key in names.TIMES:
            return f"({names.TIMES[key]} / 1e9)"
        if key == "duration":
            return _DURATION.format(now=self._bind(int(self._now_s * 1e9)))
        return f"fact(more, '{key}')" if key in _IN_MORE else key

    def sort_key(self, key: SortKey) -> str:
        """Write one key of an order, what is missing last."""
        return f"{self._sortable(key.of)} {'DESC' if key.descending else 'ASC'} NULLS LAST"

    def _sortable(self, node: Node) -> str:
        if isinstance(node, Literal):
            raise self._wrong("sort by a name: -metrics.acc.max, created", node.at)
        return self.value(node, "")
