"""Bring the spooled journals of a run home. `homecoming.py RUN_ID`"""

from __future__ import annotations

import os
import sys

from runfolio.store import spool
from runfolio.store.layout import Layout

layout = Layout(os.environ["RUNFOLIO_DIR"])
print(spool.bring_home(layout.root, sys.argv[1], layout.run_journal(sys.argv[1])))
