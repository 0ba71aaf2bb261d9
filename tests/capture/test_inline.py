"""What the script tells of itself at its start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.sdk.capture import FIELDS, cheap

SRC = Path(__file__).resolve().parents[2] / "src"
HEAVY = ("platform", "subprocess", "json", "socket", "pwd", "re", "pathlib")


def run_python(program: str, *arguments: str, cwd: Path | None = None) -> str:
    """Run a program in a bare interpreter and return what it prints."""
    command = [sys.executable, "-S", "-c", program, *arguments]
    environment = os.environ | {"PYTHONPATH": str(SRC)}
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=True).stdout


def test_the_facts() -> None:
    """Each cheap field is told, by the system's own words."""
    facts = cheap(["python", "train.py", "--token", "x1"])
    system = os.uname()
    assert facts["command"] == ["python", "train.py", "--token", "***"]
    assert facts["cwd"] == os.getcwd()
    assert facts["python"] == {
        "version": sys.version.split()[0].rstrip("+"),
        "implementation": sys.implementation.name,
        "executable": sys.executable,
        "prefix": sys.prefix,
    }
    assert facts["platform"] == {"system": system.sysname, "release": system.release, "machine": system.machine}
    assert facts["host"] == system.nodename
    assert facts["cpu"] == {"count": os.cpu_count(), "usable": len(os.sched_getaffinity(0))}
    assert set(facts) <= set(FIELDS)


def test_the_command_is_the_interpreters_own() -> None:
    """Without arguments the command line is the whole one, with the options of the interpreter."""
    program = "from runfolio.sdk.capture import cheap; print(cheap()['command'][1:2] + cheap()['command'][-2:])"
    assert run_python(program, "--token", "x1") == "['-S', '--token', '***']\n"


def test_only_what_is_wanted() -> None:
    """A field that is switched off is not looked for."""
    assert cheap(wanted=()) == {}
    assert set(cheap(wanted={"cwd", "git"})) == {"cwd"}


def test_it_imports_nothing_heavy() -> None:
    """The facts of an ordinary command line cost no import beyond our own few files."""
    command = ["python", "train.py", "--lr=0.1", "--max-tokens", "512", "--data-path", "s3://bucket/x", "model.lr=0.1"]
    program = "import sys, runfolio.sdk\nbefore = set(sys.modules)\nfrom runfolio.sdk.capture import cheap\n"
    program += f"cheap({command})\nloaded = set(sys.modules) - before\n"
    program += f"print(set({HEAVY}) & loaded, 'runfolio.sdk.capture.patterns' in loaded)"
    assert run_python(program) == "set() False\n"


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    """Without a working directory all other facts are told."""
    program = "import os; from runfolio.sdk.capture import cheap; os.rmdir(os.getcwd()); print(sorted(cheap()))"
    (tmp_path / "gone").mkdir()
    told = run_python(program, cwd=tmp_path / "gone")
    assert "'cwd'" not in told
    assert "'python'" in told


def test_F27_a_user_without_a_passwd_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is told where the environment has the name, and asking for it needs no entry anywhere."""
    for name in ("LOGNAME", "USER", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert "user" not in cheap()
    monkeypatch.setenv("USER", "ada")
    assert cheap()["user"] == "ada"


def test_A40_the_environment_is_not_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the environment is among the facts."""
    monkeypatch.setenv("MY_SETTING", "Zq7canary9Xw")
    assert "Zq7canary9Xw" not in repr(cheap())
