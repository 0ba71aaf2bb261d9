"""F9–F15: disks that are full, short, failing, read-only, slow or of a strange kind, under scripts in processes of their own.

What the writer does at each failing call is in tests/journal/test_faulty_disk.py; here the system itself fails.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from journal.reading import journals_in, scan_file
from runfolio.journal import scan
from runfolio.store.layout import Layout
from runfolio.store.spool import runs_of
from runfolio.store.verify import verify

from .talking import Ended, Talk, command, lost_line, shown, steps_in
from .tools import fail, make_image, mounted, strace, tmpfs

PLAIN = pytest.mark.parametrize("env", [{}, {"RUNFOLIO_MAP": "0"}], ids=["mapped", "plain"])

# ------------------------------------------------------------------------------------------------------ F9: full

LOGGING = """
step = 0
def log(times=50):
    global step
    for _ in range(times):
        run.log({"a": step * 0.5, "b": step, "c": not step % 2}, step=step)
        step += 1
run = runfolio.start(experiment="disk")
say(run.id)
"""

FULL = (
    LOGGING
    + """
while run.lost_points < 3000:
    log()
say(step)
hear()
import time
give_up = time.monotonic() + 3
before = -1
while before != run.lost_points and time.monotonic() < give_up:
    before = run.lost_points
    log()
again = step - 50
log(500)
say(step, again, run.lost_points)
"""
)


def fill(path: Path, leave_bytes: int) -> None:
    """Take all space of a file system but so much."""
    free = os.statvfs(path.parent)
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(4096, free.f_bavail * free.f_frsize - leave_bytes))


SMALLER = pytest.mark.xfail(strict=True, reason="where a large reservation has no room, no smaller one is tried")


@pytest.mark.root
@pytest.mark.parametrize(
    ("size_mb", "env"),
    [(4, {}), (1, {"RUNFOLIO_MAP": "0"}), pytest.param(1, {}, marks=SMALLER)],
    ids=["mapped", "plain", "mapped, 1 MB"],
)
def test_F09_full_tmpfs_is_counted_and_resumes(
    tmp_path: Path, size_mb: int, env: dict[str, str], record_property: Any
) -> None:
    """Without a spool a full disk raises nothing and warns once; what is lost is counted to the value, and it goes on when there is room."""
    with tmpfs(tmp_path / "disk", f"{size_mb}m") as disk:
        ballast = disk / "ballast"
        fill(ballast, 500_000)
        with Talk(FULL, tmp_path, RUNFOLIO_DIR=str(disk / "store"), RUNFOLIO_SPOOL="off", **env) as script:
            (run_id,), (full_at,) = script.hear(), script.hear()
            assert command("list", store=disk / "store").returncode == 0
            ballast.unlink()
            script.say()
            step, again, lost = map(int, script.hear())
            ended = script.end()
        assert ended.code == 0 and warned_once(ended), ended.err
        found = steps_in(disk / "store")
        assert 3 * (step - len(found)) == lost
        assert set(range(again, step)) <= set(found)
        assert shown(disk / "store", run_id)["lost_points"] == lost
        assert ended.last_line.startswith(lost_line(run_id, lost))
        assert command("verify", store=disk / "store").returncode == 0
    record_property("F9", f"full at step {full_at}, {lost} of {3 * step} values lost and counted, 1 warning, resumed")


def warned_once(ended: Ended) -> bool:
    """Say whether it was warned, and of each cause once."""
    return len(ended.warnings) == len(set(ended.warnings)) > 0


@pytest.mark.root
@pytest.mark.xfail(strict=True, reason="that the spool is switched off is told as a trouble of its own")
def test_F09_a_full_disk_without_a_spool_is_one_warning(tmp_path: Path) -> None:
    """The one warning says that the disk is full: that there is no spool was asked for, and is no trouble."""
    with tmpfs(tmp_path / "disk", "1m") as disk:
        fill(disk / "ballast", 300_000)
        text = LOGGING + "while run.lost_points < 3000: log()"
        with Talk(text, tmp_path, RUNFOLIO_DIR=str(disk / "store"), RUNFOLIO_SPOOL="off") as script:
            ended = script.end()
        assert (ended.code, ended.warnings) == (0, ["No space left on device"]), ended.err


SPOOLED = (
    LOGGING
    + """
while not run.spooling:
    log()
