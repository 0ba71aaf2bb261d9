"""Show how far long work has come: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
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
