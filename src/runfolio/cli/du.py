"""`runfolio du`: how much space runs and their artifacts take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runfolio.cli.arguments import RUN
from runfolio.cli.render import values
from runfolio.cli.render.screen import PIPE_COLUMNS_OF_TABLES, screen, write, write_lines
from runfolio.errors import UsageError
from runfolio.model.ids import short

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.store.sizes import Total

_KINDS = ("journals", "artifacts", "output", "seal", "other")
SHOWN = 20


@click.command()
@click.argument("runs", nargs=-1, type=RUN, metavar="[RUN]...")
@click.option("--filter", "-f", metavar="EXPR", help="Only the runs that fit.")
@click.option("--artifacts", "-a", is_flag=True, help="By artifact: each version of each, the biggest first.")
@click.option("--all", "everything", is_flag=True, help=f"All of them, not only the {SHOWN} biggest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(runs: tuple[str, ...], filter: str | None, artifacts: bool, everything: bool, as_json: bool) -> None:
    """Show how much space runs take, deleted ones too, the biggest first. What several runs share is counted once in the sum."""
    from runfolio.cli.stores import open_to_read
    from runfolio.store.layout import Layout
    from runfolio.store.sizes import sizes

    if runs and filter is not None:
        raise UsageError("name runs, or choose them by --filter; not both")
    store = open_to_read()
    found = [store.run(one) for one in runs] if runs else list(store.runs(filter, deleted=None, archived=None))
    if artifacts:
        return _artifacts(found, everything, as_json)
    total = sizes(Layout(store.path), [run.id for run in found])
    if as_json:
        from runfolio.cli.render.json_text import write_json

        listed = [{**size._asdict(), "total": size.total} for size in total.runs]
        return write_json({"runs": listed, "total": total.total, "shared": total.shared})
    _runs(found, total, everything)


def _runs(found: list[Run], total: Total, everything: bool) -> None:
    from runfolio.cli.render.table import column, plain_table

    by_id = {run.id: run for run in found}
    biggest = sorted(total.runs, key=lambda size: -size.total)
    shown = biggest if everything else biggest[:SHOWN]
    kinds = [kind for kind in _KINDS if any(getattr(size, kind) for size in shown)]
    columns = [
        column("size", [values.size(size.total) for size in shown], right=True),
        column("id", [short(size.run_id) for size in shown]),
        column("name", [by_id[size.run_id].name or "-" for size in shown], limit=32),
        *(column(kind, [values.size(getattr(size, kind)) for size in shown], right=True) for kind in kinds),
    ]
    if shown:
        write_lines(plain_table(columns, screen(PIPE_COLUMNS_OF_TABLES)))
    if len(shown) < len(biggest):
        write(f"… and {values.count(len(biggest) - len(shown), 'smaller run')}: --all shows them.")
    shared = f"; {values.size(total.shared)} of the above is shared" if total.shared else ""
    write(f"{values.count(len(found), 'run')}, {values.size(total.total)} together{shared}.")


def _artifacts(found: list[Run], everything: bool, as_json: bool) -> None:
    from runfolio.cli.render.table import column, plain_table

    versions = [(run, one) for run in found for one in run.artifacts]
    versions.sort(key=lambda pair: -pair[1].size_bytes)
    if as_json:
        from runfolio.cli.render.json_text import write_json

        listed = [{"run": run.id, **one._asdict()} for run, one in versions]
        return write_json(
            {"artifacts": listed, "total": sum({one.sha256: one.size_bytes for _, one in versions}.values())}
        )
    shown = versions if everything else versions[:SHOWN]
    if shown:
        columns = [
            column("size", [values.size(one.size_bytes) for _, one in shown], right=True),
            column("run", [short(run.id) for run, _ in shown]),
            column("artifact", [one.name for _, one in shown], limit=48),
            column("version", [str(one.version) for _, one in shown], right=True),
        ]
        write_lines(plain_table(columns, screen(PIPE_COLUMNS_OF_TABLES)))
    together = sum({one.sha256: one.size_bytes for _, one in versions}.values())
    write(f"{values.count(len(versions), 'version')}, {values.size(together)} together, equal contents counted once.")
