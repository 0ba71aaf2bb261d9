"""Draw what commands print as an SVG for the README: python tools/picture.py OUT.svg "list --limit 5" "show latest"."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 100


def main(out: str, commands: list[str]) -> None:
    """Run each command of runfolio as on a terminal of 100 columns, and save the picture."""
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True)
    env = {**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    for command in commands:
        arguments = [sys.executable, "-m", "runfolio", *shlex.split(command)]
        shown = subprocess.run(arguments, env=env, capture_output=True, text=True, check=True).stdout
        console.print(Text(f"$ runfolio {command}", style="bold"))
        console.print(Text.from_ansi(shown))
    console.save_svg(out, title="runfolio")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
