"""Declared data: path, size and hash."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runfolio.errors import InvalidValue
from runfolio.sdk.data_use import describe


def test_a_file(tmp_path: Path) -> None:
    """A file is told by its whole path, its size and the SHA-256 of its bytes."""
    path = tmp_path / "train.csv"
    path.write_bytes(b"1,2\n" * 1000)
    os.chdir(tmp_path)
    assert describe("train.csv") == {
        "path": str(path),
        "size_bytes": 4000,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "kind": "file",
    }


def a_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("b/2.txt", "b/1.txt", "b.txt", "a b\nc", "ü/😀", "b/empty"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name if name != "b/empty" else "")
    Path(os.fsdecode(os.fsencode(str(folder)) + b"/n\xffme")).write_bytes(b"n")
    (folder / "nothing below").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far").write_text("far")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "link.txt").symlink_to("b.txt")
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    return folder


def test_a_folder_is_hashed_as_the_shell_does_it(tmp_path: Path) -> None:
    """The hash of a folder is what the documented line of shell prints, links followed."""
    folder = a_folder(tmp_path)
    told = describe(str(folder))
    assert told["kind"] == "folder"
    if not shutil.which("sha256sum"):
        pytest.skip("needs a file system tool: sha256sum")
    shell = "find -L . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum -z | sha256sum"
    done = subprocess.run(["sh", "-c", shell], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == told["sha256"]
    assert told["size_bytes"] == sum(os.path.getsize(path) for path in folder.rglob("*") if path.is_file()) + len("far")


def test_the_hash_of_a_folder_tells_names_and_bytes(tmp_path: Path) -> None:
    """Another name, other bytes or one file more make another hash; another place on the disk does not."""
    folder = a_folder(tmp_path)
    before = describe(str(folder))["sha256"]
    shutil.copytree(folder, tmp_path / "copy", symlinks=True, ignore=shutil.ignore_patterns("pipe"))
    assert describe(str(tmp_path / "copy"))["sha256"] == before
    seen = {before}
    (folder / "b.txt").rename(folder / "B.txt")
    seen.add(describe(str(folder))["sha256"])
    (folder / "B.txt").write_text("other")
    seen.add(describe(str(folder))["sha256"])
    (folder / "more").touch()
    seen.add(describe(str(folder))["sha256"])
    assert len(seen) == 4


def test_a_loop_of_links_has_an_end(tmp_path: Path) -> None:
    """A folder that holds a link to itself is read once."""
    folder = tmp_path / "round"
    folder.mkdir()
    (folder / "x").write_text("x")
    before = describe(str(folder))["sha256"]
    (folder / "again").symlink_to(".")
    assert describe(str(folder))["sha256"] == before


def test_what_is_no_data_raises(tmp_path: Path) -> None:
    """A missing path and a FIFO are the caller's to hear of, at once."""
    with pytest.raises(FileNotFoundError):
        describe(str(tmp_path / "nothing"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidValue):
        describe(str(tmp_path / "pipe"))
