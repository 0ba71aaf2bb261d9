"""The package, by its own verbs, keeps the contract of a store."""

from __future__ import annotations

from functools import partial

import runfolio
from runfolio.store.layout import find
from runfolio.testing.store import StoreContract


class Package:
    """The package over the store of $RUNFOLIO_DIR."""

    def __init__(self) -> None:
        find(None).create()

    start = staticmethod(partial(runfolio.start, capture=False))
    attach = staticmethod(runfolio.attach)
    resume = staticmethod(partial(runfolio.resume, capture=False))
    open_store = staticmethod(runfolio.open_store)


class TestPackage(StoreContract):
    def make_world(self):
        return Package()
