"""The house rules that a program can check."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import runfolio

ROOT = Path(__file__).resolve().parents[1]


def run_tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the repository's tools; its output is stdout."""
    command = [sys.executable, str(ROOT / "tools" / name), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def write_package(folder: Path, files: dict[str, str]) -> Path:
    """Write a small package for a tool to look at."""
    for name, text in files.items():
        path = folder / "pkg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "pkg"


def test_import_is_light() -> None:
    """`import runfolio` loads fewer than 60 new modules, of the standard library only, and none of its heavy ones."""
    done = run_tool("import_budget.py")
    assert done.returncode == 0, done.stdout


def test_import_budget_names_the_intruder() -> None:
    """The budget names the module that breaks it and who imported it."""
    done = run_tool("import_budget.py", "logging.config")
    assert done.returncode == 1
    assert "intruder: logging may not be loaded" in done.stdout
    assert "config.py:" in done.stdout


def test_no_import_cycles() -> None:
    """No module of runfolio imports, over any others, itself."""
    done = run_tool("shape.py")
    assert done.returncode == 0, done.stdout


def test_shape_finds_a_cycle_inside_functions(tmp_path: Path) -> None:
    """A cycle that hides inside a function is found; one for the type checker only is none."""
    files = {
        "__init__.py": "",
        "room/__init__.py": "",
        "room/a.py": "from . import b\n",
        "room/b.py": "def late():\n    from pkg.room.a import x\n",
        "room/c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.room import d\n",
        "room/d.py": "import pkg.room.c\n",
    }
    done = run_tool("shape.py", str(write_package(tmp_path, files)))
    assert done.returncode == 1
    assert "cycle: pkg.room.a · pkg.room.b\n1 import cycles" in done.stdout


def test_version_is_told_alike() -> None:
    """The command and the package tell the same version."""
    (script,) = entry_points(group="console_scripts", name="runfolio")
    module, function = script.value.split(":")
    program = f"import sys; from {module} import {function}; sys.argv[0] = 'runfolio'; sys.exit({function}())"
    done = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert runfolio.__version__ in done.stdout


def test_package_is_typed() -> None:
    """Type checkers may rely on our annotations."""
    assert Path(runfolio.__file__).with_name("py.typed").exists()
