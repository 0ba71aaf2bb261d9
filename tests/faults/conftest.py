"""What the fault tests share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runfolio.store.layout import file_system


@pytest.fixture
def shared_memory(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in memory, for images of disks: copying one should not take long. An ordinary one where there is none."""
    if file_system("/dev/shm") != "tmpfs":
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)
