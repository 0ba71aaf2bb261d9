"""Skips are counted, and in CI agreed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def run_pytest(folder: Path, reason: str) -> subprocess.CompletedProcess[str]:
    """Run a session of one passing and one skipped test under our conftest."""
    shutil.copy(HERE / "conftest.py", folder / "conftest.py")
    (folder / "skips.txt").write_text("# agreed\nneeds a tape drive  # no longer made\n")
    lines = ["import pytest", "def test_a(record_property): record_property('F0', 'nothing lost')"]
    lines += [f"@pytest.mark.skip(reason={reason!r})", "def test_b(): pass"]
    (folder / "test_it.py").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--rootdir", str(folder), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder for the inner session."""
    inner = tmp_path / "inner"
    inner.mkdir()
    return inner


def test_skips_are_counted_before_the_summary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session tells its figures and its skips by reason, just before the runner's own last line."""
    monkeypatch.delenv("CI", raising=False)
    done = run_pytest(folder, "no such machine")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert "F0: nothing lost" in lines
    assert "    1 no such machine" in lines
    assert "1 passed, 1 skipped" in lines[-1]


@pytest.mark.parametrize(("reason", "code"), [("needs a tape drive: /dev/st0", 0), ("no such machine", 1)])
def test_ci_refuses_skips_that_are_not_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, reason: str, code: int
) -> None:
    """With CI set, a skip fails the session unless its reason begins with a line of skips.txt."""
    monkeypatch.setenv("CI", "true")
    done = run_pytest(folder, reason)
    assert done.returncode == code, done.stdout
    assert ("skip not listed" in done.stdout) == bool(code)
