"""Params told on the command line: typed, merged with a configuration, and refused in plain words."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from launch.launching import run, run_ids, state, write_script
from runfolio.errors import UsageError
from runfolio.launch.config import read_config
from runfolio.launch.told_params import told_params


def test_S0_22_params_are_typed_and_repeatable() -> None:
    """`-p key=value` sets a param, again and again: epochs=20 is an int, learning_rate=0.005 a float."""
    params = told_params(
        ["epochs=20", "learning_rate=0.005", "warm=true", "none=null", "name=a=b", "sizes=[1, 2.5, x]"]
    )
    assert params == {
        "epochs": 20,
        "learning_rate": 0.005,
        "warm": True,
        "none": None,
        "name": "a=b",
        "sizes": [1, 2.5, "x"],
    }
    assert [type(params[key]) for key in ("epochs", "learning_rate", "warm")] == [int, float, bool]


def test_nan_and_infinity_are_floats() -> None:
    """`nan` and `-inf` are floats, as everywhere."""
    params = told_params(["a=nan", "b=-inf"])
    assert math.isnan(params["a"])  # type: ignore[arg-type]
    assert params["b"] == -math.inf


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lr"], "give a param as key=value"),
        (["=3"], "give a param as key=value"),
        (["lr=1", "lr=2"], "-p lr is told twice, as 1 and as 2"),
        (["lr=1", "lr=1.0"], "-p lr is told twice"),
        (["a=1", "a.b=2"], "cannot be a value and a branch"),
        (["a\0b=1"], "NUL"),
    ],
)
def test_malformed_params_are_refused(words: list[str], message: str) -> None:
    """A word that is no key=value, a param told twice and differently, and a value that is a branch too are wrong usage."""
    with pytest.raises(UsageError, match=message):
        told_params(words)


def test_same_param_twice_is_silent() -> None:
    """The same param to the same value may be told twice."""
    assert told_params(["lr=0.1", "lr=0.1"]) == {"lr": 0.1}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "lr: 1e-3\nmodel: {layers: 4, act: relu}\nsteps: [1, 2]\n"),
        ("c.yml", "lr: 0.001\nmodel:\n  layers: 4\n  act: 'relu'\nsteps:\n- 1\n- 2\n"),
        ("c.json", '{"lr": 1e-3, "model": {"layers": 4, "act": "relu"}, "steps": [1, 2]}'),
        ("c.toml", 'lr = 1e-3\nsteps = [1, 2]\n[model]\nlayers = 4\nact = "relu"\n'),
    ],
)
def test_configuration_files(name: str, text: str) -> None:
    """YAML, JSON and TOML give the same params, nested ones by dotted keys; 1e-3 is a float in each."""
    Path(name).write_text(text, encoding="utf-8")
    assert read_config(name) == {"lr": 0.001, "model.layers": 4, "model.act": "relu", "steps": [1, 2]}


def test_p_goes_before_the_configuration() -> None:
    """-p replaces what the configuration has for that key, a whole branch too, and leaves the rest."""
    Path("c.yaml").write_text("lr: 1\nmodel: {layers: 4, act: relu}\nseed: 3\ndata: small\n")
    assert told_params(["lr=2", "model.layers=8"], "c.yaml") == {
        "lr": 2,
        "model.layers": 8,
        "model.act": "relu",
        "seed": 3,
        "data": "small",
    }
    assert told_params(["model=linear", "data.name=big"], "c.yaml") == {
        "lr": 1,
        "model": "linear",
        "seed": 3,
        "data.name": "big",
    }


def test_empty_configuration() -> None:
    """An empty YAML file has no params."""
    Path("c.yaml").write_text("# nothing yet\n")
    assert read_config("c.yaml") == {}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.yaml", "- 1\n- 2\n", "must hold a mapping of params; it holds \\[1, 2\\]"),
        ("c.json", "3", "must hold a mapping of params; it holds 3"),
        ("c.yaml", "a: [1,\n", "cannot be read: line 2, column 1: while parsing"),
        ("c.yaml", "a: 1\nb: [1, 2\nc: {d\n", "line 3, column 2: while parsing a flow sequence, expected"),
        ("c.yaml", "a: 1\nb: 2\na: 3\n", "the key 'a' stands twice, again in line 3"),
        ("c.json", '{"a": 1, "a": 2}', "a key stands twice"),
        ("c.json", '{"a": NaN}', "bare NaN"),
        ("c.toml", "a = 1\na = 2\n", "cannot be read: Cannot overwrite a value"),
        ("c.yaml", BOMB, "with its aliases written out it has more than 100,000 values"),
        ("c.yaml", "a: &a [*a]\n", "an alias leads back to itself"),
        ("c.yaml", "a: " + "[" * 100 + "]" * 100, "more than 64 levels"),
        ("c.yaml", "a: " + "[" * 500_000, "nested too deep"),
        ("c.json", "[" * 1_000_000, "cannot be read"),
        ("c.toml", "a = " + "[" * 100_000, "cannot be read: "),
        ("c.json", " " * (1 << 20) + "{}", "has more than 1 MiB"),
        ("c.yaml", "a: !!python/object/apply:os.system ['touch pwned']\n", "could not determine a constructor"),
        ("c.yaml", "a: 1\n--- \nb: 2\n", "expected a single document"),
        ("c.yaml", "a: !!binary aGk=\n", "param 'a'"),
        ("c.yaml", "a: \xff", "it is not UTF-8"),
        ("c.ini", "[a]\n", "a configuration is a file that ends in .yaml, .yml, .json, .toml"),
    ],
)
def test_bad_configurations_are_refused(name: str, text: str, message: str) -> None:
    """A configuration that is malformed, no mapping, a bomb or a program is wrong usage, said in words, and nothing of it is run."""
    Path(name).write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=message):
        read_config(name)
    assert not Path("pwned").exists()


def test_missing_configuration_is_told() -> None:
    """A configuration that is not there, or a folder, is wrong usage, and no run is made."""
    Path("folder.yaml").mkdir()
    ran = run(write_script("pass"), "-c", "gone.yaml")
    assert (ran.code, ran.err) == (2, b"runfolio: there is no configuration 'gone.yaml'\n")
    assert b"is a folder" in run(write_script("pass"), "-c", "folder.yaml").err
    assert run_ids() == []


def test_script_reads_its_params() -> None:
    """The script reads what the command line told, with its type and by dotted keys, and its own default for the rest."""
    Path("c.toml").write_text("[model]\nlayers = 4\n")
    script = write_script(
        """
import runfolio
print(repr(runfolio.get_param("lr", 0.5)), runfolio.get_param("model.layers"), runfolio.get_param("model"), runfolio.get_param("seed", 7))
print(runfolio.get_params())
"""
    )
    ran = run("-c", "c.toml", script, "-p", "lr=1e-3")
    assert ran.out.splitlines()[:2] == [b"0.001 4 {'layers': 4} 7", b"{'model': {'layers': 4}, 'lr': 0.001}"]
    assert state().params == {"lr": 0.001, "model.layers": 4}
