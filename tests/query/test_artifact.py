"""An artifact's bytes, from Python."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import runfolio
from runfolio.errors import NotFound, Unreadable, UsageError
from runfolio.query.run import Run


@pytest.fixture
def run() -> Run:
    """Make a run with two versions of a file and one in a folder."""
    with runfolio.start(capture=False) as writing:
        writing.add_artifact(b"old", "model.npz")
        writing.add_artifact(b"new", "model.npz", step=7)
        writing.add_artifact(b"plot", "plots/loss.png")
    return runfolio.open_store().run(writing.id)


def test_bytes_of_each_version(run: Run) -> None:
    """The latest version is given unless another is asked for; its path holds the same bytes."""
    latest = run.artifact("model.npz")
    assert (latest.name, latest.version, latest.step, latest.size_bytes) == ("model.npz", 2, 7, 3)
    assert latest.read_bytes() == Path(latest.path).read_bytes() == b"new"
    assert run.artifact("model.npz", version=1).read_bytes() == b"old"


def test_a_copy_keeps_name_and_ending(run: Run, tmp_path: Path) -> None:
    """In a folder, also a new one told by a slash, the copy has the artifact's own name; else the one that was given."""
    (tmp_path / "there").mkdir()
    for artifact, target, path in (
        ("model.npz", "there", "there/model.npz"), ("model.npz", "new/", "new/model.npz"),
        ("plots/loss.png", "there", "there/plots/loss.png"), ("model.npz", "deep/best.npz", "deep/best.npz"),
    ):  # fmt: skip
        found = run.artifact(artifact)
        assert found.copy_to(str(tmp_path / target) + ("/" if target.endswith("/") else "")) == str(tmp_path / path)
        assert (tmp_path / path).read_bytes() == found.read_bytes()


def test_another_file_is_replaced_on_request_only(run: Run, tmp_path: Path) -> None:
    """A file that is there and differs stays, unless it may be replaced."""
    (tmp_path / "model.npz").write_bytes(b"mine")
    with pytest.raises(UsageError, match="replace=True"):
        run.artifact("model.npz").copy_to(tmp_path)
    assert (tmp_path / "model.npz").read_bytes() == b"mine"
    run.artifact("model.npz").copy_to(tmp_path, replace=True)
    assert (tmp_path / "model.npz").read_bytes() == b"new"


def test_an_unknown_one_names_those_there_are(run: Run) -> None:
    """A name or version that is not there is told with those that are."""
    with pytest.raises(NotFound, match=r"'model.npz'"):
        run.artifact("model.np")
    with pytest.raises(NotFound, match="its versions are 1, 2"):
        run.artifact("model.npz", 9)


def test_damaged_bytes_are_not_handed_out(run: Run, tmp_path: Path) -> None:
    """Bytes whose hash is wrong are refused by every way to them; a sound copy is found."""
    artifact = run.artifact("model.npz")
    path = Path(artifact.path)
    shared = Path(runfolio.open_store().path) / "blobs" / artifact.sha256
    os.unlink(path)
    path.write_bytes(b"rot")
    assert artifact.read_bytes() == b"new" and artifact.path == str(shared)
    shared.chmod(0o644)
    shared.write_bytes(b"rot")
    for act in (artifact.read_bytes, lambda: artifact.path, lambda: artifact.copy_to(tmp_path)):
        with pytest.raises(Unreadable, match="damaged"):
            act()
    assert not (tmp_path / "model.npz").exists()
