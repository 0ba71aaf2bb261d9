"""A user's back-end object, hosted on a thread: it can be slow, raise or hang, and the loop does not notice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from runfolio.sdk.trouble import RunfolioWarning
from runfolio.sinks.hosted import Hosted, HostedTold
from sinks.entries import WAIT_S


class Backend:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def log(self, record: dict[str, Any], step: int | None = None) -> None:
        self.seen.append((record, step))

    def log_summary(self, summary: dict[str, Any]) -> None:
        self.seen.append(summary)

    def close(self) -> None:
        self.seen.append("closed")


class Gated(Backend):
    """Does not come back from `log` before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.let_go = threading.Event(), threading.Event()

    def log(self, record: dict[str, Any], step: int | None = None) -> None:
        self.inside.set()
        assert self.let_go.wait(WAIT_S)
        super().log(record, step)


class Raising(Backend):
    """Raises in every second `log`."""

    def log(self, record: dict[str, Any], step: int | None = None) -> None:
        super().log(record, step)
        if len(self.seen) % 2:
            raise OSError("quota exceeded")


def test_calls_run_in_order_on_another_thread() -> None:
    """Each call reaches the object as it was made, in order, and `close` comes last."""
    backend = Backend()
    hosted = Hosted(backend, methods=("log", "log_summary"))
    for step in range(100):
        hosted.log({"loss": step}, step=step)
    hosted.log_summary({"r2": 0.5})
    assert hosted.close(WAIT_S) == HostedTold(done=101)
    assert backend.seen == [({"loss": step}, step) for step in range(100)] + [{"r2": 0.5}, "closed"]


def test_a_raising_back_end_is_warned_of_once_and_counted() -> None:
    """What the object raises reaches nobody; one warning names its class, the counts tell the rest."""
    backend = Raising()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        hosted = Hosted(backend)
        for step in range(10):
            hosted.log({}, step)
        told = hosted.close(WAIT_S)
    assert told == HostedTold(done=5, failed=5, error="OSError: quota exceeded")
    (warning,) = [one for one in caught if one.category is RunfolioWarning]
    assert "Raising raised in log(): OSError: quota exceeded" in str(warning.message)


def test_a_back_end_that_ends_the_thread_goes_on() -> None:
    """A SystemExit out of the object counts as a failure and ends nothing."""

    class Leaving(Backend):
        def log(self, record: dict[str, Any], step: int | None = None) -> None:
            sys.exit(3)

    backend = Leaving()
    hosted = Hosted(backend, on_trouble=lambda text: None)
    hosted.log({})
    assert hosted.close(WAIT_S).failed == 1
    assert backend.seen == ["closed"]


def test_the_loop_never_waits_for_a_slow_back_end() -> None:
    """10,000 calls return while the object is still in its first, and all arrive."""
    backend = Gated()
    hosted = Hosted(backend)
    for step in range(10_000):
        hosted.log({}, step)
    assert backend.seen == []
    backend.let_go.set()
    assert hosted.close(WAIT_S) == HostedTold(done=10_000)
    assert len(backend.seen) == 10_001


def test_a_full_queue_drops_new_calls_and_counts() -> None:
    """Beyond the bound the new call is dropped, so that the object sees a beginning without gaps."""
    backend, told = Gated(), []
    hosted = Hosted(backend, queue_max=10, on_trouble=told.append)
    hosted.log({}, -1)
    assert backend.inside.wait(WAIT_S)
    for step in range(50):
        hosted.log({}, step)
    backend.let_go.set()
    assert hosted.close(WAIT_S) == HostedTold(done=11, dropped=40)
    assert [step for _, step in backend.seen[:-1]] == [-1, *range(10)]
    assert len(told) == 1


