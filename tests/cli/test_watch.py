"""`runfolio watch`: a run as it goes on; the terminal is left as it was."""

from __future__ import annotations

import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pytest

import runfolio
from cli.calling import call, fine, start, store
from runfolio.cli.render.frame import output_lines
from runfolio.cli.render.text import width
from runfolio.store.edits import delete

PATIENCE_S = 60.0
ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?25h\x1b[?1049l"


def begin(name: str = "mlp", steps: int = 5, **facts: object) -> runfolio.ActiveRun:
    """Start a run that has come some steps of ten."""
    run = start(name=name, experiment="digits", **facts)
    run.total_steps = 10
    for step in range(steps):
        run.log({"loss": 1 / (step + 1), "acc": step / 10}, step=step)
    return run


def write_output(run_id: str, text: str) -> None:
    """Leave an output as the launcher does."""
    Path(store().output(run_id)).write_bytes(text.encode())


# ----------------------------------------------------------------------------------------------------------- one frame


def test_one_frame() -> None:
    """In a pipe one frame is printed: status, progress, the curves with their values, the end of the output."""
    with begin() as run:
        write_output(run.id, "epoch 1\nall is well\n")
        lines = fine("watch").lines
    assert lines[0] == f"● running  mlp  {run.id[:8]}  digits"
    assert re.fullmatch(r"\[#{15}-{15}\] step 4 of 10 \(50%\)(, .* left)?, \d+\.\ds so far", lines[1])
    assert [line for line in lines if line.startswith(("loss", "acc"))] == ["loss  0.20", "acc  0.40"]
    assert lines[-3:] == ["output", "epoch 1", "all is well"]
    assert len(lines) <= 24 and "\x1b" not in "".join(lines)


@pytest.mark.parametrize("columns", [20, 40, 80, 150])
def test_a_frame_fits(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame is no wider than the screen and no longer than 24 rows in a pipe, however many metrics and words there are."""
    monkeypatch.setenv("COLUMNS", str(columns))
    with start(name="n" * 300) as run:
        for step in range(9):
            run.log({f"metric-{number}": math.sin(step * number) for number in range(40)}, step=step)
        write_output(run.id, "w" * 500 + "\n" + "x\n" * 99)
        lines = fine("watch", "--once").lines
    assert max(map(width, lines)) <= columns and len(lines) <= 24
    assert any("more metrics" in line for line in lines)


def test_chosen_metrics() -> None:
    """--metrics chooses and orders them; one that a finished run lacks is told."""
    with begin():
        pass
    lines = fine("watch", "--metrics", "acc, loss").lines
    assert [line for line in lines if line.startswith(("loss", "acc"))] == ["acc  0.40", "loss  0.20"]
    assert "loss" not in "".join(fine("watch", "-m", "acc").lines)
    called = call("watch", "-m", "accc")
    assert called.code == 1 and "has no metric 'accc'; it has 'acc'" in called.err


def test_which_run() -> None:
    """Without a name it is the running one that began last, else the newest; with one, that run."""
    first, second = begin("first"), begin("second")
    with begin("third"):
        pass
    assert "● running  second" in fine("watch").lines[0]
    second.finish()
    assert "● running  first" in fine("watch").lines[0]
    first.finish()
    assert "✓ finished  third" in fine("watch").lines[0]
    assert "✓ finished  second" in fine("watch", "second").lines[0]


def test_a_run_that_failed_says_why() -> None:
    """The reason of an end is shown, and a run without metrics says that there are none."""
    with pytest.raises(ValueError), start(name="bad"):
        raise ValueError("no such data")
    lines = fine("watch").lines
    assert lines[0].startswith("✗ failed  bad") and "no such data" in lines[2]
    assert "No metrics yet." in lines


def test_nothing_to_watch() -> None:
    """Where there is no run, that is told."""
    assert call("watch").code == 1
    with begin() as run:
        pass
    delete(store(), run.id)
    called = call("watch")
    assert called.code == 1 and "there is no run to watch" in called.err


def test_output_as_a_terminal_would_show_it() -> None:
    """Of a progress bar the latest state is kept, colours and other control sequences are taken out, empty lines left out."""
    told = b"\x1b[31mred\x1b[0m\n\n 10%\r 50%\r\x1b[2K100%\r\nlink \x1b]8;;http://a\x07here\x1b]8;;\x07\nlast\xff"
    assert output_lines(told) == ["red", "100%", "link here", "last\ufffd"]
    assert output_lines(b"".join(b"%d\n" % number for number in range(99))) == [str(number) for number in range(91, 99)]
    assert output_lines(b"") == []


# ------------------------------------------------------------------------------------------------------------ a terminal


class Terminal:
    """`runfolio watch` with these words on a terminal of its own."""

    def __init__(self, *words: str, size: tuple[int, int] = (24, 80)) -> None:
        self.terminal, self.end = os.openpty()
        termios.tcsetwinsize(self.end, size)
        self.before = termios.tcgetattr(self.end)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runfolio", "watch", *words], preexec_fn=lambda: os.login_tty(self.end)
        )
        self.seen = b""

    def wait_for(self, text: str | bytes, since: int = 0) -> int:
        """Read until the text has come after so many bytes; give how many there were by then."""
        wanted = text.encode() if isinstance(text, str) else text
        self._until(lambda: wanted in self.seen[since:], f"{wanted!r} did not come")
        return len(self.seen)

    def ended(self) -> int:
        """Read until the command has ended; give its code."""
        self._until(lambda: self.process.poll() is not None, "it did not end")
        while self._read(0.0):
            pass
        return self.process.returncode

    def type(self, keys: bytes) -> None:
        os.write(self.terminal, keys)

    @property
    def is_restored(self) -> bool:
        """Whether the alternate screen has been left as often as entered, and the keyboard is as before."""
        return self.seen.count(ENTERED) == self.seen.count(LEFT) > 0 and termios.tcgetattr(self.end) == self.before

    def _until(self, condition: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"{otherwise}: {self.seen[-2000:]!r}"
            self._read(0.1)

    def _read(self, patience_s: float) -> bool:
        ready, _, _ = select.select([self.terminal], [], [], patience_s)
        if ready:
            self.seen += os.read(self.terminal, 1 << 16)
        return bool(ready)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.terminal)
        os.close(self.end)


def test_it_follows_the_run_to_its_end() -> None:
    """New steps come onto the alternate screen; when the run ends, so does the watching, and the last frame stays."""
    with begin() as run, Terminal() as watched:
        watched.wait_for("step 4 of 10")
        run.log({"loss": 0.125, "acc": 0.9}, step=9)
        watched.wait_for("step 9 of 10")
        watched.wait_for("0.12")
        run.finish()
        assert watched.ended() == 0
        assert watched.is_restored
        after = watched.seen.rpartition(LEFT)[2].decode()
    assert after.startswith("\x1b[32m✓ finished\x1b[0m") and "loss" in after and "step 9 of 10 (100%)" in after
    assert "Ctrl-C" in watched.seen.decode() and "Ctrl-C" not in after


def test_it_draws_only_what_has_changed() -> None:
    """A frame writes only the lines that are new, each in its place, and clears the screen once: nothing flickers."""
    with begin() as run, Terminal() as watched:
        watched.wait_for("step 4 of 10")
        so_far = watched.wait_for("q or Ctrl-C leaves")
        write_output(run.id, "a new line of output\n")
        watched.wait_for("a new line of output", so_far)
        watched.type(b"q")
        assert watched.ended() == 0
    assert watched.seen.count(b"\x1b[2J") == 1
    assert watched.seen.count("● running".encode()) == 1


@pytest.mark.parametrize(("keys", "code"), [(b"q", 0), (b"\x03", 130)])
def test_keys_that_leave(keys: bytes, code: int) -> None:
    """q and Ctrl-C leave, the terminal is as before, and the run goes on."""
    with begin() as run, Terminal() as watched:
        watched.wait_for("step 4 of 10")
        watched.type(b"other keys\r")
        watched.type(keys)
        assert watched.ended() == code
        assert watched.is_restored
        run.log({"loss": 0.1}, step=5)
    assert b"other keys" not in watched.seen
    assert fine("watch").lines[0].startswith("✓ finished")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_restore_the_terminal(number: signal.Signals) -> None:
    """SIGTERM and SIGHUP end it with the terminal as before."""
    with begin(), Terminal() as watched:
        watched.wait_for("step 4 of 10")
        watched.process.send_signal(number)
        assert watched.ended() == 128 + number
        assert watched.is_restored


def test_an_error_restores_the_terminal() -> None:
    """When the store vanishes beneath it, the terminal is as before and the error can be read."""
    with begin() as run, Terminal() as watched:
        watched.wait_for("step 4 of 10")
        run.finish()
        shutil.rmtree(store().root)
        assert watched.ended() in (1, 2, 3)
        assert watched.is_restored
        assert watched.seen.rpartition(LEFT)[2].startswith(b"runfolio: ")


def test_it_follows_the_size_of_the_terminal() -> None:
    """When the terminal gets another size, the frame is drawn anew for it, and no line is wider."""
    with begin(), Terminal() as watched:
        so_far = watched.wait_for("Ctrl-C")
        termios.tcsetwinsize(watched.end, (12, 40))
        watched.process.send_signal(signal.SIGWINCH)
        watched.wait_for(b"\x1b[2J", so_far)
        watched.wait_for("acc" if b"acc" in watched.seen[so_far:] else "loss", so_far)
        watched.type(b"q")
        assert watched.ended() == 0
        drawn = watched.seen[so_far:].rpartition(b"\x1b[2J")[2].decode().partition(LEFT.decode())[0]
    lines = re.split(r"\x1b\[\d+;1H", drawn)
    assert max(width(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line)) for line in lines) <= 39
    assert len(lines) <= 13


def test_ctrl_z_gives_the_terminal_back() -> None:
    """Ctrl-Z leaves the alternate screen before it stops; going on, it is entered and drawn again."""
    with begin(), Terminal() as watched:
        so_far = watched.wait_for("Ctrl-C")
        watched.process.send_signal(signal.SIGTSTP)
        so_far = watched.wait_for(LEFT, so_far)
        assert os.waitid(os.P_PID, watched.process.pid, os.WSTOPPED | os.WNOWAIT) is not None
        watched.process.send_signal(signal.SIGCONT)
        watched.wait_for(ENTERED, so_far)
        watched.wait_for("Ctrl-C", so_far)
        watched.type(b"q")
        assert watched.ended() == 0
        assert watched.is_restored


def test_a_terminal_that_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a dumb terminal one frame is printed, as in a pipe."""
    monkeypatch.setenv("TERM", "dumb")
    with begin(), Terminal() as watched:
        assert watched.ended() == 0
    assert b"\x1b" not in watched.seen and b"step 4 of 10" in watched.seen
