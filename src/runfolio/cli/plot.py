"""`runfolio plot`: curves of metrics, in the terminal or into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from runfolio.cli.arguments import NAME, RUN, selection_options
from runfolio.cli.comma_names import comma_names, params_of
from runfolio.cli.render.screen import screen, write, write_lines
from runfolio.errors import NotFound, StoreNotFound, UsageError
from runfolio.model.names import printable

if TYPE_CHECKING:
    from runfolio.query.runs import Runs

NEWEST = 10
ROWS = 14


@click.command()
@click.argument("metrics", nargs=-1, required=True, type=NAME, metavar="METRIC...")
@click.option("--run", "-r", "named", multiple=True, type=RUN, metavar="RUN", help="This run; may be given again.")
@selection_options
@click.option("--experiment", "-e", type=NAME, help="Only the runs of one experiment.")
@click.option(
    "--limit", "-l", type=click.IntRange(1), help=f"How many; the newest {NEWEST} where nothing else is said."
)
@click.option("--all", "-a", "everything", is_flag=True, help="All of them, not only the newest.")
@click.option(
    "--group-by", "-g", metavar="A,B", help="One curve for each value of these params, with a band over its runs."
)
@click.option(
    "--centre",
    type=click.Choice(("mean", "median")),
    default="mean",
    help="Of a group: the mean (default), with its 95 % interval, or the median, with the middle half.",
)
@click.option(
    "--smooth",
    "-s",
    type=float,
    default=0.0,
    metavar="WEIGHT",
    help="A moving average, from 0 (none) up to below 1, as 0.9; the line as logged stays, faint.",
)
@click.option(
    "--x", metavar="WHAT", type=NAME, default="step", help="step (default), time since the start, or a metric."
)
@click.option("--log-y", is_flag=True, help="A logarithmic axis.")
@click.option("--together", is_flag=True, help="All metrics on the same axes.")
@click.option("--title", metavar="TEXT", help="Above the picture.")
@click.option("--height", type=click.IntRange(4, 200), help=f"Rows of each frame in the terminal; {ROWS} by default.")
@click.option(
    "--out",
    "-o",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write .png, .svg, .pdf or .html instead (needs runfolio[plot]).",
)
def command(
    metrics: tuple[str, ...],
    named: tuple[str, ...],
    filter: str | None,
    sort: str | None,
    experiment: str | None,
    limit: int | None,
    everything: bool,
    group_by: str | None,
    title: str | None,
    height: int | None,
    out: str | None,
    **wish: Any,
) -> None:
    """Plot curves of metrics: in the terminal, or into a file.

    The words are metrics; runs are named by --run or chosen by --filter. Each run is a curve, labelled by the params
    that differ, and each metric a panel. NaN and the infinities are gaps with a mark.

    \b
    runfolio plot loss                                 # the newest runs
    runfolio plot loss val_loss -r mlp-64 --together
    runfolio plot acc -g lr,model.width --smooth 0.9   # bands over seeds
    runfolio plot acc -f 'lr < 0.1' -o acc.pdf
    """
    if named and (filter or sort or experiment or limit or everything):
        raise UsageError("name runs by --run, or choose them by --filter, --experiment, --sort, --limit and --all")
    if out:
        from runfolio.query.plot.save import check_out

        check_out(out)
        if height:
            raise UsageError("--height is for the terminal: leave it or --out away")
    runs = _named(named) if named else _chosen(filter, sort, experiment)
    having = type(runs)((run for run in runs if any(name in run.metrics for name in metrics)), runs._store) or runs
    if not limit and not (everything or filter or group_by or named):
        limit = NEWEST
    kept = type(runs)(having[:limit], runs._store)
    wish["group_by"] = comma_names(group_by, params_of(kept)) if group_by else None
    if out:
        kept.plot(*metrics, **wish, title=title, out=out)
        write(f"{printable(out)}: {len(kept):,} run{'' if len(kept) == 1 else 's'}")
    else:
        from runfolio.cli.render.curves import plot_lines
        from runfolio.query.plot.curves import plot_of

        write_lines(plot_lines(plot_of(kept, metrics, **wish), screen(), height or ROWS, title))
    if len(kept) < len(having):
        newest = "first" if sort else "newest"
        write(f"the {newest} {len(kept):,} of {len(having):,} runs; --all draws the rest.")


def _named(names: tuple[str, ...]) -> Runs:
    from runfolio.cli.stores import open_to_find
    from runfolio.query.runs import Runs

    store = open_to_find(names[0])
    return Runs({run.id: run for run in map(store.run, names)}.values(), store)


def _chosen(filter: str | None, sort: str | None, experiment: str | None) -> Runs:
    from runfolio.cli.stores import open_to_read

    try:
        found = open_to_read().runs(filter, sort=sort, experiment=experiment)
    except StoreNotFound as gone:
        raise NotFound(f"no runs yet: {gone}") from gone
    if not found:
        raise NotFound("no run fits; runfolio list shows what there is")
    return found
