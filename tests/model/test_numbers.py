"""What a metric's value may be: exactly which number, of which kind; everything else is refused by name."""

from __future__ import annotations

import enum
import math
import operator
import struct
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import InvalidValue, UsageError
from runfolio.model.numbers import check_step, kind_of, kind_of_type, scalar

from .stand_ins import TensorFlowLikeTensor, TorchLikeTensor


def bits(value: float) -> bytes:
    """Return the float64 bit for bit."""
    return struct.pack(">d", value)


class Level(enum.IntEnum):
    """An int by inheritance."""

    HIGH = 3


class Indexed:
    """An int type of someone else's."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value

    def __float__(self) -> float:
        return float(self.value)


class Meter:
    """A running mean that knows how to be a float."""

    def __float__(self) -> float:
        return 0.25


class Raising:
    """Its number cannot be read."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __float__(self) -> float:
        raise self.error


@given(st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True))
def test_F40_floats_pass_bit_for_bit(value: float) -> None:
    """Every float64 passes as it is, from Python and from numpy: NaN, infinities, -0.0 and subnormals too."""
    assert bits(scalar(value, "k")) == bits(value)
    assert bits(scalar(np.float64(value), "k")) == bits(value)
    assert bits(scalar(np.array([value]), "k")) == bits(value)


def test_F40_nan_payload_is_kept() -> None:
    """A NaN keeps the bits that tell where it comes from."""
    (nan,) = struct.unpack(">d", bytes.fromhex("7ff8000000c0ffee"))
    assert bits(scalar(nan, "k")) == bits(scalar(np.float64(nan), "k")) == bytes.fromhex("7ff8000000c0ffee")


@given(st.integers(-(2**70), 2**70))
def test_F41_ints_are_exact_or_refused(value: int) -> None:
    """An int passes where it fits int64 and a float64 equals it, and is refused elsewhere: never rounded."""
    if -(2**63) <= value < 2**63 and Fraction(float(value)) == value:
        found = scalar(value, "k")
        assert type(found) is int and found == value
    else:
        with pytest.raises(InvalidValue, match="'k'"):
            scalar(value, "k")


def test_F41_borders_of_the_exact_ints() -> None:
    """2⁵³ passes and 2⁵³+1 does not, -2⁶³ passes and 2⁶³-1 does not, from Python and numpy alike."""
    for good in (2**53, -(2**53), 2**60, -(2**63)):
        assert scalar(good, "k") == scalar(np.int64(good), "k") == good
    for bad in (2**53 + 1, -(2**53) - 1, 2**63 - 1):
        for value in (bad, np.int64(bad), np.array([bad]), Indexed(bad)):
            with pytest.raises(InvalidValue, match=str(bad)):
                scalar(value, "k")
    for bad in (2**63, np.uint64(2**63), 10**400):
        with pytest.raises(InvalidValue, match="64 bits"):
            scalar(bad, "k")


def test_F41_bools_are_a_kind_of_their_own() -> None:
    """True is no 1: bool and numpy.bool_ stay bools."""
    for value in (True, np.bool_(True), np.array([True]), np.array(True)):
        found = scalar(value, "k")
        assert found is True and kind_of(found) == "b"
    assert kind_of(1) == "i" and kind_of(1.0) == "f"


@pytest.mark.parametrize(
    "value",
    [
        None, "0.3", "1", b"1", bytearray(b"1"), memoryview(b"1"), Decimal("0.1"), Fraction(1, 2), 1j, [1], (1,), {1},
        {"a": 1}, range(1), object(), len, Level, np.complex64(1), np.str_("1"), np.bytes_(b"1"), np.array("1"),
        np.datetime64("2020-01-01"), np.timedelta64(1, "s"), np.array([1.0, 2.0]), np.zeros((0,)), np.zeros((2, 3)),
        np.array([None]), np.array([Decimal(1)]), np.array([1j]), np.zeros((), dtype=[("x", "f8")]), np.ma.masked,
        np.ma.array([1.0], mask=[True]),
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:15].partition(' at 0x')[0]!a}",
)  # fmt: skip
def test_F41_what_is_no_number_is_refused(value: object) -> None:
    """Text, None, containers, larger arrays and numbers that float() would bend are refused, by the key's name."""
    with pytest.raises(InvalidValue, match="'val/acc'") as caught:
        scalar(value, "val/acc")
    assert caught.value.key == "val/acc"
    assert isinstance(caught.value, (UsageError, TypeError))