def test_a_hanging_back_end_is_given_up() -> None:
    """`close` comes back after its timeout and tells what was dropped; a second `close` does not wait again."""
    backend, warned = Gated(), []
    hosted = Hosted(backend, on_trouble=warned.append)
    for step in range(5):
        hosted.log({}, step)
    assert backend.inside.wait(WAIT_S)
    told = hosted.close(0.02)
    assert (told.done, told.dropped) == (0, 5)
    assert "still in log() after 0.02 s" in str(told.error)
    assert len(warned) == 1
    assert hosted.close(WAIT_S) == told
    backend.let_go.set()


def test_calls_after_close_are_counted() -> None:
    """A call that comes after the end is dropped, and told."""
    hosted = Hosted(Backend())
    hosted.close(WAIT_S)
    hosted.log({})
    assert hosted.told.dropped == 1


def test_an_object_without_close() -> None:
    """Where the object has no end of its own, the queue is emptied and nothing is called."""
    backend = Backend()
    hosted = Hosted(backend, close=None)
    hosted.log({}, 1)
    assert hosted.close(WAIT_S) == HostedTold(done=1)
    assert backend.seen == [({}, 1)]


def test_other_methods_are_not_there() -> None:
    """A method that was not named is refused at the call, and named."""
    with pytest.raises(AttributeError, match="Backend has no method 'save'"):
        Hosted(Backend()).save()


SCRIPT = """
import sys
from runfolio.sinks.hosted import Hosted

class Backend:
    def log(self, step): print("log", step)
    def close(self): print("closed", flush=True)

hosted = Hosted(Backend())
for step in range({count}): hosted.log(step)
{end}
"""


def run_script(tmp_path: Path, end: str, count: int = 1000) -> list[str]:
    """Run a script that ends without `close`; give what its object printed."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(end=end, count=count), encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], stdout=subprocess.PIPE, text=True, timeout=WAIT_S, check=False)
    return done.stdout.splitlines()


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise RuntimeError"])
def test_exit_without_close(tmp_path: Path, end: str) -> None:
    """A script that ends without `close` loses nothing: the interpreter's exit waits for the queue and closes."""
    assert run_script(tmp_path, end) == [*(f"log {step}" for step in range(1000)), "closed"]


def test_exit_without_close_or_calls(tmp_path: Path) -> None:
    """An object that was never called is closed too."""
    assert run_script(tmp_path, "", 0) == ["closed"]


def test_a_hanging_back_end_does_not_hold_the_exit(tmp_path: Path) -> None:
    """The exit is not kept waiting beyond its bound by an object that hangs."""
    end = "\n".join(
        (
            "import threading, runfolio.sinks.hosted as module",
            "module.EXIT_TIMEOUT_S = 0.05",
            "Backend.log = lambda self, step: threading.Event().wait()",
            "hosted.log(-1)",
        )
    )
    assert "closed" not in run_script(tmp_path, end, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_has_a_thread_of_its_own(tmp_path: Path) -> None:
    """After a fork both sides' calls arrive, each once, and only the parent ends the object."""
    path = tmp_path / "seen.txt"

    class Appending(Backend):
        def log(self, record: dict[str, Any], step: int | None = None) -> None:
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{os.getpid()} {step}\n")

        def close(self) -> None:
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{os.getpid()} closed\n")

    hosted = Hosted(Appending())
    for step in range(20):
        hosted.log({}, step)
    child = os.fork()
    if not child:
        try:
            signal.alarm(int(WAIT_S) // 2)  # a child that hangs must not outlive the test
            for step in range(20, 30):
                hosted.log({}, step)
            told = hosted.close(WAIT_S)
            os._exit(0 if told == HostedTold(done=10) else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert hosted.close(WAIT_S) == HostedTold(done=20)
    lines = path.read_text(encoding="utf-8").splitlines()
    mine = [line.split()[1] for line in lines if line.startswith(f"{os.getpid()} ")]
    childs = [line.split()[1] for line in lines if line.startswith(f"{child} ")]
    assert mine == [*map(str, range(20)), "closed"]
    assert childs == [*map(str, range(20, 30))]
