"""The companion process finds the slow facts beside the script, and is never in its way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from capture.processes import is_gone
from capture.real_git import Repo
from runfolio.journal.frame import CLOSE
from runfolio.journal.scan import events, opening, scan
from runfolio.sdk.capture import FIELDS, SLOW, cheap, spawn
from runfolio.store.layout import Layout

SRC = Path(__file__).resolve().parents[2] / "src"
RUN = "0123456789abcdef" * 2
CANARY = "Zq7canary9Xw0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> Layout:
    """Return a store with the folder of one run."""
    layout = Layout(str(tmp_path / "store"))
    os.makedirs(layout.run_journal(RUN))
    return layout


def wait(pid: int | None) -> int:
    """Wait for the companion and return its exit code."""
    assert pid
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def journals(store: Layout) -> list[Any]:
    """Scan the journals of the run."""
    folder = Path(store.run_journal(RUN))
    return [scan(path.read_bytes(), path.stem) for path in sorted(folder.iterdir())]


def captures(store: Layout) -> dict[str, Any]:
    """Return what was captured, by field."""
    found = [body for journal in journals(store) for _, body in events(journal)]
    assert all(body["type"] == "capture" for body in found)
    return {body["field"]: body["value"] for body in found}


def test_it_writes_what_is_asked(repo: Repo, store: Layout) -> None:
    """Each field that was asked for is an event in a closed journal of the companion's own, at the right attempt."""
    assert wait(spawn(store.root, RUN, SLOW, str(repo.folder), 3)) == 0
    found = captures(store)
    assert set(found) == set(SLOW)
    assert found["git"]["commit"] == repo.head()
    assert found["packages"]["pytest"]
    assert found["cpu"]["count"] == os.cpu_count()
    (journal,) = journals(store)
    assert not journal.unsound
    told = opening(journal)
    assert (told["run"], told["role"], told["attempt"]) == (RUN, "capture", 3)


def test_fields_that_are_off_are_not_looked_for(repo: Repo, store: Layout) -> None:
    """A slow field that is not asked for is not captured; without any no process is started."""
    assert wait(spawn(store.root, RUN, ["cpu"], str(repo.folder))) == 0
    assert set(captures(store)) == {"cpu"}
    assert spawn(store.root, RUN, [], str(repo.folder)) is None


def test_it_finds_the_scripts_packages(store: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages are those on the script's path, also where the script itself has put a folder there."""
    (tmp_path / "lib" / "imaginary-7.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    assert wait(spawn(store.root, RUN, ["packages"], "/")) == 0
    assert captures(store)["packages"]["imaginary"] == "7"


def test_A19_it_imports_nothing_from_the_working_directory(
    repo: Repo, store: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files in the working directory that are named like modules are not imported by it."""
    mark = tmp_path / "mark"
    for name in ("subprocess", "selectors", "runfolio", "sitecustomize", "usercustomize", "tempfile", "fnmatch"):
        repo.write(f"{name}.py", f"open({str(mark)!r}, 'w')\nraise SystemExit\n")
    monkeypatch.chdir(repo.folder)
    monkeypatch.setenv("PYTHONPATH", f":.:{os.environ.get('PYTHONPATH', '')}")
    assert wait(spawn(store.root, RUN, SLOW, str(repo.folder))) == 0
    assert not mark.exists()
    assert set(captures(store)) == set(SLOW)


def test_A40_no_secret_reaches_the_disk(repo: Repo, store: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in environment, arguments, remote, `.env`, code or notebook is in no byte of the run's folder."""
    monkeypatch.setenv("MY_SERVICE", CANARY)
    monkeypatch.setenv("WANDB_API_KEY", CANARY)
    repo.commit(a_ipynb="{}\n", b_env="A=1\n")
    repo.git("remote", "add", "origin", f"https://user:{CANARY}@example.org/r.git")
    repo.write("train.py", f'api_key = "{CANARY}"\n')
    repo.write("a.ipynb", f'{{"outputs": "{CANARY}"}}\n')
    repo.write("b.env", f"A={CANARY}\n")
    repo.write(".env", f"A={CANARY}\n")
    assert wait(spawn(store.root, RUN, SLOW, str(repo.folder))) == 0
    facts = captures(store)
    assert facts["git"]["patch"]
    for path in Path(store.root).rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()
    told = cheap(["train.py", "--api-key", CANARY, f"--token={CANARY}", f"https://u:{CANARY}@h"]) | facts
    assert CANARY not in json.dumps(told)
    assert set(told) <= set(FIELDS)


@pytest.mark.parametrize("arguments", [(), ("a",), ("/no/store", RUN, "git", "/", "1"), ("/", "", "gti", "", "x")])
def test_it_is_silent(arguments: tuple[str, ...]) -> None:
    """Whatever goes wrong in it, it says nothing and exits with 0."""
    command = [sys.executable, "-m", "runfolio.sdk.capture", *arguments]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(SRC)}, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_it_makes_no_store(tmp_path: Path) -> None:
    """Where the store or the run is gone meanwhile, nothing is made in its place."""
    assert wait(spawn(str(tmp_path / "gone"), RUN, ["cpu"], "/")) == 0
    assert not (tmp_path / "gone").exists()


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a FIFO at which the companion's look for GPUs waits until something is written into it."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = tmp_path / "bin" / "nvidia-smi"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\ncat {gate}\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    return gate


def test_it_holds_nothing_of_the_scripts(store: Layout, gate: Path) -> None:
    """A pipe that the script has from its caller closes when the script ends, though the companion still runs."""
    program = f"from runfolio.sdk.capture import spawn; print(spawn({store.root!r}, {RUN!r}, ['gpu'], '/'))"
    environment = os.environ | {"PYTHONPATH": str(SRC)}
    ours, theirs = os.pipe()
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, pass_fds=[theirs], capture_output=True, text=True, check=True)
    os.close(theirs)
    with open(ours, "rb") as pipe:
        assert pipe.read() == b""
    assert not is_gone(int(done.stdout))
    gate.write_text("")


def test_it_stops_in_time(store: Layout, gate: Path) -> None:
    """When its time is up it keeps what it has, closes its journal, stops what it waits for and exits with 0."""
    pid = spawn(store.root, RUN, ["cpu", "gpu"], "/")
    assert pid
    with gate.open("w"):  # comes back when the look for GPUs waits
        assert os.getpgid(pid) == pid  # a Ctrl-C for the script is none for it
        os.kill(pid, signal.SIGALRM)
        assert wait(pid) == 0
    assert set(captures(store)) == {"cpu"}
    (journal,) = journals(store)
    assert journal.frames[-1].tag == CLOSE


@pytest.mark.parametrize("executable", ["", "/usr/bin/blender", None])
def test_F27_where_python_is_part_of_another_program(monkeypatch: pytest.MonkeyPatch, executable: str | None) -> None:
    """Where this interpreter cannot be started again, no process is started."""
    monkeypatch.setattr(sys, "executable", executable)
    assert spawn("/store", RUN, SLOW, "/") is None


def test_F27_a_frozen_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen program is not started a second time."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert spawn("/store", RUN, SLOW, "/") is None


def test_F27_no_process_to_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the process cannot be started there is none, and nothing is raised."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python-that-is-gone"))
    assert spawn("/store", RUN, SLOW, "/") is None
    monkeypatch.undo()
    assert spawn("/store", RUN, SLOW, "/\0") is None
