"""What `import runfolio` loads, counted and named."""

from __future__ import annotations

import json
import subprocess
import sys

from bench.gate import Finding, Gate, missing
from bench.lab import SOURCE, Lab

GATES = (
    Gate("import runfolio: new modules", 60, 35, "modules", below=True),
    Gate("import runfolio: modules that it must not load", 0, 0, "modules"),
)
UNWANTED = ("sqlite3", "asyncio", "json", "logging", "tempfile", "subprocess", "pathlib")

PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import runfolio
imported = set(sys.modules) - before
runfolio.start
verb = set(sys.modules) - before
import json
print(json.dumps([sorted(imported), sorted(verb)]))
"""


def measure(lab: Lab) -> list[Finding]:
    """Count in a Python without `site`, so that nothing an environment preloads is forgotten."""
    ended = subprocess.run(
        [sys.executable, "-S", "-c", PROBE, SOURCE], env=lab.env(lab.folder), capture_output=True, text=True
    )
    if ended.returncode != 0:
        return missing(GATES, ended.stderr.strip().splitlines()[-1])
    imported, verb = json.loads(ended.stdout)
    intruders = [name for name in imported if _intrudes(name)]
    later = [name for name in verb if _intrudes(name) and name not in intruders]
    return [
        Finding(GATES[0], len(imported), f"without site; {len(verb)} after the name runfolio.start was looked up"),
        Finding(
            GATES[1],
            len(intruders),
            (", ".join(intruders) or "none") + f"; with runfolio.start: {', '.join(later) or 'none'}",
        ),
    ]


def _intrudes(name: str) -> bool:
    room = name.partition(".")[0]
    return room in UNWANTED or (room != "runfolio" and room not in sys.stdlib_module_names)
