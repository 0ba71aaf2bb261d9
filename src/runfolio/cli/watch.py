"""`runfolio watch`: a run as it goes on, in the terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from runfolio.cli.arguments import RUN
from runfolio.cli.render.screen import Screen, screen, write_lines
from runfolio.errors import NotFound, RunNotFound
from runfolio.model.states import RUNNING, STAGED

if TYPE_CHECKING:
    from runfolio.cli.render.frame import Seen
    from runfolio.query.run import Run
    from runfolio.query.store import Store

LOOK_S = 0.5
ROWS = 24
_TAIL_BYTES = 1 << 14
_HINT = "q or Ctrl-C leaves; the run goes on"


@click.command()
@click.argument("run", required=False, type=RUN)
@click.option("--metrics", "-m", metavar="A,B", help="Only these metrics, in this order.")
@click.option(
    "--smooth", "-s", type=float, default=0.0, metavar="WEIGHT", help="A moving average, from 0 up to below 1."
)
@click.option("--once", is_flag=True, help="Print how it stands now, and end; as in a pipe.")
def command(run: str | None, metrics: str | None, smooth: float, once: bool) -> None:
    """Watch a run: its status, progress and time left, live curves, the last lines of its output.

    Without RUN it is the running one that began last, else the newest. It ends when the run ends; q or Ctrl-C leaves
    it, and the run goes on.
    """
    store, found = _find(run)
    watched = _Watched(store, found.id, _names(metrics), smooth)
    terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and os.name == "posix"
    if once or not terminal:
        return watched.print_frame()
    if watched.follow():
        watched.print_frame()


def _names(told: str | None) -> list[str] | None:
    return [name.strip() for name in told.split(",") if name.strip()] if told else None


def _find(ref: str | None) -> tuple[Store, Run]:
    from runfolio.cli.stores import open_to_find

    store = open_to_find(ref or "latest")
    if ref is not None:
        return store, store.run(ref)
    newest = store.runs(status=RUNNING, limit=1) or store.runs(limit=1)
    if not newest:
        raise RunNotFound("there is no run to watch; runfolio run train.py starts one")
    return store, newest[0]


class _Watched:
    """A run that is looked at again and again."""

    def __init__(self, store: Store, run_id: str, metrics: list[str] | None, smooth: float) -> None:
        self._store, self._id, self._metrics, self._smooth = store, run_id, metrics, smooth

    def follow(self) -> bool:
        """Draw it until it ends; say whether it has, and nobody has left before."""
        from runfolio.cli.render.frame import frame_lines
        from runfolio.cli.render.live import Live

        with Live() as live:
            while True:
                to, rows = _size()
                to = to._replace(columns=max(to.columns - 1, 20))  # the last column is where terminals wrap
                seen = self._look(to.columns, rows)
                live.draw(frame_lines(seen, to, rows, _HINT))
                if seen.run.status not in (RUNNING, STAGED):
                    return True
                if live.wait(LOOK_S):
                    return False

    def print_frame(self) -> None:
        """Print how it stands."""
        from runfolio.cli.render.frame import frame_lines

        rows = max(_size()[1] - 1, ROWS - 1) if sys.stdout.isatty() else ROWS
        to = screen()
        write_lines(frame_lines(self._look(to.columns, rows), to, rows))

    def _look(self, columns: int, rows: int) -> Seen:
        from runfolio.cli.render.frame import Seen, metrics_max, output_lines
        from runfolio.query.plot.curves import plot_of

        run = self._store.run(self._id)
        output = output_lines(self._tail())
        names = self._wanted(run)
        shown = names[: metrics_max(columns, rows, bool(output))]
        plot = plot_of([run], shown, smooth=self._smooth) if shown else None
        return Seen(run, run.progress, plot, len(names) - len(shown), output)

    def _wanted(self, run: Run) -> list[str]:
        """Give the metrics to show; those that were asked for may still come, while it runs."""
        names = list(run.metrics)
        if self._metrics is None:
            return names
        there = [name for name in self._metrics if name in run.metrics]
        if not there and run.status not in (RUNNING, STAGED):
            from runfolio.query.metrics import no_metric

            raise NotFound(no_metric(self._metrics[0], run.id, names))
        return there

    def _tail(self) -> bytes:
        """Read the end of its output, from the beginning of a line."""
        from runfolio.store.layout import Layout

        try:
            with open(Layout(self._store.path).output(self._id), "rb") as file:
                size_bytes = file.seek(0, os.SEEK_END)
                file.seek(max(0, size_bytes - _TAIL_BYTES))
                tail = file.read()
        except OSError:
            return b""
        return tail if size_bytes <= _TAIL_BYTES else tail.partition(b"\n")[2] or tail


def _size() -> tuple[Screen, int]:
    """Give the terminal as it is now; what $COLUMNS says may be of another time."""
    to = screen()
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return to, ROWS
    return to._replace(columns=max(size.columns or to.columns, 20)), max(size.lines or ROWS, 8)
