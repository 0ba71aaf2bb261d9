#!/usr/bin/env python3
"""Measure runfolio against each promise of its speed table, print the table, and keep it in `results/gates.json`.

python bench/gates.py [--only hot,disk] [--quick] [--json]
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import sys
from typing import Any

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from bench.gate import Finding, missing  # noqa: E402
from bench.lab import Lab  # noqa: E402
from bench.machine import machine_line  # noqa: E402
from bench.rows import ROWS, Row  # noqa: E402

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results", "gates.json")
WORK = os.environ.get("BENCH_WORK", os.path.expanduser("~/.cache/runfolio-bench/work"))


def main() -> int:
    """Measure the chosen rows; exit 1 where a promise was missed or could not be measured."""
    wanted = parse()
    rows = [row for row in ROWS if not wanted.only or row.name in wanted.only]
    lab = Lab(os.path.join(WORK, f"gates-{os.getpid()}"), quick=wanted.quick)
    date = datetime.date.today().isoformat()
    load = os.getloadavg()[0]
    try:
        found = [finding.as_json(date) for row in rows for finding in look(row, lab)]
        report = {"date": date, "machine": machine_line(lab.folder, load), "quick": wanted.quick, "rows": found}
    finally:
        shutil.rmtree(lab.folder, ignore_errors=True)
    if not wanted.quick:
        keep(report)
    print(json.dumps(report, indent=1, ensure_ascii=False) if wanted.json else render(report))
    return int(any(row["verdict"] in ("missed", "missing") for row in found))


def parse() -> argparse.Namespace:
    """Read the command line; an unknown row is an error that names the known ones."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda text: text.split(","), help="rows: " + ",".join(names))
    parser.add_argument("--quick", action="store_true", help="few, small repetitions; the results are not kept")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    wanted = parser.parse_args()
    for name in wanted.only or ():
        if name not in names:
            parser.error(f"no row {name!r}; there are {', '.join(names)}")
    return wanted


def look(row: Row, lab: Lab) -> list[Finding]:
    """Measure one row; whatever stops it becomes its detail, and the other rows go on."""
    print(f"… {row.name}", file=sys.stderr, flush=True)
    try:
        return row.measure(lab)
    except Exception as error:  # a row that breaks is a missing row, told as such
        return missing(row.gates, f"{type(error).__name__}: {error}")


def keep(report: dict[str, Any]) -> None:
    """Write the results; rows that were not measured this time stay, with the date they have."""
    rows = {row["row"]: row for row in _kept_rows()} | {row["row"]: row for row in report["rows"]}
    order = [gate.row for row in ROWS for gate in row.gates]
    ordered = [rows[name] for name in order if name in rows]
    os.makedirs(os.path.dirname(RESULTS), exist_ok=True)
    with open(RESULTS, "w") as file:
        json.dump({**report, "rows": ordered}, file, indent=1, ensure_ascii=False)
        file.write("\n")


def _kept_rows() -> list[dict[str, Any]]:
    try:
        with open(RESULTS) as file:
            return list(json.load(file)["rows"])
    except FileNotFoundError:
        return []


def render(report: dict[str, Any]) -> str:
    """Render the markdown table."""
    lines = [
        f"{report['date']} · {report['machine']}" + (" · quick: do not quote" if report["quick"] else ""),
        "",
        "| what | must | aim | seen | verdict | how |",
        "| --- | --: | --: | --: | --- | --- |",
    ]
    for row in report["rows"]:
        seen = "—" if row["seen"] is None else f"{row['seen']:.3g} {row['unit']}"
        cells = [
            row["row"],
            f"{row['must']:g}",
            f"{row['aim']:g}",
            seen,
            row["verdict"],
            row["detail"].replace("|", "/"),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
