"""The file of the output: bounded, head and tail whole, every byte accounted for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runfolio.launch.output_log import OutputLog

CUT = re.compile(rb"\n\[runfolio: (\d+) bytes of output are cut here\]\n")

PIECES = st.lists(
    st.one_of(
        st.integers(1, 9000).map(lambda size: b"x" * size),
        st.integers(1, 200).map(lambda lines: b"a line of text\n" * lines),
        st.binary(min_size=1, max_size=300),
    ),
    max_size=40,
)


@given(pieces=PIECES, bytes_max=st.integers(4096, 20_000))
def test_head_cut_and_tail_add_up(pieces: list[bytes], bytes_max: int) -> None:
    """For any output in any pieces, the file is its head, one line about the cut, and its tail, which have every byte; it is never too big."""
    whole = b"".join(pieces)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "output.log")
        log = OutputLog(str(path), bytes_max)
        for piece in pieces:
            log.write(piece)
            assert path.stat().st_size <= bytes_max
        told = log.close()
        kept = path.read_bytes() if pieces else b""
        assert os.listdir(folder) == (["output.log"] if pieces else [])
    assert told.size_bytes == len(kept)
    if len(whole) <= bytes_max:
        assert (kept, told.cut_bytes) == (whole, 0)
        return
    head, tail = whole_around_cut(kept, told.cut_bytes)
    assert whole.startswith(head) and whole.endswith(tail)
    assert len(head) + told.cut_bytes + len(tail) == len(whole)
    assert min(len(head), len(tail)) >= bytes_max // 4 - 1024 - bytes_max // 8


def whole_around_cut(kept: bytes, cut_bytes: int) -> tuple[bytes, bytes]:
    """Part a file at our line, which output may hold too: at the one with the right number."""
    line = b"\n[runfolio: %d bytes of output are cut here]\n" % cut_bytes
    head, found, tail = kept.partition(line)
    assert found
    return head, tail


def test_reader_never_sees_half_a_cut(tmp_path: Path) -> None:
    """Who reads the file while the middle is taken out sees a whole one, old or new."""
    path = tmp_path / "output.log"
    log = OutputLog(str(path), 8192)
    log.write(b"first\n")
    stop = threading.Event()

    def write() -> None:
        for number in range(20_000):
            log.write(b"line %d\n" % number)
        stop.set()

    writing = threading.Thread(target=write)
    writing.start()
    looks = 0
    while not stop.is_set():
        kept = path.read_bytes()
        assert kept.startswith(b"first\n")
        assert len(CUT.findall(kept)) <= 1
        looks += 1
    writing.join()
    assert looks > 0
    log.close()


def test_several_threads() -> None:
    """Threads write whole pieces, none inside another."""
    with tempfile.TemporaryDirectory() as folder:
        log = OutputLog(f"{folder}/output.log", 1 << 20)
        threads = [
            threading.Thread(target=lambda n=n: [log.write(b"%d" % n * 50 + b"\n") for _ in range(500)])
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.close()
        lines = Path(folder, "output.log").read_bytes().splitlines()
    assert len(lines) == 2000
    assert all(len(set(line)) == 1 and len(line) == 50 for line in lines)


def test_writes_after_the_end_are_nothing(tmp_path: Path) -> None:
    """What comes after the close neither raises nor changes the file."""
    log = OutputLog(str(tmp_path / "output.log"), 1 << 20)
    log.write(b"a")
    assert log.close() == (1, 0)
    log.write(b"b")
    assert (tmp_path / "output.log").read_bytes() == b"a"


def test_disk_that_has_room_again(tmp_path: Path) -> None:
    """What a full disk did not take is counted and told where it is missing; what comes when there is room again is kept."""
    program = """
import resource, sys
from runfolio.launch.output_log import OutputLog
log = OutputLog(sys.argv[1], 1 << 20)
log.write(b"before\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
for _ in range(3):
    log.write(b"in vain\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.write(b"after\\n")
print(*log.close())
"""
    path = tmp_path / "output.log"
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    kept = path.read_bytes()
    assert kept == b"before\n\n[runfolio: 24 bytes of output could not be written here]\nafter\n"
    assert done.stdout.split() == [str(len(kept)), "24"]


def test_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    """A link at the file's place is replaced, and what it leads to left alone."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "output.log").symlink_to(victim)
    log = OutputLog(str(tmp_path / "output.log"), 1 << 20)
    log.write(b"a")
    log.close()
    assert victim.read_text() == "mine"
    assert (tmp_path / "output.log").read_bytes() == b"a"
