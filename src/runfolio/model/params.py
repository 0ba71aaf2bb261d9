"""Params: any nested configuration as flat dotted keys with plain values, and back.

Branches, whose entries become dotted keys: mappings (also what only answers like one), dataclasses, named tuples,
`argparse.Namespace`, `types.SimpleNamespace`. Their keys are text, or ints, floats and bools, which become text. A
branch without entries is the leaf `{}`. What a leaf may be is told in `leaf`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from runfolio.errors import InvalidValue, UsageError
from runfolio.model.leaf import Entries, Value, branch, check_level, entry_name, plain
from runfolio.model.names import check_key, shown
from runfolio.model.param_text import parse_text

__all__ = ["DEPTH_MAX", "KeyTree", "Value", "flatten", "parse_text", "same", "unflatten"]

DEPTH_MAX = 64


def flatten(params: object) -> dict[str, Value]:
    """Turn nested params into `{dotted key: plain value}`.

    Raises:
        InvalidValue: a value or key that cannot be kept exactly, a cycle, or more than 64 levels; it names the place.
        UsageError: a key that comes out twice, or one that is a value and a branch.
    """
    entries = branch(params, "params")
    if entries is None:
        raise InvalidValue(f"params must be a mapping, not a {type(params).__name__}")
    flat: dict[str, Value] = {}
    _flatten(entries, "", (id(params),), flat)
    KeyTree().add_all(flat)
    return flat


def _flatten(entries: Entries, prefix: str, above: tuple[int, ...], flat: dict[str, Value]) -> None:
    for raw, value in entries:
        key = prefix + entry_name(raw, prefix[:-1])
        inner = branch(value, key)
        if inner:
            check_level(value, key, above, DEPTH_MAX)
            _flatten(inner, f"{key}.", (*above, id(value)), flat)
            continue
        check_key(key, "param")
        if key in flat:
            raise UsageError(f"param {shown(key)} comes out twice; give it once, dotted or nested")
        flat[key] = plain(value, key) if inner is None else {}


def unflatten(flat: Mapping[str, Value]) -> dict[str, Value]:
    """Nest dotted keys again.

    A key stays whole, as it was written, where another key is a value at the place of its branch, or where it has more
    than 64 parts: what two writers disagreed about is not lost, and does not raise.
    """
    nested: dict[str, Value] = {}
    for key, value in flat.items():
        if key.count(".") >= DEPTH_MAX or any(prefix in flat for prefix in _prefixes(key)):
            nested[key] = value
            continue
        *parts, last = key.split(".")
        at = nested
        for part in parts:
            at = at.setdefault(part, {})  # type: ignore[assignment]
        at[last] = value
    return nested


def same(a: Value, b: Value) -> bool:
    """Say whether two plain values are the same fact: 1, 1.0 and True differ, so do 0.0 and -0.0; NaN is NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a.hex() == b.hex()  # type: ignore[union-attr]
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))  # type: ignore[arg-type]
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())  # type: ignore[union-attr, index, call-overload]
    return a == b


class KeyTree:
    """The dotted keys in use. It refuses `a` beside `a.b`, at a cost of the key's depth."""

    __slots__ = ("_branches", "_leaves")

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._leaves: set[str] = set()
        self._branches: dict[str, str] = {}  # each prefix, and the first key that lies under it
        self.add_all(keys)

    def add(self, key: str) -> None:
        """Take `key` in; a key that is here already changes nothing.

        Raises:
            UsageError: the key is a branch of others, or lies under one that is a value.
            InvalidValue: the key has more than 64 parts.
        """
        if key in self._leaves:
            return
        if key.count(".") >= DEPTH_MAX:
            raise InvalidValue(f"param {shown(key)} has more than {DEPTH_MAX} dotted parts; use fewer", key)
        if key in self._branches:
            raise _clash(key, self._branches[key])
        for prefix in _prefixes(key):
            if prefix in self._leaves:
                raise _clash(prefix, key)
        for prefix in _prefixes(key):
            self._branches.setdefault(prefix, key)
        self._leaves.add(key)

    def add_all(self, keys: Iterable[str]) -> None:
        """Take in all of `keys`, or none where one of them is refused."""
        added: list[str] = []
        try:
            for key in keys:
                if key not in self._leaves:
                    self.add(key)
                    added.append(key)
        except UsageError:
            self._take_out(added)
            raise

    def in_the_way(self, keys: Iterable[str]) -> list[str]:
        """Give the keys that must go where `keys` come in: values that become branches, and what lies under new values."""
        found: dict[str, None] = {}
        for key in keys:
            found.update((prefix, None) for prefix in _prefixes(key) if prefix in self._leaves)
            if key in self._branches:
                found.update((leaf, None) for leaf in self._leaves if leaf.startswith(f"{key}."))
        return list(found)

    def remove_all(self, keys: Iterable[str]) -> None:
        """Take keys out."""
        self._leaves.difference_update(keys)
        self._branches = {}
        for leaf in self._leaves:
            for prefix in _prefixes(leaf):
                self._branches.setdefault(prefix, leaf)

    def _take_out(self, keys: list[str]) -> None:
        gone = set(keys)
        self._leaves -= gone
        self._branches = {prefix: key for prefix, key in self._branches.items() if key not in gone}


def _prefixes(key: str) -> Iterator[str]:
    at = key.find(".")
    while at >= 0:
        yield key[:at]
        at = key.find(".", at + 1)


def _clash(leaf: str, under: str) -> UsageError:
    return UsageError(f"param {shown(leaf)} cannot be a value and a branch, of {shown(under)}; rename one of them")
