"""Parse a filter.

filter     = or
or         = and { ("or" | "||") and }
and        = not { ("and" | "&&") not }
not        = ("not" | "!") not | comparison
comparison = sum { ("<" | "<=" | ">" | ">=" | "=" | "==" | "!=" | "<>") sum
                 | ["not"] "in" (list | sum) | ["not"] "like" sum | "is" ["not"] None }
sum        = term { ("+" | "-") term }
term       = unary { ("*" | "/" | "%") unary }
unary      = ("-" | "+") unary | number | text | None | True | False | "(" filter ")" | name
list       = ("(" | "[") [ sum { "," sum } [","] ] (")" | "]")
name       = word { "." word | "[" text "]" } [ "(" number ")" ]
"""

from __future__ import annotations

from typing import NamedTuple

from runfolio.errors import FilterError
from runfolio.query.filter.tokens import Token, tokens_of

DEPTH_MAX = 64
COMPARISONS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "=": "=", "==": "=", "!=": "!=", "<>": "!="}
CONSTANTS = {"None": None, "null": None, "True": True, "true": True, "False": False, "false": False}


class Literal(NamedTuple):
    """A number, text, bool or None as it stands."""

    at: int
    value: float | int | str | bool | None


class Several(NamedTuple):
    """A list of literals, behind `in`."""

    at: int
    items: tuple[Node, ...]


class Name(NamedTuple):
    """A name: its words, and the number in parentheses behind them."""

    at: int
    parts: tuple[str, ...]
    argument: int | None = None


class Compare(NamedTuple):
    """One comparison."""

    at: int
    op: str  # < <= > >= = !=
    left: Node
    right: Node


class Within(NamedTuple):
    """`needle in stack`."""

    at: int
    needle: Node
    stack: Node


class Like(NamedTuple):
    """`name like "mlp*"`."""

    at: int
    text: Node
    pattern: Node


class IsNone(NamedTuple):
    """`x is None`."""

    at: int
    of: Node


class Not(NamedTuple):
    """`not x`."""

    at: int
    of: Node


class Both(NamedTuple):
    """`a and b`, `a or b`."""

    at: int
    op: str  # AND, OR
    parts: tuple[Node, ...]


class Arithmetic(NamedTuple):
    """`a + b`; of a sign the left is the literal 0."""

    at: int
    op: str
    left: Node
    right: Node


Node = Literal | Several | Name | Compare | Within | Like | IsNone | Not | Both | Arithmetic


def parse(text: str) -> Node:
    """Parse a whole filter.

    Raises:
        FilterError: it is none; the column tells where.
    """
    parser = _Parser(text)
    found = parser.either()
    parser.expect_end()
    return found


class SortKey(NamedTuple):
    """One expression to sort by."""

    of: Node
    descending: bool


