"""Check every checksum of a store: what is damaged, where, and what was lost by it.

Sound are a torn tail (a write that a kill cut off), what a power cut may take, and a seal that is older than its journals (`store.tails` judges).
Damage is everything else that is not as it was written. Standard library, but for `metrics.parquet`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple
from zlib import crc32

from runfolio.errors import RunNotFound, StoreNotFound, Unreadable
from runfolio.journal import frame
from runfolio.journal.scan import Damage, Row, Scan, events, opening, rows, scan
from runfolio.model.events import Event
from runfolio.model.fold import fold
from runfolio.model.ids import is_id, short
from runfolio.model.run_state import ArtifactVersion
from runfolio.store import run_json, spool, tails
from runfolio.store.blobs import DRAFT_SUFFIX, hash_of, places
from runfolio.store.layout import Layout
from runfolio.store.own import own_journals
from runfolio.store.run_json import Covered, RunJson

_NAMES_SHOWN = 3
_FINISHED = {"type": "exit", "status": "finished"}


class Finding(NamedTuple):
    """Something worth telling about one file."""

    run_id: str | None
    file: str  # its way from the run's folder, or from the store where it is of no run; the whole path in the spool
    offset: int | None
    message: str
    damage: bool  # else it is told, and sound


class Report:
    """What was checked, and what was found."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.runs = self.files = self.size_bytes = 0

    @property
    def sound(self) -> bool:
        return not any(finding.damage for finding in self.findings)

    def note(self, run_id: str | None, file: str, offset: int | None, message: str, damage: bool = True) -> None:
        self.findings.append(Finding(run_id, file, offset, message, damage))

    def checked(self, path: str) -> None:
        self.files += 1
        try:
            self.size_bytes += os.path.getsize(path)
        except OSError:
            pass


def verify(layout: Layout, run_id: str | None = None) -> Report:
    """Check a run, or the whole store.

    Raises:
        StoreNotFound: no store here. RunNotFound: no such run.
    """
    report, hashes = Report(), _Hashes()
    _check_store(layout, report)
    runs = _run_ids(layout)
    if run_id is not None and run_id not in runs:
        raise RunNotFound(f"no run {short(run_id)} in this store: {layout.root}")
    for one in runs if run_id is None else [run_id]:
        report.runs += 1
        _Check(layout, one, report, hashes).run()
    if run_id is None:
        for path in own_journals(layout):
            _check_journal(report, None, path, os.path.relpath(path, layout.root), None)
        _check_blobs(layout, report, hashes)
    return report


def _check_store(layout: Layout, report: Report) -> None:
    try:
        layout.store_id()
    except StoreNotFound:
        if not os.path.isdir(layout.runs):
            raise
        report.note(None, "store.json", None, "the file is gone; a new one will be made by the next run")
    except Unreadable as trouble:
        report.note(None, "store.json", None, str(trouble))
    report.checked(layout.store_json)


def _run_ids(layout: Layout) -> list[str]:
    return sorted({name for name in _listed(layout.runs) if is_id(name)} | set(spool.runs_of(layout.root)))


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


# ------------------------------------------------------------------------------------------------------------ journals


def _check_journal(report: Report, run_id: str | None, path: str, shown: str, expected_run: str | None) -> Scan | None:
    """Check every frame and block of one journal; None where it cannot be read at all."""
    name = os.path.basename(path)[: -len(frame.SUFFIX)]
    report.checked(path)
    try:
        data, found = _scan(path, name)
        if (found.damage or found.torn) and not found.closed:
            data, found = _scan(path, name)  # a frame that was being written is whole by now
    except OSError as trouble:
        report.note(run_id, shown, None, f"cannot be read: {trouble.strerror}")
        return None
    except Unreadable as trouble:
        report.note(run_id, shown, 0, str(trouble))
        return None
    header = tails.judge_header(data, found)
    if header:
        report.note(run_id, shown, 0, *header)
    for hole in found.damage:
        lost = f"{hole.size} bytes damaged, {_missing(found, hole)}"
        synced = hole.offset < found.synced
        report.note(
            run_id,
            shown,
            hole.offset,
            lost if synced else f"{lost}; it was not synced: sound after a power cut",
            synced,
        )
    for block in _bad_blocks(data, found):
        report.note(run_id, shown, block.start, "the checksum of a block is wrong; its frames are right")
    tail = tails.judge_tail(data, found)
    if tail:
        report.note(run_id, shown, found.end, *tail)
    _check_belonging(report, run_id, shown, found, name, expected_run)
    return found


def _scan(path: str, name: str) -> tuple[bytes, Scan]:
    with open(path, "rb") as file:
        data = file.read()
    return data, scan(data, name)


