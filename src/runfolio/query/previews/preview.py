"""Look into an artifact: what it is by its first bytes and its name, and as much of it as fits on a screen.

Nothing is executed, unpickled or unpacked: what could do that, or cannot be shown, is `none` and has a size. Text comes as it was written;
JSON is set in lines without reading its numbers, so none is bent. Cost: 64 kB read for most, 1 MiB for JSON, 8 MiB for a table of text.
"""

from __future__ import annotations

from typing import NamedTuple

from runfolio.query.previews import json_lines as preview_json
from runfolio.query.previews import table as preview_table
from runfolio.query.previews.kind import JSON, NONE, PARQUET, SEPARATED, TEXT, Kind, kind_of
from runfolio.query.previews.table import Source, Table

HEAD_BYTES = 64 << 10
TABLE = "table"


class Preview(NamedTuple):
    """What can be shown of an artifact; what does not apply is None."""

    kind: str
    size_bytes: int
    type: str
    text: str | None = None
    cut: bool | None = None
    columns: list[str] | None = None
    rows: list[list[str | None]] | None = None
    rows_total: int | None = None


def preview(source: Source, name: str) -> Preview:
    """Look into an artifact.

    Args:
        name: as it is called in the run; its ending helps where the first bytes leave it open.
    """
    head = source.read_at(0, HEAD_BYTES)
    kind = kind_of(head, name)
    if kind.is_table:
        table = (
            preview_table.parquet(source) if kind.kind == PARQUET else preview_table.separated(source, kind.separator)
        )
        if table is not None:
            return _table(source, kind, table)
        kind = kind_of(head, "") if kind.kind == SEPARATED else Kind(NONE, kind.type)
    if kind.kind == JSON:
        text, cut = preview_json.in_lines(source)
        return Preview(JSON, source.size_bytes, kind.type, text, cut)
    if kind.kind == TEXT:
        cut = len(head) < source.size_bytes
        return Preview(TEXT, source.size_bytes, kind.type, decoded(head, cut), cut)
    return Preview(kind.kind, source.size_bytes, kind.type)


def _table(source: Source, kind: Kind, table: Table) -> Preview:
    return Preview(TABLE, source.size_bytes, kind.type, None, table.cut, table.columns, table.rows, table.rows_total)


def decoded(data: bytes, cut: bool) -> str:
    """Give text; a character that the end has cut in two is left out, what is no UTF-8 is replaced."""
    text = data.decode("utf-8-sig", "replace")
    return text.rstrip("�") if cut else text
