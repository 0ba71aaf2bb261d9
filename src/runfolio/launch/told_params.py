"""Put together the params that a command line tells: those of `-c CONFIG`, and over them those of each `-p key=value`."""

from __future__ import annotations

from collections.abc import Iterable

from runfolio.errors import UsageError
from runfolio.launch.config import read_config
from runfolio.model.names import check_key, shown
from runfolio.model.params import KeyTree, Value, parse_text, same


def told_params(words: Iterable[str], config: str | None = None) -> dict[str, Value]:
    """Give the params by dotted key.

    Raises:
        UsageError: a word that is no key=value, a key told twice and differently, `a` beside `a.b`, a bad configuration.
    """
    typed = _typed(words)
    params = {} if config is None else read_config(config)
    for key in typed:
        for hidden in [old for old in params if _overlap(old, key)]:
            del params[hidden]
    return {**params, **typed}


def _typed(words: Iterable[str]) -> dict[str, Value]:
    typed: dict[str, Value] = {}
    for word in words:
        key, equals, text = word.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UsageError(f"-p {shown(word)}: give a param as key=value")
        value = parse_text(text)
        if check_key(key, "param") in typed and not same(typed[key], value):
            raise UsageError(f"-p {key} is told twice, as {shown(typed[key])} and as {shown(value)}")
        typed[key] = value
    KeyTree(typed)
    return typed


def _overlap(a: str, b: str) -> bool:
    """Say whether one key is the other, or a branch that it lies in."""
    return a == b or a.startswith(f"{b}.") or b.startswith(f"{a}.")