def _check_belonging(
    report: Report, run_id: str | None, shown: str, found: Scan, name: str, expected: str | None
) -> None:
    told = opening(found)
    writer, run = told.get("writer"), told.get("run")
    if found.journal_id != name or (is_id(writer) and writer != name):
        report.note(run_id, shown, 0, f"this is journal {writer or found.journal_id} under another name", damage=False)
    if is_id(run) and run != expected:
        report.note(run_id, shown, 0, f"this journal belongs to run {short(str(run))}: a copied folder", damage=False)


def _bad_blocks(data: bytes, found: Scan) -> Iterator[frame.Block]:
    for good in found.frames:
        if good.tag != frame.BLOCK or len(good.payload) != 24:
            continue
        told = frame.parse_block(good.payload)
        if any(told.start <= hole.offset < good.offset for hole in found.damage):
            continue  # told already
        if crc32(data[told.start : good.offset]) != told.crc:
            yield told


def _missing(found: Scan, hole: Damage) -> str:
    """Say what is not there any more, by the numbers and steps of the frames around the hole."""
    before, after = _around(found, hole)
    frames = f"{hole.missing} frames missing" if hole.missing != 1 else "1 frame missing"
    if before and after:
        return f"{frames} between step {before[0]} and {after[0]} of {before[1] if before[1] == after[1] else f'{before[1]} / {after[1]}'}"
    if before or after:
        side = before or after
        return f"{frames} {'after' if before else 'before'} step {side[0] if side else ''} of {side[1] if side else ''}"
    return frames


def _around(found: Scan, hole: Damage) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """Give step and metrics of the calls of `log` next to a hole."""
    before = after = None
    for row in rows(found):
        if row.seq > hole.after_seq:
            after = row
            break
        before = row
    return _told(before), _told(after)


def _told(row: Row | None) -> tuple[str, str] | None:
    if row is None:
        return None
    keys = row.columns.keys
    names = ", ".join(keys[:_NAMES_SHOWN]) + (" …" if keys[_NAMES_SHOWN:] else "")
    return "none" if row.step is None else str(row.step), names


# ---------------------------------------------------------------------------------------------------------- one run


