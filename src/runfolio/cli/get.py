"""`runfolio get`: one field of a run, bare."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli.arguments import RUN
from runfolio.cli.render.screen import write
from runfolio.errors import NotFound, RankRequired, Unreadable, UsageError
from runfolio.model.names import printable

if TYPE_CHECKING:
    from runfolio.cli.facts import Facts
    from runfolio.model.run_state import ArtifactVersion
    from runfolio.query.run import Run
    from runfolio.store.layout import Layout

_CAPTURED = ("command", "cwd", "python", "platform", "host", "user", "cpu", "gpu", "git", "packages")


@click.command()
@click.argument("run", type=RUN)
@click.argument("field")
@click.argument("folder", required=False, type=click.Path(), metavar="[DIR]")
@click.option(
    "--rank", metavar="RANK", help='For metrics.NAME and series.NAME: one rank; for series also "mean" or "all".'
)
@click.option("--version", type=click.IntRange(1), help="For artifacts.NAME: this version; the latest by default.")
@click.option("--force", is_flag=True, help="For artifacts: replace files that are there.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    run: str, field: str, folder: str | None, rank: str | None, version: int | None, force: bool, as_json: bool
) -> None:
    """Print one field of a run, bare, for the shell.

    \b
    id · name · status · folder · notes · params · params.lr · tags · command
    metrics.loss.last · metrics.loss.min · series.loss (step, tab, value)
    summary.acc · git.commit · patch · packages · output · error.traceback
    artifacts (a list; with DIR copied there) · artifacts.NAME [DIR]

    A bare name is looked up in params, metrics (the last value), summary and tags.
    """
    from runfolio.cli.stores import open_to_find
    from runfolio.store.layout import Layout

    store = open_to_find(run)
    found, layout = store.run(run), Layout(store.path)
    head, _, rest = field.partition(".")
    if folder is not None and head != "artifacts":
        raise UsageError("a folder is for artifacts only: runfolio get RUN artifacts DIR")
    if head == "artifacts" and not as_json:
        return _artifacts(found, layout, rest, folder, version, force)
    if head == "series" and rest:
        return _write_series(found, rest, rank)
    if field == "output":
        return _write_output(layout.output(found.id))
    value = _value(found, field, rank)
    if as_json:
        from runfolio.model.strict_json import dumps_view, view

        return write(dumps_view(view(value)[0], indent=2))
    from runfolio.cli.render.bare import write_bare

    if field == "command" and isinstance(value, list):
        from shlex import join

        value = join(map(str, value))
    elif field == "tags":
        value = [f"{key}={text}" if text else key for key, text in value.items()]
    write_bare(value)


# ------------------------------------------------------------------------------------------------------------- a field


def _value(run: Run, field: str, rank: str | None) -> Any:
    """Find a field: by its full name, among what was captured, or by its bare name.

    Raises:
        NotFound: there is none; the nearest names are told.
    """
    from runfolio.cli.facts import all_facts_of, facts_of
    from runfolio.cli.fields import MISSING, find, lookup, why_missing

    facts = _of_rank(facts_of(run, _metrics_meant(run, field)), rank)
    value = lookup(facts, field)
    if value is MISSING:
        facts = {**all_facts_of(run, ()), **facts}
        captured = facts["capture"]
        value = lookup(facts, field)
        if value is MISSING and field.partition(".")[0] in _CAPTURED:
            value = lookup(captured, field)
        if value is MISSING and field == "patch":
            value = lookup(captured, "git.patch")
        if value is MISSING:
            value = find(facts, field)
    if value is MISSING:
        facts["metrics"] = dict.fromkeys(run.metrics)
        raise NotFound(why_missing(facts, field))
    _refuse_several_ranks(run, facts, field, value)
    return value


def _metrics_meant(run: Run, field: str) -> list[str]:
    """Give the metrics that a field may be about: a run may have very many."""
    if field == "metrics":
        return list(run.metrics)
    paths = {field, field.removeprefix("metrics.")}
    return [
        name
        for name in run.metrics
        if any(path == name or path.startswith(f"{name}.") or name.startswith(f"{path}.") for path in paths)
    ]


def _of_rank(facts: Facts, rank: str | None) -> Facts:
    """Put the numbers of one rank in the place of those over all ranks."""
    if rank is None:
        return facts
    metrics = {name: metric.get("ranks", {}).get(rank, metric) for name, metric in facts["metrics"].items()}
    return {**facts, "metrics": metrics}


def _refuse_several_ranks(run: Run, facts: Facts, field: str, value: Any) -> None:
    """Refuse to print nothing for the last value of a metric that each rank has its own of."""
    name = field.removeprefix("metrics.")
    for end in ("", ".last", ".first", ".first_step", ".last_step"):
        metric = facts["metrics"].get(name.removesuffix(end) if name.endswith(end) else "")
        if value is None and metric is not None and "ranks" in metric:
            ranks = run.metrics.ranks(name.removesuffix(end))
            raise RankRequired(
                f"this metric has the ranks {', '.join(metric['ranks'])}; add --rank with one of them", ranks
            )


# ------------------------------------------------------------------------------------------------------- points, output


def _write_series(run: Run, name: str, rank: str | None) -> None:
    """Print a line for each point: step, the rank where all are asked for, value."""
    from runfolio.cli.render.values import param
    from runfolio.cli.rows import parse_rank

    try:
        series = run.series(name, None if rank is None else parse_rank(rank))
    except RankRequired as several:
        ranks = ", ".join("none" if one is None else str(one) for one in several.ranks)
        message = f'this metric has the ranks {ranks}; add --rank with one of them, "mean" or "all"'
        raise RankRequired(message, several.ranks) from None
    ranks_of = [""] * len(series)
    if series.ranks is not None:
        ranks_of = [f"{'none' if one == -1 else one}\t" for one in series.ranks.tolist()]
    lines = (
        f"{'final' if step is None else step}\t{rank_of}{param(value)}\n"
        for (step, value), rank_of in zip(series, ranks_of, strict=True)
    )
    for line in lines:
        write(line, end="")


def _write_output(path: str) -> None:
    from runfolio.cli.render.bare import write_output

    try:
        with open(path, "rb") as source:
            write_output(source)
    except FileNotFoundError:
        raise NotFound("this run has no output.log: only what runfolio run starts has one") from None


# ----------------------------------------------------------------------------------------------------------- artifacts


def _artifacts(run: Run, layout: Layout, name: str, folder: str | None, version: int | None, force: bool) -> None:
    """List artifacts, print the path of one, or copy them into a folder."""
    from runfolio.cli.render.bare import write_bare

    chosen = _chosen(run, name, version)
    if folder is not None:
        from runfolio.cli.render.progress import watched
        from runfolio.query.unpack import copy_out, places

        for one, path in watched(places(chosen), "Copying"):
            target = os.path.join(folder, path)
            with _damage_told():
                copy_out(layout, run.id, one, target, force)
            write_bare(target)
    elif name and chosen and chosen[0].name == name:
        from runfolio.store.blobs import sound_path

        with _damage_told():
            write_bare(sound_path(layout, run.id, chosen[0].sha256))
    else:
        for one in chosen:
            write(f"{printable(one.name)}\t{one.version}\t{one.size_bytes}\t{one.sha256}")


@contextmanager
def _damage_told() -> Iterator[None]:
    """Make damaged bytes an answer, and no failure of ours: what was asked for is not there."""
    try:
        yield
    except Unreadable as damage:
        raise NotFound(str(damage)) from damage


def _chosen(run: Run, name: str, version: int | None) -> list[ArtifactVersion]:
    """Choose the artifact of this name, or the latest version of each in the folder of this name, or of all.

    Raises:
        NotFound: there is none.
    """
    from runfolio.query.artifact import version_of

    every = run.artifacts
    inside = {one.name: one for one in every if not name or one.name.startswith(f"{name}/")}
    if any(one.name == name for one in every) or not inside:
        return [version_of(every, name, version)] if name else []
    return list(inside.values())
