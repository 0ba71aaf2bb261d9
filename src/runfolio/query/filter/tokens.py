"""Cut the text of a filter into tokens."""

from __future__ import annotations

import re
from typing import NamedTuple

from runfolio.errors import FilterError

LENGTH_MAX = 10_000
WORDS = ("and", "or", "not", "in", "is", "like", "None", "True", "False", "null", "true", "false")

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<number>(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[^\W\d]\w*)
    | (?P<op><=|>=|==|!=|<>|&&|\|\||\*\*|//|[-+*/%()\[\],.<>=!])
    """,
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


class Token(NamedTuple):
    """A piece of the text, and the column where it begins, from 0."""

    kind: str  # number, text, name, word, op, end
    value: str
    at: int


def tokens_of(text: str) -> list[Token]:
    """Cut a filter up.

    Raises:
        FilterError: it is too long, or something in it is no token.
    """
    if len(text) > LENGTH_MAX:
        raise FilterError(f"a filter has at most {LENGTH_MAX:,} characters, this one {len(text):,}", text[:200], 0)
    found, at = [], 0
    while at < len(text):
        if text[at] in "\"'`":
            token, at = _quoted(text, at)
            found.append(token)
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError(f"{text[at]!r} means nothing here", text, at)
        kind = match.lastgroup or ""
        if kind != "space":
            value = match.group()
            found.append(Token("word" if kind == "name" and value in WORDS else kind, value, at))
        at = match.end()
    return [*found, Token("end", "", len(text))]


def _quoted(text: str, at: int) -> tuple[Token, int]:
    """Read a text in quotes; in backticks it is a name."""
    quote, begin = text[at], at
    parts: list[str] = []
    at += 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\\" and quote != "`" and at + 1 < len(text):
            at += 1
            parts.append(_ESCAPES.get(text[at], text[at]))
        else:
            parts.append(text[at])
        at += 1
    if at >= len(text):
        raise FilterError(f"the text that begins with {quote} has no end", text, begin)
    return Token("name" if quote == "`" else "text", "".join(parts), begin), at + 1
