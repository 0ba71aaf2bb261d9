"""Which words of the command line are ours, and which the script's; which files are scripts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from launch.launching import run, run_ids, state, write_script
from runfolio.cli.run import split_words

OPTIONS = {"-p": True, "--param": True, "-n": True, "--name": True, "-m": True, "--module": True, "-h": False}


@pytest.mark.parametrize(
    ("words", "ours", "script"),
    [
        ("train.py", "", "train.py"),
        ("-p a=1 train.py", "-p a=1", "train.py"),
        ("train.py -p a=1 --name x", "-p a=1 --name x", "train.py"),
        ("-n x train.py -p a=1 --lr 3 -p b=2", "-n x -p a=1", "train.py --lr 3 -p b=2"),
        ("train.py word -p a=1", "", "train.py word -p a=1"),
        ("train.py -- -p a=1", "", "train.py -p a=1"),
        ("train.py -p a=1 -- -- x", "-p a=1", "train.py -- x"),
        ("-- -odd.py -p a=1", "", "-odd.py -p a=1"),
        ("-pa=1 train.py --param=b=2 -nx", "-pa=1 --param=b=2 -nx", "train.py"),
        ("-m pkg.mod -p a=1 x -p b=2", "-m pkg.mod -p a=1", "x -p b=2"),
        ("-m pkg.mod", "-m pkg.mod", ""),
        ("-mpkg.mod word", "-mpkg.mod", "word"),
        ("--wrong train.py", "--wrong train.py", ""),
        ("train.py -p", "train.py -p", ""),
        ("train.py -h", "-h", "train.py"),
        ("train.py -x", "", "train.py -x"),
        ("train.py -", "", "train.py -"),
        ("", "", ""),
    ],
)
def test_words_are_parted(words: str, ours: str, script: str) -> None:
    """Our options stand before the script or right behind it; the first word that is none of them, or --, begins the script's own."""
    assert split_words(words.split(), OPTIONS) == (ours.split(), script.split())


def test_arguments_reach_the_script_untouched() -> None:
    """The script's arguments come as they were typed: spaces, quotes, empty words, options that are ours elsewhere."""
    script = write_script("import json, sys\nprint(json.dumps(sys.argv))\n")
    arguments = ["--lr", "0.1", "", "two words", "-p", "$HOME", "*", "--", "é\n"]
    ran = run(script, "-n", "x", *arguments)
    assert json.loads(ran.out.splitlines()[0]) == [script, *arguments]
    assert state().name == "x"
    assert state().params == {}


def test_all_that_is_told_is_kept() -> None:
    """Name, tags, notes and experiment of the command line are those of the run."""
    run(write_script("pass"), "-n", "a run", "-t", "baseline", "-t", "team=ml=x", "-d", "some notes", "-e", "digits")
    found = state()
    assert (found.name, found.tags, found.notes) == ("a run", {"baseline": "", "team": "ml=x"}, "some notes")
    assert found.experiment == "digits"


def test_experiment_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without -e the experiment is $RUNFOLIO_EXPERIMENT, else the script's name."""
    run(write_script("pass", "digits mlp.py"))
    assert state().experiment == "digits mlp"
    monkeypatch.setenv("RUNFOLIO_DIR", "another")
    monkeypatch.setenv("RUNFOLIO_EXPERIMENT", "told")
    run(write_script("pass"))
    assert state().experiment == "told"


def test_module_is_run_as_python_does() -> None:
    """`-m package.module` runs it with its own `sys.argv` and the working directory on the path."""
    Path("pkg").mkdir()
    write_script("import sys\nprint(__name__, __package__, sys.argv[1:], sys.path[0])\n", "pkg/mod.py")
    ran = run("-m", "pkg.mod", "-p", "a=1", "x")
    assert ran.out.splitlines()[0].decode() == f"__main__ pkg ['x'] {os.getcwd()}"
    assert state().experiment == "mod"
    assert state().params == {"a": 1}


def test_module_that_is_not_there() -> None:
    """A module that is not there is a failed run, with Python's own word."""
    ran = run("-m", "pkg.gone")
    assert ran.code == 1
    assert b"No module named" in ran.err
    assert state().status_declared == "failed"


def test_script_by_its_first_line() -> None:
    """A script without .py is one where its first line asks for python."""
    ran = run(write_script("#!/usr/bin/env python3\nprint('ran')\n", "train"))
    assert ran.out.startswith(b"ran\n")


def test_script_whose_name_begins_with_a_dash() -> None:
    """A script named -c.py is a script and no option."""
    ran = run("--", write_script("print('ran')\n", "-c.py"))
    assert ran.out.startswith(b"ran\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian.py"], "there is no file 'trian.py'; did you mean 'train.py'?"),
        (["gone/nothing.py"], "there is no file 'gone/nothing.py'"),
        (["folder"], "'folder' is a folder"),
        (["train.sh"], "'train.sh' is no Python script"),
        (["/dev/null"], "'/dev/null' is no Python script"),
        ([], "name a script"),
        (["-m", "a/b.py"], "'a/b.py' is no name of a module"),
        (["-m", ""], "is no name of a module"),
        (["--wrong", "train.py"], "No such option"),
        (["train.py", "-p"], "'-p' requires an argument"),
        (["train.py", "-n", ""], "name is empty text"),
        (["train.py", "-e", "x" * 20_000], "experiment"),
        (["train.py", "-t", "=x"], "tag is empty text"),
    ],
)
def test_wrong_usage_is_told(words: list[str], message: str) -> None:
    """What cannot be run is told in one line, with exit code 2, without a traceback and without a run."""
    Path("folder").mkdir()
    write_script("echo", "train.sh")
    write_script("pass")
    ran = run(*words)
    assert ran.code == 2
    assert message in ran.err.decode()
    assert "Traceback" not in ran.err.decode()
    assert run_ids() == []


def test_help_tells_the_rule() -> None:
    """The help has examples and says where the script's own words begin; it makes no run."""
    ran = run("--help")
    assert ran.code == 0
    assert b"runfolio run train.py -p lr=0.01" in ran.out
    assert b"-p, --param KEY=VALUE" in ran.out
    assert run_ids() == []
