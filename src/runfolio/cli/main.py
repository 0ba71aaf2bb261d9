"""The command `runfolio`: find the subcommand, load only that, turn errors into exit codes.

Exit codes: 0 fine, 1 the answer is no, 2 wrong usage, 3 our failure.
"""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from runfolio._version import __version__
from runfolio.errors import FilterError, MissingExtra, NotFound, RunfolioError, StoreNotFound, Unreadable, UsageError
from runfolio.model.names import printable

COMMANDS = {
    "run": "Run a script as a tracked run.",
    "list": "List runs, newest first.",
    "show": "Show everything about a run.",
    "compare": "Compare runs: what differs, and the metrics.",
    "best": "Show the best run of a metric.",
    "stats": "Say which setting is really better, over seeds.",
    "diff": "Say what differs between two runs, and where their curves part.",
    "table": "Write a table for the paper, and check one against the store.",
    "plot": "Plot curves of metrics, in the terminal or into a file.",
    "ui": "Show the runs in a browser, live.",
    "watch": "Watch a run as it goes on.",
    "sql": "Ask the runs in SQL.",
    "export": "Write runs in other forms.",
    "get": "Print one field of a run, bare, for the shell.",
    "import": "Bring in what other trackers have written.",
    "verify": "Check every checksum of a run or of the store.",
    "seal": "Write the Parquet and JSON views of finished runs.",
    "tag": "Add and remove tags.",
    "note": "Write the notes of a run.",
    "rename": "Rename a run, or a metric in all runs.",
    "archive": "Put runs out of sight, or back.",
    "delete": "Delete runs; restore brings them back until gc.",
    "restore": "Bring deleted runs back.",
    "undo": "Take the last change back.",
    "du": "Show how much space runs take.",
    "gc": "Free the space of deleted runs, or delete old ones.",
    "init": "Make a store in this folder.",
    "doctor": "Look at the store, the disk and the versions.",
}
"""Each subcommand, with the line that `--help` shows without loading it."""


_MODULES = {"import": "import_"}  # names that Python keeps for itself


class _Commands(click.Group):
    """A group whose commands are loaded when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"runfolio.cli.{_MODULES.get(cmd_name, cmd_name)}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"no command {args[0]!r}.{hint} runfolio --help lists them.", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="runfolio")
def cli() -> None:
    """Track experiments locally: no account, no server, no number lost.

    \b
    The store: $RUNFOLIO_DIR, else the nearest .runfolio folder upward, else ~/.runfolio.
    RUN is an id, its first digits, a name, an alias, or "latest".
    Completion in bash: eval "$(_RUNFOLIO_COMPLETE=bash_source runfolio)"
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; never a traceback for what a user can meet."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name may hold what this locale cannot say
    try:
        code = cli.main(arguments, prog_name="runfolio", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2 if isinstance(wrong, click.UsageError) else wrong.exit_code)
    except (KeyboardInterrupt, click.exceptions.Abort):
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # `| head` has read enough
        sys.exit(0)
    except FilterError as error:
        click.echo("\n".join(printable(line, None) for line in f"runfolio: {error}".splitlines()), err=True)
        sys.exit(2)
    except RunfolioError as error:
        _complain("\n".join([str(error), *_waiting(error)]))
        sys.exit(_code(error))
    except OSError as error:
        _complain(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
        sys.exit(3)
    except Exception as error:
        if os.environ.get("RUNFOLIO_DEBUG"):
            raise
        _complain(f"a mistake of ours, {type(error).__name__}: {error}. RUNFOLIO_DEBUG=1 shows where; please report it")
        sys.exit(3)
    sys.exit(code if isinstance(code, int) else 0)


def _complain(message: str) -> None:
    """Tell what went wrong, on standard error; names in it may hold anything."""
    click.echo(f"runfolio: {'; '.join(printable(line) for line in message.splitlines())}", err=True)


def _waiting(error: RunfolioError) -> list[str]:
    """Say what the spool keeps where there is no store."""
    if not isinstance(error, StoreNotFound):
        return []
    from runfolio.cli.stores import waiting_lines
    from runfolio.store.layout import find

    return waiting_lines(find().root)


def _code(error: RunfolioError) -> int:
    if isinstance(
        error, UsageError | StoreNotFound | MissingExtra
    ):  # a place without a store is no damaged one, and no missing run
        return 2
    if isinstance(error, Unreadable):
        return 3
    return 1 if isinstance(error, NotFound | LookupError) else 3
