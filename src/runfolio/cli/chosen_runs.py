"""Choose the runs that an edit is about: named ones, or all that fit a filter; and say what would be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from runfolio.cli.arguments import RUN, run_words
from runfolio.cli.render.screen import write
from runfolio.cli.render.values import count
from runfolio.errors import MetricNotFound, UsageError

if TYPE_CHECKING:
    from runfolio.query.editing import Edit, Planned
    from runfolio.query.run import Run
    from runfolio.query.store import Store

F = TypeVar("F", bound=Callable[..., object])
_TOLD_MAX = 20


def edit_options(function: F) -> F:
    """Add the runs, `--filter` and `--dry-run`."""
    function = click.option("--dry-run", "-n", is_flag=True, help="Only say what would be done.")(function)
    function = click.option(
        "--filter", "-f", metavar="EXPR", help="All runs that fit, as 'metrics.loss.last is None'."
    )(function)
    return click.argument("runs", nargs=-1, type=RUN, metavar="[RUN]...")(function)


def chosen(store: Store, runs: tuple[str, ...], filter: str | None, deleted: bool | None = False) -> list[Run]:
    """Give the runs that were named, or that fit; all are known before the first is touched.

    Raises:
        UsageError: neither, or both. RunNotFound, AmbiguousRun: a name that fits no run, or several.
    """
    if runs and filter is not None:
        raise UsageError("name runs, or choose them by --filter; not both")
    if filter is not None:
        return list(store.runs(filter, deleted=deleted, archived=None))
    if not runs:
        raise UsageError("which runs? Name them, or choose them by --filter")
    return list({run.id: run for run in map(store.run, runs)}.values())


def make_change(
    runs: tuple[str, ...], filter: str | None, edit: Edit, what: str, dry_run: bool, deleted: bool | None = False
) -> list[Planned]:
    """Edit the chosen runs, and tell what was done and how to take it back.

    Args:
        what: in words, as "Tagged".

    Raises:
        MetricNotFound: a metric is to be renamed that none of them has. OSError: the store cannot be written; nothing is told then.
    """
    from runfolio.query.editing import apply, plan
    from runfolio.query.no_metric import no_metric
    from runfolio.query.store import Store
    from runfolio.store.layout import Layout, find

    with Store(find()) as store:
        found = chosen(store, runs, filter, deleted)
        planned = plan(found, edit)
        if edit.metric and found and not planned:
            raise MetricNotFound(no_metric(edit.metric[0], found))
        if planned and not dry_run:
            apply(Layout(store.path), what.lower(), planned)
        for one in planned[:_TOLD_MAX]:
            write(f"{'Would have ' + what.lower() if dry_run else what} {run_words(one.run)}.")
        if len(planned) > _TOLD_MAX:
            write(f"… and {len(planned) - _TOLD_MAX:,} more.")
        changed = {one.run.id for one in planned}
        same = [run for run in found if run.id not in changed]
        for run in same[:_TOLD_MAX] if filter is None else ():
            write(f"{run_words(run)} {_as_it_is(edit)}.")
        if not found:
            write("No run fits.")
        elif not planned and filter is not None:
            write(f"Nothing to change: each of {count(len(found), 'run')} {_as_it_is(edit)}.")
        return planned


def _as_it_is(edit: Edit) -> str:
    """Say of a run in which an edit changes nothing how it is."""
    if edit.deleted is not None:
        return "is deleted already" if edit.deleted else "is not deleted"
    if edit.archived is not None:
        return "is archived already" if edit.archived else "is not archived"
    if edit.name is not None:
        return "is called so already"
    return "has these notes already" if edit.notes is not None else "is tagged so already"
