"""F5: a power cut loses nothing that flush() has answered for, on ext4, xfs and btrfs.

A cut is a copy of the image under the mounted file system, without a sync: what has not reached it is not there.
"""

from __future__ import annotations

import random
import subprocess

import pytest

import runfolio
from journal.reading import journals_in, points_of, scan_file
from runfolio.journal import frame, scan
from runfolio.store.layout import Layout
from runfolio.store.verify import verify

from .harness import Child, bits_of_float, value
from .journals import make_journal
from .scale import times
from .tools import make_image, mounted


def cut_power(image, to):
    """Copy the image as the disk has it at this moment."""
    subprocess.run(["cp", "--sparse=always", image, to], check=True)


def synced_and_there(folder, synced):
    """Compare what flush() answered for with what the copy holds; give the numbers of points, and of those beyond."""
    there = {}
    for path in journals_in(folder):
        found = scan_file(path)
        assert not found.unsound, f"{path}: damage before the last good sync"
        for point in points_of(found):
            writer = int(point.metric[1:])
            assert point.bits == bits_of_float(value(writer, point.step)), "invented"
            assert (writer, point.step) not in there, "doubled"
            there[writer, point.step] = point
    promised = {(writer, seq) for writer, last in synced.items() for seq in range(last + 1)}
    assert promised <= set(there), f"{len(promised - set(there))} of {len(promised)} points lost"
    return len(promised), len(there) - len(promised)


@pytest.mark.root
@pytest.mark.parametrize("cuts", times(short=2, long=20, soak=67))
@pytest.mark.parametrize("plain", [False, True], ids=["mapped", "plain"])
@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs"])
def test_F05_power_cuts(tmp_path, shared_memory, kind, plain, cuts, record_property):
    """Cut at random instants while a script logs and flushes: all that flush() was True for is in the copy, names and all."""
    dice, promised, beyond = random.Random(), 0, 0
    for number in range(cuts):
        # anew for each cut: the copy is not made in one instant, and could pair new metadata with what old files have left
        image, copy = make_image(shared_memory / "disk.img", kind), shared_memory / "cut.img"
        with mounted(image, tmp_path / "disk", "-o", "loop") as disk:
            store = disk / f"store{number}"
            env = {"RUNFOLIO_DIR": str(store), **({"RUNFOLIO_MAP": "0"} if plain else {})}
            child = Child("points.py", 2, 0, dice.choice([1, 20, 300]), env=env)
            child.until(dice.randrange(1, 3000))
            while not child.acks.synced:
                child.until(child.acks.count + 1)
            synced = dict(child.acks.synced)  # before the cut begins: the copy takes a while
            cut_power(image, copy)
            child.kill()
        with mounted(copy, tmp_path / "cut", "-o", "loop") as after:
            counts = synced_and_there(after / f"store{number}", synced)
            told = verify(Layout(str(after / f"store{number}")))
            assert told.sound, told.findings
        promised, beyond = promised + counts[0], beyond + counts[1]
    how = f"{kind}, {'plain' if plain else 'mapped'}"
    record_property("F5", f"{cuts} cuts on {how}: {promised} points promised, 0 lost; {beyond} more survived")


@pytest.mark.root
@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs"])
def test_F05_a_finished_run_survives(tmp_path, shared_memory, kind):
    """When finish() has returned, the run, its end and its artifacts survive the cut."""
    image, copy = make_image(shared_memory / "disk.img", kind), shared_memory / "cut.img"
    with mounted(image, tmp_path / "disk", "-o", "loop") as disk:
        child = Child("finished.py", env={"RUNFOLIO_DIR": str(disk / "store")})
        code, out, err = child.end()
        assert code == 0, err
        cut_power(image, copy)
    with mounted(copy, tmp_path / "cut", "-o", "loop") as after:
        with runfolio.open_store(after / "store") as store:
            run = store.run(out.strip())
            assert (run.status, run.metrics["m0"].count) == ("finished", 500)
            assert run.artifacts
        assert verify(Layout(str(after / "store"))).sound


@pytest.mark.parametrize("lost", ["page", "middle", "all but the last"])
def test_F05_an_unsynced_tail_is_sound(tmp_path, lost):
    """Pages behind the last sync mark that never came to the disk are no damage, also with later ones that did; frames there count."""
    journal = make_journal(tmp_path, 40 << 10, close=False)
    marks = [good for good in journal.scan.frames if good.tag == frame.SYNC]
    synced = frame.parse_sync(marks[-3].payload)
    start = (synced // 512 + 1) * 512
    end = {
        "page": start + 512,
        "middle": (start + len(journal.data)) // 2,
        "all but the last": len(journal.data) - 600,
    }[lost]
    late = [good for good in journal.scan.frames if good.tag == frame.SYNC and good.offset >= end]
    data = bytearray(journal.data)
    data[start:end] = bytes(end - start)
    for good in late:  # a mark that says more was synced would be a lie here
        data[good.offset : good.offset + good.size] = bytes(good.size)
    found = scan.scan(bytes(data), journal.name)
    assert found.unsound == [] and found.damage
    assert all(good in set(found.frames) for good in journal.scan.frames if good.offset + good.size <= start)
