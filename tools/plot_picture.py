"""Draw the picture of docs/guide/plotting.md from nine real runs: python tools/plot_picture.py docs/images/plot.svg."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

DEMO = Path(__file__).resolve().parents[1] / "examples" / "digits" / "demo.py"
WORDS = ("plot", "val_loss", "val_acc", "--group-by", "hidden,lr", "--title", "Handwritten digits, 3 seeds each")


def main(out: str) -> None:
    """Train in a store of its own, then call the command as a user does."""
    with tempfile.TemporaryDirectory() as store:
        env = {**os.environ, "RUNFOLIO_DIR": os.path.join(store, "store")}
        subprocess.run([sys.executable, str(DEMO)], env=env, stdout=subprocess.DEVNULL, check=True)
        subprocess.run([sys.executable, "-m", "runfolio", *WORDS, "--out", out], env=env, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
