"""What all tests of the launcher leave out: the companion process, and the sealing after the end."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _nothing_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Capture nothing and seal nothing, but where a test asks for it."""
    monkeypatch.setenv("RUNFOLIO_CAPTURE", "none")
    monkeypatch.setenv("RUNFOLIO_SEAL", "off")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
