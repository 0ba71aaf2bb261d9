"""Reading a sealed run whose journals have lost something since: what the seal has is there."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

import runfolio
from runfolio.cli.main import main
from runfolio.errors import Unreadable
from runfolio.query.store import open_store
from runfolio.store.run_files import RunFiles
from runfolio.store.seal import seal
from runfolio.store.verify import verify

from .making import journals, killed_run, start, the_layout

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


# -------------------------------------------------------------------------------------------------------- sealing again


def files_of_seal(run_id: str) -> list[bytes]:
    return [Path(name).read_bytes() for name in (the_layout().run_json(run_id), the_layout().parquet(run_id))]


@pytest.mark.parametrize("how", HOW)
def test_a_better_seal_is_kept(how: str) -> None:
    """Sealing a run whose journal has lost something since changes nothing, counts what the seal holds, and says so."""
    run_id, path = sealed_run()
    before = files_of_seal(run_id)
    path.write_bytes(hurt(path.read_bytes(), how))
    result = seal(the_layout(), run_id)
    assert (result.changed, result.points, result.kept) == (False, 2 * ROWS, [path.stem])
    assert files_of_seal(run_id) == before
    assert {finding.file for finding in verify(the_layout(), run_id).findings} == {f"journal/{path.name}"}


def test_a_killed_runs_seal_is_kept() -> None:
    """A journal without a close frame is still told as one where the seal is all that has it whole."""
    run_id = killed_run()
    seal(the_layout(), run_id)
    before = files_of_seal(run_id)
    (journal,) = journals(run_id)
    os.truncate(journal.path, journal.end // 2)
    assert not seal(the_layout(), run_id).changed
    assert files_of_seal(run_id) == before


def test_a_resumed_run_is_sealed_beside_what_the_seal_keeps() -> None:
    """New journals are sealed together with what the older seal has of a damaged one."""
    run_id, path = sealed_run()
    path.write_bytes(hurt(path.read_bytes(), "sector"))
    with runfolio.resume(run_id, capture=False) as run:
        run.log({"loss": 1.0}, step=ROWS)
    result = seal(the_layout(), run_id)
    assert (result.changed, result.points, result.kept) == (True, 2 * ROWS + 1, [path.stem])
    assert all(finding.file == f"journal/{path.name}" for finding in verify(the_layout(), run_id).findings)


@pytest.mark.parametrize("gone", ["run_json", "parquet"])
def test_nothing_worse_is_written(gone: str) -> None:
    """Where half a seal and half a journal are left, both stay as they are."""
    run_id = killed_run()
    seal(the_layout(), run_id)
    (journal,) = journals(run_id)
    os.truncate(journal.path, journal.end // 2)
    os.unlink(getattr(the_layout(), gone)(run_id))
    folder = Path(the_layout().run(run_id))
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    with pytest.raises(Unreadable, match="holds less than was sealed"):
        seal(the_layout(), run_id)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before


def test_the_command_says_that_it_kept_a_seal(capsys: pytest.CaptureFixture[str]) -> None:
    """`runfolio seal` says in one line what the seal keeps, and ends with 1."""
    run_id, path = sealed_run()
    path.write_bytes(hurt(path.read_bytes(), "sector"))
    for options in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            main(["seal", run_id, *options])
        assert ended.value.code == 1
        out = capsys.readouterr().out
        if options:
            assert json.loads(out)[0]["kept"] == [path.stem]
        else:
            kept = f"journal {path.stem} has lost what was sealed of it; the seal keeps that"
            assert out == f"✗ {run_id[:8]}: {kept}\n"
