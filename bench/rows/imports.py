"""What `import runfolio` loads, counted and named."""

from __future__ import annotations

import json
import subprocess
import sys

from bench.gate import Finding, Gate, missing
from bench.lab import SOURCE, ChildFailed, Lab

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
    """Count in a Python as a script gets it, and in one without `site`, where nothing is loaded beforehand."""
    try:
        imported, verb = _probe(lab)
        bare, _ = _probe(lab, "-S")
    except ChildFailed as error:
        return missing(GATES, str(error))
    intruders = [name for name in bare if _intrudes(name)]
    later = [name for name in verb if _intrudes(name) and name not in intruders]
    counts = f"{len(bare)} in python -S; {len(verb)} after the name runfolio.start was looked up"
    names = (", ".join(intruders) or "none") + f"; with runfolio.start: {', '.join(later) or 'none'}"
    return [Finding(GATES[0], len(imported), counts), Finding(GATES[1], len(intruders), names)]


def _probe(lab: Lab, *switches: str) -> list[list[str]]:
    command = [sys.executable, *switches, "-c", PROBE, SOURCE]
    ended = subprocess.run(command, env=lab.env(lab.folder), capture_output=True, text=True)
    if ended.returncode != 0:
        raise ChildFailed(ended.stderr.strip().splitlines()[-1])
    return list(json.loads(ended.stdout))


def _intrudes(name: str) -> bool:
    room = name.partition(".")[0]
    return room in UNWANTED or (room != "runfolio" and room not in sys.stdlib_module_names)
