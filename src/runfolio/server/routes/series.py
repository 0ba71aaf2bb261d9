"""The curves of a metric over many runs, as a frame; and all points of metrics, as an Arrow stream."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from msgspec import Meta, defstruct

from runfolio.errors import UsageError
from runfolio.model.names import shown
from runfolio.query.charts.axis import parse_axis
from runfolio.query.charts.chart import Wish
from runfolio.query.charts.charting import charts_of
from runfolio.query.charts.point_slices import point_slices
from runfolio.query.charts.slices import AskedRank
from runfolio.query.store import Store
from runfolio.server import limits
from runfolio.server.answers import Answer
from runfolio.server.asked import Chosen, Name, RunIds
from runfolio.server.frames import TYPE, frame_of
from runfolio.server.headers import TURN
from runfolio.server.memory import give_back
from runfolio.server.points_stream import ARROW, ArrowWriter
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.served import chosen

_BIG = 1 << 20
# `from` and `as` are words of Python, so the struct is made by a call.
SeriesAsked: Any = defstruct(
    "SeriesAsked",
    [
        ("metric", Annotated[tuple[Name, ...], Meta(min_length=1, max_length=limits.CHARTS_MAX)]),
        (
            "x",
            Annotated[str, Meta(max_length=limits.TEXT_MAX + 8, description="step, relative, wall or metric:NAME")],
            "step",
        ),
        ("from", float | None, None),
        ("to", float | None, None),
        ("buckets", Annotated[int, Meta(ge=2, le=limits.BUCKETS_MAX)], 600),
        ("curves", Annotated[int, Meta(ge=0, le=limits.CURVES_MAX)], 1000),
        ("first", RunIds | None, None),
        ("bands", bool, True),
        ("group", Annotated[tuple[Name, ...], Meta(max_length=limits.COLUMNS_MAX)], ()),
        ("centre", Literal["mean", "median"], "mean"),
        ("as", Literal["f8", "f4", "u2"], "f8"),
        ("smooth", Annotated[float, Meta(ge=0, lt=1)], 0.0),
        ("rank", Annotated[str, Meta(pattern=r"^(mean|none|[0-9]{1,10})$")], "mean"),
    ],
    bases=(Chosen,),
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    namespace={"__doc__": "Which metrics of which runs, over what, in which window, and how fine."},
)


async def series(call: Call[Any, None]) -> Answer:
    """Give curves of a metric, and bands over all the runs that have it; of several metrics a frame each, after its length in 64 bits."""
    turn = await call.known_turn()  # before the points are read: else some would be neither here nor in the stream
    raw = await call.ask(lambda store: _frames(store, call.asked))
    # A long frame is not packed: on this machine that takes longer than sending it.
    answer = Answer(raw, TYPE) if len(raw) < _BIG else Answer(_whole(raw), TYPE, length=len(raw))
    answer.headers.append((TURN, turn))
    return answer


async def _whole(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


def _frames(store: Store, asked: Any) -> bytes:
    runs = chosen(store, asked)
    charts = charts_of(store, runs, [_wish(asked, metric) for metric in asked.metric])
    frames = [frame_of(chart, getattr(asked, "as")) for chart in charts]
    raw = frames[0] if len(frames) == 1 else b"".join(map(_told, frames))
    if len(raw) > _BIG >> 3:
        give_back()
    return raw


def _told(frame: bytes) -> bytes:
    return len(frame).to_bytes(8, "little") + frame + bytes(-len(frame) % 8)


def _wish(asked: Any, metric: str) -> Wish:
    charts = len(asked.metric)
    return Wish(
        metric=metric,
        axis=parse_axis(asked.x),
        start=_finite("from", getattr(asked, "from")),
        end=_finite("to", asked.to),
        buckets=asked.buckets,
        curves=asked.curves,
        first=tuple(asked.first.split(",")) if asked.first else (),
        bands=asked.bands,
        group=asked.group,
        centre=asked.centre,
        rank=_rank(asked.rank),
        smooth=asked.smooth,
        single=getattr(asked, "as") != "f8",
        points_max=limits.POINTS_MAX if charts == 1 else limits.POINTS_TOGETHER_MAX // charts,
        numbers_max=limits.NUMBERS_MAX // charts,
    )


def _rank(told: str) -> AskedRank:
    return told if told in ("mean", "none") else int(told)


def _finite(name: str, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise UsageError(f"{name} is a number, not {shown(value)}")
    return value


class PointsAsked(Chosen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which metrics of which runs."""

    metric: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=limits.COLUMNS_MAX)]


async def points(call: Call[PointsAsked, None]) -> Answer:
    """Give every point."""
    return Answer(_tables(call, await call.ask(lambda store: _writer(store, call.asked))), ARROW)


def _writer(store: Store, asked: PointsAsked) -> ArrowWriter:
    return ArrowWriter(point_slices(store, chosen(store, asked), asked.metric, limits.POINTS_MAX))


async def _tables(call: Call[PointsAsked, None], writer: ArrowWriter) -> AsyncIterator[bytes]:
    try:
        while part := await call.ask(lambda store: writer.next_bytes()):
            yield part
    finally:
        writer.close()


ROUTES = [
    Route("GET", f"{STORE}/series", series, "curves of a metric, as a frame", asked=SeriesAsked, type=TYPE),
    Route(
        "GET", f"{STORE}/points", points, "every point of metrics, as an Arrow stream", asked=PointsAsked, type=ARROW
    ),
]
