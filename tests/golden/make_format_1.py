"""Write the golden store of format 1, and what a reader must find in it: once, by the release that it stands for.

    python tests/golden/make_format_1.py

The store is not made again when the code changes: a store written by any released version is read for ever.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import sys
from pathlib import Path

import runfolio
from runfolio.cli.facts import all_facts_of
from runfolio.cli.render.json_text import strict
from runfolio.cli.rows import rows_of
from runfolio.journal import identity
from runfolio.store import edits, own
from runfolio.store.layout import find
from runfolio.store.seal import seal

HERE = Path(__file__).parent / "format-1"
STORE = HERE / "store"
OF_THE_READER = ("folder", "progress", "spooled_in")
"""Facts that tell where the store lies, or what time it is."""
ODD = [math.nan, struct.unpack("<d", struct.pack("<Q", 0x7FF800000000BEEF))[0], -0.0, math.inf, -math.inf, 5e-324, 0.1]
"""Values that a lesser format would bend."""


def every_kind() -> str:
    """A run of all kinds of values, steps, events, ranks and attempts."""
    run = runfolio.start(
        experiment="digits",
        name="every-kind",
        params={"lr": 0.1, "model": {"width": 64, "layers": [1, 2]}, "none": None, "text": "漢字", "big": 10**30},
        tags={"team": "ml", "baseline": ""},
        notes="# What\nevery kind",
        total_steps=10,
    )
    for step, value in enumerate(ODD):
        run.log({"odd": value, "n": step * 2**60, "flag": step % 2 == 0}, step=step)
    run.log({"odd": 1.5}, step=3)  # again: this one is shown
    run.log({"odd": 7}, step=-(2**63))
    run.log({"test/acc": 0.97, "odd": 2.5}, step=runfolio.FINAL)
    helper = runfolio.attach(run.id, rank=1)
    for step in range(5):
        helper.log({"loss": 1.0 / (step + 1)}, step=step)
        run.log({"loss": 2.0 / (step + 1)}, step=step)
    helper.finish()
    run.summary["test"] = {"acc": 0.97, "nan": math.nan}
    run.log_record({"sample": "the cat sat", "at": [1, None, 2.5]}, step=2)
    run.add_artifact(b"\x00\x01 weights", "weights.bin")
    run.add_artifact(b"\x00\x02 weights", "weights.bin", step=4)
    run.add_artifact(b"text", "notes.txt")
    run.define("loss", "min")
    run.fail(ValueError("it did not converge"))
    again = runfolio.resume(run.id, rewind_to=4)
    again.set_params({"lr": 0.01})
    for step in (4, 5):
        again.log({"loss": 0.5 / step}, step=step)
    again.remove_tags("baseline")
    again.finish()
    return run.id


def long() -> str:
    """A run of several blocks, whose key sets alternate."""
    with runfolio.start(experiment="digits", name="long") as run:
        for step in range(3000):
            run.log({"loss": math.exp(-step / 500), "step_time": step / 7}, step=step)
            if step % 100 == 0:
                run.log({"val": step}, step=step)
    return run.id


def torn() -> str:
    """A run whose helper was killed within a write."""
    run = runfolio.start(name="torn")
    helper = runfolio.attach(run.id)
    for step in range(5):
        helper.log({"loss": float(step)}, step=step)
    helper.flush()
    path = Path(helper._writer.path)
    data = path.read_bytes().rstrip(b"\0")
    helper.finish()
    path.write_bytes(data[:-3])  # behind the sync frame's head: its last bytes never came
    run.finish()
    return run.id


def main() -> None:
    shutil.rmtree(HERE, ignore_errors=True)
    be_nobody()
    ids = [every_kind(), long(), torn()]
    layout = find()
    sealed = []
    for name in ("sealed", "freed", "deleted"):
        with runfolio.start(experiment="old", name=name, params={"lr": 1e-3}) as run:
            for step, value in enumerate(ODD):
                run.log({"odd": value, "n": step, "flag": step > 2}, step=step * 10)
            run.add_artifact(name.encode(), "name.txt")
        sealed.append(run.id)
    seal(layout, sealed[0])
    edits.rename(layout, sealed[0], "sealed, renamed")
    edits.tag(layout, sealed[0], {"kept": ""})
    seal(layout, sealed[1])
    for journal in Path(layout.run_journal(sealed[1])).glob("*.jnl"):
        journal.unlink()  # as gc does
    edits.archive(layout, sealed[1])
    edits.delete(layout, sealed[2])
    own.tell(layout, {"type": "notes", "text": "of the store"})
    ids += sealed
    expected = {"runs": [told(run_id) for run_id in ids]}
    text = json.dumps(expected, indent=1, ensure_ascii=False, allow_nan=False)
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")
    shutil.rmtree(HERE / "cache")
    print(sum(path.stat().st_size for path in STORE.rglob("*") if path.is_file()), "bytes", file=sys.stderr)


def be_nobody() -> None:
    """Sign with a host and a user that are nobody's."""
    identity.host = edits.host = lambda: "golden"
    identity.boot_id = lambda: "00000000-0000-4000-8000-000000000001"
    identity.pid_namespace = lambda: "pid:[1]"
    os.environ.update(
        RUNFOLIO_DIR=str(STORE), RUNFOLIO_CAPTURE="none", XDG_CACHE_HOME=str(HERE / "cache"), LOGNAME="ann"
    )


def told(run_id: str) -> dict[str, object]:
    """Give what a reader finds of a run, each number by its bits."""
    with runfolio.open_store() as store:
        run = store.run(run_id)
        series = [run.series(name, "all") for name in run.metrics]
        return {
            "facts": {key: value for key, value in strict(all_facts_of(run)).items() if key not in OF_THE_READER},
            "rows": len(rows_of(run, None).rows),
            "series": {
                one.name: {
                    "steps": one.steps.tolist(),
                    "final": one.final.tolist(),
                    "bits": [f"{bits:016x}" for bits in one.values.view("uint64").tolist()],
                    "kinds": "".join(one.kinds.tolist()),
                    "times_ns": one.times.view("int64").tolist(),
                    "ranks": one.ranks.tolist(),
                }
                for one in series
                if len(one) < 100
            },
            "lengths": {one.name: len(one) for one in series},
            "sums": {one.name: repr(float(one.values.sum())) for one in series if len(one) >= 100},
            "artifacts": {name: run.artifact(name).read_bytes().hex() for name in {a.name: 0 for a in run.artifacts}},
        }


if __name__ == "__main__":
    main()
