"""Output that goes to pipes: apart, as it comes, whole, bounded in the file, and nobody's trouble."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from launch.launching import Launcher, eventually, is_alive, layout, only_run, output, run, state, write_script


def test_stdout_and_stderr_stay_apart() -> None:
    """Standard output and error come out where they belong, and both stand in output.log."""
    ran = run(write_script("import sys\nprint('to out')\nprint('to err', file=sys.stderr)\n"))
    assert ran.out.startswith(b"to out\n")
    assert ran.err == b"to err\n"
    assert sorted(output().splitlines()) == [b"to err", b"to out"]


def test_order_of_arrival() -> None:
    """What one stream brings before the other stands before it in output.log."""
    script = write_script(
        """
import sys
for number in range(5):
    print("out", number)
    input()
    print("err", number, file=sys.stderr)
    input()
"""
    )
    import subprocess

    with Launcher(script, stdin=subprocess.PIPE) as launched:
        for number in range(5):
            for where in ("out", "err"):
                launched.wait_for(b"%s %d\n" % (where.encode(), number), where)
                assert launched.process.stdin
                launched.process.stdin.write(b"\n")
                launched.process.stdin.flush()
        assert launched.end() == 0
    assert output().split(b"\n") == [b"%s %d" % (where, n) for n in range(5) for where in (b"out", b"err")] + [b""]


def test_output_appears_as_it_comes() -> None:
    """A line is seen, and stands in output.log, while the script goes on; Python does not keep it back in a pipe."""
    with Launcher(write_script("import signal\nprint('epoch 1')\nsignal.pause()\n")) as launched:
        launched.wait_for(b"epoch 1\n")
        assert output() == b"epoch 1\n"
        launched.process.send_signal(signal.SIGTERM)
        launched.end()


def test_bytes_come_through_as_they_are() -> None:
    """Output that is no UTF-8, with NUL and carriage returns, comes through and is kept byte for byte."""
    every = bytes(range(256)) * 300
    ran = run(write_script("import sys\nsys.stdout.buffer.write(bytes(range(256)) * 300)\n"))
    assert ran.out.startswith(every)
    assert output().startswith(every)


def test_closed_reader_ends_nothing() -> None:
    """A reader that goes away (`| head -1`) ends neither script nor run, and output.log has everything."""
    script = write_script(
        "import signal\nprint('first')\nsignal.sigwait([signal.SIGUSR1])\nfor n in range(20_000): print(n)\n"
    )
    Path(script).write_text(
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n" + Path(script).read_text()
    )
    with Launcher(script) as launched:
        launched.wait_for(b"first\n")
        assert launched.process.stdout
        os.close(next(fd for fd, where in launched._pipes.items() if where == "out"))
        launched._pipes = {fd: where for fd, where in launched._pipes.items() if where == "err"}
        launched.process.stdout = None
        launched.process.send_signal(signal.SIGUSR1)
        assert launched.end() == 0
    assert output().endswith(b"\n19998\n19999\n")
    assert state().status_declared == "finished"


def test_big_output_is_cut_in_the_middle() -> None:
    """Beyond RUNFOLIO_OUTPUT_MAX, head and tail are kept, one line tells the cut, and the run knows the sizes; we see everything."""
    script = write_script("for n in range(100_000): print(f'line {n:06}')\n")
    ran = run(script, env={"RUNFOLIO_OUTPUT_MAX": "100000"})
    whole = b"".join(b"line %06d\n" % n for n in range(100_000))
    assert ran.out.startswith(whole)
    kept = output()
    head, mark, tail = kept.partition(b"\n[runfolio: ")
    number, words, tail = tail.partition(b" bytes of output are cut here]\n")
    assert mark and words and b"[runfolio" not in tail
    assert whole.startswith(head) and head.endswith(b"\n") and len(head) >= 25_000
    assert whole.endswith(tail) and tail.startswith(b"line ") and len(tail) >= 20_000
    assert len(kept) <= 100_000
    assert len(head) + int(number) + len(tail) == len(whole)
    assert state().output == {"size_bytes": len(kept), "cut_bytes": int(number)}


def test_output_can_be_switched_off() -> None:
    """With RUNFOLIO_OUTPUT_MAX=0 no output is kept, and the run says how much that was."""
    ran = run(write_script("print('hello')\n"), env={"RUNFOLIO_OUTPUT_MAX": "0"})
    assert ran.out.startswith(b"hello\n")
    assert not Path(layout().output(only_run())).exists()
    assert state().output == {"size_bytes": 0, "cut_bytes": 6}


def test_bad_bound_is_told_before_the_script_starts() -> None:
    """A RUNFOLIO_OUTPUT_MAX that is no number is wrong usage."""
    ran = run(write_script("print('hello')\n"), env={"RUNFOLIO_OUTPUT_MAX": "1G"})
    assert ran.code == 2
    assert b"RUNFOLIO_OUTPUT_MAX is '1G'" in ran.err
    assert b"hello" not in ran.out


def test_process_that_outlives_the_script_holds_up_nobody() -> None:
    """A process that the script leaves behind with its output still open does not keep the run open; what it says soon is kept."""
    script = write_script(
        """
