"""Seal a run: write what its ended journals hold as `metrics.parquet` and `run.json`. A seal adds, and removes nothing.

A journal has ended with its close frame, or where its process is proved dead. The seal names the journals it covers and how far, so a reader
takes what is covered from it and the rest from the journals; two sealers at once, a crash or a copy need no further rule. Doing it again, with
nothing new, changes nothing. Both files come into place by rename, synced; a sealer that was overtaken by one that knew more starts over,
and gc lets the journals be while somebody seals.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from heapq import merge as merged_by
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from runfolio.errors import RunNotFound, Unreadable
from runfolio.journal import identity
from runfolio.journal.columns import Column, JournalColumns, Segment
from runfolio.journal.files import SYSTEM
from runfolio.journal.frame import SUFFIX
from runfolio.model.fold import fold
from runfolio.model.ids import new_id, short
from runfolio.store import parquet, run_json, spool
from runfolio.store.blobs import create_draft, draft_in, hash_of
from runfolio.store.layout import Layout
from runfolio.store.liveness import DEAD, process_of
from runfolio.store.merge import Part, Rewinds, merge
from runfolio.store.parquet import Origin, Run, column_of
from runfolio.store.run_files import RunFiles, journal_files, journal_id_of, last_time_ns
from runfolio.store.run_json import Covered, Sheet
from runfolio.store.sealed import SealedJournal, sealed_journals
from runfolio.store.summary import Summary, number
from runfolio.store.summing import summarize
from runfolio.store.watch import STARTERS

_TRIES = 3


class _Overtaken(Exception):
    """Another sealer has sealed what this one does not know of."""


class SealResult(NamedTuple):
    """What a seal covers."""

    run_id: str
    changed: bool
    points: int
    size_bytes: int  # of metrics.parquet
    journals: int  # covered
    left_open: list[str]  # journals that go on, or whose process cannot be judged from here
    kept: list[str]  # journals whose files have lost what an older seal holds: that is kept


def seal(layout: Layout, run_id: str, *, rows_max: int = parquet.ROWS_MAX) -> SealResult:
    """Write the seal of a run, or leave it as it is where it is up to date.

    Raises:
        RunNotFound: no such run. OSError: the store cannot be written. Unreadable: an older seal holds what nothing else does, and is damaged;
            nothing is written then.
    """
    while True:
        try:
            return _seal(layout, run_id, rows_max)
        except _Overtaken:
            pass  # by somebody who came further: this ends when nobody does


def _seal(layout: Layout, run_id: str, rows_max: int) -> SealResult:
    before = _sealed_ends(layout, run_id)
    found = journals_of(layout, run_id)
    if not found:
        raise RunNotFound(f"no run {short(run_id)} in this store: {layout.root}")
    ended = sorted((journal for journal in found if has_ended(journal)), key=attrgetter("attempt", "journal_id"))
    left_open = sorted(journal.journal_id for journal in found if journal not in ended)
    if not ended:
        return SealResult(run_id, False, 0, 0, 0, left_open, [])
    _refuse_less(layout, run_id, before, found)
    if any(isinstance(journal, SealedJournal) and journal.metrics() for journal in ended):
        _check_points(layout.parquet(run_id))
    _put_aside_damaged(layout, run_id)
    changed = False

    def check() -> None:
        _check_not_overtaken(before, ended, _sealed_ends(layout, run_id))

    for _ in range(_TRIES):
        sheet, wrote = _write(layout, run_id, ended, rows_max, check)
        changed = changed or wrote
        if _parquet_id(layout.parquet(run_id)) == sheet.id:  # else another sealer came between the two files
            break
    trim(ended)
    kept = _kept(layout, run_id, ended)
    return SealResult(run_id, changed, sheet.points, sheet.size_bytes, len(ended), left_open, kept)


def journals_of(layout: Layout, run_id: str) -> list[JournalColumns]:
    """Give the journals of a run, in its folder, in the spool and, where the files are gone or have lost something, in its seal.

    Raises:
        Unreadable: the seal is damaged, and holds what nothing else does.
    """
    files = RunFiles(layout, run_id)
    files.refresh()
    found = list(files.journals)
    have = {journal.journal_id for journal in found}
    try:
        found += sealed_journals(layout, run_id, have)
    except Unreadable:
        if _only_sealed(layout.parquet(run_id), found):
            raise
    return found


def has_ended(journal: JournalColumns) -> bool:
    """Say whether nothing more can come into a journal; reads on to its end."""
    if journal.closed:
        return True
    if process_of(journal.opening, last_time_ns(journal)) != DEAD:
        return False
    journal.refresh()  # it may have written until it died
    return True


def trim(journals: Iterable[JournalColumns]) -> None:
    """Give back the space that writers, dead on this very boot, had reserved and not used."""
    for journal in journals:
        if isinstance(journal, SealedJournal) or journal.closed or journal.opening.get("boot_id") != identity.boot_id():
            continue
        try:
            with open(journal.path, "rb+") as file:
                file.seek(journal.end)
                if not file.read().strip(b"\0"):
                    file.truncate(journal.end)
        except OSError:
            pass  # it is only space


def origin_of(journal: JournalColumns) -> Origin:
    return Origin(journal.journal_id, journal.attempt, RunFiles.rank_of(journal))


# --------------------------------------------------------------------------------------------------------- the points


def runs_of(journal: JournalColumns) -> Iterator[Run]:
    """Yield the points of a journal by metric, in the order of their names, each by rising sequence number."""
    places: dict[str, list[tuple[Segment, int]]] = {}
    for segment in journal.segments:
        for at, key in enumerate(segment.columns.keys):
            places.setdefault(key, []).append((segment, at))
    origin = origin_of(journal)
    for metric in sorted(places):
        column = _in_order([_column(segment, at) for segment, at in places[metric]])
        yield Run(metric, origin, column)


def _column(segment: Segment, at: int) -> Column:
    length = len(segment.seq)
    return Column(
        segment.steps,
        np.full(length, segment.columns.final),
        segment.frames["values"][:, at],
        np.full(length, ord(segment.columns.kinds[at]), np.uint8),
        segment.times_ns,
        segment.seq,
    )


def _in_order(columns: list[Column]) -> Column:
    column = columns[0] if len(columns) == 1 else column_of(map(np.concatenate, zip(*columns, strict=True)))
    if (column.seq[1:] > column.seq[:-1]).all():
        return column
    order = np.argsort(column.seq, kind="stable")
    return column_of(array[order] for array in column)


def _all_runs(layout: Layout, run_id: str, journals: list[JournalColumns], rows_max: int) -> Iterator[Run]:
    """Yield all points in the order of the file."""
    sources = [runs_of(journal) for journal in journals if not isinstance(journal, SealedJournal)]
    gone = [origin_of(journal) for journal in journals if isinstance(journal, SealedJournal)]
    if any(journal.metrics() for journal in journals if isinstance(journal, SealedJournal)):
        sources.append(parquet.read_runs(layout.parquet(run_id), gone, rows_max))
    return merged_by(*sources, key=attrgetter("order_key"))


class _Count:
    """Sums the points up while they pass by."""

    def __init__(self, rewinds: Rewinds) -> None:
        self.points: dict[str, int] = {}  # of each journal
        self.metrics: dict[str, list[dict[str, Any]]] = {}
        self._rewinds = rewinds

    def passing(self, runs: Iterable[Run]) -> Iterator[Run]:
        for (metric, rank), group in groupby(runs, key=lambda run: (run.metric, run.origin.rank)):
            parts = []
            for run in group:
                self.points[run.origin.id] = self.points.get(run.origin.id, 0) + len(run.column.seq)
                parts.append(Part(run.origin.attempt, run.origin.id, run.column))
                yield run
            summary = summarize(merge(parts, self._rewinds), rank)
            if summary is not None:
                self.metrics.setdefault(metric, []).append(_public(summary))


def _public(s: Summary) -> dict[str, Any]:
    """Give a series in numbers, as they were logged."""
    some = s.count > 0
    return {
        "rank": s.rank,
        "kind": {"f": "float", "i": "int", "b": "bool"}[s.kind],
        "count": s.count,
        "nan_count": s.nan_count,
        "first": number(s.first, s.kinds[0]),
        "last": number(s.last, s.kinds[1]),
        "min": number(s.min, s.kinds[2]) if some else None,
        "max": number(s.max, s.kinds[3]) if some else None,
        "mean": s.total / s.count if some else None,
        "first_step": s.first_step,
        "last_step": s.last_step,
        "step_of_min": s.min_step,
        "step_of_max": s.max_step,
    }


# ---------------------------------------------------------------------------------------------------------- the files


def _write(
    layout: Layout, run_id: str, journals: list[JournalColumns], rows_max: int, check: Callable[[], None]
) -> tuple[Sheet, bool]:
    """Bring both files up to date; return what is told of the points, and whether something was written."""
    events = sorted((event for journal in journals for event in journal.events), key=lambda event: event.order_key)
    state = fold(events)
    count = _Count(state.rewinds)
    runs = count.passing(_all_runs(layout, run_id, journals, rows_max))
    path = layout.parquet(run_id)
    if _is_covered(path, journals):
        for _ in runs:
            pass
        sheet, changed = _sheet_of(layout, run_id), False
    else:
        sheet, changed = _write_parquet(layout, run_id, journals, runs, rows_max, check), True
    names = dict.fromkeys(name for journal in journals for name in journal.metrics())
    sheet = sheet._replace(points=sum(count.points.values()))
    told = run_json.render(
        run_id,
        state,
        {name: count.metrics[name] for name in names if name in count.metrics},
        [_covered(journal, count.points.get(journal.journal_id, 0)) for journal in journals],
        events,
        sheet,
    )
    return sheet, _put(layout.run_json(run_id), told, check) or changed


def _write_parquet(
    layout: Layout,
    run_id: str,
    journals: list[JournalColumns],
    runs: Iterable[Run],
    rows_max: int,
    check: Callable[[], None],
) -> Sheet:
    folder = layout.run(run_id)

    def fresh() -> str:
        path = draft_in(folder)
        os.close(create_draft(path))
        return path

    told = {
        "format": run_json.FORMAT,
        "run": run_id,
        "journals": [_frames(journal) for journal in journals],
        "made": new_id(),
    }
    meta = parquet.signed(told)
    names = {name for journal in journals for name in journal.metrics()}
    origins = [origin_of(journal) for journal in journals]
    longest = max((len(name.encode()) for name in names), default=0)
    draft = parquet.write(fresh, runs, origins, meta, name_bytes_max=longest, rows_max=rows_max)
    try:
        digest, size_bytes = hash_of(draft) or "", os.path.getsize(draft)
        _into_place(draft, layout.parquet(run_id), check)
    finally:
        if os.path.exists(draft):
            os.unlink(draft)
    return Sheet(meta["id"], digest, size_bytes, 0)


def _frames(journal: JournalColumns) -> dict[str, Any]:
    """Tell which frames of a journal are in the file."""
    return {
        "journal": journal.journal_id,
        "end": journal.end,
        "seq": journal.seq,
        "closed": journal.closed,
        "attempt": journal.attempt,
        "rank": RunFiles.rank_of(journal),
    }


def _covered(journal: JournalColumns, points: int) -> Covered:
    steps = [int(s.steps.max()) for s in journal.segments if not s.columns.final and len(s.seq)]
    high = journal.high_step if isinstance(journal, SealedJournal) else max(steps, default=None)
    time_ns = journal.last_time_ns if isinstance(journal, SealedJournal) else last_time_ns(journal)
    return Covered(
        journal.journal_id,
        journal.end,
        journal.seq,
        journal.covered.closed if isinstance(journal, SealedJournal) else journal.closed,
        journal.synced,
        time_ns,
        points,
        high,
        list(journal.metrics()),
        journal.opening,
    )


def _put(path: str, content: bytes, check: Callable[[], None]) -> bool:
    """Put a whole file in place of another, synced; False where it is the same already."""
    try:
        with open(path, "rb") as file:
            if file.read() == content:
                return False
    except OSError:
        pass
    draft = draft_in(os.path.dirname(path))
    with os.fdopen(create_draft(draft), "wb") as file:
        try:
            file.write(content)
            file.flush()
            _into_place(draft, path, check)
        finally:
            if os.path.exists(draft):
                os.unlink(draft)
    return True


def _into_place(draft: str, path: str, check: Callable[[], None]) -> None:
    """Rename a draft to its place, if `check` agrees at the last moment; gc sees the draft until then, and keeps the journals."""
    fd = os.open(draft, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    check()
    os.replace(draft, path)
    SYSTEM.sync_folder(os.path.dirname(path))


# --------------------------------------------------------------------------------------------------- another sealer


def _sealed_ends(layout: Layout, run_id: str) -> dict[str, int]:
    """Give how far the seal that is in place covers each journal, by either of its files."""
    ends = _points_ends(layout.parquet(run_id))
    try:
        told = run_json.read(layout.run_json(run_id))
    except Unreadable:
        return ends
    for covered in told.journals if told else ():
        ends[covered.journal] = max(covered.end, ends.get(covered.journal, 0))
    return ends


def _points_ends(path: str) -> dict[str, int]:
    try:
        return {covered["journal"]: covered["end"] for covered in parquet.read_meta(path)["journals"]}
    except (FileNotFoundError, Unreadable, KeyError, TypeError):
        return {}


def _check_not_overtaken(before: dict[str, int], mine: list[JournalColumns], now: dict[str, int]) -> None:
    """Raise where the seal has come to cover what is not in ours: the journal may be gone by now, or go as soon as ours is in place."""
    ends = {journal.journal_id: journal.end for journal in mine}
    if any(end > max(ends.get(journal, 0), before.get(journal, 0)) for journal, end in now.items()):
        raise _Overtaken


# ------------------------------------------------------------------------------------------------------ an older seal


def _check_points(path: str) -> None:
    """Raise where the points of journals that are gone cannot be had."""
    try:
        parquet.read_meta(path)
    except FileNotFoundError as gone:
        raise Unreadable(f"the points of journals that are gone, are gone with metrics.parquet: {path}") from gone


def _refuse_less(layout: Layout, run_id: str, before: dict[str, int], journals: list[JournalColumns]) -> None:
    """Raise where the seal to come would hold less than the one before it, which cannot be read whole."""
    try:
        sealed = {one.journal_id: one for one in sealed_journals(layout, run_id)}
    except Unreadable:
        sealed = {}
    for journal in (one for one in journals if not isinstance(one, SealedJournal)):
        known = sealed.get(journal.journal_id)
        if journal.end < before.get(journal.journal_id, 0) or (known and known.has_more_than(journal)):
            name = f"journal/{journal.journal_id}{SUFFIX}"
            raise Unreadable(f"{name} holds less than was sealed of it, and the seal is damaged; nothing is written")


def _kept(layout: Layout, run_id: str, journals: list[JournalColumns]) -> list[str]:
    """Give the journals that are taken from the older seal though their files are there."""
    folders = (layout.run_journal(run_id), *spool.journals_of(layout.root, run_id))
    there = {journal_id_of(path) for folder in folders for path in journal_files(folder)}
    return [one.journal_id for one in journals if isinstance(one, SealedJournal) and one.journal_id in there]


def _put_aside_damaged(layout: Layout, run_id: str) -> None:
    """Keep a seal's file that cannot be read beside the one to come."""
    for path, read in ((layout.run_json(run_id), run_json.read), (layout.parquet(run_id), parquet.read_meta)):
        try:
            read(path)
        except FileNotFoundError:
            pass
        except Unreadable:
            os.replace(path, f"{path}.{new_id()[:8]}.damaged")


