"""F2: a SIGKILL at every single system call, from the first that touches the store to the last."""

from __future__ import annotations

import os
import re
from collections import Counter

import pytest

import runfolio
from runfolio.store.layout import Layout
from runfolio.store.verify import verify

from .harness import Child, judge
from .tools import kill_at, strace

CHANGING = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,ftruncate,fallocate,link,linkat,unlink,unlinkat,mkdir,mkdirat"
ALL = CHANGING + ",openat,close,mmap,munmap,lseek,fstat,newfstatat,getdents64,fcntl,madvise"
SCRIPT = ("points.py", 1, 9, 3, 3600)


def places(tmp_path, calls, env):
    """Give (call, how manieth) of each system call that the script makes, from the first that names the store on."""
    log = tmp_path / "trace"
    child = Child(*SCRIPT, before=strace("-e", f"trace={calls}", output=log), env=env)
    assert child.end()[0] == 0
    count: Counter[str] = Counter()
    found, begun = [], False
    for line in log.read_text(encoding="utf-8").splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        if call:
            count[call[1]] += 1
            begun = begun or env["RUNFOLIO_DIR"] in line
            if begun:
                found.append((call[1], count[call[1]]))
    return found


@pytest.mark.parametrize("plain", [False, True], ids=["mapped", "plain"])
@pytest.mark.parametrize("calls", [CHANGING, pytest.param(ALL, marks=pytest.mark.long)], ids=["changing", "all"])
def test_F02_kill_at_every_system_call(tmp_path, calls, plain, record_property):
    """Whatever call it dies at: what was acknowledged is there, once; the store verifies, opens, and takes the next run."""
    env = {"RUNFOLIO_DIR": str(tmp_path / "first"), "PYTHONHASHSEED": "0", **({"RUNFOLIO_MAP": "0"} if plain else {})}
    died = 0
    for call, number in places(tmp_path, calls, env):
        store = tmp_path / f"{call}{number}"
        child = Child(*SCRIPT, before=kill_at(call, number), env={**env, "RUNFOLIO_DIR": str(store)})
        code, _, err = child.end()
        check(store, child.acks.kept)
        assert code == -9 or (code, child.acks.count) == (0, 9), err
        died += code == -9
    assert died > 30
    record_property("F2", f"{died} of {died} calls, {'plain' if plain else 'mapped'}: 0 acknowledged points lost")


def check(store, kept):
    """Fail where anything is lost, or the store is of no use any more."""
    judge([store], kept).must_be_sound()
    with runfolio.start(store=store, capture=False) as run:
        run.log({"after": 1.0})
    assert verify(Layout(str(store))).sound
    opened = runfolio.open_store(store)
    assert opened.run(run.id).status == "finished"
    found = [other for other in opened.runs() if other.id != run.id]
    assert len(found) <= 1 and all(other.status in ("lost", "killed", "finished") for other in found)
    assert len([name for name in os.listdir(store / "runs") if len(name) == 32]) >= 1
