"""Charts as binary frames: a header in JSON and arrays behind it, as docs/formats/api.md tells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
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

Numbers = NDArray[Any]
Scale = tuple[float, float]
"""a, b: k stands for a + b·k."""


class _Packing:
    """The arrays of a frame in the making."""

    def __init__(self, form: str, scale: Scale | None, levels: int) -> None:
        self.form, self.scale, self.levels = form, scale, levels
        self.parts: list[bytes] = []
        self.size = 0

    def exact(self, array: Numbers) -> dict[str, Any]:
        """Add floats of 64 bits, which x needs."""
        return self._add(array, F8)

    def counts(self, array: Numbers) -> dict[str, Any]:
        return self._add(array, I4)

    def values(self, arrays: Sequence[Numbers]) -> list[dict[str, Any]]:
        """Add the values of one curve in the form asked for, all of one scale."""
        if self.form == F8:
            return [self._add(array, F8) for array in arrays]
        least, most = _reach(arrays)
        if max(abs(least), abs(most)) > _F4_MAX:
            return [self._add(array, F8) for array in arrays]
        if self.form == F4:
            return [self._add(array, F4) for array in arrays]
        scale = self.scale
        if scale is None or most - least < _SHARED_LEAST * scale[1] * self.levels:
            scale = _scale(least, most, self.levels)
        return [{**self._add(_levels(array, scale), U2), "scale": list(scale)} for array in arrays]

    def _add(self, array: Numbers, form: str) -> dict[str, Any]:
        raw = np.ascontiguousarray(array, _DTYPES[form]).tobytes()
        if form == U2:
            raw = raw[::2] + raw[1::2]
        told = {"at": self.size, "n": len(array), "as": form}
        padding = -len(raw) % 8
        self.parts += [raw, bytes(padding)] if padding else [raw]
        self.size += len(raw) + padding
        return told


def _reach(arrays: Iterable[Numbers]) -> Scale:
    """Give the least and the greatest value, NaN left out; 0 and 0 where there is none."""
    found = [(float(np.fmin.reduce(one)), float(np.fmax.reduce(one))) for one in arrays if len(one)]
    known = [(low, high) for low, high in found if low == low]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else (0.0, 0.0)


def _scale(least: float, most: float, levels: int) -> Scale:
    step = (most / levels - least / levels) * (1 + 1e-12)
    return least, step if np.isfinite(step) else 0.0


def _levels(array: Numbers, scale: Scale) -> Numbers:
    start, step = scale
    raised = array.astype(np.float64)
    raised -= start
    if step:
        raised /= step
    np.rint(raised, out=raised)
    np.clip(raised, 0, LEVELS, out=raised)
    raised[np.isnan(raised)] = GAP
    return raised.astype(np.uint16)


def _levels_for(curves: int) -> int:
    """Give how many levels tell the values of so many curves apart in `u2`."""
    return LEVELS if curves <= FEW_CURVES else COARSE_LEVELS if curves <= MANY_CURVES else COARSER_LEVELS


def frame_of(chart: Chart, form: str = F8) -> bytes:
    """Write a chart.

    Args:
        form: of the values: f8, f4 or u2. Where a curve does not fit into it, it comes as f8.
    """
    levels = _levels_for(len(chart.curves))
    packing = _Packing(form, _shared_scale(chart, levels) if form == U2 else None, levels)
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
        "grids": [packing.exact(x) for x in chart.grids],
        "curves": [_curve(curve, packing) for curve in chart.curves],
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


def _shared_scale(chart: Chart, levels: int) -> Scale | None:
    """Give a scale for all curves: one that they share packs well, and makes the header short."""
    arrays = [array for curve in chart.curves for array in _arrays(curve).values()]
    least, most = _reach(arrays)
    return _scale(least, most, levels) if arrays and max(abs(least), abs(most)) <= _F4_MAX else None


def _arrays(curve: Curve) -> dict[str, Numbers]:
    named = {"y": curve.y, "min": curve.low, "max": curve.high, "last": curve.last, "smooth": curve.smooth}
    return {name: array for name, array in named.items() if array is not None}


def _curve(curve: Curve, packing: _Packing) -> dict[str, Any]:
    arrays = _arrays(curve)
    return {
        "id": curve.run.id,
        "grid": curve.grid,
        "points": curve.points,
        "thinned": curve.y is None,
        **dict(zip(arrays, packing.values(list(arrays.values())), strict=True)),
        "marks": [list(mark) for mark in curve.marks],
        "final": marked(curve.final),
    }


def _band(band: Band, packing: _Packing) -> dict[str, Any]:
    laid = band.laid
    centre, low, high = packing.values([laid.centre, laid.low, laid.high])
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
