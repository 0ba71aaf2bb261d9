"""Turn numpy columns into an Arrow stream, bit for bit: NaN stays NaN, what is missing is null."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class ArrowColumn(NamedTuple):
    """A column: its values, and where it has any. `values` of dtype int64, float64, uint8 (the letters of a kind) or datetime64[ns]."""

    name: str
    values: NDArray[Any]
    present: NDArray[np.bool_] | None = None  # None: everywhere


def stream(columns: Iterable[ArrowColumn], requested_schema: object = None) -> Any:
    """Give the columns as the PyCapsule of an Arrow C stream of one batch."""
    import nanoarrow as na  # type: ignore[import-untyped]

    columns = list(columns)
    children = [_array(na, column) for column in columns]
    schema = na.struct({column.name: _type(na, column) for column in columns}, nullable=False)
    length = len(columns[0].values) if columns else 0
    batch = na.c_array_from_buffers(schema, length, [None], children=children)
    return na.c_array_stream(batch).__arrow_c_stream__(requested_schema)


def _type(na: Any, column: ArrowColumn) -> Any:
    kind = column.values.dtype.kind
    if kind == "M":
        return na.timestamp("ns", "UTC")
    return {"i": na.int64, "f": na.float64, "u": na.string}[kind]()


def _array(na: Any, column: ArrowColumn) -> Any:
    values = np.ascontiguousarray(column.values)
    length = len(values)
    mask = (
        None if column.present is None or bool(column.present.all()) else np.packbits(column.present, bitorder="little")
    )
    if values.dtype.kind == "u":
        data: list[Any] = [np.arange(length + 1, dtype=np.int32), values]
    else:
        data = [values.view(np.int64) if values.dtype.kind == "M" else values]
    return na.c_array_from_buffers(_type(na, column), length, [mask, *data])
