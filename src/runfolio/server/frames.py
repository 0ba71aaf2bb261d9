"""Charts as binary frames: a header in JSON and arrays behind it, as docs/formats/api.md tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from runfolio.query.charts.chart import Band, Chart, Curve
from runfolio.server.answers import marked

TYPE = "application/vnd.runfolio.frame"
MAGIC = b"RFF1"
F8, F4, I4, U2 = "f8", "f4", "i4", "u2"
"""Forms of an array. `u2` has the low bytes of all its numbers before the high ones: so it packs into an eighth less, in less time."""
GAP, LEVELS = 65535, 65534
"""Of `u2`: what stands for a gap, and the greatest of the others."""
FEW_CURVES, COARSE_LEVELS = 30, 8190
MANY_CURVES, COARSER_LEVELS = 200, 766
"""Of more curves fewer levels are used, as they pack better: of a few in 13 bits, ten in a pixel of a chart 800 high; of many in 9.6, one in each."""
_DTYPES = {F8: "<f8", F4: "<f4", I4: "<i4", U2: "<u2"}
_F4_MAX = 3e38
_SHARED_LEAST = 1 / 64
"""A curve that takes up less of the range of all has a scale of its own, or too few of the levels would be left for it."""

_SLAB = 200_000
"""Numbers, about, that are packed together."""

Numbers = NDArray[Any]
Arrays = Sequence[Numbers]
"""Of one curve."""
Told = dict[str, Any]
Scale = tuple[float, float]
"""a, b: k stands for a + b·k."""
Reach = tuple[float, float]
"""The least and the greatest value."""


class _Packing:
    """The arrays of a frame in the making."""

    def __init__(self, form: str, levels: int) -> None:
        self.form, self.levels = form, levels
        self.scale: Scale | None = None
        self.parts: list[bytes] = []
        self.size = 0

    def exact(self, array: Numbers) -> Told:
        """Add floats of 64 bits, which x needs."""
        return self._add(array, F8)

    def counts(self, array: Numbers) -> Told:
        return self._add(array, I4)

    def curves(self, curves: Sequence[Arrays]) -> list[list[Told]]:
        """Add the values of curves in the form asked for; a scale that all share packs well, and makes the header short."""
        if self.form == U2:
            reaches = [reach for some in _slabs(curves) for reach in _reaches(some) if reach is not None]
            least, most = min((low for low, _ in reaches), default=0.0), max((high for _, high in reaches), default=0.0)
            if not _is_big((least, most)):
                self.scale = _scale(least, most, self.levels)
        return self.values(curves)

    def values(self, curves: Sequence[Arrays]) -> list[list[Told]]:
        """Add the values of curves; the arrays of one have one form and one scale."""
        if self.form == F8:
            return [[self._add(array, F8) for array in arrays] for arrays in curves]
        pack = self._leveled if self.form == U2 else self._single
        return [told for some in _slabs(curves) for told in pack(some)]

    def _single(self, curves: Sequence[Arrays]) -> Iterator[list[Told]]:
        for arrays, reach in zip(curves, _reaches(curves), strict=True):
            yield [self._add(array, F8 if _is_big(reach) else F4) for array in arrays]

    def _leveled(self, curves: Sequence[Arrays]) -> Iterator[list[Told]]:
        reaches = _reaches(curves)
        scales = [self._scale_for(reach) for reach in reaches]
        packed = _levels(curves, scales)
        for arrays, reach, scale in zip(curves, reaches, scales, strict=True):
            raw = [next(packed) for _ in arrays]
            if _is_big(reach):
                yield [self._add(array, F8) for array in arrays]
            else:
                told = [self._put(some, len(array), U2) for some, array in zip(raw, arrays, strict=True)]
                yield [{**one, "scale": list(scale)} for one in told]

    def _scale_for(self, reach: Reach | None) -> Scale:
        """Give the shared scale to what lies in it and takes up enough of it, else one of its own."""
        if reach is None:
            return self.scale or (0.0, 0.0)
        if _is_big(reach):
            return 0.0, 0.0  # it comes as f8
        least, most = reach
        if self.scale is not None:
            start, step = self.scale
            width = step * self.levels
            if start <= least and most <= start + width and most - least >= _SHARED_LEAST * width:
                return self.scale
        return _scale(least, most, self.levels)

    def _add(self, array: Numbers, form: str) -> Told:
        return self._put(np.ascontiguousarray(array, _DTYPES[form]).tobytes(), len(array), form)

    def _put(self, raw: bytes, n: int, form: str) -> Told:
        told = {"at": self.size, "n": n, "as": form}
        padding = -len(raw) % 8
        self.parts += [raw, bytes(padding)] if padding else [raw]
        self.size += len(raw) + padding
        return told


def _slabs(curves: Sequence[Arrays]) -> Iterator[Sequence[Arrays]]:
    """Cut curves into parts of a bounded size, as their numbers are copied a few times on the way."""
    begin, size = 0, 0
    for at, arrays in enumerate(curves):
        size += sum(map(len, arrays))
        if size > _SLAB:
            yield curves[begin : at + 1]
            begin, size = at + 1, 0
    if begin < len(curves):
        yield curves[begin:]


def _reaches(curves: Sequence[Arrays]) -> list[Reach | None]:
    """Give how far each curve reaches, NaN left out; None where there is no number."""
    sizes = np.array([sum(map(len, arrays)) for arrays in curves])
    had = sizes > 0
    found = np.full((len(curves), 2), np.nan)
    if had.any():
        joined = _joined(curves)
        begins = (np.cumsum(sizes) - sizes)[had]
        found[had] = np.stack([np.fmin.reduceat(joined, begins), np.fmax.reduceat(joined, begins)], axis=1)
    return [None if low != low else (low, high) for low, high in found.tolist()]


def _is_big(reach: Reach | None) -> bool:
    return reach is not None and max(map(abs, reach)) > _F4_MAX


def _joined(curves: Sequence[Arrays]) -> Numbers:
    return np.concatenate([np.zeros(0), *(array for arrays in curves for array in arrays)])


def _scale(least: float, most: float, levels: int) -> Scale:
    step = (most / levels - least / levels) * (1 + 1e-12)
    return least, step if np.isfinite(step) else 0.0


def _levels(curves: Sequence[Arrays], scales: Sequence[Scale]) -> Iterator[bytes]:
    """Yield each array as levels of its curve's scale: the low bytes of all, then the high ones."""
    sizes = [sum(map(len, arrays)) for arrays in curves]
    raised = _joined(curves)
    raised -= np.repeat([start for start, _ in scales], sizes)
    raised /= np.repeat([step or 1.0 for _, step in scales], sizes)
    np.rint(raised, out=raised)
    np.clip(raised, 0, LEVELS, out=raised)
    raised[np.isnan(raised)] = GAP
    pairs = raised.astype("<u2").view(np.uint8).reshape(-1, 2)
    low, high = pairs[:, 0].tobytes(), pairs[:, 1].tobytes()
    at = 0
    for array in (array for arrays in curves for array in arrays):
        end = at + len(array)
        yield low[at:end] + high[at:end]
        at = end


