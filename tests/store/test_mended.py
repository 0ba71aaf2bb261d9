"""What a review found wrong, and must not come back: sealers that overtake each other, processes that cannot be seen, full disks without links."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

import runfolio
from runfolio.store.blobs import DRAFT_SUFFIX
from runfolio.store.gc import collect
from runfolio.store.run_files import journal_files
from runfolio.store.seal import seal

from .making import child, start, the_layout

# ------------------------------------------------------------------------------------- two sealers, and gc between them


@pytest.mark.parametrize("by_gc", [True, False])
@pytest.mark.parametrize("file", [0, 1])
def test_F52_an_overtaken_sealer_takes_nothing_away(by_gc: bool, file: int) -> None:
    """A sealer that looked before the last journal was closed keeps every point, though another sealed all and the journals went.

    gc itself keeps them while a sealer is at work; were they to go all the same, the slow sealer starts over.
    """

    def act() -> None:
        run = start()
        for step in range(10):
            run.log({"a": 1.0}, step=step)
        with runfolio.attach(run.id) as other:
            for step in range(10, 15):
                other.log({"a": 2.0}, step=step)
        whole_drafts = []

        def overtake() -> None:
            run.finish()
            assert seal(the_layout(), run.id).journals == 2
            if by_gc:
                assert collect(the_layout(), journals=True).journals == 0
            else:
                for path in journal_files(the_layout().run_journal(run.id)):
                    os.unlink(path)

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            """Overtake the sealer when its draft is whole, just before it comes into place."""
            if event == "open" and str(arguments[0]).endswith(DRAFT_SUFFIX) and arguments[1] is None:
                if not arguments[2] & os.O_CREAT and arguments[2] & os.O_RDWR:
                    whole_drafts.append(arguments[0])
                    if len(whole_drafts) == file + 1:
                        overtake()

        sys.addaudithook(hook)
        seal(the_layout(), run.id)
        assert len(whole_drafts) > file

    assert child(act) == 0
    (run_id,) = os.listdir(the_layout().runs)
    with runfolio.open_store() as store:
        run = store.run(run_id)
        assert (len(run.series("a")), run.status, run.warnings) == (15, "finished", [])
    assert sorted(os.listdir(the_layout().run(run_id))) == ["journal", "metrics.parquet", "run.json"]
    assert collect(the_layout(), journals=True).journals == (2 if by_gc else 0)
