"""The values of metrics: what is a number, of which kind, and exactly which one.

A journal stores each value as a float64 and its kind beside it, so an int must equal a float64 and fit int64; any other
is refused rather than rounded. numpy, torch, JAX and TensorFlow are recognised by what their objects answer to and are
never imported.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import Any

from runfolio.errors import InvalidValue
from runfolio.model.names import shown

FLOAT = "f"
INT = "i"
BOOL = "b"

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

Scalar = float | int | bool

_KINDS: dict[type, str] = {float: FLOAT, int: INT, bool: BOOL}
_NUMPY_KINDS = {"f": FLOAT, "i": INT, "u": INT, "b": BOOL}

# They answer to float() too, and would lose digits or a half of themselves there.
_INEXACT = frozenset((("decimal", "Decimal"), ("_pydecimal", "Decimal"), ("fractions", "Fraction")))
_NOT_NUMBERS = (str, bytes, bytearray, memoryview, complex, list, tuple, dict, set, frozenset)
_UNWRAPS_MAX = 4  # an array of an array of … of one element


def scalar(value: object, key: str) -> Scalar:
    """Turn any accepted value into a plain float, int or bool, or raise `InvalidValue` that names `key`.

    Accepted: float, int, bool and their subclasses; numpy scalars; arrays and tensors of one element; objects with
    `__index__` or `__float__`. NaN and the infinities are values. Refused: ints outside int64 or without an equal
    float64, longdouble without one, Decimal, Fraction, complex, text, bytes, None, containers, larger arrays.
    """
    kind = _KINDS.get(type(value))
    if kind is not None:
        return _exact(value, key) if kind == INT else value  # type: ignore[arg-type, return-value]
    try:
        return _foreign(value, key)
    except InvalidValue:
        raise
    except Exception as error:
        # User code ran in there: whatever it raises becomes the one error that a caller of log() expects.
        raise InvalidValue(f"{_says(key, value)}, and reading its number raised {shown(error, 120)}", key) from error


def kind_of(value: Scalar) -> str:
    """Tell the kind of a plain value."""
    return _KINDS[type(value)]


def kind_of_type(tp: type) -> str | None:
    """Tell the kind that every instance of `tp` has, or None where `scalar` must look at each one.

    Known are exactly float, int, bool and numpy's scalar types of at most 64 bits: `struct.pack("d", value)` takes
    those as they are. It rounds ints beyond ±2⁵³, so for `INT` the caller checks them first.
    """
    kind = _KINDS.get(tp)
    if kind is not None:
        return kind
    numpy: Any = sys.modules.get("numpy")
    generic = getattr(numpy, "generic", None)
    if generic is None or not issubclass(tp, generic) or tp.__module__ != "numpy":
        return None
    dtype = numpy.dtype(tp)
    return _NUMPY_KINDS.get(dtype.kind) if dtype.itemsize <= 8 else None


def check_step(step: object, key: str = "step") -> int:
    """Return `step` as a plain int, or raise `InvalidValue`: an int of any kind in int64; no bool, no 7.0, no text."""
    if type(step) is not int:
        step = _index(step, key)
    if not INT64_MIN <= step <= INT64_MAX:
        raise InvalidValue(f"{key} {shown(step)} does not fit in 64 bits", key)
    return step


def size_of(value: Any) -> int | None:
    """Count the elements of an array or tensor; None for what is neither."""
    shape = getattr(value, "shape", None)
    if shape is None:
        return None
    return math.prod(int(length) for length in shape)


def is_a(value: object, module: str, name: str) -> bool:
    """Say whether `value` is an instance of `module.name`, without importing that module."""
    cls = getattr(sys.modules.get(module), name, None)
    return isinstance(cls, type) and isinstance(value, cls)


def _index(step: object, key: str) -> int:
    try:
        if not isinstance(step, bool) and not str(getattr(step, "dtype", "")).endswith("bool"):
            return operator.index(step)  # type: ignore[arg-type]
    except TypeError:
        pass
    except Exception as error:
        raise InvalidValue(
            f"{key} is a {type(step).__name__}, and reading it raised {shown(error, 120)}", key
        ) from error
    raise InvalidValue(f"{key} must be an int, not {shown(step)} ({type(step).__name__})", key)


def _exact(value: int, key: str) -> int:
    # A fast path first: nearly every int is small.
    if -(2**53) <= value <= 2**53:
        return value
    if not INT64_MIN <= value <= INT64_MAX:
        raise InvalidValue(f"metric {shown(key)} is an int of more than 64 bits; log it as a record or as text", key)
    if int(float(value)) != value:
        raise InvalidValue(
            f"metric {shown(key)} is {value}, which no float64 equals; log float(value) if the nearest one will do", key
        )
    return value


def _foreign(value: Any, key: str) -> Scalar:
    for _ in range(_UNWRAPS_MAX):
        if value is None or isinstance(value, _NOT_NUMBERS) or _is_inexact(value):
            raise InvalidValue(f"{_says(key, value)}; a metric is a float, an int or a bool", key)
        if isinstance(value, bool):
            return value
        if is_a(value, "numpy", "generic"):
            return _numpy(value, key)
        if isinstance(value, int):
            return _exact(int(value), key)
        if isinstance(value, float):
            return float(value)
        inner = _only_element(value, key)
        if inner is value:
            return _by_protocol(value, key)
        value = inner
    raise InvalidValue(f"{_says(key, value)} in too many wrappers; pass the number itself", key)


def _is_inexact(value: object) -> bool:
    return any((cls.__module__, cls.__name__) in _INEXACT for cls in type(value).__mro__)


def _numpy(value: Any, key: str) -> Scalar:
    kind = _NUMPY_KINDS.get(value.dtype.kind)
    if kind == BOOL:
        return bool(value)
    if kind == INT:
        return _exact(int(value), key)
    if kind == FLOAT:
        number = float(value)
        if value.dtype.itemsize > 8 and value == value and value != number:
            raise InvalidValue(f"{_says(key, value)} that no float64 equals; log float(value) to round it", key)
        return number
    return _by_protocol(value, key)


def _only_element(value: Any, key: str) -> Any:
    """Take the element out of an array or tensor of one; hand back `value` itself where it is none."""
    size = size_of(value)
    if size is None:
        return value
    if size != 1:
        message = f"{_says(key, value)} of shape {tuple(value.shape)}; a metric is one number"
        raise InvalidValue(f"{message}: log its mean, or each element by a name of its own", key)
    mask = getattr(value, "mask", None)
    if mask is not None and not callable(mask) and bool(mask):
        raise InvalidValue(f"{_says(key, value)} that is masked: it holds no number", key)
    if hasattr(value, "item"):
        return value.item()
    return value.numpy() if hasattr(value, "numpy") else value


def _by_protocol(value: Any, key: str) -> Scalar:
    # __index__ first: an int type of someone else's stays an int, and exact.
    try:
        number = operator.index(value)
    except TypeError:
        pass
    else:
        return _exact(number, key)
    kind = getattr(getattr(value, "dtype", None), "kind", None)  # V is bfloat16, and torch's dtypes tell none
    if not hasattr(type(value), "__float__") or kind not in (None, "f", "i", "u", "b", "V"):
        raise InvalidValue(f"{_says(key, value)}; a metric is a float, an int or a bool", key)
    return float(value)


def _says(key: str, value: object) -> str:
    return f"metric {shown(key)} is a {type(value).__name__}"
