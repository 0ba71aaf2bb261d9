#!/usr/bin/env python3
"""Measure the app in Debian's chromium against its gates: needs `make ui`, playwright and /usr/bin/chromium.

python bench/screen/run.py [--only load,many,charts,live] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[0] = ROOT
sys.path.insert(1, os.path.join(ROOT, "src"))

from playwright.sync_api import sync_playwright  # noqa: E402

from bench.machine import machine_line  # noqa: E402
from bench.screen.rows import ROWS  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(ROWS), help=",".join(ROWS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=os.path.expanduser("~/.cache/runfolio-bench"))
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else every start compiles anew
    missed = False
    print(machine_line(asked.folder, os.getloadavg()[0]) + "\n")
    print("| what | must · aim | seen | | |\n| --- | --: | --: | --- | --- |")
    with sync_playwright() as playwright:
        for name in asked.only.split(","):
            for found in ROWS[name](playwright, asked.folder, asked.rounds):
                gate = found.gate
                seen = "–" if found.seen is None else f"{found.seen:.3g}"
                print(
                    f"| {gate.row} | {gate.must:g} · {gate.aim:g} {gate.unit} | {seen} | {found.verdict} | {found.detail} |",
                    flush=True,
                )
                missed |= found.verdict in ("missed", "missing")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
