"""The command `runfolio`."""

from __future__ import annotations

import click

from runfolio._version import __version__


@click.group()
@click.version_option(__version__, prog_name="runfolio")
def main() -> None:
    """Track experiments locally."""
