"""`runfolio diff`: why did it change?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runfolio.cli.arguments import RUN, check_form, data_options
from runfolio.cli.render.screen import PIPE_COLUMNS_OF_TABLES, screen, write_data, write_lines
from runfolio.errors import NotFound, StoreNotFound, UsageError
from runfolio.model.names import shown

if TYPE_CHECKING:
    from runfolio.query.diff import Diff
    from runfolio.query.group_diff import GroupDiff


@click.command()
@click.argument("runs", nargs=-1, type=RUN, metavar="[A B]")
@click.option("--filter-a", metavar="EXPR", help="In the place of A all runs that fit.")
@click.option("--filter-b", metavar="EXPR", help="In the place of B all runs that fit.")
@click.option("--all", "-a", "everything", is_flag=True, help="Every line, however long.")
@data_options("One JSON object: what differs by section, the metrics, where they part.", "CSV, a row for each change.")
def command(
    runs: tuple[str, ...],
    filter_a: str | None,
    filter_b: str | None,
    everything: bool,
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
) -> None:
    """Say why it changed: what differs between runs A and B in params, seed, code, packages, machine, command and data,
    and the first step where their curves part. With filters: between all runs of A and all of B.
    """
    check_form(as_json, as_csv, spreadsheet)
    in_groups = filter_a is not None or filter_b is not None
    if in_groups and (runs or filter_a is None or filter_b is None):
        raise UsageError("name two runs, or give --filter-a and --filter-b")
    if not in_groups and len(runs) != 2:
        raise UsageError(f"diff takes two runs, not {len(runs)}: runfolio diff A B")
    if in_groups:
        _write_groups(_of_groups(filter_a or "", filter_b or ""), as_json, as_csv, spreadsheet, everything)
    else:
        _write_two(_of_two(*runs), as_json, as_csv, spreadsheet, everything)


def _write_two(found: Diff, as_json: bool, as_csv: bool, spreadsheet: bool, everything: bool) -> None:
    from runfolio.cli.render.diff import diff_csv, diff_lines
    from runfolio.cli.render.json_text import write_json
    from runfolio.query.diff_facts import diff_facts

    if as_json:
        write_json(diff_facts(found))
    elif as_csv:
        write_data(diff_csv(found, spreadsheet))
    else:
        write_lines(diff_lines(found, screen(PIPE_COLUMNS_OF_TABLES), everything))


def _write_groups(found: GroupDiff, as_json: bool, as_csv: bool, spreadsheet: bool, everything: bool) -> None:
    from runfolio.cli.render.group_diff import group_csv, group_lines
    from runfolio.cli.render.json_text import write_json
    from runfolio.query.group_diff_facts import group_facts

    if as_json:
        write_json(group_facts(found))
    elif as_csv:
        write_data(group_csv(found, spreadsheet))
    else:
        write_lines(group_lines(found, screen(PIPE_COLUMNS_OF_TABLES), everything))


def _of_two(a: str, b: str) -> Diff:
    from runfolio.cli.stores import open_to_find

    store = open_to_find(a)
    return store.diff(store.run(a), store.run(b))


def _of_groups(filter_a: str, filter_b: str) -> GroupDiff:
    """Compare the runs that fit.

    Raises:
        NotFound: no run fits one of the filters.
    """
    from runfolio.cli.stores import open_to_read

    try:
        store = open_to_read()
    except StoreNotFound as gone:
        raise NotFound(f"no runs yet: {gone}") from gone
    groups = [store.runs(one) for one in (filter_a, filter_b)]
    for name, one, found in zip("ab", (filter_a, filter_b), groups, strict=True):
        if not found:
            raise NotFound(f"no run fits --filter-{name} {shown(one)}; runfolio list shows what there is")
    return store.diff(*groups)
