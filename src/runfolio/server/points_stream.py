"""Tables as an Arrow stream in its IPC format, written as they are made."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from runfolio.query.frame import Frame
from runfolio.server.memory import give_back

ARROW = "application/vnd.apache.arrow.stream"


class ArrowWriter:
    """Writes tables of the same columns, one after the other.

    Contract: not for several threads at once.
    """

    def __init__(self, tables: Iterator[Frame]) -> None:
        from nanoarrow.ipc import StreamWriter  # type: ignore[import-untyped]

        self._tables = tables
        self._out = BytesIO()
        self._writer: Any = StreamWriter.from_writable(self._out)
        self._ended = False

    def next_bytes(self) -> bytes:
        """Give the bytes of the next table; none behind the last."""
        if self._ended:
            return b""
        table = next(self._tables, None)
        if table is None:
            self._ended = True
            self._writer.close()
            give_back()
        else:
            self._writer.write_stream(table)
        found = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return found

    def close(self) -> None:
        """Let go of what the tables are made from."""
        self._ended = True
        close = getattr(self._tables, "close", None)
        if close is not None:
            close()
