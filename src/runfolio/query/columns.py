"""Columns of any values as an Arrow stream: each of one type, what is missing null."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


class Columns:
    """An Arrow table in the making: bool, int64, double, timestamp, text; a column of several types is JSON text."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self._columns = dict(columns)

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        import nanoarrow as na  # type: ignore[import-untyped]

        columns = {name: _typed(na, values) for name, values in self._columns.items()}
        children = [na.c_array(values, type_) for type_, values in columns.values()]
        schema = na.struct({name: type_ for name, (type_, _) in columns.items()}, nullable=False)
        length = len(next(iter(self._columns.values()), ()))
        batch = na.c_array_from_buffers(schema, length, [None], children=children)
        return na.c_array_stream(batch).__arrow_c_stream__(requested_schema)


def _typed(na: Any, values: Sequence[Any]) -> tuple[Any, list[Any]]:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return na.bool_(), list(values)
    if kinds == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return na.int64(), list(values)
    if kinds and kinds <= {int, float}:
        return na.float64(), [None if value is None else float(value) for value in values]
    if kinds == {datetime}:
        return na.timestamp("us", "UTC"), [None if value is None else _microseconds(value) for value in values]
    return na.string(), [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _microseconds(value: datetime) -> int:
    whole = value.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000 + value.microsecond
