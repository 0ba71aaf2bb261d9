"""Find the bytes of an artifact by what the journal tells of it, and send a file in pieces.

The name that a request gives is looked up in the run and never becomes a path; the path is made of the run's id and a hash, each checked.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from urllib.parse import quote

from runfolio.errors import NotFound, Unreadable
from runfolio.model.names import shown
from runfolio.model.run_state import ArtifactVersion
from runfolio.query.artifact import version_of
from runfolio.query.store import Store
from runfolio.server.byte_ranges import Span
from runfolio.server.safe_files import OpenFile, open_below

PIECE_BYTES = 256 << 10
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME_CHARS_MAX = 150


def open_artifact(store: Store, ref: str, name: str, version: int | None) -> tuple[OpenFile, ArtifactVersion]:
    """Open the bytes of an artifact of a run.

    Raises:
        NotFound: no such run, artifact or version, or its bytes are not in this store. Unreadable: what lies there is something else.
    """
    run = store.run(ref)
    told = version_of(run.artifacts, name, version)
    if not _SHA256.fullmatch(told.sha256):
        raise Unreadable(f"the journal tells of no sound hash for artifact {shown(name)}")
    for parts in (("runs", run.id, "artifacts"), ("blobs",)):
        with suppress(NotFound):
            return _of_size(open_below(store.path, *parts, told.sha256), told), told
    raise NotFound(f"the bytes of artifact {shown(name)} are not in this store")


def _of_size(file: OpenFile, told: ArtifactVersion) -> OpenFile:
    if file.size_bytes == told.size_bytes:
        return file
    file.close()
    raise Unreadable(
        f"artifact {shown(told.name)} is damaged: it has {file.size_bytes:,} bytes instead of {told.size_bytes:,}"
    )


class FileBody:
    """The bytes of an open file, read piece by piece on a thread as the client takes them. Memory: one piece.

    Contract: on the event loop; it closes the file at the end, and when it is closed before.
    """

    def __init__(self, file: OpenFile, span: Span) -> None:
        self._file, self._at, self._end = file, span.start, span.end

    def __aiter__(self) -> FileBody:
        return self

    async def __anext__(self) -> bytes:
        if self._at >= self._end:
            self._file.close()
            raise StopAsyncIteration
        data = await asyncio.to_thread(self._file.read_at, self._at, min(PIECE_BYTES, self._end - self._at))
        if not data:
            raise OSError(5, "a file has become shorter while it was sent")
        self._at += len(data)
        return data

    async def aclose(self) -> None:
        self._file.close()


def disposition(name: str, inline: bool) -> str:
    """Write the header that names a file to keep: whatever is in the name, nothing in it ends the header or leads to a folder.

    Source: RFC 6266, RFC 8187.
    """
    last = re.split(r"[/\\]", name)[-1].strip(". ")[-_NAME_CHARS_MAX:] or "artifact"
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", last)
    exact = quote(last.encode("utf-8", "replace"), safe="")
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{exact}"
