"""What several tests of this dialect stand on."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture
def some_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package called wandb, the real one or an empty one: for what is decided before it is imported."""
    monkeypatch.setenv("WANDB_MODE", "disabled")
    _make_sure_of("wandb", tmp_path / "packages", monkeypatch)


@pytest.fixture
def some_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package called tensorboardX, the real one or an empty one."""
    _make_sure_of("tensorboardX", tmp_path / "packages", monkeypatch)


def _make_sure_of(name: str, packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec(name) is None:
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").touch()
        monkeypatch.syspath_prepend(str(packages))
