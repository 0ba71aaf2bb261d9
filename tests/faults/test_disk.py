"""F9–F15: disks that are full, short, failing, read-only, slow or of a strange kind, under scripts in processes of their own.

What the writer does at each failing call is in tests/journal/test_faulty_disk.py; here the system itself fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from journal.reading import journals_in, scan_file
from runfolio.journal import scan
from runfolio.store.layout import Layout
from runfolio.store.spool import runs_of
from runfolio.store.verify import verify

from .talking import Ended, Talk, command, lost_line, shown, steps_in
from .tools import fail, make_image, mounted, shim, strace, tmpfs
from .tools import run as run_tool

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


@pytest.mark.root
@pytest.mark.parametrize(
    ("size_mb", "env"),
    [(4, {}), (1, {"RUNFOLIO_MAP": "0"}), (1, {})],
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
log(25_000)  # a megabyte, in a reservation of four
run.flush()
say("up")
hear()
log(10_000)
say("room")
hear()
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


def use_up(path: Path) -> None:
    """Write until a file system takes nothing more at all."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            with suppress(OSError):
                while file.write(os.urandom(size)):
                    os.fsync(file.fileno())


def copy_until_full(script: Talk, store: Path, disk: Path) -> int:
    """Copy the live journals beside themselves until the script says that it is through; how often."""
    copies = 0
    while not script.said():
        for path in journals_in(store):
            subprocess.run(["cp", "--reflink=auto", path, disk / f"copy-{copies}"], capture_output=True, check=False)
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
            (live,) = journals_in(store)
            subprocess.run(["cp", "--reflink=auto", live, disk / "copy"], check=True)
            use_up(disk / "ballast")
            script.say()
            assert script.hear() == ["room"], "what is reserved is there; what cannot be had is lost, and no more"
            (disk / "ballast").unlink()
            fill(disk / "ballast", 3 << 20)
            script.say()
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


def types_of_events(folder: Path) -> set[str]:
    return {body["type"] for path in journals_in(folder) for _, body in scan.events(scan_file(path))}


@PLAIN
@pytest.mark.parametrize(("when", "sound"), [("1", "0000"), ("2", "1000"), ("3", "1100"), ("1+", "0000")])
def test_F11_failed_syncs(tmp_path: Path, env: dict[str, str], when: str, sound: str, record_property: Any) -> None:
    """After one fdatasync that fails no flush() is True again, a new journal begins, it is warned once, and everything is there."""
    with Talk(SYNCED, tmp_path, fail("fdatasync", "EIO", when), **env) as script:
        ended = script.end()
    assert (ended.code, ended.out[-1].replace(" ", "")) == (0, sound), ended.err
    assert ended.warnings == ["Input/output error"]
    assert steps_in(tmp_path) == list(range(80))
    assert "uncertain" in types_of_events(tmp_path)
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


# ------------------------------------------------------------------------------------------------------ F12: read-only