import os, signal, sys
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    os.close(write)
    os.read(read, 1)  # the end of the script
    print("left behind", os.getpid())
    signal.pause()
print("done")
"""
    )
    with Launcher(script) as launched:
        code = launched.end()
        left = int(launched.out.partition(b"left behind ")[2].split()[0])
        assert is_alive(left)
        os.kill(left, signal.SIGKILL)
    assert code == 0
    assert b"left behind" in output()
    assert state().status_declared == "finished"


def test_chatty_process_that_outlives_the_script() -> None:
    """One that never stops writing does not keep the run open either; it is told by SIGPIPE."""
    script = write_script(
        """
import os, sys
if os.fork() == 0:
    os.setsid()
    print("left behind", os.getpid())
    while True:
        print("x" * 8000)
"""
    )
    with Launcher(script, env={"RUNFOLIO_OUTPUT_MAX": "100000"}) as launched:
        assert launched.end() == 0
        left = int(launched.out.partition(b"left behind ")[2].split()[0])
        eventually(lambda: not is_alive(left), "it ends by its broken pipe")


def test_removed_folder_ends_nothing() -> None:
    """A run folder that is removed under way costs its files and nothing else: exit code and last line come."""
    script = write_script(
        """
import os, shutil, runfolio
run = runfolio.start()
print("removing")
while os.path.exists(run.folder):  # launcher and companion may make files in it while we go through it
    shutil.rmtree(run.folder, ignore_errors=True)
print("removed")
"""
    )
    ran = run(script)
    assert ran.code == 0
    assert b"removed\n" in ran.out
    assert ran.last_line.startswith("✓")


def test_full_disk_under_the_output_ends_nothing() -> None:
    """Where output.log cannot grow, the script goes on and is shown; the bytes that are missing are counted."""
    script = write_script("for n in range(10_000): print(f'line {n:06}')\n")
    ran = run(script, env={"RUNFOLIO_MAP": "0"}, limit_bytes=65_536)
    whole = b"".join(b"line %06d\n" % n for n in range(10_000))
    assert ran.code == 0
    assert ran.out.startswith(whole)
    kept = output()
    assert whole.startswith(kept.partition(b"\n[runfolio")[0])
    assert state().output["cut_bytes"] >= len(whole) - 65_536
    assert state().status_declared == "finished"


def test_store_that_cannot_be_written() -> None:
    """With a store that cannot be made, the script runs all the same, and the last lines say where the run is kept."""
    Path("store").write_text("in the way")
    ran = run(write_script("import runfolio\nrunfolio.log({'a': 1.0})\nprint('went on')\n"))
    assert ran.code == 0
    assert b"went on\n" in ran.out
    assert b"runfolio: the store could not be written; kept in " in ran.out
    assert ran.last_line.startswith("✓ Experiment completed successfully: ")
