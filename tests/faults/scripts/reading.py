"""Read a whole store, or verify it, and print the answer. `reading.py read|verify`"""

from __future__ import annotations

import json
import os
import sys

if sys.argv[1] == "verify":
    from runfolio.store.layout import Layout
    from runfolio.store.verify import verify

    report = verify(Layout(os.environ["RUNFOLIO_DIR"]))
    print(json.dumps([report.sound, sorted(map(str, report.findings))]))
else:
    import runfolio

    with runfolio.open_store() as store:
        told = {
            run.name: [run.status, dict(run.summary), {name: list(run.series(name).values) for name in run.metrics}]
            for run in store.runs()
        }
    print(json.dumps(told, sort_keys=True))
