"""Reading a sealed run whose journals have lost something since: what the seal has is there."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from runfolio.query.store import open_store
from runfolio.store.run_files import RunFiles
from runfolio.store.seal import seal

from .making import journals, start, the_layout

ROWS = 400


def sealed_run() -> tuple[str, Path]:
    """Make a finished run and seal it; give its id and its journal."""
    with start(params={"lr": 0.1}) as run:
        for step in range(ROWS):
            run.log({"loss": step / 7, "acc": step / 9}, step=step)
    seal(the_layout(), run.id)
    (journal,) = journals(run.id)
    return run.id, Path(journal.path)


def hurt(data: bytes, how: str) -> bytes:
    half = len(data) // 2 // 8 * 8
    return {
        "cut": data[:half],
        "at a frame": data[: half + 4],
        "empty": b"",
        "zeros": bytes(len(data)),
        "random": random.Random(0).randbytes(len(data)),
        "sector": data[:half] + bytes(512) + data[half + 512 :],
        "open frame": data[:40] + b"!" + data[41:],
        "close frame": data[:-1] + b"!",
    }[how]


HOW = ["cut", "at a frame", "empty", "zeros", "random", "sector", "open frame", "close frame"]


@pytest.mark.parametrize("how", HOW)
def test_what_a_journal_has_lost_is_read_from_the_seal(how: str) -> None:
    """A sealed run whose journal was cut or damaged reads as it was sealed, with a warning."""
    run_id, path = sealed_run()
    path.write_bytes(hurt(path.read_bytes(), how))
    with open_store() as store:
        run = store.run(run_id)
        assert run.status == "finished" and run.params == {"lr": 0.1}
        assert run.series("loss").steps.tolist() == list(range(ROWS))
        assert run.metrics["acc"].count == ROWS
        assert any("is read from the seal" in warning for warning in run.warnings), run.warnings


def test_a_reader_that_follows_takes_to_the_seal() -> None:
    """A journal that is cut under a reader's eyes is read from the seal from then on, and from the file once that is back."""
    run_id, path = sealed_run()
    whole = path.read_bytes()
    files = RunFiles(the_layout(), run_id)
    for content, warned in ((whole, 0), (whole[: len(whole) // 2], 1), (whole, 0), (b"", 1)):
        other = path.with_suffix(".new")
        other.write_bytes(content)
        os.replace(other, path)
        files.refresh()
        assert len(files.warnings) == warned
        assert files.declared == "finished" and files.state.params == {"lr": 0.1}
        points = files.merged("loss", None)
        assert points is not None and len(points.values) == ROWS


def test_what_came_after_the_seal_stays() -> None:
    """A journal that goes on behind its seal is read from its file, damaged or not."""
    run_id, path = sealed_run()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 // 8 * 8])
    os.unlink(the_layout().run_json(run_id))
    seal(the_layout(), run_id)  # of the half, as of a run that was cut off
    path.write_bytes(whole)
    files = RunFiles(the_layout(), run_id)
    files.refresh()
    assert files.warnings == [] and files.declared == "finished"


def test_half_a_journal_is_better_than_no_points() -> None:
    """Where metrics.parquet is gone, the file is read for what it still has."""
    run_id, path = sealed_run()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    os.unlink(the_layout().parquet(run_id))
    files = RunFiles(the_layout(), run_id)
    files.refresh()
    points = files.merged("loss", None)
    assert points is not None and 0 < len(points.values) < ROWS


def test_damage_that_was_sealed_is_no_loss_since() -> None:
    """A journal that was damaged before it was sealed is read from its file: the seal has no more."""
    run_id, path = sealed_run()
    for name in (the_layout().run_json(run_id), the_layout().parquet(run_id)):
        os.unlink(name)
    path.write_bytes(hurt(path.read_bytes(), "sector"))
    seal(the_layout(), run_id)
    files = RunFiles(the_layout(), run_id)
    files.refresh()
    assert [warning for warning in files.warnings if "seal" in warning] == []