def test_F42_shape_is_told() -> None:
    """The error for a larger array tells its shape."""
    with pytest.raises(InvalidValue, match=r"\(2, 3\)"):
        scalar(np.zeros((2, 3)), "k")


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "int8", "int64", "uint8", "uint64", "bool_"])
def test_F42_numpy_scalars_equal_their_item(name: str) -> None:
    """A numpy scalar, and any array of one, is the number that `.item()` gives, of the same kind."""
    tp = getattr(np, name)
    for value in (tp(1), np.array(1, dtype=tp), np.ones(1, dtype=tp), np.ones((1, 1, 1), dtype=tp)):
        found = scalar(value, "k")
        assert found == value.item() and type(found) is type(value.item())


def test_F42_small_floats_are_not_rounded() -> None:
    """A float32 keeps its exact value, NaN included; a longdouble passes only where a float64 equals it."""
    assert scalar(np.float32(0.1), "k") == 0.10000000149011612
    assert math.isnan(scalar(np.float32("nan"), "k")) and math.isnan(scalar(np.longdouble("nan"), "k"))
    assert scalar(np.float16("-inf"), "k") == -math.inf
    assert scalar(np.longdouble(0.5), "k") == 0.5
    third = np.longdouble(1) / 3
    for value in (third, np.array(third), np.array([third])):
        if np.dtype(np.longdouble).itemsize > 8:
            with pytest.raises(InvalidValue, match="float64"):
                scalar(value, "k")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TorchLikeTensor(0.5), 0.5),
        (TorchLikeTensor([[7]], (1, 1), "torch.int64"), 7),
        (TorchLikeTensor(True, (), "torch.bool"), True),
        (TensorFlowLikeTensor(np.array(0.5, "f4")), 0.5),
        (TensorFlowLikeTensor(np.array([7])), 7),
        (Level.HIGH, 3),
        (Indexed(2), 2),
        (Meter(), 0.25),
        (np.array([TorchLikeTensor(0.5)]), 0.5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_F42_tensors_and_number_types(value: object, expected: Any) -> None:
    """A tensor of one element, an enum of ints and any type with `__index__` or `__float__` gives its number, plain."""
    found = scalar(value, "k")
    assert found == expected and type(found) is type(expected)


def test_F42_larger_tensors_are_refused() -> None:
    """A tensor whose `size` is a method is counted by its shape."""
    with pytest.raises(InvalidValue, match=r"\(2,\)"):
        scalar(TorchLikeTensor([1.0, 2.0], (2,)), "k")


def test_F42_real_torch() -> None:
    """torch's own scalars: with gradient, bfloat16, int, bool; its bools and floats are no steps."""
    torch = pytest.importorskip("torch", reason="needs torch")
    assert scalar(torch.tensor(0.5, requires_grad=True), "k") == 0.5
    assert scalar(torch.tensor([1.5], dtype=torch.bfloat16), "k") == 1.5
    assert type(scalar(torch.tensor(3), "k")) is int and scalar(torch.tensor([True]), "k") is True
    assert check_step(torch.tensor(3)) == 3
    for wrong in (torch.tensor(True), torch.tensor(3.0)):
        with pytest.raises(InvalidValue):
            check_step(wrong)
    with pytest.raises(InvalidValue, match="'k'"):
        scalar(torch.zeros(2), "k")


def test_F42_real_jax() -> None:
    """JAX's own scalars: float32, bfloat16, int, bool."""
    jnp = pytest.importorskip("jax.numpy", reason="needs jax")
    assert scalar(jnp.float32(0.5), "k") == 0.5 and scalar(jnp.ones(1, "bfloat16"), "k") == 1.0
    assert type(scalar(jnp.array(3), "k")) is int and scalar(jnp.array([True]), "k") is True
    assert check_step(jnp.array(3)) == 3
    with pytest.raises(InvalidValue, match="'k'"):
        scalar(jnp.zeros(2), "k")


@pytest.mark.parametrize("error", [ValueError("no"), RecursionError(), MemoryError(), ZeroDivisionError()], ids=repr)
def test_F43_exceptions_of_a_number_are_contained(error: Exception) -> None:
    """Whatever reading a number raises becomes `InvalidValue` that names the key, with the cause behind it."""
    with pytest.raises(InvalidValue, match="'k'") as caught:
        scalar(Raising(error), "k")
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_F43_interrupts_pass(error: BaseException) -> None:
    """Ctrl-C inside a number's reading is no refusal."""
    with pytest.raises(type(error)):
        scalar(Raising(error), "k")


def test_F43_recursive_wrappers_end() -> None:
    """Arrays that hold each other are refused."""
    array, other = np.empty(1, dtype=object), np.empty(1, dtype=object)
    array[0], other[0] = other, array
    with pytest.raises(InvalidValue, match="wrappers"):
        scalar(array, "k")


NUMPY_TYPES = [np.dtype(code).type for code in np.typecodes["AllInteger"] + "efd?"]


@pytest.mark.parametrize("tp", [float, int, bool, *NUMPY_TYPES], ids=lambda tp: tp.__name__)
def test_known_types_pack_as_they_are(tp: Any) -> None:
    """A type with a known kind packs by struct to the float64 of its scalar, and its scalars are of that kind."""
    kind = kind_of_type(tp)
    assert kind is not None
    for text in ("0", "1", "7"):
        value = tp(int(text))
        plain = scalar(value, "k")
        assert kind_of(plain) == kind
        assert struct.pack("<d", value) == struct.pack("<d", plain)


@pytest.mark.parametrize("value", [-0.0, math.inf, math.nan, 0.1], ids=repr)
@pytest.mark.parametrize("tp", [np.float16, np.float32, np.float64])
def test_known_floats_pack_bit_for_bit(tp: Any, value: float) -> None:
    """numpy's floats pack as their exact value: -0.0, infinities and NaN included."""
    assert struct.pack(">d", tp(value)) == bits(scalar(tp(value), "k"))


@pytest.mark.parametrize(
    "tp",
    [
        np.longdouble,
        np.complex64,
        np.str_,
        np.datetime64,
        np.void,
        np.ndarray,
        str,
        Decimal,
        Level,
        Meter,
        TorchLikeTensor,
    ],
)
def test_other_types_are_looked_at_one_by_one(tp: type) -> None:
    """A type that may hold anything has no kind."""
    if tp is np.longdouble and np.dtype(tp).itemsize == 8:
        pytest.skip("needs a longdouble of more than 64 bits")
    assert kind_of_type(tp) is None


@given(st.integers(-(2**63), 2**63 - 1))
def test_F29_steps_are_int64(step: int) -> None:
    """Every int64 is a step, negative ones too, from Python and numpy."""
    assert check_step(step) == step
    found = check_step(np.int64(step))
    assert found == step and type(found) is int


@pytest.mark.parametrize(
    "step",
    [
        True, False, np.bool_(True), 7.0, np.float64(7), "7", None, 2**63, -(2**63) - 1, np.uint64(2**63), Decimal(7),
        [7], np.array([7]), TorchLikeTensor(True, (), "torch.bool"), TorchLikeTensor(7.0), object(),
    ],
    ids=lambda step: f"{type(step).__name__}-{str(step)[:20]!a}",
)  # fmt: skip
def test_F29_what_is_no_step_is_refused(step: object) -> None:
    """7.0, bools, text, None and what does not fit int64 are refused, and the error says step."""
    with pytest.raises(InvalidValue, match="step"):
        check_step(step)


def test_F29_ints_of_others_are_steps() -> None:
    """Zero-dimensional arrays, tensors and int types are steps; one that raises is refused by name."""
    for step in (np.array(7), np.uint8(7), TorchLikeTensor(7, (), "torch.int64"), Indexed(7)):
        assert check_step(step) == operator.index(step) == 7

    class Broken:
        def __index__(self) -> int:
            raise RuntimeError("no")

    with pytest.raises(InvalidValue, match="my_step"):
        check_step(Broken(), "my_step")


def test_numbers_import_no_numpy() -> None:
    """The rules for numpy's values need numpy only where a script has it."""
    program = (
        "import sys; from runfolio.model import fold, numbers, params;"
        "numbers.scalar(1, 'k'), numbers.kind_of_type(str), params.flatten({'a': 1});"
        "heavy = {'numpy', 'dataclasses', 'inspect', 'pathlib', 'decimal', 'unicodedata'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
