"""The value of one param: what is kept, and as what.

Kept as they are: None, bool, int (up to 4,300 digits), float, text. Become plain: lists and tuples (lists), sets
(sorted lists), mappings, dataclasses and the like inside lists (dicts), paths (text), dates and times (ISO 8601), enums
(their value), numpy and torch scalars (their number), arrays of at most 1,000 elements (nested lists), classes and
functions (`module.qualname`), dtypes and devices (text). Everything else is refused: Decimal, bytes, complex, arbitrary
objects.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, TypeAlias, TypeVar

from runfolio.errors import InvalidValue, UsageError
from runfolio.model.names import shown
from runfolio.model.numbers import is_a, size_of
from runfolio.model.strict_json import INT_END, dumps

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Entries: TypeAlias = "list[tuple[object, object]]"
T = TypeVar("T")

VALUE_DEPTH_MAX = 60  # a value stands two levels deep in its event, and strict JSON ends at 64
VALUE_BYTES_MAX = 1 << 20
ARRAY_ELEMENTS_MAX = 1_000
_ITEMS_MAX = VALUE_BYTES_MAX // 2  # each item of a list takes two bytes of JSON at least
_SHORT = VALUE_BYTES_MAX // 6  # characters that fit into the bound however they are encoded

_BYTES = (bytes, bytearray, memoryview)
_NO_BRANCH = (str, bytes, int, float, type)
_MISSING = object()


def plain(value: object, key: str) -> Value:
    """Turn one leaf into a plain value, or raise `InvalidValue` that names `key`."""
    kind = type(value)
    if value is None or kind is bool or kind is float or (kind is str and len(value) <= _SHORT):  # type: ignore[arg-type]
        return value  # type: ignore[return-value]
    kept = guarded(_Leaf().plain, value, key)
    _check_size(kept, key)
    return kept


def branch(value: Any, key: str) -> Entries | None:
    """List the entries of a branch; None for what is a leaf."""
    return guarded(_entries, value, key)


def entry_name(raw: object, where: str) -> str:
    """Turn the key of a branch into text: text, ints, floats and bools have one; others are refused."""
    if isinstance(raw, str):
        return str.__str__(raw)
    if type(raw) in (int, float, bool):
        return str(raw)
    place = f" in {shown(where)}" if where else ""
    raise InvalidValue(
        f"the key {shown(raw)}{place} is a {type(raw).__name__}; use text for the keys of params", shown(raw)
    )


def check_level(value: object, key: str, above: tuple[int, ...], depth_max: int) -> None:
    """Raise where `value` is one of those it lies in, or lies too deep."""
    if id(value) in above:
        raise InvalidValue(f"param {shown(key)} contains itself; break the cycle", key)
    if len(above) >= depth_max:
        message = f"param {shown(key)} lies more than {depth_max} levels deep; flatten it, or add it as an artifact"
        raise InvalidValue(message, key)


def guarded(read: Callable[[Any, str], T], value: object, key: str) -> T:
    """Run what may run the user's code; whatever that raises becomes `InvalidValue`."""
    try:
        return read(value, key)
    except UsageError:
        raise
    except Exception as error:
        message = f"param {shown(key)} is a {type(value).__name__}, and reading it raised {shown(error, 120)}"
        raise InvalidValue(message, key) from error


def _entries(value: Any, key: str) -> Entries | None:
    if value is None or isinstance(value, _NO_BRANCH) or is_a(value, "enum", "Enum"):
        return None
    if isinstance(value, Mapping) or _quacks(value):
        return [(name, value[name]) for name in value.keys()]  # a duck need not iterate over its keys
    if isinstance(value, tuple):
        names = getattr(type(value), "_fields", None)
        return None if names is None else list(zip(names, value, strict=True))
    if hasattr(type(value), "__dataclass_fields__"):
        # Whoever made a dataclass has loaded this module; importing it here would cost every script some ms.
        return [(field.name, getattr(value, field.name)) for field in sys.modules["dataclasses"].fields(value)]
    if is_a(value, "argparse", "Namespace") or is_a(value, "types", "SimpleNamespace"):
        return list(vars(value).items())
    return None


def _quacks(value: Any) -> bool:
    """Say whether `dict(value)` would take this for a mapping, as that of ml_collections; tables of data are none."""
    tp = type(value)
    return hasattr(tp, "keys") and hasattr(tp, "__getitem__") and not hasattr(tp, "shape")


def _check_size(value: Value, key: str) -> None:
    if isinstance(value, str) and len(value) <= _SHORT:
        return
    if (isinstance(value, str) and len(value) > VALUE_BYTES_MAX) or len(dumps(value)) > VALUE_BYTES_MAX:
        raise InvalidValue(f"param {shown(key)} has more than 1 MiB of text; add it as an artifact", key)


