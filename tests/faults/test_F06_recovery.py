"""F6: whoever reads, verifies, seals or brings home may be killed at any system call: the next one gives the same answer."""

from __future__ import annotations

import errno
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

import runfolio
from journal.reading import journals_in, points_of, scan_file
from journal.writing import make_writer
from runfolio.store import spool

from .harness import Child
from .scale import times
from .tools import kill_at, strace

CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,ftruncate,link,linkat,unlink,unlinkat,mkdir,rmdir"


def calls_of(tmp_path, script, *arguments, env):
    """Give (call, how manieth) of each system call that changes something."""
    log = tmp_path / "trace"
    child = Child(script, *arguments, before=strace("-e", f"trace={CALLS}", output=log), env=env)
    code, out, err = child.end()
    assert code == 0, err
    count: Counter[str] = Counter()
    found = []
    for line in log.read_text(encoding="utf-8").splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        if call:
            count[call[1]] += 1
            found.append((call[1], count[call[1]]))
    return out, found


def damaged_store(store):
    """Make a store with a finished run, a torn one, a damaged one and a running one; give all its bytes."""
    for number in range(3):
        with runfolio.start(store=store, name=f"run{number}", capture=False) as run:
            for step in range(200):
                run.log({"loss": step / 7, "n": step}, step)
            run.summary["best"] = number
        path = run._writer.path
        if number:
            data = bytearray(Path(path).read_bytes())
            del data[-number * 777 :]
            data[len(data) // 2] ^= 64 if number == 2 else 0
            Path(path).write_bytes(data)
    return bytes_of(store)


def bytes_of(*folders):
    """Give the content of every file below these folders."""
    return {path: path.read_bytes() for folder in folders for path in sorted(Path(folder).rglob("*")) if path.is_file()}


@pytest.mark.parametrize("every", times(short=5, long=1, soak=1))
@pytest.mark.parametrize("what", ["read", "verify"])
def test_F06_killed_readers_leave_no_trace(tmp_path, what, every, record_property):
    """A reader that is killed at any call leaves the store as it was, and the next reader gives the full answer."""
    store = tmp_path / "store"
    before = damaged_store(store)
    env = {"RUNFOLIO_DIR": str(store), "PYTHONHASHSEED": "0"}
    answer, calls = calls_of(tmp_path, "reading.py", what, env={**env, "XDG_CACHE_HOME": str(tmp_path / "cache-first")})
    assert json.loads(answer)
    for call, number in calls[::every]:
        cache = {"XDG_CACHE_HOME": str(tmp_path / f"cache-{call}{number}")}
        killed = Child("reading.py", what, before=kill_at(call, number), env={**env, **cache}).end()
        again = Child("reading.py", what, env={**env, **cache}).end()
        assert again[:2] == (0, answer), (call, number, killed, again)
    assert bytes_of(store) == before
    record_property("F6", f"{what}: killed at {len(calls[::every])} of {len(calls)} calls, the same answer after each")


def test_F06_killed_homecoming(tmp_path, record_property):
    """Journals on their way home from the spool are at home once, whole, whatever call the bringer dies at, and read once in between."""
    out, calls = "", None
    for turn in range(1000):
        store, base = tmp_path / f"store{turn}", tmp_path / f"spool{turn}"
        env = {"RUNFOLIO_DIR": str(store), "RUNFOLIO_SPOOL": str(base), "PYTHONHASHSEED": "0"}
        ids = spooled_run(store, base)
        if calls is None:
            out, calls = calls_of(tmp_path, "homecoming.py", ids[0], env=env)
        elif turn > len(calls):
            break
        else:
            call, number = calls[turn - 1]
            Child("homecoming.py", ids[0], before=kill_at(call, number), env=env).end()
            check_reads_once(store, base, ids[0])
            assert Child("homecoming.py", ids[0], env=env).end()[0] == 0
        check_reads_once(store, base, ids[0])
        assert journals_in(base) == []
        assert len(journals_in(store)) == 3
    assert calls and out
    record_property("F6", f"homecoming: killed at {len(calls)} of {len(calls)} calls, nothing lost or doubled")


def spooled_run(store, base):
    """Make a run with one journal at home and two in the spool."""
    with runfolio.start(store=store, capture=False) as run:
        run.log({"a": 0.0}, 0)
    folder = spool.run_journal(str(base), str(store), run.id)
    os.makedirs(folder)
    os.chmod(base, 0o700)
    opening = {"run": run.id, "attempt": 1, "rank": None, "role": "attach"}
    for number in (1, 2):
        writer = make_writer(folder, mapped=False, opening=lambda: opening)
        writer.log({"a": float(number)}, number)
        writer.close()
    return run.id, folder


def check_reads_once(store, base, run_id):
    """Fail where a reader sees any point not at all, or twice."""
    os.environ["RUNFOLIO_SPOOL"] = str(base)
    with runfolio.open_store(store) as opened:
        run = opened.run(run_id)
        series = run.series("a")
        assert list(series.values) == [0.0, 1.0, 2.0]
        assert run.metrics["a"].count == 3
    found = [point for path in journals_in(store, base) for point in points_of(scan_file(path))]
    assert {point.step for point in found} == {0, 1, 2}


def test_F06_a_finish_leaves_the_journals_of_others_alone(tmp_path, monkeypatch):
    """A run that ends while another writer of it still spools brings home its own journals only: the other loses nothing."""
    monkeypatch.setenv("RUNFOLIO_SPOOL", str(tmp_path / "spool"))
    store = tmp_path / "store"
    run = runfolio.start(store=store, capture=False)
    other = runfolio.attach(run.id, store=store)

    def full():
        raise OSError(errno.ENOSPC, "full")

    for handle in (run, other):
        handle._writer._places._folders[0] = full
        handle._writer._places.leave()
    run.log({"a": 1.0}, 1)
    other.log({"b": 1.0}, 1)
    assert run.spooling and other.spooling
    run.finish()
    other.log({"b": 2.0}, 2)
    other.finish()
    with runfolio.open_store(store) as opened:
        found = opened.run(run.id)
        assert list(found.series("a").values) == [1.0] and list(found.series("b").values) == [1.0, 2.0]
    assert journals_in(tmp_path / "spool") == []


def test_F06_the_way_home_is_on_the_disk_before_the_spool_is_emptied(tmp_path):
    """The name at home is synced before the spooled file goes: a power cut in between loses neither."""
    ids = spooled_run(tmp_path / "store", tmp_path / "spool")
    env = {"RUNFOLIO_DIR": str(tmp_path / "store"), "RUNFOLIO_SPOOL": str(tmp_path / "spool")}
    log = tmp_path / "trace"
    traced = strace("-y", "-e", "trace=fsync,rename,renameat,renameat2,unlink,unlinkat", output=log)
    assert Child("homecoming.py", ids[0], before=traced, env=env).end()[0] == 0
    told = [re.sub(r"^\d+ +", "", line) for line in log.read_text(encoding="utf-8").splitlines()]
    told = [line for line in told if ids[0] in line]
    steps = ["home" if line.startswith("rename") else "gone" if line.startswith("unlink") else "sync" for line in told]
    synced = [
        kind if ".tmp" in line else f"{kind} folder" for kind, line in zip(steps, told, strict=True) if kind == "sync"
    ]
    assert steps == ["sync", "home", "sync", "gone"] * 2 and synced == ["sync", "sync folder"] * 2, told