def parse_sort(text: str) -> list[SortKey]:
    """Parse `-metrics.acc.max, name`: a minus puts the highest first."""
    parser = _Parser(text)
    keys = [parser.sort_key()]
    while parser.take(","):
        keys.append(parser.sort_key())
    parser.expect_end()
    return keys


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._place = 0
        self._depth = 0

    # ---------------------------------------------------------------- tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def take(self, *values: str) -> Token | None:
        """Take the next token where it is one of these words or signs."""
        token = self._next
        if token.kind in ("op", "word") and token.value in values:
            self._place += 1
            return token
        return None

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise self._wrong(f"{self._next.value!r} is not expected here")

    def _expect(self, value: str, what: str) -> Token:
        token = self.take(value)
        if token is None:
            raise self._wrong(what)
        return token

    def _wrong(self, message: str) -> FilterError:
        return FilterError(message, self._text, self._next.at)

    def _deeper(self, by: int) -> None:
        self._depth += by
        if self._depth > DEPTH_MAX:
            raise self._wrong(f"more than {DEPTH_MAX} levels of parentheses")

    # ---------------------------------------------------------------- the grammar

    def sort_key(self) -> SortKey:
        descending = bool(self.take("-"))
        return SortKey(self._sum(), descending)

    def either(self) -> Node:
        parts = [self._all()]
        while self.take("or", "||"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Both(parts[0].at, "OR", tuple(parts))

    def _all(self) -> Node:
        parts = [self._not()]
        while self.take("and", "&&"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else Both(parts[0].at, "AND", tuple(parts))

    def _not(self) -> Node:
        token = self.take("not", "!")
        if token is None:
            return self._comparison()
        self._deeper(1)
        found = Not(token.at, self._not())
        self._deeper(-1)
        return found

    def _comparison(self) -> Node:
        left = self._sum()
        found: list[Node] = []
        while True:
            token = self._next
            if token.kind == "op" and token.value in COMPARISONS:
                self._place += 1
                right = self._sum()
                found.append(Compare(token.at, COMPARISONS[token.value], left, right))
                left = right
            elif (node := self._worded(left)) is not None:
                found.append(node)
            else:
                break
        if not found:
            return left
        return found[0] if len(found) == 1 else Both(found[0].at, "AND", tuple(found))

    def _worded(self, left: Node) -> Node | None:
        """Read `in`, `like` and `is`, with their `not`."""
        if token := self.take("is"):
            negated = self.take("not")
            if not self.take("None", "null"):
                raise self._wrong("behind 'is' stands None, or not None; == compares values")
            return Not(token.at, IsNone(token.at, left)) if negated else IsNone(token.at, left)
        negated = None
        if self._next.value == "not" and self._tokens[self._place + 1].value in ("in", "like"):
            negated = self.take("not")
        if token := self.take("in"):
            node: Node = Within(token.at, left, self._stack())
        elif token := self.take("like"):
            node = Like(token.at, left, self._sum())
        else:
            return None
        return Not(negated.at, node) if negated else node

    def _stack(self) -> Node:
        """Read what stands behind `in`: a list, or a name."""
        opening = self.take("(", "[")
        if opening is None:
            return self._sum()
        closing = ")" if opening.value == "(" else "]"
        items: list[Node] = []
        while not self.take(closing):
            items.append(self._sum())
            if not self.take(","):
                self._expect(closing, f"the list needs {closing!r} here")
                break
        return Several(opening.at, tuple(items))

    def _sum(self) -> Node:
        left = self._term()
        while token := self.take("+", "-"):
            left = Arithmetic(token.at, token.value, left, self._term())
        return left

    def _term(self) -> Node:
        left = self._unary()
        while token := self.take("*", "/", "%"):
            left = Arithmetic(token.at, token.value, left, self._unary())
        return left

    def _unary(self) -> Node:
        token = self._next
        if sign := self.take("-", "+"):
            self._deeper(1)
            of = self._unary()
            self._deeper(-1)
            if isinstance(of, Literal) and isinstance(of.value, int | float) and not isinstance(of.value, bool):
                return Literal(sign.at, -of.value if sign.value == "-" else of.value)
            return Arithmetic(sign.at, sign.value, Literal(sign.at, 0), of)
        if self.take("("):
            self._deeper(1)
            inside = self.either()
            self._expect(")", "a parenthesis is not closed")
            self._deeper(-1)
            return inside
        self._place += 1
        if token.kind == "number":
            return Literal(token.at, self._number(token))
        if token.kind == "text":
            return Literal(token.at, token.value)
        if token.kind == "word" and token.value in CONSTANTS:
            return Literal(token.at, CONSTANTS[token.value])
        if token.kind == "name":
            return self._name(token)
        self._place -= 1
        raise self._wrong(
            "something is missing at the end" if token.kind == "end" else f"{token.value!r} is not expected here"
        )

    def _number(self, token: Token) -> float | int:
        text = token.value.replace("_", "")
        if not text.isdigit():
            return float(text)
        if len(text) > 400:
            raise FilterError("a number of more than 400 digits", self._text, token.at)
        number = int(text)
        return number if number < 2**63 else float(number)

    def _name(self, first: Token) -> Node:
        parts = [first.value]
        while True:
            if self.take("."):
                token = self._next
                if token.kind not in ("name", "word", "number") or (
                    token.kind == "number" and not token.value.isdigit()
                ):
                    raise self._wrong('behind the dot stands a name; one with other signs in it goes into ["…"]')
                self._place += 1
                parts.append(token.value)
            elif self._next.value == "[" and self._tokens[self._place + 1].kind == "text":
                self._place += 1
                parts.append(self._next.value)
                self._place += 1
                self._expect("]", "']' is missing")
            else:
                break
        return Name(first.at, tuple(parts), self._argument())

    def _argument(self) -> int | None:
        if not self.take("("):
            return None
        negative = bool(self.take("-"))
        token = self._next
        if token.kind != "number" or not token.value.isdigit():
            raise self._wrong("in these parentheses stands a step, as in metrics.loss.at(100); there are no functions")
        self._place += 1
        self._expect(")", "')' is missing behind the step")
        return -int(token.value) if negative else int(token.value)
