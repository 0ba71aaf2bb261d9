"""verify: every damage is found and said where it is; what a kill or a power cut leaves is sound."""

from __future__ import annotations

import os
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import RunNotFound, StoreNotFound
from runfolio.journal.columns import read
from runfolio.journal.frame import TAG_MAX
from runfolio.journal.scan import scan
from runfolio.sdk.writing import open_side_writer
from runfolio.store.gc import collect
from runfolio.store.layout import Layout
from runfolio.store.own import tell
from runfolio.store.seal import seal
from runfolio.store.verify import Report, verify

from .making import journals, killed_run, small_run, spooling, start, the_layout


def the_journal(run_id: str) -> Path:
    (journal,) = journals(run_id)
    return Path(journal.path)


def told(report: Report) -> list[tuple[str, int | None, bool]]:
    return [(finding.file, finding.offset, finding.damage) for finding in report.findings]


def long_run(rows: int = 3000) -> str:
    with start() as run:
        for step in range(rows):
            run.log({"loss": step / 7, "acc": step / 9})
    return run.id


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(data))


def test_a_sound_store_is_sound() -> None:
    """Runs that ended, run, were killed, with artifacts and seals: nothing to tell."""
    seal(the_layout(), small_run())
    killed_run()
    tell(the_layout(), {"type": "experiment", "id": "1", "name": "x"})
    with start() as run:
        run.add_artifact(b"bytes", "x.bin")
        run.log({"loss": 1.0})
        report = verify(the_layout())
    assert report.sound and report.findings == []
    assert (report.runs, report.files) == (3, 1 + 3 + 2 + 1 + 2)


# ------------------------------------------------------------------------------------------------------------ journals


def test_F04_bit_flips_in_a_journal_are_found(record_property: Any) -> None:
    """Each flipped bit of a closed journal is told: the file, the place, how much is missing and the steps around it; all else is still read."""
    run_id = long_run(200)
    path = the_journal(run_id)
    whole = path.read_bytes()
    before = read(str(path))
    bits = random.Random(0).sample(range(len(whole) * 8), 300)
    for bit in bits:
        flip(path, bit)
        report = verify(the_layout(), run_id)
        found = scan(path.read_bytes(), path.stem)
        lost_end = found.end < before.end  # the flip is in the last frame: no later one proves that it was whole
        assert lost_end or not report.sound, f"bit {bit}"
        (finding,) = [finding for finding in report.findings if finding.damage or lost_end]
        assert finding.file == f"journal/{path.name}"
        assert finding.offset is not None and finding.offset <= bit // 8
        path.write_bytes(whole)
    assert verify(the_layout(), run_id).findings == []
    record_property("F4", f"{len(bits)} of {len(bits)} flips told by verify")


def test_F04_the_steps_around_a_hole_are_told() -> None:
    """A destroyed frame is told by the steps before and behind it."""
    run_id = long_run(100)
    path = the_journal(run_id)
    metric = [frame for frame in scan(path.read_bytes(), path.stem).frames if frame.tag <= TAG_MAX]  # from step 1 on
    data = bytearray(path.read_bytes())
    data[metric[12].offset + 20 : metric[13].offset + 20] = bytes(metric[13].offset - metric[12].offset)
    path.write_bytes(bytes(data))
    (finding,) = verify(the_layout()).findings
    assert (finding.run_id, finding.file, finding.offset, finding.damage) == (
        run_id,
        f"journal/{path.name}",
        metric[12].offset,
        True,
    )
    assert "2 frames missing between step 12 and 15 of loss, acc" in finding.message


def test_F04_a_zeroed_and_a_repeated_sector() -> None:
    """512 bytes of zeros, and 512 bytes written twice, are damage of one place; the frames behind are not hidden."""
    for damage in ("zeros", "repeat"):
        run_id = long_run()
        path = the_journal(run_id)
        data = bytearray(path.read_bytes())
        at = len(data) // 2 // 512 * 512
        data[at : at + 512] = bytes(512) if damage == "zeros" else data[at - 512 : at]
        path.write_bytes(bytes(data))
        report = verify(the_layout(), run_id)
        assert [finding.damage for finding in report.findings] == [True]
        journal = read(str(path))
        lost = 3000 - len(journal.column("loss").values)  # type: ignore[union-attr]
        assert f"{lost} frames missing" in report.findings[0].message and lost <= 18


