"""The app is built where it can be, and nothing else waits for it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

TOOL = Path(__file__).resolve().parents[1] / "tools" / "ui.py"


def load_tool() -> ModuleType:
    """Load `tools/ui.py`, which is no package."""
    spec = importlib.util.spec_from_file_location("ui_tool", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built_repository(root: Path) -> ModuleType:
    """Lay out a repository whose app is built; give the tool."""
    tool = load_tool()
    for path in ("ui/package.json", "ui/index.html", "ui/src/main.ts", "ui/src/main.test.ts"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("1")
    tool.built_at(root).mkdir(parents=True)
    (tool.built_at(root) / "index.html").write_text("built")
    stamp = tool.digest(tool.source_files(root / "ui"), root / "ui")
    (tool.built_at(root) / tool.STAMP).write_text(stamp + "\n")
    return tool


def test_app_is_built_again_only_when_its_sources_change(tmp_path: Path) -> None:
    """A build stands until a source changes; a changed test is no reason."""
    tool = built_repository(tmp_path)
    assert tool.is_built(tmp_path)
    (tmp_path / "ui/src/main.test.ts").write_text("2")
    assert tool.is_built(tmp_path)
    (tmp_path / "ui/src/main.ts").write_text("2")
    assert not tool.is_built(tmp_path)


def test_a_source_package_needs_no_sources_of_the_app(tmp_path: Path) -> None:
    """Where only the built app is, it is taken as it is."""
    tool = built_repository(tmp_path)
    (tmp_path / "ui/package.json").unlink()
    (tmp_path / "ui/src/main.ts").write_text("2")
    assert tool.is_built(tmp_path)


def test_without_node_the_rest_goes_on_and_ci_stops(tmp_path: Path) -> None:
    """Without Node.js the tool says so and lets everything else be tested; in CI it fails."""
    for ci, status in (("", 0), ("1", 1)):
        env = {**os.environ, "PATH": str(tmp_path), "CI": ci}
        done = subprocess.run([sys.executable, str(TOOL), "test"], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert "Node.js and npm are not here" in done.stderr
