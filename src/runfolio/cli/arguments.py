"""The arguments that several commands take, and how a shell completes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem

from runfolio.errors import UsageError
from runfolio.model.names import check_name

if TYPE_CHECKING:
    from runfolio.query.run import Run

_MOST = 200


class Name(click.ParamType[str, str]):
    """Text that a name may be; bytes that are no UTF-8 are none."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return check_name(value, (param and param.name) or "name")


class RunName(Name):
    """An id, its first digits, a name, an alias, or "latest"."""

    name = "run"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the ids and names of the newest runs."""
        from runfolio.errors import RunfolioError
        from runfolio.model.ids import short
        from runfolio.model.names import printable
        from runfolio.query.store import Store
        from runfolio.store.layout import find

        try:
            runs = Store(find()).runs(limit=_MOST)
        except (RunfolioError, OSError):
            return []
        found = {"latest": "the newest run"}
        for run in runs:
            found.setdefault(short(run.id), printable(run.name or run.status, 60))
            if run.name and run.name == printable(run.name):
                found.setdefault(run.name, short(run.id))
        return [CompletionItem(name, help=about) for name, about in found.items() if name.startswith(incomplete)]


NAME, RUN = Name(), RunName()

F = TypeVar("F", bound=Callable[..., object])


def data_options(as_json: str, as_csv: str) -> Callable[[F], F]:
    """Add the options of the forms for programs: `--json`, `--csv` and `--spreadsheet`."""
    quoted = "With --csv: put ' before text that a spreadsheet takes for a formula."
    options = (
        click.option("--json", "as_json", is_flag=True, help=as_json),
        click.option("--csv", "as_csv", is_flag=True, help=as_csv),
        click.option("--spreadsheet", is_flag=True, help=quoted),
    )

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def selection_options(function: F) -> F:
    """Add `--filter` and `--sort`."""
    options = (
        click.option(
            "--filter",
            "-f",
            metavar="EXPR",
            help="Only runs that fit, as 'metrics.loss.min < 0.3 and lr in (0.1, 0.01)'.",
        ),
        click.option("--sort", metavar="EXPR", help="Sort by it, as -metrics.acc.max; a minus puts the highest first."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def text_options(function: F) -> F:
    """Add `--markdown` and `--latex`."""
    function = click.option("--latex", is_flag=True, help="A LaTeX tabular (booktabs).")(function)
    return click.option("--markdown", is_flag=True, help="A Markdown table.")(function)


def check_one_form(**forms: bool) -> None:
    """Refuse two forms at once."""
    asked = [f"--{name}" for name, wanted in forms.items() if wanted]
    if len(asked) > 1:
        raise UsageError(f"{' or '.join(asked)}, not both" if len(asked) == 2 else f"one of {', '.join(asked)}")


def check_form(as_json: bool, as_csv: bool, spreadsheet: bool) -> None:
    """Refuse two forms at once, and the option of one without it."""
    if spreadsheet and not as_csv:
        raise UsageError("--spreadsheet is for --csv: add that")
    if as_json and as_csv:
        raise UsageError("--json or --csv, not both")


def run_words(run: Run) -> str:
    """Name a run in a sentence."""
    from runfolio.model.ids import short
    from runfolio.model.names import printable

    return f"{short(run.id)} {printable(run.name, 60)}" if run.name else short(run.id)