SHORT = LOGGING + "log(300)\nrun.finish()\nsay(step, run.lost_points)\n"
MIDWAY = LOGGING.replace('"disk"', '"disk", fsync_every_s=0.05') + "log(3000)\nrun.flush()\nsay('up')\nhear()\n"
GOES_ON = MIDWAY + "log(20_000)\nrun.finish()\nsay(step, run.lost_points)\n"


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Bind a folder to itself, read-only."""
    with mounted(folder, folder, "--bind") as bound:
        run_tool("mount", "-o", "remount,bind,ro", bound)
        yield bound


def kept_in_spool(ended: Ended, spool: Path, trouble: str) -> None:
    """Fail unless the script ended well, was warned once, and was told where its run is."""
    assert (ended.code, ended.warnings) == (0, [trouble]), ended.err
    assert f"is kept in {spool}" in ended.last_line


@pytest.mark.root
@pytest.mark.parametrize("made", [True, False], ids=["a store", "no store yet"])
def test_F12_read_only_from_the_start(tmp_path: Path, made: bool, record_property: Any) -> None:
    """On a read-only disk a run is kept in the spool, which the last line and doctor name, is read from there, and comes home later."""
    disk, spool = tmp_path / "disk", tmp_path / "spool"
    disk.mkdir()
    store = disk / ".runfolio"
    assert not made or command("init", str(disk), store=store).returncode == 0
    with read_only(disk):
        with Talk(SHORT, tmp_path, RUNFOLIO_DIR=str(store)) as script:
            ended = script.end()
        kept_in_spool(ended, spool, "Read-only file system")
        run_id = ended.out[0]
        assert steps_in(spool) == list(range(300))
        assert str(spool) in command("doctor", store=store).stdout
        assert not made or shown(store, run_id)["lost_points"] == 0
    command("doctor", "--bring-home", store=store)
    assert steps_in(store) == list(range(300)) and not runs_of(str(store))
    assert verify(Layout(str(store))).sound
    record_property(
        "F12", f"read-only, {'a store' if made else 'no store yet'}: 300 calls in the spool, 1 warning, home later"
    )


@pytest.mark.root
def test_F12_no_right_to_write(tmp_path_factory: pytest.TempPathFactory, record_property: Any) -> None:
    """A user without the right to write to the store gets one warning and a run in the spool."""
    base = Path(tempfile.mkdtemp(prefix="runfolio-test-", dir="/var/tmp"))
    try:
        base.chmod(0o755)
        for name, mode in (("store", 0o755), ("free", 0o777), ("scratch", 0o777)):
            (base / name).mkdir()
            (base / name).chmod(mode)
        warm = "with runfolio.start(store=os.environ['WARM']) as run: run.log({'m': 1.0})\nos.setuid(65534)\n"
        told = {"RUNFOLIO_DIR": str(base / "store"), "RUNFOLIO_SPOOL": str(base / "free" / "spool")}
        with Talk(warm + SHORT, tmp_path_factory.mktemp("err"), WARM=str(base / "scratch" / "s"), **told) as script:
            ended = script.end()
        kept_in_spool(ended, base / "free" / "spool", "Permission denied")
        assert steps_in(base / "free") == list(range(300)) and not journals_in(base / "store")
    finally:
        shutil.rmtree(base)
    record_property("F12", "no right to write: 300 calls in the spool, 1 warning")


@pytest.mark.root
@PLAIN
@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_F12_the_disk_turns_read_only(tmp_path: Path, kind: str, env: dict[str, str], record_property: Any) -> None:
    """A file system that gives up in the middle of a run neither kills nor stops the script: what follows is in the spool."""
    spool = tmp_path / "spool"
    with disk_of(kind, tmp_path) as disk:
        with Talk(GOES_ON, tmp_path, RUNFOLIO_DIR=str(disk / "store"), **env) as script:
            script.hear(), script.hear()
            give_up(kind, disk)
            script.say()
            step, lost = map(int, script.hear())
            ended = script.end()
        assert (ended.code, step, lost) == (0, 23_000, 0), ended.err
        assert warned_once(ended) and f"is kept in {spool}" in ended.last_line
        found = steps_in(spool)
        assert found == list(range(found[0], step)), "what follows is there"
        assert found[0] == 3000 or "uncertain" in types_of_events(spool), "what the disk took and did not keep is told"
    record_property(
        "F12", f"{kind} turns read-only after 3,000 calls: script ends well, {len(found)} of {step} in the spool"
    )


def give_up(kind: str, disk: Path) -> None:
    """Let a file system stop as it does when its disk fails."""
    if kind == "ext4":
        run_tool("mount", "-o", "remount,abort", disk)
    elif shutil.which("xfs_io"):
        run_tool("xfs_io", "-x", "-c", "shutdown", disk)
    else:
        pytest.skip("needs a file system: xfs_io to stop one")


@PLAIN
def test_F12_the_store_is_removed(tmp_path: Path, env: dict[str, str]) -> None:
    """A store that is removed under a run does not disturb the script."""
    with Talk(GOES_ON, tmp_path, **env) as script:
        script.hear(), script.hear()
        shutil.rmtree(tmp_path / "store")
        script.say()
        ended = script.end()
    assert ended.code == 0 and "Traceback" not in ended.err, ended.err
    assert len(ended.warnings) <= 1


# ------------------------------------------------------------------------------------------------------ F13: descriptors

FEW = """
import resource
with runfolio.start(store=os.environ["WARM"]) as run: run.log({"m": 1.0})
limit = len(os.listdir("/proc/self/fd")) - 1 + int(os.environ["MORE"])
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
"""


@PLAIN
@pytest.mark.parametrize("more", [2, 3])
def test_F13_few_descriptors(tmp_path: Path, more: int, env: dict[str, str], record_property: Any) -> None:
    """With two descriptors left a run begins, logs and ends as ever."""
    with Talk(FEW + SHORT, tmp_path, MORE=str(more), WARM=str(tmp_path / "warm"), **env) as script:
        ended = script.end()
    step, lost = map(int, ended.out[-1].split())
    assert (ended.code, lost, ended.warnings) == (0, 0, []), ended.err
    assert steps_in(tmp_path / "store", tmp_path / "spool") == list(range(step))
    record_property("F13", f"{more} descriptors left: {step} calls, 0 lost")


@PLAIN
@pytest.mark.parametrize("more", [0, 1])
def test_F13_no_descriptor(tmp_path: Path, more: int, env: dict[str, str], record_property: Any) -> None:
    """Where nothing can be opened nothing is raised, it is warned once, and each value is there or counted."""
    with Talk(FEW + SHORT, tmp_path, MORE=str(more), WARM=str(tmp_path / "warm"), **env) as script:
        ended = script.end()
    step, lost = map(int, ended.out[-1].split())
    assert ended.code == 0 and len(ended.warnings) <= 1, ended.err
    assert 3 * (step - len(steps_in(tmp_path / "store", tmp_path / "spool"))) == lost
    record_property("F13", f"{more} descriptors left: {lost} of {3 * step} values lost and counted")


# ------------------------------------------------------------------------------------------------------ F14: slow

SLOW = (
    LOGGING.replace('"disk"', '"disk", fsync_every_s=0.01')
    + """
