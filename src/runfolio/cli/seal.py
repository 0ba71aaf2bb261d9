"""`runfolio seal`: write the views of ended runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runfolio.cli.arguments import RUN
from runfolio.cli.render import values
from runfolio.cli.render.screen import write
from runfolio.errors import RunfolioError
from runfolio.model import states
from runfolio.model.ids import short
from runfolio.model.names import printable

if TYPE_CHECKING:
    from runfolio.query.store import Store
    from runfolio.store.seal import SealResult

_ENDED = (states.FINISHED, states.FAILED, states.KILLED, states.CANCELLED, states.LOST)


@click.command()
@click.argument("runs", nargs=-1, type=RUN, metavar="[RUN]...")
@click.option("--json", "as_json", is_flag=True, help="A JSON list, an object for each run.")
def command(runs: tuple[str, ...], as_json: bool) -> int:
    """Write metrics.parquet and run.json beside the journals of ended runs: of those named, or of all. Nothing is removed."""
    from runfolio.cli.render.progress import watched
    from runfolio.query.store import open_store

    sealed, troubles = [], []
    with open_store() as store:
        for run_id in watched(_chosen(store, runs), "Sealing"):
            try:
                sealed.append(_seal(store, run_id))
            except (RunfolioError, OSError) as trouble:
                troubles.append((run_id, str(trouble)))
    if as_json:
        from runfolio.cli.render.json_text import write_json

        told = [{"id": run_id, "error": why} for run_id, why in troubles]
        write_json([*({"id": one.run_id, **_facts(one)} for one in sealed), *told])
    else:
        _tell(sealed, troubles)
    return 1 if troubles or any(one.kept for one in sealed) else 0


def _chosen(store: Store, runs: tuple[str, ...]) -> list[str]:
    if runs:
        return list(dict.fromkeys(store.run(run).id for run in runs))
    return [run.id for run in store.runs(status=_ENDED, archived=None)]


def _seal(store: Store, run_id: str) -> SealResult:
    from runfolio.store.layout import Layout
    from runfolio.store.seal import seal

    return seal(Layout(store.path), run_id)


def _facts(one: SealResult) -> dict[str, object]:
    return {name: value for name, value in one._asdict().items() if name != "run_id"}


def _tell(sealed: list[SealResult], troubles: list[tuple[str, str]]) -> None:
    for one in sealed:
        if one.left_open:
            write(
                f"{short(one.run_id)}: {values.count(len(one.left_open), 'journal')} of it may go on, and is not sealed yet"
            )
    for run_id, why in troubles:
        write(f"✗ {short(run_id)}: {printable(why)}")
    for one in sealed:
        for journal in one.kept:
            write(f"✗ {short(one.run_id)}: journal {journal} has lost what was sealed of it; the seal keeps that")
    new = [one for one in sealed if one.changed]
    points, size_bytes = sum(one.points for one in new), sum(one.size_bytes for one in new)
    if new:
        write(
            f"Sealed {values.count(len(new), 'run')}: {values.count(points, 'point')} in {values.size(size_bytes)} of Parquet."
        )
    elif any(not one.kept for one in sealed):
        write(f"Nothing new to seal in {values.count(len(sealed), 'run')}.")
    elif not troubles and not sealed:
        write("No run has ended yet.")
