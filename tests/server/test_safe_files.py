"""Files opened below a folder: what leads out of it, or is no regular file, is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runfolio.errors import NotFound
from runfolio.server.safe_files import is_plain, open_below


def test_a_file_below() -> None:
    """A regular file is read from any place; closing twice does no harm."""
    Path("a/b").mkdir(parents=True)
    Path("a/b/c").write_bytes(b"0123456789")
    with open_below(os.getcwd(), "a", "b", "c") as file:
        assert (file.size_bytes, file.read_at(3, 4), file.read_at(8, 9), file.read_at(10, 1)) == (
            10,
            b"3456",
            b"89",
            b"",
        )
    file.close()


def test_a_root_that_is_a_link() -> None:
    """The folder itself may be reached by a link: its owner has put it there."""
    Path("real").mkdir()
    Path("real/f").write_bytes(b"x")
    Path("link").symlink_to("real")
    with open_below(os.path.abspath("link"), "f") as file:
        assert file.read_at(0, 9) == b"x"


@pytest.mark.parametrize("part", ["", ".", "..", "a/b", "/etc/passwd", "a\\b", "c:", "f:stream", "a\0b"])
def test_what_is_no_name(part: str) -> None:
    """A part that is no single name opens nothing, whatever lies there."""
    Path("a").mkdir()
    Path("a/b").write_bytes(b"x")
    assert not is_plain(part)
    with pytest.raises(NotFound):
        open_below(os.getcwd(), part)
    with pytest.raises(NotFound):
        open_below(os.getcwd(), part, "passwd")


def test_what_is_no_regular_file() -> None:
    """A folder, a FIFO and a device are not there, and no descriptor stays open."""
    os.mkfifo("fifo")
    Path("folder").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    for root, part in ((os.getcwd(), "fifo"), (os.getcwd(), "folder"), ("/dev", "zero"), (os.getcwd(), "none")):
        with pytest.raises(NotFound):
            open_below(root, part)
    assert len(os.listdir("/proc/self/fd")) == before
