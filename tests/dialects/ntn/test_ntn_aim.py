"""S2.6, S2.18, S2.20: AIM alone and beside the file, in a folder and on a server, read back by Aim."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import runfolio
from dialects.ntn.in_aim import WAIT_S, aim_names, aim_runs, needs_aim, points, wait_until_fed
from dialects.ntn.reading import logged, names
from runfolio.sinks.aim import auth_headers

SERVER = Path(__file__).resolve().parents[2] / "sinks" / "aim_server.py"
VARIABLES = ("CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET", "AIM_AUTH_TOKEN", "AIM_CUSTOM_HEADERS")
SCRIPT = """
from runfolio.dialects.ntn.trackers import create_tracker
for seed in range(2):
    tracker = create_tracker(f"mpo2_experiment_seed{seed}", {"bond_dim": 6})
    tracker.log_hparams({"seed": seed})
    tracker.log_metrics({"loss": 6.64, "r2": -3.88}, -1)
    for epoch in range(3):
        tracker.log_metrics({"loss": 0.5 / (epoch + 1), "r2": 0.8, "jitter": 0.05}, epoch)
    tracker.log_summary({"seed": seed, "loss": 0.271, "r2": 0.801, "success": True})
    tracker.finalize()
"""
LOSS = [(-1, 6.64), (0, 0.5), (1, 0.25), (2, 0.5 / 3)]


@pytest.fixture(autouse=True)
def _no_auth(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "AIM_REPO", "TRACKER_BACKEND", "TRACKER_DIR"):
        monkeypatch.delenv(name, raising=False)


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end; loading Aim takes its time."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=WAIT_S, check=False
    )


def track(**environment: str) -> None:
    """Run the script, and wait until all is fed."""
    ran = run(SCRIPT, **environment)
    assert (ran.returncode, ran.stderr) == (0, "")
    wait_until_fed()


@pytest.fixture(scope="session")
def empty_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one repository for all tests: making one takes Aim seconds."""
    from aim import Repo

    folder = tmp_path_factory.mktemp("aim")
    Repo.from_path(str(folder), init=True)
    return folder / ".aim"


@pytest.fixture
def repo(empty_repo: Path, tmp_path: Path) -> Path:
    """Give a folder with a repository, beside the working folder's own."""
    shutil.copytree(empty_repo, tmp_path / "there" / ".aim")
    return tmp_path / "there"


@pytest.fixture
def server(repo: Path, tmp_path: Path) -> Iterator[str]:
    """Give the address of a server behind a gate that wants the document's two headers."""
    expected = {"CF-Access-Client-Id": "xxx", "CF-Access-Client-Secret": "yyy-secret"}
    process = subprocess.Popen(
        [sys.executable, str(SERVER), str(repo), str(tmp_path / "seen.jsonl")],
        env={**os.environ, "EXPECTED": json.dumps(expected)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    yield f"aim://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.communicate()


def test_S2_06_variables_become_headers() -> None:
    """The four variables of the document are the headers that Aim's server is asked with."""
    assert auth_headers({"CF_ACCESS_CLIENT_ID": "xxx", "CF_ACCESS_CLIENT_SECRET": "yyy"}) == {
        "CF-Access-Client-Id": "xxx",
        "CF-Access-Client-Secret": "yyy",
    }
    assert auth_headers({"AIM_AUTH_TOKEN": "t"}) == {"Authorization": "Bearer t"}
    assert auth_headers({"AIM_CUSTOM_HEADERS": '{"X-Key": "k"}'}) == {"X-Key": "k"}


@needs_aim
def test_S2_06_variables_are_handed_on_and_not_kept(server: str, repo: Path) -> None:
    """With the credentials in the environment a gated server has the runs; the store and the files do not have the credentials."""
    secrets = {"CF_ACCESS_CLIENT_ID": "xxx", "CF_ACCESS_CLIENT_SECRET": "yyy-secret"}
    track(TRACKER_BACKEND="both", TRACKER_DIR="logs", AIM_REPO=server, **secrets)
    there = aim_runs(repo)
    assert [fed.name for fed in there] == names("logs") == ["mpo2_experiment_seed0", "mpo2_experiment_seed1"]
    assert [points(fed)["loss"] for fed in there] == [LOSS, LOSS]
    kept = [path for folder in ("store", "logs") for path in Path(folder).rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if b"yyy-secret" in path.read_bytes()]


@needs_aim
def test_S2_18_both_at_once_is_one_run(repo: Path) -> None:
    """`both` keeps the file and feeds AIM, from one run of the store."""
    track(TRACKER_BACKEND="both", AIM_REPO=str(repo))
    assert [logged(name)["summary"]["seed"] for name in names()] == [0, 1]
    assert aim_names(repo) == names()
    assert len(runfolio.open_store().runs()) == 2


@needs_aim
def test_S2_20_one_aim_run_per_seed() -> None:
    """AIM has a run for each seed, in .aim here, grouped by the experiment's name, with metrics, config, hparams and summary; no file is made."""
    track(TRACKER_BACKEND="aim")
    assert aim_names() == ["mpo2_experiment_seed0", "mpo2_experiment_seed1"]
    for seed, fed in enumerate(aim_runs()):
        assert fed.experiment == "mpo2_experiment"
        assert fed["hparams"] == {"bond_dim": 6, "seed": seed}
        assert fed["summary"] == {"seed": seed, "loss": 0.271, "r2": 0.801, "success": True}
        assert points(fed)["loss"] == LOSS
        assert points(fed)["jitter"] == [(0, 0.05), (1, 0.05), (2, 0.05)]
    assert not Path("experiment_logs").exists()


@needs_aim
def test_server_that_is_away_touches_nothing() -> None:
    """A server that cannot be reached holds up neither loop nor file, and is told."""
    ran = run(SCRIPT, TRACKER_BACKEND="both", AIM_REPO="aim://127.0.0.1:9")
    assert ran.returncode == 0
    assert [len(logged(name)["metrics_log"]) for name in names()] == [4, 4]
    assert all(each.status == "finished" for each in runfolio.open_store().runs())


def test_aim_that_is_not_installed_is_told_with_the_line_that_installs_it() -> None:
    """Without the package, `aim` and `both` raise an ImportError with the install line before anything is made."""
    hide = "import importlib.util as u; real = u.find_spec; u.find_spec = lambda n, *a: None if n == 'aim' else real(n, *a)\n"
    for backend in ("aim", "both"):
        ran = run(hide + SCRIPT, TRACKER_BACKEND=backend)
        assert ran.returncode == 1
        assert "pip install 'runfolio[aim]'" in ran.stderr
    assert not Path("store").exists() and not Path("experiment_logs").exists()
