"""Read the documented files, and run scripts as the document does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "ntn"


def strict(text: str) -> Any:
    """Read JSON as a strict parser does: bare NaN is none."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no strict JSON")

    return json.loads(text, parse_constant=refuse)


def logged(name: str, folder: str = "experiment_logs") -> dict[str, Any]:
    """Read the file of one run."""
    found: dict[str, Any] = strict(Path(folder, f"{name}.json").read_text(encoding="utf-8"))
    return found


def names(folder: str = "experiment_logs") -> list[str]:
    """List the runs that have a file in a folder."""
    return sorted(path.stem for path in Path(folder).iterdir())


def shell(text: str, **environment: str) -> str:
    """Run shell lines beside the example's `experiments`, with our Python first; return what they print."""
    if not Path("experiments").exists():
        Path("experiments").symlink_to(EXAMPLE / "experiments")
        Path("bin").mkdir()
        for name in ("python", "python3"):
            Path("bin", name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            Path("bin", name).chmod(0o755)
    told = {**os.environ, "PATH": f"{Path('bin').resolve()}{os.pathsep}{os.environ['PATH']}", "EXAMPLE_SHORT": "1"}
    ran = subprocess.run(
        ["bash", "-e", "-c", text], env={**told, **environment}, capture_output=True, text=True, timeout=200
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
