"""A whole run: points, a param, an artifact, its end."""

from __future__ import annotations

from child import value

import runfolio

with runfolio.start(params={"lr": 0.1}, capture=False) as run:
    for step in range(500):
        run.log({"m0": value(0, step)}, step)
    run.add_artifact(b"bytes", "a.bin")
print(run.id)