def test_F03_a_torn_tail_is_sound() -> None:
    """A journal cut at any place, with nothing, zeros or reserved space behind, is sound: that is what a kill leaves."""
    run_id = killed_run()
    path = the_journal(run_id)
    whole = path.read_bytes()[: journals(run_id)[0].end]
    for cut in range(0, len(whole), 7):
        for filling in (b"", bytes(4096 - cut % 4096)):
            path.write_bytes(whole[:cut] + filling)
            report = verify(the_layout(), run_id)
            assert report.sound, (cut, report.findings)
    path.write_bytes(whole[:-4])
    (finding,) = verify(the_layout(), run_id).findings
    assert "torn tail" in finding.message and not finding.damage


def test_F03_garbage_behind_a_cut_is_told() -> None:
    """Garbage up to the next 4 KiB is told as damage, or as a torn tail where it is no longer than the frame that was cut."""
    run_id = killed_run()
    path = the_journal(run_id)
    whole = path.read_bytes()[: journals(run_id)[0].end]
    dice = random.Random(3)
    for cut in range(0, len(whole), 13):
        path.write_bytes(whole[:cut] + dice.randbytes(4096 - cut % 4096))
        report = verify(the_layout(), run_id)
        assert not report.sound or any("torn tail" in finding.message for finding in report.findings), cut


def test_random_bytes_are_no_journal() -> None:
    """A file without one good frame is damaged, with a header and without."""
    run_id = small_run()
    path = the_journal(run_id)
    header, size = path.read_bytes()[:32], path.stat().st_size
    for head in (b"", header):
        path.write_bytes(head + random.Random(0).randbytes(size))
        report = verify(the_layout(), run_id)
        assert [damage for *_, damage in told(report)] == [True], report.findings
        assert "are not" not in report.findings[0].message


def test_an_overwritten_end_is_damage() -> None:
    """Bytes that no kill and no power cut leaves, are damage wherever they stand: half a file, its last 400 bytes, behind its close frame."""
    run_id = long_run(500)
    path = the_journal(run_id)
    whole = path.read_bytes()
    half = len(whole) // 2 // 8 * 8
    for hurt in (
        whole[:half] + b"\x55" * (len(whole) - half),
        whole[: half + 3] + b"\x55" * (len(whole) - half - 3),
        whole[:-400] + bytes(byte ^ 0xFF for byte in whole[-400:]),
        whole + b"more than there was",
    ):
        path.write_bytes(hurt)
        report = verify(the_layout(), run_id)
        assert not report.sound, report.findings
        assert all("torn" not in finding.message for finding in report.findings)


