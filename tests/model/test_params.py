"""Params: what flattens to what, what is refused and by which name, and that nothing is bent or lost."""

from __future__ import annotations

import argparse
import datetime
import enum
import math
import types
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import InvalidValue, UsageError
from runfolio.model.params import KeyTree, flatten, same, unflatten
from runfolio.model.strict_json import dumps, loads

from .stand_ins import (
    DuckConfig,
    OmegaConfLikeConfig,
    TensorFlowLikeTensor,
    TorchLikeDevice,
    TorchLikeDtype,
    TorchLikeTensor,
)
from .test_strict_json import exact

parts = st.text(st.characters(exclude_characters="\0.", exclude_categories=["Cs"]), min_size=1, max_size=8)
atoms = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
leaves = st.recursive(atoms, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
trees = st.recursive(
    st.dictionaries(parts, leaves, max_size=4),
    lambda inner: st.dictionaries(parts, st.one_of(leaves, inner), max_size=4),
    max_leaves=12,
)
dotted = st.lists(st.text("ab.", max_size=5), max_size=8, unique=True)


class Color(enum.Enum):
    """An enum of text."""

    RED = "red"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    """An enum of ints."""

    HIGH = 3


@dataclass
class Optimizer:
    """A dataclass, as configurations have them."""

    lr: float = 0.1
    betas: tuple[float, float] = (0.9, 0.999)
    extra: dict[str, int] = field(default_factory=dict)


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: int


Pair = namedtuple("Pair", ["left", "right"])


def deep(depth: int) -> dict[str, Any]:
    """Return dicts in dicts."""
    found: dict[str, Any] = {"a": 1}
    for _ in range(depth - 1):
        found = {"a": found}
    return found


# Nested to flat and back ----------------------------------------------------------------------------------------------


@settings(max_examples=500)
@given(trees)
def test_F45_nested_params_round_trip(tree: dict[str, Any]) -> None:
    """Plain nested params come back as they were through flat keys and the journal's JSON."""
    flat = flatten(tree)
    assert exact(unflatten(loads(dumps(flat)))) == exact(tree)


@given(dotted)
def test_F45_flat_params_round_trip(keys: list[str]) -> None:
    """Flat keys with any dots come back, or are refused where two of them clash; nothing is merged."""
    flat: dict[str, Any] = {key: index for index, key in enumerate(keys)}
    clash = any(other.startswith(f"{key}.") for key in keys for other in keys)
    if clash or "" in keys:
        with pytest.raises(UsageError):
            flatten(flat)
    else:
        assert flatten(flat) == flat
        assert flatten(unflatten(flat)) == flat


@given(dotted)
def test_unflatten_loses_nothing(keys: list[str]) -> None:
    """Whatever two writers disagreed about, each value is found again in the nested form."""
    nested = unflatten({key: f"<{index}>" for index, key in enumerate(keys)})
    assert all(f"<{index}>" in str(nested) for index in range(len(keys)))


def test_unflatten_keeps_clashing_keys_whole() -> None:
    """Where `a` is a value, `a.b` stays a key of its own."""
    assert unflatten({"a.b": 1, "a": 2, "c.d": 3}) == {"a.b": 1, "a": 2, "c": {"d": 3}}
    assert unflatten({"a": {}, "a.b": 1}) == {"a": {}, "a.b": 1}
    long = ".".join("a" * 65)
    assert unflatten({long: 1}) == {long: 1}


@pytest.mark.parametrize(
    ("branch", "flat"),
    [
        ({"x": 1, "y": 2}, {"p.x": 1, "p.y": 2}),
        (OrderedDict(x=1, y={"z": 2}), {"p.x": 1, "p.y.z": 2}),
        (types.MappingProxyType({"x": 1}), {"p.x": 1}),
        (Point(1, 2), {"p.x": 1, "p.y": 2}),
        (Pair({"a": 1}, None), {"p.left.a": 1, "p.right": None}),
        (Optimizer(), {"p.lr": 0.1, "p.betas": [0.9, 0.999], "p.extra": {}}),
        (argparse.Namespace(x=1), {"p.x": 1}),
        (types.SimpleNamespace(x=1, y=types.SimpleNamespace(z=2)), {"p.x": 1, "p.y.z": 2}),
        (OmegaConfLikeConfig({"x": 1, "y": {"z": [1, 2]}}), {"p.x": 1, "p.y.z": [1, 2]}),
        (DuckConfig(x=1, y=DuckConfig(z=2)), {"p.x": 1, "p.y.z": 2}),
        ({}, {"p": {}}),
        (argparse.Namespace(), {"p": {}}),
        ({0: 1, 1: 2}, {"p.0": 1, "p.1": 2}),
        ({True: 1, 1.5: 2}, {"p.True": 1, "p.1.5": 2}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_F45_branches(branch: object, flat: dict[str, Any]) -> None:
    """Mappings of any make, dataclasses, named tuples and namespaces are branches, at the top and below."""
    assert flatten({"p": branch}) == flat
    if flat != {"p": {}}:
        assert flatten(branch) == {key.removeprefix("p."): value for key, value in flat.items()}


def test_empty_params() -> None:
    """No params are no params."""
    assert flatten({}) == {} and unflatten({}) == {}


# Leaves ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((1, [2.0, (True,)]), [1, [2.0, [True]]]),
        ([{"a": (1,)}, Point(1, 2)], [{"a": [1]}, {"x": 1, "y": 2}]),
        ([Optimizer()], [{"lr": 0.1, "betas": [0.9, 0.999], "extra": {}}]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({2, "b", None, 1.5, (1,)}, [1.5, 2, "b", [1], None]),
        (range(3), [0, 1, 2]),
        (Path("a/b"), "a/b"),
        (datetime.date(2024, 1, 31), "2024-01-31"),
        (datetime.datetime(2024, 1, 31, 12, tzinfo=datetime.UTC), "2024-01-31T12:00:00+00:00"),
        (datetime.time(1, 2, 3), "01:02:03"),
        (Color.RED, "red"),
        (Level.HIGH, 3),
        (np.float32(0.1), 0.10000000149011612),
        (np.int64(2**62 + 1), 2**62 + 1),
        (np.bool_(True), True),
        (np.array(3), 3),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (np.array([1.5]), [1.5]),
        (np.array(["a", None], dtype=object), ["a", None]),
        (TorchLikeTensor(0.5), 0.5),
        (TorchLikeTensor([1, 2], (2,), "torch.int64"), [1, 2]),
        (TensorFlowLikeTensor(np.array([0.5])), [0.5]),
        (np.dtype("float32"), "float32"),
        (TorchLikeDtype("torch.bfloat16"), "torch.bfloat16"),
        (TorchLikeDevice("cuda:0"), "cuda:0"),
        (Optimizer, f"{__name__}.Optimizer"),
        (len, "builtins.len"),
        (np.tanh, "numpy.tanh"),
        (deep, f"{__name__}.deep"),
        (10**100, 10**100),
        (2**53 + 1, 2**53 + 1),
        ("\udc80", "\udc80"),
    ],
    ids=lambda value: f"{type(value).__name__}",
)  # fmt: skip
def test_F45_leaves(value: object, kept: Any) -> None:
    """Each kind of leaf becomes the plain value that the documentation names, of exactly that kind."""
    found = flatten({"x": value})["x"]
    assert exact(found) == exact(kept)
    assert same(loads(dumps(found)), found)


def test_file_name_that_is_no_utf8_is_kept() -> None:
    """A path with bytes that are no UTF-8 comes back as the same path."""
    found = flatten({"x": Path("caf\udce9")})
    assert Path(loads(dumps(found))["x"]) == Path("caf\udce9")


@pytest.mark.parametrize(
    "value",
    [
        b"x", bytearray(b"x"), memoryview(b"x"), Decimal("0.1"), 1j, object(), datetime.timedelta(1), Color.PAIR,
        list[int], np.complex64(1), np.datetime64("2020-01-01"), np.array([1j]), np.array([b"x"]),
        np.zeros((), [("x", "f8")]), (item for item in ()), {"a": 1}.values(), [b"x"], {"k": [Decimal(1)]}, 10**4300,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_F45_what_cannot_be_kept_is_refused(value: object) -> None:
    """Bytes, Decimal, arbitrary objects and the like are refused; the error names the param and says what to do."""
    with pytest.raises(InvalidValue, match=r"param 'opt\.x.*(pass str|artifact)") as caught:
        flatten({"opt": {"x": value}})
    assert caught.value.key is not None and caught.value.key.startswith("opt.x")


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="needs a longdouble of more than 64 bits")
def test_F45_longdouble_is_kept_where_exact() -> None:
    """A longdouble that no float64 equals is refused, not rounded."""
    assert flatten({"x": np.longdouble(0.5)}) == {"x": 0.5}
    with pytest.raises(InvalidValue, match="'x'"):
        flatten({"x": np.longdouble(1) / 3})


def test_F45_exceptions_of_a_config_are_contained() -> None:
    """A configuration that raises when read becomes `InvalidValue` with the cause behind it."""
    with pytest.raises(InvalidValue, match="'model'") as caught:
        flatten({"model": OmegaConfLikeConfig({"size": "???"})})
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize("params", [None, 3, "a=1", [("a", 1)], {1, 2}, Optimizer, Color.RED], ids=repr)
def test_F45_params_are_a_mapping(params: object) -> None:
    """Params that are no mapping at all are refused."""
    with pytest.raises(InvalidValue, match="mapping"):
        flatten(params)


# Bounds ---------------------------------------------------------------------------------------------------------------


def test_F45_depth() -> None:
    """64 levels are kept; 65 and 1,000 are refused by a name that fits on the screen."""
    assert list(flatten(deep(64))) == [".".join("a" * 64)]
    for depth in (65, 1_000, 100_000):
        with pytest.raises(InvalidValue, match="64 levels") as caught:
            flatten(deep(depth))
        assert len(str(caught.value)) < 200
    with pytest.raises(InvalidValue, match="64 dotted parts"):
        flatten({".".join("a" * 65): 1})


def test_F45_depth_inside_a_value() -> None:
    """A list as deep as is allowed goes through the journal's JSON in its event; one deeper is refused."""
    value: list[Any] = []
    for _ in range(59):
        value = [value]
    found = flatten({"x": value})
    assert loads(dumps({"type": "params", "set": found}))["set"] == found
    with pytest.raises(InvalidValue, match="60 levels"):
        flatten({"x": [value]})


def test_F45_cycles() -> None:
    """A dict or list that contains itself is found out, over any way around."""
    circle: dict[str, Any] = {}
    circle["a"] = {"b": circle}
    row: list[Any] = [1]
    row.append({"row": row})
    branch: dict[str, Any] = {}
    branch["x"] = [branch]
    for params in (circle, {"x": row}, branch):
        with pytest.raises(InvalidValue, match="contains itself"):
            flatten(params)
    shared = {"lr": 0.1}
    assert flatten({"a": shared, "b": shared, "c": [shared, shared]}) == {
        "a.lr": 0.1, "b.lr": 0.1, "c": [{"lr": 0.1}, {"lr": 0.1}],
    }  # fmt: skip


def test_F45_many_keys() -> None:
    """A hundred thousand keys are kept."""
    params = {f"layer{i}": {f"k{j}": j for j in range(100)} for i in range(1_000)}
    flat = flatten(params)
    assert len(flat) == 100_000 and unflatten(flat) == params


@pytest.mark.parametrize(
    "value",
    ["x" * (100 << 20), "é" * (600 << 10), ["x" * 600_000] * 2, list(range(300_000)), range(10**15), {"x" * (1 << 20)}],
    ids=["100 MB", "two bytes each", "a list", "numbers", "no end", "a set"],
)  # fmt: skip
def test_F45_huge_values(value: object) -> None:
    """One value of more than 1 MiB of text is refused, and the error says artifact."""
    with pytest.raises(InvalidValue, match=r"'x.*artifact"):
        flatten({"x": value})


def test_F45_arrays() -> None:
    """An array of 1,000 elements is kept, a larger one is refused."""
    assert len(flatten({"x": np.zeros(1_000)})["x"]) == 1_000  # type: ignore[arg-type]
    for value in (np.zeros(1_001), TorchLikeTensor([], (10**9,))):
        with pytest.raises(InvalidValue, match="1,000"):
            flatten({"x": value})


# Keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, (1, 2), b"x", Level.HIGH, np.int64(1), Color.RED], ids=repr)
def test_F45_other_keys_are_refused(key: object) -> None:
    """A key that is neither text nor a plain number is refused."""
    with pytest.raises(InvalidValue, match="key"):
        flatten({"a": {key: 1}})


@pytest.mark.parametrize("key", ["", "a\0b", "\ud800", "x" * 20_000], ids=["empty", "NUL", "surrogate", "long"])
def test_F44_param_keys_follow_the_rule_of_names(key: str) -> None:
    """A param's key is a name like any other."""
    with pytest.raises(InvalidValue, match="param"):
        flatten({key: 1})


@pytest.mark.parametrize(
    "params", [{1: "a", "1": "b"}, {"a.b": 1, "a": {"b": 1}}, {"x": [{1: "a", "1": "b"}]}], ids=repr
)
def test_F45_a_key_that_comes_out_twice_is_refused(params: dict[Any, Any]) -> None:
    """Two keys with one text, or one given dotted and nested, are not merged."""
    with pytest.raises(UsageError, match="twice"):
        flatten(params)


@pytest.mark.parametrize(
    "params",
    [{"a": 1, "a.b": 2}, {"a.b": 2, "a": 1}, {"a": 1, "a.b.c": 2}, {"a": {}, "a.b": 1}, {"o": {"a": 1, "a.b": 2}}],
    ids=repr,
)
def test_F45_leaf_and_branch_are_refused(params: dict[str, Any]) -> None:
    """`a` and `a.b` together are refused, and the error names both."""
    with pytest.raises(UsageError, match=r"a'.*a\.b"):
        flatten(params)


def test_dotted_and_nested_keys_meet() -> None:
    """Entries of one branch may come dotted and nested."""
    assert flatten({"a.b": 1, "a": {"c": 2}}) == {"a.b": 1, "a.c": 2}


def test_key_tree_takes_all_or_none() -> None:
    """A refused group of keys leaves no trace, and a key that is there may come again."""
    tree = KeyTree(["a.b"])
    with pytest.raises(UsageError):
        tree.add_all(["c.d", "a.e", "a"])
    tree.add_all(["c", "a.b", "a.b"])
    with pytest.raises(UsageError, match=r"'c'.*'c\.d'"):
        tree.add("c.d")
    with pytest.raises(UsageError, match=r"'a'.*'a\.b'"):
        tree.add("a")


@given(dotted)
def test_key_tree_agrees_with_pairs(keys: list[str]) -> None:
    """The tree refuses a key exactly where a comparison with each other key does."""
    tree = KeyTree()
    taken: list[str] = []
    for key in keys:
        clash = any(other.startswith(f"{key}.") or key.startswith(f"{other}.") for other in taken)
        if clash:
            with pytest.raises(UsageError):
                tree.add(key)
        else:
            tree.add(key)
            taken.append(key)


# Equality -------------------------------------------------------------------------------------------------------------


@given(leaves, leaves)
def test_same_is_equality_of_kind_and_value(a: Any, b: Any) -> None:
    """Two values are the same exactly where kind and bits are."""
    assert same(a, a) and same(a, loads(dumps(a)))
    assert same(a, b) == (exact(a) == exact(b))


def test_same_tells_kinds_apart() -> None:
    """1, 1.0 and True differ, so do 0.0 and -0.0; NaN is NaN; the order of a dict's keys does not count."""
    different: list[Any] = [
        1,
        1.0,
        True,
        "1",
        None,
        [1],
        [1.0],
        0.0,
        -0.0,
        0,
        False,
        math.nan,
        {},
        {"a": 1},
        {"a": 1.0},
    ]
    for index, a in enumerate(different):
        for other, b in enumerate(different):
            assert same(a, b) == (index == other)
    assert same({"a": 1, "b": math.nan}, {"b": math.nan, "a": 1})
