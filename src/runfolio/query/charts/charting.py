"""Make charts: read the curves of many runs, thin them to what a screen can show, and lay all of them over each other.

The curves that are drawn may be few; bands are always over all. Points are read a slice of runs at a time: what is held is the answer, and
for the bands one row of a bounded table for each run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import UsageError
from runfolio.model.names import shown
from runfolio.query.bands import MEAN_BAND, MEDIAN_BAND, MOST, MOST_BAND, over_runs
from runfolio.query.charts.axis import METRIC, STEP, Floats, curve_of, finals_of
from runfolio.query.charts.chart import FINALS_MAX, GROUPS_MAX, Band, Chart, Curve, Wish
from runfolio.query.charts.kept_rows import kept_rows_of
from runfolio.query.charts.moving import moving_average
from runfolio.query.charts.resample import Grid, finite, last_of, marks, thinned, within
from runfolio.query.charts.slices import Asked, AskedRank, asked_of, by_run, read
from runfolio.query.points import Part
from runfolio.query.survey.census import NONE, Columns, census_of
from runfolio.query.survey.folded import gather, key_of, varying
from runfolio.query.survey.layouts import FIRST_STEP, LAST_STEP, RANK, Found
from runfolio.query.survey.objective import told_objective
from runfolio.query.survey.overview import varying_seeds
from runfolio.store.points import Merged

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

HELD_MAX = 1_200_000
"""Points that are held all at once, to find the steps that curves share; of more each run is thinned as it is read."""
TABLE_MAX = 2_000_000
"""Numbers of the table that bands are made of."""
EVERY = "*"
"""As a group: all params but the seed."""
_BIG = 1e37  # beyond it a float of 32 bits will not do


def chart_of(store: Store, runs: Sequence[Run], wish: Wish) -> Chart:
    """Make a chart.

    Raises:
        UsageError: more points than one chart may read, or give; an odd window.
    """
    (chart,) = charts_of(store, runs, [wish])
    return chart


def charts_of(store: Store, runs: Sequence[Run], wishes: Sequence[Wish]) -> Iterator[Chart]:
    """Make several charts, once it is known of each that it is not too much.

    Raises:
        UsageError: as `chart_of`, before the first is made.
    """
    makings = [_Making(store, runs, wish) for wish in wishes]
    for making in makings:
        making.check()
    for making in makings:
        yield making.make()


class _Line(NamedTuple):
    """A curve as it was read, in the window. `place`: of its run among those that have the metric."""

    place: int
    x: Floats
    y: Floats
    final: Floats


class _Making:
    """A chart in the making."""

    def __init__(self, store: Store, runs: Sequence[Run], wish: Wish) -> None:
        self.store, self.wish = store, wish
        census = census_of(store)
        self.found = _of_rank(census.layouts.find(runs, wish.metric), wish.rank)
        self.having = asked_of(runs, self.found)
        self.runs = [one.run for one in self.having]
        self.places = {run.id: place for place, run in enumerate(self.runs)}
        self.columns = census.of(self.runs)
        goal = told_objective(self.columns, wish.metric).goal
        self.chart = Chart(wish.metric, goal, wish.axis, len(runs), len(self.having), buckets=wish.buckets)
        self.over: dict[str, Asked] = {}
        if wish.axis.metric is not None:
            others = _of_rank(census.layouts.find(self.runs, wish.axis.metric), wish.rank)
            self.over = {one.run.id: one for one in asked_of(self.runs, others)}
        self.dtype = np.float32 if wish.single and _is_small(self.found) else np.float64
        self.middles: Floats | None = None
        self.grids: dict[bytes, int] = {}
        self.places_of_x: dict[int, int] = {}
        """The places of the arrays in `chart.grids` by their `id()`: most curves come with the very array of the one before."""

    def make(self) -> Chart:
        if not self.having:
            return self.chart
        points = [one.points for one in self.having]
        self.chart.fewest, self.chart.most = min(points), max(points)
        drawn = self._chosen()
        self.drawn = {place: at for at, place in enumerate(drawn)}
        wanted = range(len(self.having)) if self.wish.bands else sorted(drawn)
        if sum(points[place] for place in wanted) <= HELD_MAX:
            self._hold(wanted)
        else:
            self._flow(wanted)
        self.chart.curves.sort(key=lambda curve: self.drawn[self.places[curve.run.id]])
        return self.chart

    def check(self) -> None:
        """Raise a UsageError where it is too much, or makes no sense."""
        wish = self.wish
        if wish.start is not None and wish.end is not None and wish.start > wish.end:
            raise UsageError(f"the window ends before it begins: from {wish.start:g} to {wish.end:g}")
        points = sum(one.points for one in self.having) + sum(one.points for one in self.over.values())
        if points > wish.points_max:
            raise UsageError(
                f"{shown(wish.metric)} has {points:,} points in these {len(self.having):,} runs, and one answer reads at most "
                f"{wish.points_max:,}; narrow the filter, or name runs"
            )
        sizes = [one.points for one in self.having]
        numbers = sum(size if size <= 2 * wish.buckets else 3 * wish.buckets for size in sizes[: wish.curves])
        if numbers > wish.numbers_max:
            raise UsageError(
                f"{min(wish.curves, len(sizes)):,} curves in {wish.buckets:,} stretches are {numbers:,} numbers, and one answer gives at most "
                f"{wish.numbers_max:,}; ask for fewer curves or buckets"
            )

    def _chosen(self) -> list[int]:
        """Choose the places of the runs whose curves come: those told first, then as they stand."""
        every = range(len(self.runs))
        first = [place for place in every if self.runs[place].id.startswith(self.wish.first)]
        return list(dict.fromkeys([*first, *every]))[: self.wish.curves]

    # ---------------------------------------------------------------- reading

    def _lines(self, places: Sequence[int], whole: bool = False) -> Iterator[_Line]:
        """Read curves, cut to the window unless `whole`."""
        asked = [self.having[place] for place in places]
        start, end = (None, None) if whole else (self.wish.start, self.wish.end)
        for parts in read(self.store, asked, self.wish.metric):
            over = self._over(parts)
            for run, points in by_run(parts, self.wish.metric):
                x, y = _NOTHING, _NOTHING
                if self.wish.axis.kind != METRIC or run.id in over:
                    x, y = within(*curve_of(run, points, self.wish.axis, over.get(run.id)), start, end)
                yield _Line(self.places[run.id], x, y, finals_of(points))

    def _over(self, parts: Sequence[Part]) -> dict[str, Merged]:
        """Read the metric of the axis, of the runs of a slice."""
        metric = self.wish.axis.metric or ""
        ids = dict.fromkeys(part.run.id for part in parts)
        asked = [self.over[run_id] for run_id in ids if run_id in self.over]
        return {run.id: points for some in read(self.store, asked, metric) for run, points in by_run(some, metric)}

    def _hold(self, wanted: Sequence[int]) -> None:
        """Read all the curves, then draw them."""
        lines: list[_Line] = []
        least, most, shared = np.inf, -np.inf, _NOTHING
        for place, x, y, final in self._lines(wanted, whole=True):
            if len(x):
                least, most = min(least, float(x[0])), max(most, float(x[-1]))
            x, y = within(x, y, self.wish.start, self.wish.end)
            if len(x) != len(shared) or not (x == shared).all():
                shared = x
            lines.append(_Line(place, shared, y.copy(), final))  # a view would hold what it was cut from
        self._tell_range(least, most)
        self.chart.gone = len(wanted) - len(lines)
        grid = self._grid()
        for line in lines:
            if line.place in self.drawn:
                self._draw(line, grid)
        if self.wish.bands and grid is not None:
            self._bands_of_lines(lines, grid)

    def _flow(self, wanted: Sequence[int]) -> None:
        """Draw each curve as it is read. Where the index does not tell the range of x, all are read twice."""
        span = _span(self.found) if self.wish.axis.kind == STEP else None
        if span is None:
            ends = [(float(line.x[0]), float(line.x[-1])) for line in self._lines(wanted, whole=True) if len(line.x)]
            span = min((one for one, _ in ends), default=np.inf), max((one for _, one in ends), default=-np.inf)
        self._tell_range(*span)
        grid = self._grid()
        if grid is None or not self.wish.bands:
            seen = sum(self._draw(line, grid) for line in self._lines(sorted(self.drawn)))
            self.chart.gone = len(self.drawn) - seen
            return
        rough = grid._replace(buckets=_wide(grid, len(self.runs)))
        key = (self.wish.metric, self.wish.axis, self.wish.rank, rough)
        kept = kept_rows_of(self.store)
        table = np.full((len(self.runs), rough.buckets), np.nan, np.float32 if _is_small(self.found) else np.float64)
        missing = set(kept.fill(key, self.runs, table))
        gone = self.drawn.keys() | missing
        for line in self._lines(sorted(gone)):
            gone.remove(line.place)
            if line.place in self.drawn:
                self._draw(line, grid)
            if line.place in missing:
                table[line.place] = last_of(line.x, line.y, rough)
        self.chart.gone = len(gone)
        kept.keep(key, {run.id: place for place, run in enumerate(self.runs) if place not in gone}, self.runs, table)
        self._bands(*_with_points(table, rough.x))

    def _tell_range(self, least: float, most: float) -> None:
        if least <= most:
            self.chart.range = (least, most)

    def _grid(self) -> Grid | None:
        """Give the stretches of the window, as far as there is anything; None where there is nothing."""
        if self.chart.range is None:
            return None
        (least, most), wish = self.chart.range, self.wish
        start = least if wish.start is None else max(least, wish.start)
        end = most if wish.end is None else min(most, wish.end)
        return Grid(start, end, wish.buckets) if start <= end else None

    # ---------------------------------------------------------------- drawing

    def _draw(self, line: _Line, grid: Grid | None) -> bool:
        run, x, y = self.runs[line.place], line.x, line.y
        final = line.final[-FINALS_MAX:].tolist()
        if len(x) <= 2 * self.wish.buckets or grid is None:
            is_plain = bool(np.isfinite(y).all())
            exact, told = (y, []) if is_plain else (finite(y), marks(x, y))
            curve = Curve(run, self._add_grid(x), len(x), self._kept(exact), None, None, None, None, told, final)
        else:
            low, high, last = (self._kept(one) for one in thinned(x, y, grid))
            weight = self.wish.smooth
            smooth = self._kept(last_of(x, moving_average(y, weight), grid)) if weight else None
            told = marks(x, y, grid)
            curve = Curve(run, self._add_grid(self._middles(grid)), len(x), None, low, high, last, smooth, told, final)
        self.chart.curves.append(curve)
        return True

    def _middles(self, grid: Grid) -> Floats:
        if self.middles is None:
            self.middles = grid.x
        return self.middles

    def _kept(self, values: Floats) -> NDArray[Any]:
        return values.astype(self.dtype)  # a copy also where nothing is to change: it may be a view

    def _add_grid(self, x: Floats) -> int:
        """Give the place of a grid, which many curves share."""
        known = self.places_of_x.get(id(x))
        if known is not None:
            return known
        key = blake2b(x.tobytes(), digest_size=16).digest()
        if key not in self.grids:
            self.grids[key] = self.places_of_x[id(x)] = len(self.chart.grids)
            self.chart.grids.append(x)
        return self.grids[key]

    # ---------------------------------------------------------------- bands

    def _bands_of_lines(self, lines: list[_Line], grid: Grid) -> None:
        """Make bands at the very x of the curves where these are few enough, else on stretches."""
        x = self._shared(lines)
        rough = grid._replace(buckets=_wide(grid, len(self.runs)))
        table = np.full((len(self.runs), rough.buckets if x is None else len(x)), np.nan, self.dtype)
        columns = {} if x is None else {key: np.searchsorted(x, one) for key, one in _distinct(lines).items()}
        for line in lines:
            if x is None:
                table[line.place] = last_of(line.x, line.y, rough)
            else:
                table[line.place, columns[id(line.x)]] = finite(line.y)
        self._bands(*(_with_points(table, rough.x) if x is None else (table, x)))

    def _shared(self, lines: list[_Line]) -> Floats | None:
        """Give all x of curves; None where they are too many to be told one by one."""
        distinct = list(_distinct(lines).values())
        most = min(2 * self.wish.buckets, TABLE_MAX // len(lines))
        if max(map(len, distinct)) > most:
            return None
        x = np.unique(np.concatenate(distinct))
        return x if len(x) <= most else None

    def _bands(self, table: NDArray[Any], x: Floats) -> None:
        place = self._add_grid(x)
        if not self.wish.group:
            laid = over_runs(table, "median", shares=MOST)
            self.chart.groups = 1
            self.chart.bands.append(Band(None, self.runs, place, laid, "median", MOST_BAND))
            return
        centre = self.wish.centre
        by = _keys(self.wish.group, self.columns)
        groups = gather(self.columns, by)
        members = [groups.members(group) for group in range(len(groups.begins) - 1)]
        self.chart.groups = len(members)
        for some in sorted(members, key=len, reverse=True)[:GROUPS_MAX]:
            runs = [self.runs[one] for one in some.tolist()]
            params = params_of(self.columns, by, int(some[0]))
            name = MEAN_BAND if centre == "mean" else MEDIAN_BAND
            self.chart.bands.append(Band(params, runs, place, over_runs(table[some], centre), centre, name))


_NOTHING: Floats = np.zeros(0)


def _distinct(lines: Sequence[_Line]) -> dict[int, Floats]:
    """Give the arrays of x by their ids: curves one after the other with the same x share it."""
    return {id(line.x): line.x for line in lines}


def _wide(grid: Grid, runs: int) -> int:
    """Say in how many stretches bands are told: fewer over very many runs."""
    return max(min(grid.buckets, TABLE_MAX // runs), 2)


def _with_points(table: NDArray[Any], x: Floats) -> tuple[NDArray[Any], Floats]:
    """Leave out the stretches in which no run has a point: they lie between steps, and a line goes on over them."""
    had = ~np.isnan(table).all(axis=0)
    return (table, x) if had.all() else (table[:, had], x[had])


def _of_rank(found: Found, rank: AskedRank) -> Found:
    """Keep the series of a rank."""
    if rank == "mean":
        return found
    ranked = (found.rows["flags"] & RANK) != 0
    keep = ~ranked if rank == "none" else ranked & (found.rows["rank"] == rank)
    return Found(found.owners[keep], found.rows[keep])


def _span(found: Found) -> tuple[float, float] | None:
    """Give the least and the highest step; None where the index does not tell, as some series ends with a point without a step."""
    told = FIRST_STEP | LAST_STEP
    if not bool((found.rows["flags"] & told == told).all()):
        return None
    return float(found.rows["first_step"].min()), float(found.rows["last_step"].max())


def _is_small(found: Found) -> bool:
    """Say whether all finite values fit into floats of 32 bits."""
    reach = np.abs([found.rows["min"], found.rows["max"]])
    return bool((np.where(np.isfinite(reach), reach, 0.0) < _BIG).all()) and bool(np.isfinite(reach).all())


def _keys(told: Sequence[str], columns: Columns) -> list[str]:
    """Give the params that were told; for `*` all that vary, but the seed."""
    if EVERY not in told:
        return [key_of(name, columns) for name in told]
    seeds = varying_seeds(columns)
    return [key for key in varying(columns) if key not in seeds]


def params_of(columns: Columns, by: Sequence[str], place: int) -> dict[str, Any]:
    """Give the params of a run of those told, without what it lacks."""
    had = ((key, columns.params[key]) for key in by)
    return {key: column.values[column.codes[place]] for key, column in had if column.codes[place] != NONE}
