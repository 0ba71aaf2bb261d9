"""Every route of the API. Loaded after the server listens: some bring numpy."""

from __future__ import annotations

from runfolio.server.routes import (
    artifacts,
    compare,
    edits,
    folded,
    groups,
    live,
    output,
    overview,
    runs,
    series,
    stores,
)

_MODULES = (stores, overview, runs, folded, series, compare, groups, artifacts, output, edits, live)

ROUTES = [route for module in _MODULES for route in module.ROUTES]