class _Check:
    """Everything of one run."""

    def __init__(self, layout: Layout, run_id: str, report: Report, hashes: _Hashes) -> None:
        self.layout, self.run_id, self.report, self.hashes = layout, run_id, report, hashes
        self.events: list[Event] = []
        self.ends: dict[str, int] = {}
        self.files = 0  # journals, readable or not
        self.scans: list[tuple[str, int, Scan]] = []  # each with its name here and its attempt

    def run(self) -> None:
        home = self.layout.run_journal(self.run_id)
        for folder in (home, *spool.journals_of(self.layout.root, self.run_id)):
            for name in _listed(folder):
                if name.endswith(frame.SUFFIX) and is_id(name[: -len(frame.SUFFIX)]):
                    self._journal(os.path.join(folder, name), f"journal/{name}" if folder == home else None)
        sealed = self._run_json()
        self._cut_short()
        if not self.files:
            self._gone()
        if sealed is not None:
            self.events += [event for event in sealed.events if event.journal not in self.ends]
            for covered in sealed.journals:
                self._covered(covered)
        self._parquet(sealed)
        for version in _distinct(fold(self.events).artifacts):
            self._artifact(version)
        self._strays()

    def _note(self, file: str, message: str, damage: bool = True, offset: int | None = None) -> None:
        self.report.note(self.run_id, file, offset, message, damage)

    def _journal(self, path: str, shown: str | None) -> None:
        self.files += 1
        found = _check_journal(self.report, self.run_id, path, shown or path, self.run_id)
        if found is None:
            return
        told = opening(found)
        attempt = told.get("attempt")
        number = attempt if isinstance(attempt, int) else 1
        self.scans.append((shown or path, number, found))
        self.ends[found.journal_id] = max(found.end, self.ends.get(found.journal_id, 0))
        self.events += [
            Event(body, good.time_ns or 0, number, found.journal_id, good.seq, None, "") for good, body in events(found)
        ]

    def _cut_short(self) -> None:
        """Look for journals of scripts whose launcher saw them end by themselves: those are closed, or not torn at least."""
        finished = {event.attempt for event in self.events if _FINISHED.items() <= event.body.items()}
        scripts = [one for one in self.scans if one[1] in finished and opening(one[2]).get("role") == "script"]
        closed = [_process(found) for _, _, found in scripts if found.closed]
        for shown, _, found in scripts:
            if found.closed or _process(found) in closed:  # the latter: a disk made it go on in another journal
                continue
            lost = "its script finished, and the end of this journal is lost"
            left = "its script finished without a word here: by os._exit, or the end is lost"
            self._note(shown, lost if found.torn else left, bool(found.torn), found.end)

    def _gone(self) -> None:
        """Look for what shows that there was a journal, where there is none."""
        if os.path.lexists(self.layout.run_json(self.run_id)):
            return
        home, folder = self.layout.run_journal(self.run_id), self.layout.run(self.run_id)
        try:
            # A start that was killed leaves two empty folders, the upper one changed last. mtime: nothing else tells what was removed.
            used = os.stat(home).st_mtime_ns > os.stat(folder).st_mtime_ns
        except OSError:
            used = False
        others = [name for name in _listed(folder) if name != os.path.basename(home)]
        if (used or others) and not _listed(home):  # again: a start may have been faster than we
            self._note("journal", "its journal is gone")

    # ------------------------------------------------------------------------------------------------------ the seal

    def _run_json(self) -> RunJson | None:
        path = self.layout.run_json(self.run_id)
        if not os.path.lexists(path):
            return None
        self.report.checked(path)
        try:
            return run_json.read(path)
        except Unreadable as trouble:
            self._note("run.json", str(trouble))
            return None

    def _covered(self, covered: Covered) -> None:
        end = self.ends.get(covered.journal)
        if end is not None and end < covered.end:
            lost = f"ends at {end}, and was sealed up to {covered.end}: its tail is lost here, and is in the seal"
            self._note(f"journal/{covered.journal}{frame.SUFFIX}", lost, offset=end)

    def _parquet(self, sealed: RunJson | None) -> None:
        path = self.layout.parquet(self.run_id)
        if not os.path.lexists(path):
            if sealed is not None:
                only_here = any(covered.points and covered.journal not in self.ends for covered in sealed.journals)
                self._note(
                    "metrics.parquet",
                    "is gone; the journals have its points" if not only_here else "is gone",
                    only_here,
                )
            return
        self.report.checked(path)
        from runfolio.store import parquet

        try:
            told, rows = str(parquet.read_meta(path).get("id")), parquet.count_rows(path)
        except Unreadable as trouble:
            self._note("metrics.parquet", str(trouble))
            return
        if sealed is None or sealed.sheet.id != told:
            self._note(
                "metrics.parquet",
                "run.json does not tell of this file: a seal was cut off. runfolio seal finishes it",
                False,
            )
        elif hash_of(path) != sealed.sheet.sha256:
            self._note("metrics.parquet", "its bytes are not those that were sealed: their SHA-256 is another")
        elif rows != sealed.sheet.points:
            self._note("metrics.parquet", f"has {rows} points, and {sealed.sheet.points} were sealed")

    # ------------------------------------------------------------------------------------------------- the artifacts

    def _artifact(self, version: ArtifactVersion) -> None:
        """Look for one sound copy; each bad one is told by its own name."""
        there = [path for path in places(self.layout, self.run_id, version.sha256) if os.path.lexists(path)]
        if not any(self.hashes.of(path) == version.sha256 for path in there):
            what = "its bytes are damaged" if there else "its bytes are missing"
            self._note(f"artifacts/{version.sha256}", f"artifact {version.name!r}, version {version.version}: {what}")

    def _strays(self) -> None:
        """Check every file in the artifacts folder against its name."""
        folder = self.layout.artifacts(self.run_id)
        for name in _listed(folder):
            path = os.path.join(folder, name)
            if name.endswith(DRAFT_SUFFIX):
                continue
            self.report.checked(path)
            if self.hashes.of(path) != name and not self._told(f"artifacts/{name}"):
                self._note(
                    f"artifacts/{name}", "its bytes are damaged, or it is none of ours: their SHA-256 is not its name"
                )

    def _told(self, file: str) -> bool:
        return any(finding.run_id == self.run_id and finding.file == file for finding in self.report.findings)


def _distinct(versions: list[ArtifactVersion]) -> list[ArtifactVersion]:
    return list({version.sha256: version for version in reversed(versions)}.values())


def _check_blobs(layout: Layout, report: Report, hashes: _Hashes) -> None:
    for name in _listed(layout.blobs):
        path = os.path.join(layout.blobs, name)
        if name.endswith(DRAFT_SUFFIX):
            continue
        report.checked(path)
        if hashes.of(path) != name:
            report.note(
                None,
                f"blobs/{name}",
                None,
                "its bytes are damaged, or it is none of ours: their SHA-256 is not its name",
            )


def _process(found: Scan) -> tuple[Any, ...]:
    """Name the process that wrote a journal."""
    told = opening(found)
    return tuple(told.get(name) for name in ("host", "boot_id", "pid", "pid_start"))


class _Hashes:
    """Hashes each file once, by however many names it is reached."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], str | None] = {}

    def of(self, path: str) -> str | None:
        try:
            found = os.lstat(path)
        except OSError:
            return None
        key = (found.st_dev, found.st_ino)
        if key not in self._known:
            self._known[key] = hash_of(path)
        return self._known[key]