log(2000)
say(step)
hear()
log(500)
run.finish()
say(step, run.lost_points)
"""
)


@pytest.mark.root
@PLAIN
@pytest.mark.parametrize("freed", [True, False], ids=["freed", "full"])
def test_F09_full_tmpfs_with_a_spool_loses_nothing(
    tmp_path: Path, env: dict[str, str], freed: bool, record_property: Any
) -> None:
    """What a full disk cannot take is in the spool, which the last line names, until there is room: then it comes home. Nothing is lost."""
    spool = tmp_path / "spool"
    with tmpfs(tmp_path / "disk", "1m") as disk:
        store, ballast = disk / "store", disk / "ballast"
        fill(ballast, 500_000)
        with Talk(SPOOLED, tmp_path, RUNFOLIO_DIR=str(store), **env) as script:
            (run_id,), _ = script.hear(), script.hear()
            ballast.unlink()
            if not freed:
                fill(ballast, 0)
            script.say()
            step, lost = map(int, script.hear())
            ended = script.end()
        assert (ended.code, len(ended.warnings), lost) == (0, 1, 0), ended.err
        assert steps_in(store, spool) == list(range(step))
        assert shown(store, run_id)["lost_points"] == 0
        if not freed:
            assert "is kept in " + str(spool) in ended.last_line
            ballast.unlink()
            brought = command("doctor", "--bring-home", store=store)
            assert "1 run" in brought.stdout, brought
        assert steps_in(store) == list(range(step)) and not runs_of(str(store))
        assert verify(Layout(str(store))).sound
    record_property(
        "F9", f"{step} calls, {'freed' if freed else 'full to the end'}, with a spool: 0 lost, all came home"
    )


@pytest.mark.root
@pytest.mark.xfail(strict=True, reason="what doctor measures with stays in the spool where the disk is full")
def test_F09_doctor_leaves_nothing_in_the_spool(tmp_path: Path) -> None:
    """The run that doctor measures the cost of a call with is gone afterwards, on a full disk too."""
    with tmpfs(tmp_path / "disk", "1m") as disk:
        store = disk / ".runfolio"
        assert command("init", str(disk), store=store).returncode == 0
        fill(disk / "ballast", 50_000)
        assert "No space left" in command("doctor", store=store).stdout
    assert journals_in(tmp_path / "spool") == []


COPIED = (
    LOGGING
    + """
say("up")
while not run.lost_points and not run.spooling and step < 400_000:
    log(500)
log(5000)
say(step)
hear()
run.finish()
say(step, run.lost_points)
"""
)


@contextmanager
def disk_of(kind: str, tmp_path: Path) -> Iterator[Path]:
    """Mount a small disk of a kind, itself kept in memory."""
    if kind == "tmpfs":
        with tmpfs(tmp_path / "disk", "16m") as disk:
            yield disk
        return
    with tmpfs(tmp_path / "memory", "1g") as memory:
        image = make_image(memory / "image", kind)
        with mounted(image, tmp_path / "disk", "-o", "loop") as disk:
            yield disk


def copy_until_full(script: Talk, store: Path, disk: Path) -> int:
    """Copy the live journals beside themselves until the script says that it is through; how often."""
    copies = 0
    while not script.said():
        for path in journals_in(store):
            subprocess.run(["cp", "--reflink=auto", path, disk / f"copy{copies}"], capture_output=True, check=False)
            copies += 1
    return copies


@pytest.mark.root
@pytest.mark.parametrize(
    ("env", "spool"),
    [
        ({}, False),
        pytest.param({}, True, marks=pytest.mark.long),
        pytest.param({"RUNFOLIO_MAP": "0"}, False, marks=pytest.mark.long),
        pytest.param({"RUNFOLIO_MAP": "0"}, True, marks=pytest.mark.long),
    ],
    ids=["no spool", "spool", "no spool, plain", "spool, plain"],
)
@pytest.mark.parametrize("kind", ["ext4", "tmpfs", "xfs", "btrfs"])
def test_F09_copied_while_the_disk_fills(
    tmp_path: Path, kind: str, spool: bool, env: dict[str, str], record_property: Any
) -> None:
    """A live journal that is copied, blocks shared, until the disk is full: the script is not killed, and every value is there or counted."""
    with disk_of(kind, tmp_path) as disk:
        store = disk / "store"
        told = {"RUNFOLIO_DIR": str(store), **({} if spool else {"RUNFOLIO_SPOOL": "off"}), **env}
        with Talk(COPIED, tmp_path, RUNFOLIO_FSYNC_EVERY_S="0.05", **told) as script:
            (run_id,), _ = script.hear(), script.hear()
            fill(disk / "ballast", 3 << 20)
            copies = copy_until_full(script, store, disk)
            (step,) = map(int, script.hear())
            for path in (*disk.glob("copy*"), disk / "ballast"):
                path.unlink()
            script.say()
            step, lost = map(int, script.hear())
            ended = script.end()
        assert ended.code == 0 and warned_once(ended), ended.err
        found = steps_in(store, tmp_path / "spool")
        assert 3 * (step - len(found)) == lost == shown(store, run_id)["lost_points"]
        assert lost == 0 or not spool
        assert verify(Layout(str(store))).sound
    record_property("F9", f"{kind}, {copies} copies beside {step} calls until full: {lost} values lost and counted")


# ------------------------------------------------------------------------------------------------------ F10: short

LIMITED = "import resource\nLIMIT = resource.RLIMIT_FSIZE\n" + FULL.replace(
    "say(run.id)", "say(run.id)\nresource.setrlimit(LIMIT, (100_000, resource.RLIM_INFINITY))"
).replace("hear()\n", "hear()\nresource.setrlimit(LIMIT, (resource.RLIM_INFINITY,) * 2)\n")


@PLAIN
def test_F10_file_size_limit(tmp_path: Path, env: dict[str, str], record_property: Any) -> None:
    """At RLIMIT_FSIZE a write is short, the next is refused: no partial frame, the loss counted, and it goes on when the limit is gone."""
    store = tmp_path / "store"
    with Talk(LIMITED, tmp_path, RUNFOLIO_SPOOL="off", **env) as script:
        (run_id,), _ = script.hear(), script.hear()
        script.say()
        step, again, lost = map(int, script.hear())
        ended = script.end()
    assert ended.code == 0 and warned_once(ended), ended.err
    found = steps_in(store)
    assert 3 * (step - len(found)) == lost == shown(store, run_id)["lost_points"] > 0
    assert set(range(again, step)) <= set(found)
    assert verify(Layout(str(store))).sound
    record_property("F10", f"limit of 100,000 bytes: {lost} values lost and counted, no partial frame, resumed")


WRITTEN = LOGGING + "log(200)\nrun.finish()\nos.writev(1, [f'{step} {run.lost_points}\\n'.encode()])\n"


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 39])
def test_F10_short_writes(tmp_path: Path, kept: int, record_property: Any) -> None:
    """A write(2) that says it took a few bytes, at every third call: each frame is there, whole, once."""
    before = strace("-e", "trace=write", "-e", f"inject=write:retval={kept}:when=20+3")
    with Talk(WRITTEN, tmp_path, before, RUNFOLIO_MAP="0", RUNFOLIO_SPOOL="off") as script:
        ended = script.end()
    step, lost = map(int, ended.out[-1].split())
    assert (ended.code, lost, ended.warnings) == (0, 0, []), ended.err
    assert steps_in(tmp_path / "store") == list(range(step))
    record_property("F10", f"every third write short, {kept} bytes: {step} calls, all there")


# ------------------------------------------------------------------------------------------------------ F11: EIO

SYNCED = (
    LOGGING.replace('"disk"', '"disk", fsync_every_s=1000')
    + """