def _levels_for(curves: int) -> int:
    """Give how many levels tell the values of so many curves apart in `u2`."""
    return LEVELS if curves <= FEW_CURVES else COARSE_LEVELS if curves <= MANY_CURVES else COARSER_LEVELS


def frame_of(chart: Chart, form: str = F8) -> bytes:
    """Write a chart.

    Args:
        form: of the values: f8, f4 or u2. Where a curve does not fit into it, it comes as f8.
    """
    packing = _Packing(form, _levels_for(len(chart.curves)))
    grids = [packing.exact(x) for x in chart.grids]
    named = [_arrays(curve) for curve in chart.curves]
    values = packing.curves([list(arrays.values()) for arrays in named])
    header = {
        "metric": chart.metric,
        "goal": chart.goal,
        "x": chart.axis.told,
        "runs": chart.asked,
        "with": chart.having,
        "gone": chart.gone,
        "drawn": len(chart.curves),
        "points": [chart.fewest, chart.most],
        "thinned": chart.is_thinned,
        "buckets": chart.buckets,
        "range": list(chart.range) if chart.range else None,
        "grids": grids,
        "curves": [
            _curve(curve, dict(zip(arrays, told, strict=True)))
            for curve, arrays, told in zip(chart.curves, named, values, strict=True)
        ],
        "bands": [_band(band, packing) for band in chart.bands],
        "groups": chart.groups,
        "words": chart.words,
    }
    told = _json(header)
    told += b" " * (-(8 + len(told)) % 8)
    return b"".join([MAGIC, len(told).to_bytes(4, "little"), told, *packing.parts])


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # half a surrogate pair in a name
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _arrays(curve: Curve) -> dict[str, Numbers]:
    named = {"y": curve.y, "min": curve.low, "max": curve.high, "last": curve.last, "smooth": curve.smooth}
    return {name: array for name, array in named.items() if array is not None}


def _curve(curve: Curve, values: dict[str, Told]) -> Told:
    return {
        "id": curve.run.id,
        "grid": curve.grid,
        "points": curve.points,
        "thinned": curve.y is None,
        **values,
        "marks": [list(mark) for mark in curve.marks],
        "final": marked(curve.final),
    }


def _band(band: Band, packing: _Packing) -> Told:
    laid = band.laid
    ((centre, low, high),) = packing.values([[laid.centre, laid.low, laid.high]])
    return {
        "params": marked(band.params),
        "ids": [run.id for run in band.runs] if band.params is not None else [],
        "runs": len(band.runs),
        "grid": band.grid,
        "count": packing.counts(laid.n),
        "centre": centre,
        "low": low,
        "high": high,
        "centre_name": band.centre,
        "band_name": band.name,
    }


# ------------------------------------------------------------------------------------------------------------ reading


class Frame(NamedTuple):
    """A frame that was read."""

    header: dict[str, Any]
    body: bytes

    def array(self, told: dict[str, Any]) -> NDArray[np.float64]:
        """Give the numbers of an array, those of `u2` as what they stand for; a gap is NaN."""
        if told["as"] != U2:
            return np.frombuffer(self.body, _DTYPES[told["as"]], told["n"], told["at"]).astype(np.float64)
        low, high = np.frombuffer(self.body, np.uint8, 2 * told["n"], told["at"]).reshape(2, -1).astype(np.uint16)
        raw = low | high << 8
        start, step = told["scale"]
        return np.where(raw == GAP, np.nan, start + step * raw.astype(np.float64))


def read_frame(raw: bytes) -> Frame:
    """Read a frame.

    Raises:
        ValueError: it is none.
    """
    end = 8 + int.from_bytes(raw[4:8], "little")
    if raw[:4] != MAGIC or end % 8 or len(raw) < end:
        raise ValueError("these bytes are no frame")
    return Frame(json.loads(raw[8:end]), raw[end:])
