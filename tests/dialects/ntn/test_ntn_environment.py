"""S2.1 to S2.7: what chooses where a run is tracked to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import runfolio
from dialects.ntn.reading import logged, names, shell
from runfolio.dialects.ntn.settings import backend_of, folder_of, name_of, repo_of
from runfolio.dialects.ntn.trackers import FileTracker, NoOpTracker, create_tracker


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRACKER_BACKEND", "TRACKER_DIR", "AIM_REPO", "EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


def test_S2_01_backend_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """TRACKER_BACKEND is file, aim, both or none; file where it is not set."""
    assert backend_of(None) == "file"
    for backend in ("file", "aim", "both", "none"):
        monkeypatch.setenv("TRACKER_BACKEND", backend)
        assert backend_of(None) == backend
    assert type(create_tracker("x", {}, "file")) is FileTracker
    monkeypatch.setenv("TRACKER_BACKEND", "none")
    assert type(create_tracker("x", {})) is NoOpTracker


def test_S2_02_folder_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """TRACKER_DIR is where the files are; experiment_logs where it is not set."""
    create_tracker("x_seed0", {}).finalize()
    monkeypatch.setenv("TRACKER_DIR", "logs/deep")
    create_tracker("x_seed0", {}).finalize()
    assert names("experiment_logs") == names("logs/deep") == ["x_seed0"]


def test_S2_03_repository_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """AIM_REPO is .aim here where it is not set, and an address stays one."""
    assert repo_of(None) == os.path.abspath(".aim")
    monkeypatch.setenv("AIM_REPO", "aim://192.168.5.5:5800")
    assert repo_of(None) == "aim://192.168.5.5:5800"


def test_S2_04_name_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """EXPERIMENT_NAME is `{model}_experiment` where it is not set."""
    assert name_of(None, {"model": "mpo2"}) == "mpo2_experiment"
    monkeypatch.setenv("EXPERIMENT_NAME", "housing")
    create_tracker(config={"model": "mpo2"}).finalize()
    assert names() == ["housing"]


def test_S2_05_argument_then_environment_then_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument stands before the environment, that before the default; an empty variable counts as unset."""
    chosen = {"TRACKER_BACKEND": "none", "TRACKER_DIR": "there", "AIM_REPO": "/there/.aim", "EXPERIMENT_NAME": "there"}
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    assert (backend_of(None), folder_of(None), repo_of(None), name_of(None, {})) == tuple(chosen.values())
    given = (backend_of("file"), folder_of("here"), repo_of("/here/.aim"), name_of("here", {}))
    assert given == ("file", "here", "/here/.aim", "here")
    for name in chosen:
        monkeypatch.setenv(name, "")
    default = (backend_of(None), folder_of(None), repo_of(None), name_of(None, {"model": "mpo2"}))
    assert default == ("file", "experiment_logs", os.path.abspath(".aim"), "mpo2_experiment")


def test_S2_05_launch_script_fills_in_what_is_unset() -> None:
    """The launch script keeps what is set, and fills in what is unset or empty."""
    empty = {"TRACKER_BACKEND": "", "TRACKER_DIR": "", "AIM_REPO": "", "EXPERIMENT_NAME": "", "BOND_DIM": ""}
    shell("bash experiments/run_lmpo2.sh --seeds 3", **empty)
    assert names() == ["lmpo2_experiment_seed3"]
    assert logged("lmpo2_experiment_seed3")["config"]["bond_dim"] == 6


def test_S2_07_unknown_backend_names_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown back end is a ValueError that names it and the choices, and makes nothing."""
    with pytest.raises(ValueError, match="'wandb'; choose from file, aim, both, none"):
        create_tracker("x", {}, "wandb")
    monkeypatch.setenv("TRACKER_BACKEND", "File")
    with pytest.raises(runfolio.UsageError, match="'File', as TRACKER_BACKEND says"):
        create_tracker("x", {})
    assert not Path("store").exists()
    assert not Path("experiment_logs").exists()


def test_unknown_option_is_named() -> None:
    """A misspelt option is refused, and the choices named."""
    with pytest.raises(runfolio.UsageError, match="'outputdir'; there are output_dir, repo"):
        create_tracker("x", {}, outputdir="logs")


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "n\0l", "x" * 300])
def test_name_that_is_no_file_name_is_refused(name: str) -> None:
    """A name that would lead out of the folder, or is too long, is refused before anything is made."""
    with pytest.raises(runfolio.UsageError, match="experiment name"):
        create_tracker(name, {})
    assert not Path("store").exists()
