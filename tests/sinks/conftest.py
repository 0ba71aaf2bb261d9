"""Empty stores of other trackers, made once: their tables take seconds."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def empty_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the tables of a repository, once: it takes seconds."""
    from aim import Repo

    folder = tmp_path_factory.mktemp("aim")
    Repo.from_path(str(folder), init=True)
    return folder / ".aim"


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the tables of a store, once: it takes seconds."""
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        MlflowClient(f"sqlite:///{path}").search_experiments()
    return path
