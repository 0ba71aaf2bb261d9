"""`runfolio doctor`: look at the store, the disk and the versions."""

from __future__ import annotations

import click

from runfolio.cli.health import Finding, examine
from runfolio.cli.render.screen import BOLD, RED, Screen, screen, write, write_lines
from runfolio.cli.render.text import pad
from runfolio.model.ids import short
from runfolio.model.names import printable


@click.command()
@click.option("--bring-home", is_flag=True, help="First move runs that have ended from the spool into the store.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(bring_home: bool, as_json: bool) -> int:
    """Look at the store, the disk, the versions and the cost of a log. Exits with 1 where something is wrong."""
    if bring_home:
        _bring_home(quiet=as_json)
    found = examine()
    if as_json:
        from runfolio.cli.render.json_text import write_json

        write_json({
            "sound": not any(finding.trouble for finding in found),
            "findings": {finding.name: finding.facts for finding in found},
            "trouble": [trouble for finding in found for trouble in finding.trouble],
        })  # fmt: skip
    else:
        write_lines(_lines(found, screen()))
    return 1 if any(finding.trouble for finding in found) else 0


def _bring_home(quiet: bool) -> None:
    from runfolio.cli.homecoming import bring_home
    from runfolio.store.layout import find

    for one in bring_home(find()):
        if not quiet:
            became = f"stays in the spool: {one.trouble}" if one.trouble else "is home"
            write(f"{short(one.run_id)} {printable(became)}.")


def _lines(found: list[Finding], to: Screen) -> list[str]:
    lines = []
    for finding in found:
        title = to.paint(pad(finding.name, 9), BOLD)
        lines += [f"{title if number == 0 else ' ' * 9} {printable(text)}" for number, text in enumerate(finding.words)]
    trouble = [trouble for finding in found for trouble in finding.trouble]
    if trouble:
        return [*lines, "", *(to.paint("✗ ", RED) + printable(text) for text in trouble)]
    return [*lines, "", "✓ Everything is well."]
