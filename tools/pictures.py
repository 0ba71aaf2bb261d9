#!/usr/bin/env python3
"""Make the pictures of the app in docs/images, of a store that is made for it: needs `make ui`, playwright, Pillow and chromium.

python tools/pictures.py [--many STORE] [OUT]     --many: a store of very many runs, for their picture
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import runfolio

ROOT = Path(__file__).parent.parent
CHROMIUM = "/usr/bin/chromium"
SEEDS = 8
SETTLE_MS = 4000
NOTES = "Wider and with a higher rate: **better on every seed**.\n\n- the rate is at its edge\n- try `width` 512 next"


def fill(store: Path) -> dict[str, list[str]]:
    """Make 288 runs: three models, four rates, three widths, eight seeds. Gives their ids by model."""
    noise = random.Random(7)
    found: dict[str, list[str]] = {}
    for model, lift in (("mlp", 0.0), ("vit", 0.02), ("cnn", 0.04)):
        for lr in (0.001, 0.003, 0.01, 0.03):
            for width in (64, 128, 256):
                best = 0.72 + lift + 0.04 * math.log10(lr * 1000) + 0.02 * math.log2(width / 64)
                for seed in range(SEEDS):
                    params = {
                        "lr": lr,
                        "width": width,
                        "model": model,
                        "seed": seed,
                        "dataset": "digits",
                        "epochs": 200,
                    }
                    found.setdefault(model, []).append(_run(store, params, best + noise.gauss(0, 0.008), noise))
    return found


def _run(store: Path, params: dict[str, Any], best: float, noise: random.Random) -> str:
    name = f"{params['model']}-w{params['width']}-s{params['seed']}"
    tags = ["baseline"] if params["lr"] == 0.01 else []
    with runfolio.start("digits", name, params, tags, NOTES, store=store, capture=["platform", "cpu"]) as run:
        run.define("val/acc", goal="max")
        run.define("train/loss", goal="min")
        for step in range(100):
            share = (step + 1) / 100
            run.log(
                {
                    "val/acc": best * (1 - math.exp(-5 * share)) + noise.gauss(0, 0.004),
                    "train/loss": 2.3 * math.exp(-4 * share) + 0.02 * noise.random(),
                    "val/loss": 2.6 * math.exp(-3 * share) + 0.8 - best + noise.gauss(0, 0.008),
                    "train/grad_norm": 1 + 2 * math.exp(-2 * share) * noise.random(),
                    "system/gpu_util": 88 + 6 * noise.random(),
                },
                step=step,
            )
        run.add_artifact(
            b"class,right,wrong\n" + b"".join(b"%d,%d,%d\n" % (k, 90 - k, k) for k in range(10)), name="confusion.csv"
        )
        run.add_artifact(json.dumps(params).encode(), name="config.json")
        lines = "".join(f"epoch {epoch:3}  val/acc {best * (1 - math.exp(-epoch / 20)):.4f}\n" for epoch in range(100))
        (Path(run.folder) / "output.log").write_text(lines, encoding="utf-8")
        run.tell("output", size_bytes=len(lines), cut_bytes=0)
        return str(run.id)[:8]


def pages(ids: dict[str, list[str]]) -> dict[str, str]:
    """Give the address of each picture."""
    cnn = ids["cnn"]
    best = [cnn[-1 - 3 * SEEDS * at] for at in range(3)]
    return {
        "app-runs": "runs",
        "app-run": f"run/{cnn[-1]}",
        "app-compare": f"compare?runs={','.join([cnn[-1], cnn[-1 - SEEDS], ids['vit'][-1], ids['mlp'][-1]])}",
        "app-seeds": "seeds?q=model%3D%3D%22cnn%22",
        "app-dark": f"runs?by=none&sel={','.join(best)}",
        "app-phone": "runs",
    }


def shoot(browser: Browser, address: str, picture: Path, settle_ms: int = SETTLE_MS) -> None:
    """Open an address and keep what is seen."""
    is_phone, is_dark = picture.stem == "app-phone", picture.stem == "app-dark"
    page = browser.new_page(
        viewport={"width": 390, "height": 844} if is_phone else {"width": 1280, "height": 800},
        color_scheme="dark" if is_dark else "light",
        locale="en-GB",
    )
    page.goto(address)
    page.wait_for_timeout(settle_ms)
    page.screenshot(path=picture)
    page.close()
    with Image.open(picture) as seen:
        seen.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)  # a third of the bytes


class Served:
    """`runfolio ui` on a store."""

    def __init__(self, store: Path) -> None:
        command = [sys.executable, "-m", "runfolio", "ui", str(store), "--no-browser"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        words = next(word for line in self._process.stdout for word in line.split() if word.startswith("http://"))
        self.address = words.rstrip("/.")
        with urllib.request.urlopen(f"{self.address}/api/v1/stores") as answer:
            self.name = json.load(answer)["stores"][0]["name"]

    def page(self, path: str) -> str:
        return f"{self.address}/{self.name}/{path}"

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)


def main() -> None:
    """Make them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "docs/images")
    parser.add_argument("--many", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        if asked.many:
            served = Served(asked.many)
            shoot(browser, served.page("runs"), asked.out / "app-runs-10000.png", 20 * SETTLE_MS)
            served.stop()
        os.environ["XDG_CACHE_HOME"] = folder
        store = Path(folder) / "digits"
        addresses = pages(fill(store))
        served = Served(store)
        for name, path in addresses.items():
            shoot(browser, served.page(path), asked.out / f"{name}.png")
        served.stop()


if __name__ == "__main__":
    main()
