"""Count what `import runfolio` loads, and name each intruder.

Every training script pays for this import, so it has a budget: few new modules, the standard library only, and
none of its heavy ones. Exits 1 when the budget is broken.

Usage: python tools/import_budget.py [MODULE]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NEW_MODULES_MAX = 59
HEAVY = frozenset({"asyncio", "json", "logging", "pathlib", "sqlite3", "subprocess", "tempfile"})
SRC = Path(__file__).resolve().parents[1] / "src"

# Runs without site (-S), which may load anything for a .pth file; a bare Python has loaded sys, os and site by then.
# The finder sees each import before the real ones do, and notes who asked.
PROBE = """
import sys, os, site

class Witness:
    @staticmethod
    def find_spec(name, path=None, target=None):
        frame = sys._getframe(1)
        while frame and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        asked[name] = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "?"

asked = {}
before = set(sys.modules)
sys.meta_path.insert(0, Witness)
sys.path.insert(0, sys.argv[1])
__import__(sys.argv[2])
for name in sorted(set(sys.modules) - before):
    print(name, asked.get(name, "?"), sep="\\t")
"""


def new_modules(module: str) -> dict[str, str]:
    """Import `module` in a fresh interpreter and return each newly loaded module with the place that asked for it."""
    command = [sys.executable, "-I", "-S", "-c", PROBE, str(SRC), module]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(line.split("\t", 1) for line in done.stdout.splitlines())


def objection(name: str) -> str | None:
    """Say why a module may not be loaded, or None where it may."""
    package = name.partition(".")[0]
    if package in HEAVY:
        return "may not be loaded by it"
    if package != "runfolio" and package not in sys.stdlib_module_names:
        return "is not of the standard library"
    return None


def report(module: str) -> int:
    """Print the count and the intruders; return the exit code."""
    loaded = new_modules(module)
    broken = False
    for name, place in loaded.items():
        if why := objection(name):
            broken = True
            print(f"intruder: {name} {why}; imported at {place}")
    if len(loaded) > NEW_MODULES_MAX:
        broken = True
        print("loaded: " + " ".join(loaded))
    print(f"import {module}: {len(loaded)} new modules, at most {NEW_MODULES_MAX} allowed")
    return int(broken)


if __name__ == "__main__":
    sys.exit(report(*sys.argv[1:2] or ["runfolio"]))