class _Leaf:
    """The making of one leaf. It counts what it has met, so that a list without end has one here."""

    def __init__(self) -> None:
        self.items = 0

    def plain(self, value: Any, key: str, above: tuple[int, ...] = ()) -> Value:
        self.items += 1
        if self.items > _ITEMS_MAX:
            raise InvalidValue(f"param {shown(key)} has more than {_ITEMS_MAX:,} items; add it as an artifact", key)
        kept = _atom(value, key)
        if kept is not _MISSING:
            return kept  # type: ignore[no-any-return]
        check_level(value, key, above, VALUE_DEPTH_MAX)
        return self._container(value, key, (*above, id(value)))

    def _container(self, value: Any, key: str, above: tuple[int, ...]) -> Value:
        entries = _entries(value, key)
        if entries is not None:
            return self._dict(entries, key, above)
        if isinstance(value, Set):
            return sorted((self.plain(item, key, above) for item in value), key=_rank)
        if isinstance(value, Sequence):
            return [self.plain(item, f"{key}[{index}]", above) for index, item in enumerate(value)]
        return self._array(value, key, above)

    def _dict(self, entries: Entries, key: str, above: tuple[int, ...]) -> Value:
        kept: dict[str, Value] = {}
        for raw, value in entries:
            name = entry_name(raw, key)
            if name in kept:
                raise UsageError(f"param {shown(key)} has the key {shown(name)} twice; give it once")
            kept[name] = self.plain(value, f"{key}.{name}", above)
        return kept

    def _array(self, value: Any, key: str, above: tuple[int, ...]) -> Value:
        size = size_of(value)
        dtype = getattr(value, "dtype", None)
        if (size is None and dtype is None) or not _is_plain_dtype(dtype):
            raise _refusal(value, key)
        if size is not None and size > ARRAY_ELEMENTS_MAX:
            message = f"param {shown(key)} is a {type(value).__name__} of {size:,} elements"
            raise InvalidValue(f"{message}; at most {ARRAY_ELEMENTS_MAX:,} are kept: add it as an artifact", key)
        for read in ("tolist", "item", "numpy"):
            if hasattr(value, read):
                inner = getattr(value, read)()
                # numpy's longdouble answers with itself, as no Python number is sure to equal it.
                return _narrow(value, key) if type(inner) is type(value) else self.plain(inner, key, above)
        raise _refusal(value, key)


def _atom(value: Any, key: str) -> Any:
    """Turn what is no container into a plain value; `_MISSING` for what may be one."""
    if value is None or isinstance(value, bool):
        return value
    if is_a(value, "enum", "Enum"):
        return _enum_value(value, key)
    if isinstance(value, str):
        return str.__str__(value)  # the characters themselves, whatever a subclass makes of str()
    if isinstance(value, int):
        return _short_int(int(value), key)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if is_a(value, "datetime", "date") or is_a(value, "datetime", "time"):  # a datetime is a date
        return value.isoformat()
    if any(cls.__name__ in ("dtype", "device") for cls in type(value).__mro__):
        return str(value)
    if isinstance(value, _BYTES):
        raise _refusal(value, key)
    if callable(value) and isinstance(getattr(value, "__qualname__", None), str):
        return _qualname(value, key)
    return _MISSING


def _enum_value(value: Any, key: str) -> Value:
    inner = value.value
    if inner is None or isinstance(inner, (str, int, float)):
        return _atom(inner, key)  # type: ignore[no-any-return]
    raise _refusal(value, key)


def _short_int(value: int, key: str) -> int:
    if not -INT_END < value < INT_END:
        raise InvalidValue(f"param {shown(key)} is an int of more than 4,300 digits; add it as an artifact", key)
    return value


def _is_plain_dtype(dtype: Any) -> bool:
    kind = getattr(dtype, "kind", None)  # torch's dtypes tell none
    return kind is None or kind in "biufUO" or (kind == "V" and dtype.names is None)  # V without names is bfloat16


def _narrow(value: Any, key: str) -> float:
    number = float(value)
    if value == value and value != number:
        raise _refusal(value, key)
    return number


def _qualname(value: Any, key: str) -> str:
    if hasattr(value, "__origin__"):  # list[int] would answer with the name of list
        raise _refusal(value, key)
    module = getattr(value, "__module__", None)
    return f"{module}.{value.__qualname__}" if isinstance(module, str) else str(value.__qualname__)


def _rank(value: Value) -> tuple[int, float, bytes]:
    """Order the items of a set: numbers by size, NaN after them, then all else by its JSON."""
    if isinstance(value, (int, float)):
        return (1, 0.0, b"") if value != value else (0, value, b"")
    return (2, 0.0, dumps(value))


def _refusal(value: object, key: str) -> InvalidValue:
    return InvalidValue(
        f"param {shown(key)} is a {type(value).__name__}, which cannot be kept exactly; "
        "pass str(…), a number or a list of them, or add it as an artifact",
        key,
    )
