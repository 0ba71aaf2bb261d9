"""Show how far long work has come: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def watched(items: Sequence[T], label: str) -> Iterator[T]:
    """Yield the items; where standard error is a terminal and there are several, a bar grows with them."""
    if len(items) < 2 or not sys.stderr.isatty():
        yield from items
        return
    import click

    with click.progressbar(items, label=label, file=sys.stderr) as bar:
        yield from bar


def counted(label: str) -> Callable[[int, int], None] | None:
    """Make a function that shows `label: 400 of 10,000` and takes it away at the end; None where nobody looks."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, every: int) -> None:
        text = f"{label}: {done:,} of {every:,}"
        sys.stderr.write(f"\r{text}" if done < every else f"\r{' ' * len(text)}\r")
        sys.stderr.flush()

    return show
