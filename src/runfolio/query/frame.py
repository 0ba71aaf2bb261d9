"""A table of columns on the way to Arrow, pandas or polars: numbers bit for bit, what is missing null, text that repeats kept once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.query.need import need

if TYPE_CHECKING:
    import pandas
    import polars

_STRING_BYTES_MAX = 2**31 - 1  # beyond it Arrow counts in 64 bits


class Numbers(NamedTuple):
    """Values of dtype int64, int32, uint8, float64, bool or datetime64[us or ns], and where there are any."""

    values: NDArray[Any]
    present: NDArray[np.bool_] | None = None  # None: everywhere

    @property
    def length(self) -> int:
        return len(self.values)


class Text(NamedTuple):
    """Texts, each in one row, or in as many as `counts` says."""

    texts: Sequence[str | None]
    counts: NDArray[np.int64] | None = None

    @property
    def length(self) -> int:
        return len(self.texts) if self.counts is None else int(self.counts.sum())


Column = Numbers | Text


class Frame:
    """Columns of one length.

    Shape: every column has one element for each row.
    """

    def __init__(self, columns: Mapping[str, Column], zone: str = "UTC") -> None:
        """Args: zone: what Arrow says of times; they are UTC, and a database may want them plain."""
        self._columns = dict(columns)
        self._zone = zone

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._columns)

    def __len__(self) -> int:
        return next((column.length for column in self._columns.values()), 0)

    def to_arrow(self) -> Frame:
        """Give an object with `__arrow_c_stream__`, which pyarrow, polars, duckdb and nanoarrow take: this one."""
        return self

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """Export as an Arrow stream of one batch."""
        return arrow_stream([self], requested_schema)

    def to_pandas(self) -> pandas.DataFrame:
        """Give a DataFrame: ints that may be missing as Int64, floats as float64 with NaN also where they are missing."""
        pd = need("pandas")
        return pd.DataFrame({name: _pandas(pd, column) for name, column in self._columns.items()})

    def to_polars(self) -> polars.DataFrame:
        """Give a polars DataFrame; what is missing is null, and NaN is NaN."""
        return need("polars").DataFrame(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self):,} rows: {', '.join(self.columns)}>"


# ------------------------------------------------------------------------------------------------------------- Arrow


def arrow_stream(frames: Sequence[Frame], requested_schema: object = None) -> Any:
    """Give frames with the same columns as the PyCapsule of one Arrow C stream, a batch for each; at least one frame."""
    import nanoarrow as na  # type: ignore[import-untyped]
    from nanoarrow.c_array_stream import CArrayStream  # type: ignore[import-untyped]

    wide = {name: any(_is_wide(frame._columns[name]) for frame in frames) for name in frames[0]._columns}
    schema = na.struct(
        {name: _type(na, column, frames[0]._zone, wide[name]) for name, column in frames[0]._columns.items()},
        nullable=False,
    )
    batches = [_batch(na, schema, frame, wide) for frame in frames]
    return CArrayStream.from_c_arrays(batches, na.c_schema(schema)).__arrow_c_stream__(requested_schema)


def _batch(na: Any, schema: Any, frame: Frame, wide: Mapping[str, bool]) -> Any:
    children = [_array(na, column, frame._zone, wide[name]) for name, column in frame._columns.items()]
    return na.c_array_from_buffers(schema, len(frame), [None], children=children)


def _type(na: Any, column: Column, zone: str, wide: bool) -> Any:
    if isinstance(column, Text):
        return na.large_string() if wide else na.string()
    dtype = column.values.dtype
    if dtype.kind == "M":
        return na.timestamp(np.datetime_data(dtype)[0], zone)
    return {"int64": na.int64, "int32": na.int32, "uint8": na.uint8, "float64": na.float64, "bool": na.bool_}[
        dtype.name
    ]()


def _is_wide(column: Column) -> bool:
    if not isinstance(column, Text):
        return False
    counts = [1] * len(column.texts) if column.counts is None else column.counts.tolist()
    most: int = sum(4 * len(text or "") * count for text, count in zip(column.texts, counts, strict=True))
    return most > _STRING_BYTES_MAX


def _array(na: Any, column: Column, zone: str, wide: bool) -> Any:
    type_ = _type(na, column, zone, wide)
    if isinstance(column, Text):
        return na.c_array_from_buffers(type_, column.length, _text_buffers(column, wide))
    values = np.ascontiguousarray(column.values)
    data: Any = values.view(np.int64) if values.dtype.kind == "M" else values
    if values.dtype.kind == "b":
        data = np.packbits(values, bitorder="little")
    return na.c_array_from_buffers(type_, len(values), [_mask(column.present), data])


def _text_buffers(column: Text, wide: bool) -> list[Any]:
    raw = [b"" if text is None else text.encode(errors="backslashreplace") for text in column.texts]
    lengths = np.array(list(map(len, raw)), np.int64)
    missing = np.array([text is None for text in column.texts], np.bool_)
    if column.counts is not None:
        raw = [one * count for one, count in zip(raw, column.counts.tolist(), strict=True)]
        lengths, missing = np.repeat(lengths, column.counts), np.repeat(missing, column.counts)
    ends = np.zeros(len(lengths) + 1, np.int64 if wide else np.int32)
    np.cumsum(lengths, out=ends[1:])
    return [_mask(~missing), ends, b"".join(raw)]


def _mask(present: NDArray[np.bool_] | None) -> Any:
    return None if present is None or bool(present.all()) else np.packbits(present, bitorder="little")


# ------------------------------------------------------------------------------------------------------------ pandas


def _pandas(pd: Any, column: Column) -> Any:
    if isinstance(column, Text):
        texts = np.array(column.texts, object)
        return texts if column.counts is None else np.repeat(texts, column.counts)
    values, present = column
    if values.dtype.kind == "M":
        return pd.to_datetime(values if present is None else np.where(present, values, np.datetime64("NaT")), utc=True)
    if present is None:
        return values
    if values.dtype.kind == "b":
        return pd.arrays.BooleanArray(values.copy(), ~present)
    if values.dtype.kind == "f":
        values = values.copy()
        values[~present] = np.nan
        return values
    return pd.arrays.IntegerArray(values.astype(np.int64), ~present)


# ------------------------------------------------------------------------------------------------- columns of any values


def ints(values: Iterable[int | None]) -> Numbers:
    """Make a column of ints; one beyond 64 bits is missing."""
    values = [value if value is not None and -(2**63) <= value < 2**63 else None for value in values]
    present = np.array([value is not None for value in values], np.bool_)
    return Numbers(np.array([value or 0 for value in values], np.int64), present)


def floats(values: Iterable[float | None]) -> Numbers:
    """Make a column of floats."""
    values = list(values)
    present = np.array([value is not None for value in values], np.bool_)
    return Numbers(np.array([0.0 if value is None else value for value in values], np.float64), present)


def bools(values: Iterable[bool]) -> Numbers:
    """Make a column of yes and no."""
    return Numbers(np.array(list(values), np.bool_))


def times(values_ns: Iterable[int | None]) -> Numbers:
    """Make a column of times in microseconds out of ns since 1970."""
    column = ints(None if value is None else value // 1000 for value in values_ns)
    return column._replace(values=column.values.view("datetime64[us]"))