def _is_covered(path: str, journals: list[JournalColumns]) -> bool:
    """Say whether a file holds the points of all these journals already."""
    told = _points_ends(path)
    return bool(_parquet_id(path)) and all(
        told.get(journal.journal_id) == journal.end for journal in journals if journal.metrics()
    )


def _sheet_of(layout: Layout, run_id: str) -> Sheet:
    """Tell about the points file as it lies there."""
    path = layout.parquet(run_id)
    id_ = _parquet_id(path)
    known = run_json.read(layout.run_json(run_id))
    if known is not None and known.sheet.id == id_:
        return known.sheet
    return Sheet(id_, hash_of(path) or "", os.path.getsize(path), 0)


def _parquet_id(path: str) -> str:
    try:
        return str(parquet.read_meta(path).get("id"))
    except (FileNotFoundError, Unreadable):
        return ""


def _only_sealed(path: str, here: list[JournalColumns]) -> bool:
    """Say whether there were journals that only a seal holds, where run.json cannot tell."""
    try:
        told = {covered["journal"] for covered in parquet.read_meta(path)["journals"]}
        return not told <= {journal.journal_id for journal in here}
    except (FileNotFoundError, Unreadable, KeyError, TypeError):  # journals go all at once, the first ones among them
        return not any(journal.attempt == 1 and journal.role in STARTERS for journal in here)
