"""`runfolio verify`: check every checksum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runfolio.cli.arguments import RUN
from runfolio.cli.render import values
from runfolio.cli.render.screen import DIM, RED, Screen, screen, write_lines
from runfolio.model.ids import short
from runfolio.model.names import printable

if TYPE_CHECKING:
    from runfolio.store.verify import Finding, Report


@click.command()
@click.argument("run", type=RUN, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(run: str | None, as_json: bool) -> int:
    """Check every checksum of RUN, or of the whole store. Exits with 1 where something is damaged.

    A torn tail, which a kill leaves, and what was not synced before a power cut are told, and sound.
    """
    from runfolio.query.store import open_store
    from runfolio.store.layout import Layout, find
    from runfolio.store.verify import verify

    if run is None:
        report = verify(find())
    else:
        with open_store() as store:
            report = verify(Layout(store.path), store.run(run).id)
    if as_json:
        from runfolio.cli.render.json_text import write_json

        counts = {"runs": report.runs, "files": report.files, "size_bytes": report.size_bytes}
        write_json({"sound": report.sound, **counts, "findings": [one._asdict() for one in report.findings]})
    else:
        write_lines(_lines(report, screen()))
    return 0 if report.sound else 1


def _lines(report: Report, to: Screen) -> list[str]:
    checked = ", ".join(
        (values.count(report.runs, "run"), values.count(report.files, "file"), values.size(report.size_bytes))
    )
    damaged = sum(finding.damage for finding in report.findings)
    last = f"✗ Damaged: {values.count(damaged, 'place')}" if damaged else "✓ Sound"
    return [*(_line(finding, to) for finding in report.findings), f"{last} ({checked} checked)."]


def _line(finding: Finding, to: Screen) -> str:
    run = f"{short(finding.run_id)} " if finding.run_id else ""
    place = f" offset {finding.offset}" if finding.offset is not None else ""
    text = printable(f"{run}{finding.file}{place}: {finding.message}")
    return to.paint(text, RED) if finding.damage else to.paint(f"{text} (sound)", DIM)
