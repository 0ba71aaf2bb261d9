"""Stores to look at."""

from __future__ import annotations

import math
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import runfolio
from query.runs import end_run, make_run
from runfolio.store.layout import Layout

LRS = (0.1, 0.01, 0.001)
SEEDS = 4
STEPS = 40


def curve(lr: float, seed: int, steps: int = STEPS) -> list[float]:
    """A loss that falls, the lower the smaller the rate, with a little noise of rate and seed."""
    noise = random.Random(f"{lr} {seed}")
    return [lr + math.exp(-step / 8) + noise.uniform(0, 0.02) for step in range(steps)]


def add(store: Path, name: str, params: dict[str, Any], metrics: dict[str, list[float]], **more: Any) -> str:
    """Add a run; `status`, `tags`, `notes`, `experiment`, `goals` as told; give its id."""
    goals, status = more.pop("goals", {"loss": "min"}), more.pop("status", "finished")
    run = runfolio.start(more.pop("experiment", "digits"), name, params, store=store, capture=False, **more)
    for metric, goal in goals.items():
        if metric in metrics:
            run.define(metric, goal=goal)
    for step in range(max((len(values) for values in metrics.values()), default=0)):
        run.log({metric: values[step] for metric, values in metrics.items() if step < len(values)}, step=step)
    run.finish(status)
    return str(run.id)


def groups(store: Path) -> list[str]:
    """12 runs of three rates over four seeds, two of a fourth rate, the last of which failed."""
    ids = [add(store, f"lr{lr}-s{seed}", params(lr, seed), told(lr, seed)) for lr in LRS for seed in range(SEEDS)]
    ids.append(add(store, "lr1-s0", params(1.0, 0), told(1.0, 0)))
    ids.append(add(store, "lr1-s1", params(1.0, 1), told(1.0, 1), status="failed"))
    return ids


def params(lr: float, seed: int) -> dict[str, Any]:
    return {"lr": lr, "seed": seed, "dataset": "digits", "opt": "adam"}


def told(lr: float, seed: int) -> dict[str, list[float]]:
    falls = curve(lr, seed)
    rises = [1 - value / 3 for value in falls]
    return {
        "loss": falls,
        "val/acc": rises,
        "val/f1": [value * 0.9 for value in rises],
        "grad": [1 / (1 + value) for value in falls],
    }


def plain(store: Path, runs: int, steps: int = 20) -> list[str]:
    """Runs that all differ by their rate, without seeds."""
    return [
        add(
            store,
            f"run{number:03}",
            {"lr": (number + 1) / 1000},
            {"loss": curve((number + 1) / 1000, number % 7, steps)},
        )
        for number in range(runs)
    ]


def very_many(store: Path, runs: int) -> None:
    """Runs of one point each, by bare writers: it takes about a millisecond each."""
    layout = Layout(str(store))
    layout.create()
    for number in range(runs):
        _, writer = make_run(layout, f"run{number:05}")
        writer.event({"type": "params", "set": {"lr": number / 1000, "depth": number % 7}})
        writer.log({"loss": 1 / (number + 1)}, 0)
        end_run(writer)


def png(width: int, height: int, red: int) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = (b"\0" + bytes((red, 60, 120)) * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def write_output(run: runfolio.ActiveRun, text: str) -> None:
    """Let a run have written this, as the launcher tells it."""
    (Path(run.folder) / "output.log").write_text(text, encoding="utf-8")
    run.tell("output", size_bytes=len(text.encode()), cut_bytes=0)


NOTES = """# What I saw

It **learns**, see [the paper](https://example.org/paper).

- first
- second

`lr` was *too high*."""

OUTPUT = (
    "".join(f"epoch {epoch} loss {1 / (epoch + 1):.4f}\n" for epoch in range(600))
    + "\x1b[31mred alert\x1b[0m and \x1b[1mbold\x1b[0m\n"
)

FILES: dict[str, bytes] = {
    "table.csv": b"name,score\nada,0.5\nbob,0.25\n",
    "facts.json": b'{"depth": 3, "kinds": ["a", "b"]}',
    "words.txt": b"plain words\n",
    "page.html": b"<h1>A page</h1><script>parent.document.title='owned';top.hacked=1</script>",
    "picture.png": png(40, 30, 200),
}


def rich(store: Path) -> str:
    """A run with something in every corner, among three seeds; give its id."""
    ids = []
    for seed in range(3):
        run = runfolio.start(
            "digits",
            f"rich-s{seed}",
            {"lr": 0.1, "seed": seed, **{f"model.layer{layer}.width": 8 << layer % 3 for layer in range(25)}},
            {"team": "ml", "baseline": ""},
            NOTES,
            store=store,
            capture=["command", "platform", "host", "cpu"],
        )
        run.define("loss", goal="min")
        for step, value in enumerate(curve(0.1, seed)):
            run.log({"loss": value, "val/acc": 1 - value / 3}, step=step)
        if seed == 1:
            for name, content in FILES.items():
                run.add_artifact(content, name)
            for step in (0, 10, 20):
                run.add_artifact(png(32, 32, step * 10), "samples.png", step=step)
            write_output(run, OUTPUT)
        run.finish()
        ids.append(str(run.id))
    return ids[1]
