"""A store as a reader sees it: its runs, found and compared."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from runfolio.errors import AmbiguousRun, RunNotFound, UsageError
from runfolio.model.clock import SYSTEM_CLOCK, Clock
from runfolio.model.ids import is_id, short
from runfolio.model.names import shown
from runfolio.query.run import Run, moment
from runfolio.query.runs import Runs
from runfolio.query.selection import Selection, plain_selection
from runfolio.store.index import NARROW, ROOMY, Index
from runfolio.store.layout import Layout, find
from runfolio.store.run_row import HEAD, Row

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from runfolio.query.compare import Comparison
    from runfolio.query.diff import Diff
    from runfolio.query.group_diff import GroupDiff
    from runfolio.query.groups import Groups
    from runfolio.query.points import Part, Points
    from runfolio.query.series import Series
    from runfolio.query.sql import SqlResult
    from runfolio.store.run_files import RunFiles

T = TypeVar("T")
MODES = ("min", "max")
_HEX = "0123456789abcdef"
_LISTED_MAX = 16  # lists of runs that are kept while nothing changes
_NEAR = 2000  # names that are searched for one like the unknown


class Experiment(NamedTuple):
    """A named set of runs."""

    name: str
    runs: int
    running: int
    latest: datetime | None


def open_store(path: str | os.PathLike[str] | None = None, *, clock: Clock = SYSTEM_CLOCK) -> Store:
    """Open a store for reading.

    Args:
        path: its folder, or the project folder that holds it; default: $RUNFOLIO_DIR, the nearest .runfolio upward, ~/.runfolio.

    Raises:
        StoreNotFound: there is none yet. Unreadable: a foreign folder, or a store of a newer format.
    """
    load_readers()
    return Store(find(path), clock)


def load_readers() -> None:
    """Import what reads series and tables, numpy among it: now, and not within the first question."""
    import runfolio.query.narrowing
    import runfolio.query.reading
    import runfolio.store.packed_points
    import runfolio.store.run_fold  # noqa: F401


class Store:
    """The runs of a store. It looks at the disk at most twice a second; a single run's series is always fresh.

    Contract: any thread may use it. It never writes into the store; what it remembers lies in the reader's own cache.
    """

    def __init__(
        self,
        layout: Layout,
        clock: Clock = SYSTEM_CLOCK,
        on_progress: Callable[[int, int], None] | None = None,
        *,
        light: bool = False,
    ) -> None:
        """Open a store.

        Args:
            on_progress: hears how many runs have been read of how many.
            light: hold little of each run, for a process that stays: params and metrics are read when asked for. `whole` and `packed` of
                query.packed read those of many runs at once.
        """
        self._layout = layout
        self._lock = RLock()
        self._index = Index(layout, clock, on_progress, NARROW if light else ROOMY)
        self._light = light
        self._runs: dict[str, Run] = {}
        self._heads: dict[str, tuple[Any, ...]] = {}
        """Of the same runs: by which a change of one is seen."""
        self._listed: OrderedDict[tuple[Selection, int], list[Run]] = OrderedDict()
        self._listed_at = -1
        self._names: dict[str, frozenset[str]] = {}
        self._names_at = -1
        with self._lock:
            self._index.look()

    @property
    def path(self) -> str:
        return self._layout.root

    @property
    def id(self) -> str:
        return self._index.store_id

    # ---------------------------------------------------------------- runs

    def runs(
        self,
        filter: str | None = None,
        *,
        sort: str | None = None,
        limit: int | None = None,
        experiment: str | None = None,
        status: str | Iterable[str] | None = None,
        name: str | None = None,
        tag: str | None = None,
        deleted: bool | None = False,
        archived: bool | None = False,
    ) -> Runs:
        """Give the runs, newest first.

        Args:
            filter: as in docs/guide/filters.md: `metrics.val_loss.min < 0.3 and params.lr in (0.1, 0.01)`.
            sort: what to sort by instead: `-metrics.acc.max, name`; a minus puts the highest first, what is missing comes last.
            status: one of them, or several.
            name: a pattern with `*` and `?`.
            tag: a key, or `key=value`.
            deleted, archived: None for all, whether they are or not.

        Raises:
            FilterError: the filter or the order cannot be understood.
        """
        selection = plain_selection(experiment, status, deleted, archived)
        picked = name is not None or tag is not None
        with self._lock:
            self._index.look()
            if filter is not None or sort is not None:
                from runfolio.query.narrowing import narrowed  # a plain listing needs no parser

                selection = narrowed(selection, filter, sort, self.names)
            wanted = -1 if picked or limit is None else limit
            listed = self._index.answer(lambda: self._list(selection, wanted))
        chosen = islice((run for run in listed if _fits(run, name, tag)) if picked else listed, limit)
        return Runs(chosen, self)

    def names(self) -> dict[str, frozenset[str]]:
        """Give the names that runs of this store have used: of "params", "metrics", "summary", "tags", and metrics with declared "goals"."""
        with self._lock:
            if self._names_at != self._index.changes:
                self._names, self._names_at = self._index.answer(self._index.cache.names), self._index.changes
            return self._names

    def _list(self, selection: Selection, limit: int) -> list[Run]:
        """Give what was listed before, where nothing has changed since."""
        if self._listed_at != self._index.changes:
            self._listed, self._listed_at = OrderedDict(), self._index.changes
        key = (selection, limit)
        if key not in self._listed:
            self._listed[key] = self._select(selection, limit)
            if len(self._listed) > _LISTED_MAX:
                self._listed.popitem(last=False)
        return self._listed[key]

    def _select(self, selection: Selection, limit: int) -> list[Run]:
        """Find the runs; of those that are known as they are now, nothing but that is read."""
        cache = self._index.cache
        if selection.slow:
            from runfolio.query.narrowing import slow_numbers

            numbers = slow_numbers(selection.slow, lambda metric: self.series(metric, "mean"))
            cache.offer("slow", lambda run_id, place: numbers[place].get(run_id))
        question = (selection.where, (*selection.values, *selection.order_values), limit, selection.order)
        if self._light:
            self._let_go()
        if (self._light or not selection.order) and 2 * len(self._runs) < cache.ask("SELECT count(*) FROM runs")[0][0]:
            rows = cache.light_rows(*question) if self._light else cache.rows(*question)
            return [self._run(row) for row in rows]  # most are new: faster in one go
        heads = cache.heads(*question)
        known = self._heads
        changed = [head[0] for head in heads if known.get(head[0]) != head]
        for row in cache.rows_of(changed, self._light).values():
            self._run(row)
        runs = self._runs  # another process may have forgotten one in between
        return [runs[head[0]] for head in heads if head[0] in runs]

    def _runs_of(self, where: str, values: Sequence[object]) -> Iterator[Run]:
        """Give the runs that a condition of SQL fits."""
        cache = self._index.cache
        return map(self._run, cache.light_rows(where, values) if self._light else cache.rows(where, values))

    def _let_go(self) -> None:
        """Forget the runs at hand where many of them are no more."""
        if len(self._runs) > 2 * self._index.cache.ask("SELECT count(*) FROM runs")[0][0]:
            self._runs, self._heads = {}, {}

    def _run(self, row: Row) -> Run:
        """Give the same object for a run that has not changed."""
        head = row[: len(HEAD)]
        if self._heads.get(row.id) != head:
            self._runs[row.id], self._heads[row.id] = Run(self, row), head
        return self._runs[row.id]

    def run(self, ref: str) -> Run:
        """Find one run.

        Args:
            ref: its id, the beginning of it, its name (the latest run of that name), an alias, or "latest".

        Raises:
            RunNotFound: there is none. AmbiguousRun: several runs answer to it.
        """
        if not isinstance(ref, str):
            raise UsageError(f"a run is asked for by id, name, alias or 'latest', not by {shown(ref)}")
        with self._lock:
            if is_id(ref):
                self._index.look_at(ref)
            else:
                self._index.look()
            return self._index.answer(lambda: self._find(ref))

    def _find(self, ref: str) -> Run:
        id_ = self._resolve(ref) or (self._index.look_if_new() and self._resolve(ref))
        if not id_:
            raise RunNotFound(self._unknown(ref))
        return next(self._runs_of("id = ?", (id_,)))

    def _resolve(self, ref: str) -> str | None:
        if ref == "latest":
            return next((row[0] for row in self._index.cache.ask(_LATEST)), None)
        begin = (
            [row[0] for row in self._index.cache.ask(_BY_PREFIX, (ref, ref + "g"))]
            if ref and not ref.strip(_HEX)
            else []
        )
        named = [row[0] for row in self._index.cache.ask(_BY_NAME, (ref,))][:1]
        aliased = [row[0] for row in self._index.cache.ask(_BY_ALIAS, (ref,))]
        found = list(dict.fromkeys(begin + named + aliased))
        if len(found) > 1:
            kinds = [what for what, ids in (("id", begin), ("name", named), ("alias", aliased)) if ids]
            raise AmbiguousRun(
                f"{shown(ref)} fits {len(found)} runs by {' and '.join(kinds)}: {', '.join(map(short, found[:5]))}"
                f"{', …' if len(found) > 5 else ''}; give more of the id",
                found,
            )
        return found[0] if found else None

    def _unknown(self, ref: str) -> str:
        from difflib import get_close_matches

        names = [row[0] for row in self._index.cache.ask(_NAMES, (_NEAR,))]
        ids = [short(row[0]) for row in self._index.cache.ask(_IDS, (_NEAR,))]
        near = get_close_matches(ref[:200], dict.fromkeys([*names, *ids]), 3)
        hint = f"did you mean {' or '.join(map(shown, near))}?" if near else "runfolio list shows the runs there are."
        return f"no run {shown(ref)}; {hint} The store: {self.path}"

    def experiments(self) -> list[Experiment]:
        """Give the experiments, the one with the newest run first."""
        with self._lock:
            self._index.look()
            return [
                Experiment(name, runs, running, moment(latest))
                for name, runs, running, latest in self._index.cache.ask(_EXPERIMENTS)
            ]

    # ---------------------------------------------------------------- over all runs

    def best(self, metric: str, mode: str | None = None, at: str = "best", filter: str | None = None) -> Run | None:
        """Give the run with the best value of a metric; the older one where two are equal. NaN never wins.

        Args:
            mode: "min" or "max"; default: the goal declared for the metric.
            at: "best": over the whole history; "last": by the last value.
            filter: only among the runs that fit.
        """
        ranking = self.ranking(metric, mode, at, self.runs(filter))
        return ranking[0][0] if ranking else None

    def ranking(
        self, metric: str, mode: str | None = None, at: str = "best", runs: Sequence[Run] | None = None
    ) -> list[tuple[Run, float]]:
        """Give the runs that have a number of a metric, with it: the best first, the older one where two are equal.

        Args:
            runs: these; default: all.
        """
        if mode not in (*MODES, None):
            raise UsageError(f"mode must be 'min' or 'max', not {mode!r}")
        if at not in ("best", "last"):
            raise UsageError(f"at must be 'best' or 'last', not {at!r}")
        runs = self.runs() if runs is None else runs
        mode = mode or _goal(metric, runs)
        sign = 1 if mode == "min" else -1
        found = []
        for run in runs:
            known = [sign * value for value in run._values(metric, mode, at) if value == value]
            if known:
                found.append((min(known), run))
        found.sort(key=lambda pair: (pair[0], pair[1]._row.created_ns))
        return [(run, sign * value) for value, run in found]

    def series(self, metric: str, rank: int | str | None = None) -> dict[str, Series]:
        """Read one metric of all runs that have it, by run id, newest first.

        Raises:
            RankRequired: a run has several ranks, and none was asked for.
        """
        from runfolio.query.reading import read_all

        with self._lock:
            return self._index.answer(lambda: read_all(self._index, self.runs(), metric, rank))

    def groups(
        self,
        metric: str,
        by: str | Sequence[str] | None = None,
        over: str | Sequence[str] | None = None,
        goal: str | None = None,
        *,
        filter: str | None = None,
        at: Any = "last",
    ) -> Groups:
        """Group the runs that fit a filter by params, over seeds, and say which group is really better.

        Args:
            by: the params that make a group; default: all of them but `over`.
            over: the param of the seed; default: found by its name.
            goal: "min" or "max"; default: the one declared for the metric.

        Raises:
            NotFound: no run has the metric or the param. UsageError: no goal. FilterError: the filter cannot be understood.
        """
        return self.runs(filter).groups(metric, by, over, goal, at)

    def points(
        self,
        metrics: Sequence[str] | str | None = None,
        filter: str | None = None,
        *,
        wide: bool = False,
        runs: Iterable[Run] | None = None,
    ) -> Points:
        """Read metrics of many runs as one table, for Arrow, pandas or polars.

        Args:
            metrics: None for all.
            filter: only of the runs that fit.
            wide: a column for each metric and a row for each run, rank and step, instead of a row for each point.
            runs: only of these.

        Raises:
            MetricNotFound: no run of the store has such a metric.
        """
        from runfolio.query.points import check_metrics, points_of

        if filter is not None and runs is not None:
            raise UsageError("filter or runs, not both: give store.runs(filter) as runs")
        asked = [metrics] if isinstance(metrics, str) else metrics
        with self._lock:
            chosen = self.runs(filter) if runs is None else list(runs)
            check_metrics(asked or (), self.names()["metrics"])
            return self._index.answer(lambda: points_of(self._index, chosen, asked, wide))

    def parts(self, runs: Iterable[Run]) -> Iterator[Part]:
        """Yield each series of runs, a run at a time, in the order of `points`; only one run is held in memory."""
        from runfolio.query.points import read_parts

        for run in runs:
            with self._lock:
                found = self._index.answer(lambda run=run: list(read_parts(self._index, [run], None)))  # type: ignore[misc]
            yield from found

    def sql(
        self, query: str, limit: int | None = None, *, time_limit_s: float = 60.0, memory_mb: int = 1000
    ) -> SqlResult:
        """Answer one SELECT of DuckDB's SQL over the tables runs, params, metrics, points and artifacts: see docs/guide/sql.md.

        Args:
            limit: give at most so many rows.
            time_limit_s: stop the query then.
            memory_mb: of the query, and of what is handed to it.

        Raises:
            FilterError: the query cannot be understood; the column tells where. UsageError: it takes too long, or too much memory.
        """
        from runfolio.query.sql import answer

        return answer(self, query, limit, time_limit_s, memory_mb)

    def compare(self, runs: Sequence[Run | str] | None = None) -> Comparison:
        """Set runs, all by default, side by side: the params that differ, and the metrics."""
        from runfolio.query.compare import compare

        chosen = self.runs() if runs is None else [run if isinstance(run, Run) else self.run(run) for run in runs]
        return compare(chosen)

    @overload
    def diff(self, a: Run | str, b: Run | str) -> Diff: ...
    @overload
    def diff(self, a: Sequence[Run], b: Sequence[Run]) -> GroupDiff: ...
    def diff(self, a: Run | str | Sequence[Run], b: Run | str | Sequence[Run]) -> Diff | GroupDiff:
        """Say why it changed: what is not the same in two runs, or between all of one list of runs and all of another.

        Raises:
            RunNotFound: a name that no run answers to. UsageError: a run and a list, or a list without runs.
        """
        from runfolio.query.diff import diff

        one, other = (self.run(runs) if isinstance(runs, str) else runs for runs in (a, b))
        return diff(one, other)

    # ---------------------------------------------------------------- how it stands on the disk

    def refresh(self) -> float:
        """Take in what changed on the disk; give what the look has cost of the processor, in seconds. No question waits for the look itself."""
        scan = self._index.scan()
        with self._lock:
            self._index.take_in(scan)
        return scan.cost_ns / 1e9

    def trust(self, for_s: float) -> None:
        """Let questions look at new and running runs only for so long, as somebody else looks at all of them: by `refresh`, or one by one."""
        with self._lock:
            self._index.trust(int(for_s * 1e9))

    @property
    def look_cost_s(self) -> float:
        """What the latest look at all runs has cost of the processor."""
        return self._index.scan_ns / 1e9

    def look(self) -> None:
        """Take in what changed on the disk, as each question does: twice a second at most."""
        with self._lock:
            self._index.look()

    def look_at(self, run_id: str) -> None:
        """Take in what changed in one run."""
        with self._lock:
            self._index.look_at(run_id)

    @property
    def cache_path(self) -> str:
        """The file of the cache; no question is waited for."""
        return self._index.cache.path

    @property
    def spools(self) -> list[str]:
        """The spool folders that the latest look has found; no question is waited for."""
        return list(self._index.spools)

    def ask(self, act: Callable[[Index], T]) -> T:
        """Ask the index, as it is known; asked again where its cache had to be made anew."""
        with self._lock:
            return self._index.answer(lambda: act(self._index))

    # ---------------------------------------------------------------- for runs

    def _read(self, run_id: str, act: Callable[[RunFiles], T]) -> T:
        """Ask the journals of a run, read anew."""
        with self._lock:
            return act(self._index.files(run_id))

    def _series(self, run: Run, metric: str, rank: int | str | None) -> Series:
        from runfolio.query.reading import read_series

        with self._lock:
            return self._index.answer(lambda: read_series(self._index, run, metric, rank))

    def _several(self, run: Run, metrics: Sequence[str], rank: int | str | None) -> list[Series]:
        from runfolio.query.reading import read_several

        with self._lock:
            return self._index.answer(lambda: read_several(self._index, run, metrics, rank))

    def _heavy(self, run_id: str, column: str) -> Any:
        with self._lock:
            found = self._index.answer(lambda: self._index.cache.heavy(run_id, column))
        if found is None:
            raise RunNotFound(f"run {short(run_id)} is gone: {self.path}")
        return found

    # ---------------------------------------------------------------- the end

    def close(self) -> None:
        """Let go of the cache."""
        with self._lock:
            self._index.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs())

    def __repr__(self) -> str:
        return f"<Store {self.path}>"


_LATEST = "SELECT id FROM runs WHERE NOT deleted ORDER BY created_ns DESC, id LIMIT 1"
_BY_PREFIX = "SELECT id FROM runs WHERE id >= ? AND id < ? LIMIT 1000"
_BY_NAME = "SELECT id FROM runs WHERE name = ? ORDER BY deleted, created_ns DESC, id LIMIT 1"
_BY_ALIAS = "SELECT run FROM aliases WHERE name = ?"
_NAMES = "SELECT name FROM runs WHERE name IS NOT NULL ORDER BY created_ns DESC LIMIT ?"
_IDS = "SELECT id FROM runs ORDER BY created_ns DESC LIMIT ?"
_EXPERIMENTS = """
    SELECT experiment, count(*), sum(status = 'running'), max(created_ns) AS latest FROM runs
    WHERE NOT deleted AND experiment IS NOT NULL GROUP BY experiment ORDER BY latest DESC, experiment
"""


def _fits(run: Run, name: str | None, tag: str | None) -> bool:
    if name is not None and not fnmatchcase(run.name or "", name):
        return False
    if tag is None:
        return True
    key, is_pair, value = tag.partition("=")
    return tag in run.tags or (key in run.tags and (not is_pair or run.tags[key] == value))


def _goal(metric: str, runs: Iterable[Run]) -> str:
    goals = {run.goals[metric] for run in runs if metric in run.goals}
    if len(goals) == 1:
        return goals.pop()
    why = "its runs declare both" if goals else "no run declares its goal"
    raise UsageError(f"is {shown(metric)} better low or high? {why}; pass mode='min' or mode='max'")