def test_F05_sectors_that_a_power_cut_took_are_sound() -> None:
    """Zeros in place of any unsynced sectors, header and declarations among them, are sound."""
    run_id = killed_run()
    path = the_journal(run_id)
    whole = bytearray(path.read_bytes()[: journals(run_id)[0].end])
    sectors = range(0, len(whole), 512)
    for first in sectors:
        for last in sectors[first // 512 :]:
            hurt = whole.copy()
            hurt[first : last + 512] = bytes(len(hurt[first : last + 512]))
            path.write_bytes(hurt)
            report = verify(the_layout(), run_id)
            assert report.sound or not first, (first, last, report.findings)


def test_a_journal_that_is_gone_is_missed() -> None:
    """A run of which neither a journal nor a seal is left is damaged; a start that was killed before it opened one is not."""
    run_id = small_run()
    the_journal(run_id).unlink()
    assert told(verify(the_layout(), run_id)) == [("journal", None, True)]
    killed = "a" * 32
    os.makedirs(the_layout().run_journal(killed))
    assert verify(the_layout(), killed).findings == []


def test_the_launcher_knows_that_a_script_had_ended() -> None:
    """A script's journal that is torn, though its launcher saw it finish, is damaged; one that only lacks its end is told."""
    run = start()
    run_id = run.id
    script = open_side_writer(the_layout().root, run_id, "script")
    for step in range(100):
        script.log({"loss": 1.0}, step)
    (path,) = (Path(one.path) for one in journals(run_id) if one.role == "script")
    script.close()
    whole = path.read_bytes()
    last = scan(whole, path.stem).frames[-20].offset
    for status, cut, expected in (
        ("failed", last + 9, [False]),
        ("finished", last + 9, [False, True]),
        ("finished", last, [False]),
    ):
        run.pen.writer.event({"type": "exit", "status": status, "exit_code": 0})
        path.write_bytes(whole[:cut])
        assert [damage for *_, damage in told(verify(the_layout(), run_id))] == expected, (status, cut)
    path.write_bytes(whole)
    run.finish()
    assert verify(the_layout(), run_id).findings == []


def test_F05_an_unsynced_tail_is_sound() -> None:
    """Damage behind the last sync is what a power cut may do; before it, it is damage."""
    run = start()
    run.log({"loss": 1.0})
    run.flush()
    for _ in range(5):
        run.log({"loss": 2.0})
    path = the_journal(run.id)
    run.finish()
    data = bytearray(path.read_bytes())
    found = scan(bytes(data), path.stem)
    points = [frame for frame in found.frames if frame.tag <= TAG_MAX]
    end = points[-1].offset
    for frame, damage in ((found.frames[1], True), (points[2], False)):
        hurt = bytearray(data[:end] + bytes(64))
        hurt[frame.offset + 9] ^= 1
        path.write_bytes(bytes(hurt))
        report = verify(the_layout(), run.id)
        assert [finding.damage for finding in report.findings] == [damage], frame
        assert ("not synced" in report.findings[0].message) == (not damage)


def test_a_journal_of_a_newer_format_is_not_sound() -> None:
    """What cannot be checked is not called sound."""
    from runfolio.journal import frame

    run_id = small_run()
    path = the_journal(run_id)
    data = path.read_bytes()
    bare = frame.HEADER.pack(frame.MAGIC, 9, 32, 0, data[16:32])
    crc = frame.crc32(bare[16:], frame.crc32(bare[:12]))
    path.write_bytes(frame.HEADER.pack(frame.MAGIC, 9, 32, crc, data[16:32]) + data[32:])
    report = verify(the_layout())
    assert not report.sound and "version 9" in report.findings[0].message


def test_F17_a_copied_run_is_recognised() -> None:
    """A run's folder under another id, and a journal under another name, are told of."""
    run_id = small_run()
    copy = "c" * 32
    shutil.copytree(the_layout().run(run_id), the_layout().run(copy))
    report = verify(the_layout(), copy)
    assert report.sound and f"belongs to run {run_id[:8]}" in report.findings[0].message
    path = the_journal(run_id)
    path.rename(path.with_name("d" * 32 + ".jnl"))
    report = verify(the_layout(), run_id)
    assert f"journal {path.stem} under another name" in report.findings[0].message


def test_a_journal_shorter_than_its_seal_is_damaged() -> None:
    """A closed journal that lost its end would look torn; the seal knows how long it was."""
    run_id = small_run()
    seal(the_layout(), run_id)
    path = the_journal(run_id)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 // 8 * 8])
    report = verify(the_layout(), run_id)
    assert not report.sound
    assert any("sealed up to" in finding.message for finding in report.findings)


def test_the_stores_own_journal_is_checked() -> None:
    """The journals of the store itself count."""
    small_run()
    tell(the_layout(), {"type": "experiment", "id": "1", "name": "x"})
    (path,) = Path(the_layout().journal).iterdir()
    flip(path, 8 * 100)
    assert told(verify(the_layout())) == [(f"journal/{path.name}", 32, True)]


def test_spooled_journals_are_checked(tmp_path: Path) -> None:
    """What waits in the spool is checked where it lies."""
    with spooling(), start() as run:
        for _ in range(10):
            run.log({"loss": 1.0})
    assert verify(the_layout(), run.id).findings == []
    (path,) = (tmp_path / "spool").rglob("*.jnl")
    flip(path, 8 * 500)
    assert [finding.file for finding in verify(the_layout()).findings] == [str(path)]


# ------------------------------------------------------------------------------------------------------------ the seal


def places_of(whole: bytes, *words: bytes) -> list[int]:
    """Give where these words stand in a file, each time."""
    return [found.start() for word in words for found in re.finditer(word, whole)]


def test_F40_a_flipped_bit_in_parquet_is_found() -> None:
    """Any changed bit of metrics.parquet, in data, footer or magic, is damage; so is a file that was cut."""
    run_id = long_run(500)
    seal(the_layout(), run_id)
    path = Path(the_layout().parquet(run_id))
    whole = path.read_bytes()
    rng = random.Random(0)
    id_ = whole.index(b'"id"') * 8  # a seal that was cut off has another id, and is sound
    names = [8 * at + 5 for at in places_of(whole, b"metric", b"value", b"seq")]  # a letter of another case
    for bit in [0, id_ + 70, id_ + 8 * 300, len(whole) * 8 - 1, *names, *rng.sample(range(len(whole) * 8), 40)]:
        flip(path, bit)
        assert told(verify(the_layout(), run_id)) == [("metrics.parquet", None, True)], bit
        path.write_bytes(whole)
    for cut in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert not verify(the_layout(), run_id).sound
    path.write_bytes(whole)
    assert verify(the_layout(), run_id).findings == []


def test_a_damaged_run_json_is_found() -> None:
    """run.json that does not parse, or lacks what it must have, is damage."""
    run_id = small_run()
    seal(the_layout(), run_id)
    path = Path(the_layout().run_json(run_id))
    for text in (
        "",
        "{}",
        "[]",
        path.read_text()[:-30],
        '{"format": 1, "floats": [], "journals": 3}',
        '{"format": 99}',
    ):
        path.write_text(text)
        assert ("run.json", None, True) in told(verify(the_layout(), run_id)), text


def test_a_lost_points_file_is_damage_only_where_nothing_else_has_them() -> None:
    """metrics.parquet may be removed while the journals are there; without them it is a loss."""
    run_id = small_run()
    seal(the_layout(), run_id)
    path = Path(the_layout().parquet(run_id))
    content = path.read_bytes()
    path.unlink()
    assert told(verify(the_layout(), run_id)) == [("metrics.parquet", None, False)]
    path.write_bytes(content)
    collect(the_layout(), journals=True)
    assert verify(the_layout(), run_id).sound
    path.unlink()
    assert told(verify(the_layout(), run_id)) == [("metrics.parquet", None, True)]


# ----------------------------------------------------------------------------------------------------------- artifacts


def with_artifact() -> tuple[str, str]:
    """Make a run with one artifact; give its id and the hash."""
    with start() as run:
        run.add_artifact(b"x" * 1000, "model.bin")
    (digest,) = os.listdir(the_layout().blobs)
    return run.id, digest


def test_F51_bit_rot_of_an_artifact_is_found() -> None:
    """A changed byte is told by the artifact's name, under every name that the file has."""
    run_id, digest = with_artifact()
    flip(Path(the_layout().blobs) / digest, 77)
    report = verify(the_layout())
    assert told(report) == [(f"artifacts/{digest}", None, True), (f"blobs/{digest}", None, True)]
    assert "'model.bin', version 1: its bytes are damaged" in report.findings[0].message
    assert verify(the_layout(), run_id).sound is False


def test_a_missing_artifact_is_found() -> None:
    """An artifact without its bytes is damage; bytes that one of two places has are not missing."""
    run_id, digest = with_artifact()
    os.unlink(os.path.join(the_layout().blobs, digest))
    assert verify(the_layout()).findings == []
    os.unlink(os.path.join(the_layout().artifacts(run_id), digest))
    (finding,) = verify(the_layout()).findings
    assert finding.damage and "missing" in finding.message


def test_one_rotten_copy_is_damage_though_another_is_whole() -> None:
    """Where the file system had no links, each copy counts by itself."""
    run_id, digest = with_artifact()
    path = Path(the_layout().blobs) / digest
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(b"!" + content[1:])
    assert told(verify(the_layout())) == [(f"blobs/{digest}", None, True)]
    assert verify(the_layout(), run_id).sound


def test_adding_the_content_again_mends_it() -> None:
    """A new upload of a content whose blob has rotted brings a whole one: its bytes are compared, not its size."""
    _, digest = with_artifact()
    flip(Path(the_layout().blobs) / digest, 77)
    with start() as run:
        run.add_artifact(b"x" * 1000, "again.bin")
    assert verify(the_layout(), run.id).sound
    assert (Path(the_layout().blobs) / digest).read_bytes() == b"x" * 1000


# ------------------------------------------------------------------------------------------------------------ the store


def test_a_damaged_store_json_is_found() -> None:
    """store.json that does not parse, is of a newer format, or is gone, is told; the runs are checked all the same."""
    run_id = small_run()
    path = Path(the_layout().store_json)
    for text in ("", "[]", '{"format": 1}', '{"format": 99, "id": "' + "0" * 32 + '"}'):
        path.write_text(text)
        report = verify(the_layout(), run_id)
        assert (report.runs, told(report)) == (1, [("store.json", None, True)])
    path.unlink()
    assert told(verify(the_layout())) == [("store.json", None, True)]


def test_no_store_and_no_run(tmp_path: Path) -> None:
    """Where there is no store or no such run, that is said."""
    with pytest.raises(StoreNotFound):
        verify(Layout(str(tmp_path / "nowhere")))
    small_run()
    with pytest.raises(RunNotFound):
        verify(the_layout(), "0" * 32)


def test_a_live_run_is_sound() -> None:
    """Checking a run while it is written finds nothing, however often."""
    with start() as run:
        for step in range(3000):
            run.log({"loss": step / 3})
            if step % 300 == 0:
                assert verify(the_layout()).findings == []
    assert runfolio.active_run() is None