import threading, time
syncs = lambda: open(os.environ["SYNC_LOG"]).read().count("fdatasync") if os.path.exists(os.environ["SYNC_LOG"]) else 0
run.flush()
with open(os.environ["SYNC_LOG"], "a") as file: file.write("begin 0\\n")
before, worst = syncs(), []
while syncs() < before + 5:
    for _ in range(1000):
        at = time.perf_counter_ns()
        log(1)
        worst.append(time.perf_counter_ns() - at)
with open(os.environ["SYNC_LOG"], "a") as file: file.write("end 0\\n")
worst.sort()
run.finish()
say(step, threading.get_native_id(), worst[int(len(worst) * 0.999)] // 1000)
"""
)


@PLAIN
def test_F14_no_call_syncs(tmp_path: Path, env: dict[str, str], record_property: Any) -> None:
    """While each sync takes 200 ms the thread that logs makes none: all of them are the keeper's, and nothing is lost."""
    told = {"SYNC_LOG": str(tmp_path / "syncs"), **shim("slow_sync", tmp_path), **env}
    with Talk(SLOW, tmp_path, **told) as script:
        ended = script.end()
    assert ended.code == 0 and ended.warnings == [], ended.err
    step, thread, p999_us = map(int, ended.out[-1].split())
    noted = (tmp_path / "syncs").read_text().splitlines()
    while_logging = [line.split() for line in noted[noted.index("begin 0") + 1 : noted.index("end 0")]]
    assert len(while_logging) >= 5
    assert str(thread) not in {who for _, who in while_logging}
    assert len({who for _, who in while_logging}) == 1
    assert {call for call, _ in while_logging} <= {"fdatasync", "fsync"}, "msync would hold the interpreter's lock"
    assert steps_in(tmp_path / "store") == list(range(step))
    mode = "plain" if env else "mapped"
    figure = f"{step} calls ({mode}) beside {len(while_logging)} syncs of 200 ms, none by the thread that logs; p99.9 {p999_us} µs"
    record_property("F14", figure)


# ------------------------------------------------------------------------------------------------------ F15: strange


def test_F15_no_maps_locks_links_renames(tmp_path: Path, record_property: Any) -> None:
    """Without shared maps, reservations, locks, links and rename over a taken name, all is kept, read and resumed; a seal works or says why not."""
    store = tmp_path / "poor" / "store"
    poor = {"POOR_DISK": str(tmp_path / "poor"), **shim("poor_disk", tmp_path)}
    poor |= {"RUNFOLIO_DIR": str(store), "XDG_CACHE_HOME": str(tmp_path / "poor" / "cache")}
    text = SHORT.replace(
        "run.finish()", "run.add_artifact(b'bytes', 'a.bin')\nrun.flush() or sys.exit(3)\nrun.finish()"
    )
    again = "with runfolio.resume(os.environ['RUN']) as run: run.log({'a': 1.0}, step=300)\n"
    with Talk(text, tmp_path, **poor) as script:
        ended = script.end()
    assert (ended.code, ended.warnings, ended.out[-1]) == (0, [], "300 0"), ended.err
    run_id = ended.out[0]
    with Talk(again, tmp_path, RUN=run_id, **poor) as script:
        ended = script.end()
    assert (ended.code, ended.warnings) == (0, []), ended.err
    assert steps_in(store) == list(range(301))
    for words in (["list"], ["show", run_id], ["get", run_id, "a.last"], ["list", "--json"], ["verify"]):
        done = command(*words, store=store, **poor)
        assert (done.returncode, done.stderr) == (0, ""), words
    sealed = command("seal", store=store, **poor)
    assert sealed.returncode == 0 or "No locks available" in sealed.stdout, "DuckDB locks what it writes"
    assert verify(Layout(str(store))).sound
    record_property("F15", "no maps, reservations, locks, links or renames: 301 calls kept, listed, verified")