sound = []
for _ in range(4):
    log(20)
    sound.append(run.flush())
run.finish()
say(*map(int, sound))
"""
)


@PLAIN
@pytest.mark.parametrize(("when", "sound"), [("1", "0000"), ("2", "1000"), ("3", "1100"), ("1+", "0000")])
def test_F11_failed_syncs(tmp_path: Path, env: dict[str, str], when: str, sound: str, record_property: Any) -> None:
    """After one fdatasync that fails no flush() is True again, a new journal begins, it is warned once, and everything is there."""
    with Talk(SYNCED, tmp_path, fail("fdatasync", "EIO", when), **env) as script:
        ended = script.end()
    assert (ended.code, ended.out[-1].replace(" ", "")) == (0, sound), ended.err
    assert ended.warnings == ["Input/output error"]
    assert steps_in(tmp_path) == list(range(80))
    events = [body for path in journals_in(tmp_path) for _, body in scan.events(scan_file(path))]
    assert Counter(body["type"] for body in events)["uncertain"] >= 1
    assert verify(Layout(str(tmp_path / "store"))).sound
    record_property("F11", f"fdatasync fails at call {when}: flush() says {sound}, 80 of 80 calls there")


@pytest.mark.parametrize("call", ["write", "ftruncate", "fallocate", "fsync", "mkdir", "link", "unlink"])
@pytest.mark.parametrize("when", ["1", "2", "1+"])
@PLAIN
def test_F11_failing_calls(tmp_path: Path, call: str, when: str, env: dict[str, str]) -> None:
    """Whatever call the disk refuses with EIO, once or always: the script ends well, and each value is there or counted."""
    text = WRITTEN.replace("say(run.id)", "") if call == "write" else WRITTEN
    number = f"{int(when[0]) + 5}{when[1:]}" if call == "write" else when
    with Talk(text, tmp_path, fail(call, "EIO", number), **env) as script:
        ended = script.end()
    assert ended.code == 0, ended.err
    step, lost = map(int, ended.out[-1].split())
    assert 3 * (step - len(steps_in(tmp_path))) == lost
    assert len(ended.warnings) <= 1 and "Traceback" not in ended.err
