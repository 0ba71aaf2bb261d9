"""A repository for each test that asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture.real_git import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a repository with one commit of one file."""
    repo = Repo(tmp_path / "repo")
    repo.commit(train_py="lr = 0.1\n")
    return repo
