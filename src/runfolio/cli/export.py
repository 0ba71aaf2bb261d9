"""`runfolio export`: runs as files for other programs, or as one folder with everything."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from runfolio.cli.arguments import RUN
from runfolio.cli.render import values
from runfolio.cli.render.screen import write, write_data
from runfolio.errors import UsageError
from runfolio.model.names import printable

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

FORMATS = ("json", "jsonl", "csv", "parquet", "folder")


@click.command()
@click.argument("runs", nargs=-1, type=RUN, metavar="[RUN...]")
@click.option("--filter", "-f", metavar="EXPR", help="The runs that fit, as in list.")
@click.option("--archived", is_flag=True, help="Archived runs too.")
@click.option("--format", "form", type=click.Choice(FORMATS), required=True, help="What to write.")
@click.option(
    "--out", "-o", "path", required=True, type=click.Path(), metavar="PATH", help="Where; `-` is standard output."
)
@click.option("--force", is_flag=True, help="Replace an export that is there.")
def command(runs: tuple[str, ...], filter: str | None, archived: bool, form: str, path: str, force: bool) -> int:
    """Export runs, all of them where none is named.

    \b
    json      one JSON document with everything that is known of the runs, points among it
    jsonl     the same, a line for each run
    csv       a folder with runs.csv and points.csv; to a path that ends in .csv: the points
    parquet   a folder with runs, params, metrics, points, artifacts; to .parquet: the points
    folder    everything byte for byte, and tables: `runfolio import runfolio PATH` brings it back

    `-` for json, jsonl and csv. Exit code: 0, or 1 where something is damaged and could not be had.
    """
    from runfolio.cli.stores import open_to_read

    if runs and (filter is not None or archived):
        raise UsageError("name runs, or --filter them, not both")
    with open_to_read() as store:
        chosen = _chosen(store, runs, filter, archived)
        if path == "-":
            _write_out(store, chosen, form)
            return 0
        return _write_to(store, chosen, form, path, force)


def _chosen(store: Store, refs: tuple[str, ...], filter: str | None, archived: bool) -> list[Run]:
    if refs:
        return list({run.id: run for run in map(store.run, refs)}.values())
    return list(store.runs(filter, archived=None if archived else False))


def _write_out(store: Store, runs: list[Run], form: str) -> None:
    from runfolio.convert.exports.export import write_text

    write_text(store, runs, form, _Out())  # type: ignore[arg-type]


class _Out:
    """Standard output as a file to write to; safe where it is a terminal."""

    def write(self, text: str) -> None:
        write_data(text)

    def writelines(self, texts: Iterable[str]) -> None:
        for text in texts:
            write_data(text)


def _write_to(store: Store, runs: list[Run], form: str, path: str, force: bool) -> int:
    from runfolio.cli.render.progress import watched
    from runfolio.convert.exports.export import export

    lacking = export(store, runs, form, path, force=force, watch=lambda items: watched(items, "Exporting"))
    for one in lacking:
        click.echo(f"lacking in {one.run_id[:8]}: {printable(one.what)}: {printable(one.reason)}", err=True)
    end = os.sep if os.path.isdir(path) else ""
    write(f"Exported {values.count(len(runs), 'run')} to {printable(path.rstrip(os.sep))}{end}")
    return 1 if lacking else 0
