"""Every route of the API. Loaded after the server listens: some bring numpy."""

from __future__ import annotations

from runfolio.server.routes import artifacts, edits, live, output, runs, stores

_MODULES = (stores, runs, artifacts, output, edits, live)

ROUTES = [route for module in _MODULES for route in module.ROUTES]
