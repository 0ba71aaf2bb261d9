"""Track experiments locally: every number kept, no server, no lock, no cost in the loop."""

from __future__ import annotations

from runfolio._version import __version__

__all__ = ["__version__"]
