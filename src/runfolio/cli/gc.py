"""`runfolio gc`: free the space of deleted runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from runfolio.cli.render import values
from runfolio.cli.render.screen import write
from runfolio.errors import UsageError
from runfolio.model.ids import short
from runfolio.model.names import printable

if TYPE_CHECKING:
    from runfolio.store.gc import GcReport


@click.command()
@click.option("--dry-run", "-n", is_flag=True, help="Only say what would be freed.")
@click.option(
    "--journals", is_flag=True, help="Also remove journals that are closed, sealed, and the same in the seal."
)
@click.option(
    "--keep",
    "-k",
    multiple=True,
    metavar="RULE",
    help="Delete runs but those: best:N:METRIC[:min|max], latest:N, tag:KEY.",
)
@click.option("--older", metavar="30d", help="With or without --keep: delete only runs that ended longer ago.")
@click.option("--filter", "-f", metavar="EXPR", help="With them: only runs that fit.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    dry_run: bool, journals: bool, keep: tuple[str, ...], older: str | None, filter: str | None, as_json: bool
) -> None:
    """Free the bytes of deleted runs for good, and what killed processes left half written. Never those of a running run.

    With --keep or --older it deletes instead: in each experiment all runs that have ended, but those that a rule keeps. Nothing is
    freed then: `runfolio undo` brings them back, and a further `runfolio gc` frees them.
    """
    import time

    if keep or older is not None:
        return _retain(keep, older, filter, dry_run)
    if filter is not None:
        raise UsageError("--filter is for --keep and --older")

    from runfolio.store.gc import collect
    from runfolio.store.layout import find
    from runfolio.store.liveness import LOST_AFTER_S

    def wait() -> None:
        if sys.stderr.isatty():
            click.echo(
                f"Watching for {LOST_AFTER_S:.0f} s whether deleted runs of other machines still move …", err=True
            )
        time.sleep(LOST_AFTER_S)

    layout = find()
    layout.store_id()
    report = collect(layout, dry_run, journals, wait=wait)
    if as_json:
        from runfolio.cli.render.json_text import write_json

        write_json({**report._asdict(), "kept": [one._asdict() for one in report.kept], "dry_run": dry_run})
    else:
        _tell(report, dry_run)


def _retain(keep: tuple[str, ...], older: str | None, filter: str | None, dry_run: bool) -> None:
    """Delete what no rule keeps."""
    from runfolio.cli.chosen_runs import make_change
    from runfolio.query.editing import Edit
    from runfolio.query.retention import let_go, parse_keep
    from runfolio.query.store import Store
    from runfolio.store.layout import find

    rules = [parse_keep(rule) for rule in keep]
    with Store(find()) as store:
        every = store.runs(filter, archived=None)
        going = let_go(store, rules, older, every)
    if not going:
        return write(f"None of {values.count(len(every), 'run')} goes.")
    make_change(tuple(run.id for run in going), None, Edit(deleted=True), "Deleted", dry_run)
    write(
        f"{values.count(len(going), 'run')} of {len(every):,}."
        + ("" if dry_run else " runfolio undo brings them back, runfolio gc frees them.")
    )


def _tell(report: GcReport, dry_run: bool) -> None:
    for one in report.kept:
        write(f"Kept {short(one.run_id)}: {printable(one.why)}")
    parts = [values.count(len(report.runs), "run"), values.size(report.size_bytes)]
    for number, noun in (
        (report.blobs, "shared content"),
        (report.artifacts, "unused artifact"),
        (report.journals, "sealed journal"),
        (report.drafts, "draft"),
    ):
        if number:
            parts.append(values.count(number, noun))
    write(f"{'Would free' if dry_run else 'Freed'} {', '.join(parts)}.")
