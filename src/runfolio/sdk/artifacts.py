"""Keep what a script hands in as an artifact: a file, a folder, bytes, a figure, an image.

A folder becomes one artifact per regular file, `<name>/<path in the folder>`. Inside it symbolic links, FIFOs, sockets and devices, what has
vanished since, and the store itself are left out with a warning; what cannot be read or does not hold still raises, when all the rest is kept.
A symbolic link that is given itself is followed. A file name that is no UTF-8 has its odd bytes written as `\\xff`.
Memory: one piece of 1 MiB for files and folders; a picture once, compressed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from runfolio.errors import InvalidValue
from runfolio.model.ids import short
from runfolio.model.names import check_key, check_name, shown
from runfolio.sdk import trouble
from runfolio.sdk.picture import draw
from runfolio.sdk.source_files import READS_MAX, Changed, LeftOut, is_folder, read, walk
from runfolio.store.blobs import Blob, DiskTrouble, Shelf
from runfolio.store.layout import Layout

Told = dict[str, Any]

_BATCH = 512
_MEDIA = {
    "csv": "text/csv", "gif": "image/gif", "gz": "application/gzip", "htm": "text/html", "html": "text/html", "jpeg": "image/jpeg",
    "jpg": "image/jpeg", "json": "application/json", "jsonl": "application/jsonl", "log": "text/plain", "md": "text/markdown",
    "mp4": "video/mp4", "npy": "application/x-npy", "npz": "application/x-npz", "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf", "png": "image/png", "py": "text/x-python", "safetensors": "application/x-safetensors", "svg": "image/svg+xml",
    "tar": "application/x-tar", "tsv": "text/tab-separated-values", "txt": "text/plain", "wav": "audio/wav", "webp": "image/webp",
    "yaml": "application/yaml", "yml": "application/yaml", "zip": "application/zip",
}  # fmt: skip


class NotKept(Exception):
    """The store could not take so many artifacts, and why. They are lost; the script goes on."""

    def __init__(self, events: int, cause: str) -> None:
        super().__init__(f"{events} artifacts could not be kept: {cause}")
        self.events, self.cause = events, cause


class _Piece(NamedTuple):
    """One artifact to be: its name, its bytes as often as they are asked for, how many they seem to be."""

    name: str
    chunks: Callable[[], Iterable[bytes | memoryview]]
    size_bytes: int


def add(layout: Layout, run_id: str, source: object, name: str | None, media: str | None) -> Iterator[Told]:
    """Keep the bytes of `source`; yield name, sha256, size_bytes and media of each artifact once its bytes survive a power cut.

    Raises:
        OSError: the source cannot be read, or does not hold still. InvalidValue: it is nothing that can be kept.
        NotKept: the store is full, read-only or gone; after all that could be kept was yielded.
    """
    if media is not None:
        check_key(media, "media")
    if isinstance(source, (str, os.PathLike)):
        path = os.fsdecode(source)
        if is_folder(path):
            yield from _add_folder(layout, run_id, path, name, media)
        else:
            yield from _keep(
                layout, run_id, [_file(path, check_name(name or _base(path), "artifact"), follow=True)], media
            )
    else:
        told_name, data, told_media = _bytes(source, name)
        yield from _keep(layout, run_id, [_Piece(told_name, lambda: (data,), len(data))], media or told_media)


def _bytes(source: object, name: str | None) -> tuple[str, bytes | memoryview, str | None]:
    """Give the name, the bytes and the media type of what is no path."""
    if name is not None:
        check_name(name, "artifact")
    if isinstance(source, (bytes, bytearray, memoryview)):
        if name is None:
            raise InvalidValue('bytes have no name of their own; give one: add_artifact(data, name="model.bin")')
        view = memoryview(source)
        return name, view.cast("B") if view.c_contiguous else view.tobytes(), None
    drawn = draw(source, name)
    if drawn is None:
        raise InvalidValue(
            f"a {type(source).__name__} is no artifact: {shown(source)}. Give a path, bytes, a figure, an image or a uint8 array"
        )
    return drawn


def _file(path: str, name: str, *, follow: bool) -> _Piece:
    return _Piece(name, lambda: read(path, follow), os.stat(path, follow_symlinks=follow).st_size)


def _base(path: str) -> str:
    return _as_text(os.path.basename(os.path.abspath(path)) or "folder")


def _as_text(name: str) -> str:
    """Write the bytes of a file name that are no UTF-8 as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


# ------------------------------------------------------------------------------------------------------------ folders


def _add_folder(layout: Layout, run_id: str, path: str, name: str | None, media: str | None) -> Iterator[Told]:
    stem = check_name(name if name is not None else _base(path), "artifact").rstrip("/")
    left_out = LeftOut()

    def pieces() -> Iterator[_Piece]:
        for entry in walk(path, left_out, skip=layout.root):
            try:
                yield _file(entry.path, check_name(f"{stem}/{_as_text(entry.name)}", "artifact"), follow=False)
            except OSError as error:
                left_out.add(entry.path, error)

    yield from _keep(layout, run_id, pieces(), media, left_out)
    if left_out.others:
        some = "; ".join(f"{path} ({why})" for path, why in left_out.others[:3])
        more = " …" if left_out.others[3:] else ""
        trouble.tell(f"run {short(run_id)}: {len(left_out.others)} entries of a folder are no artifacts: {some}{more}")
    if left_out.unread:
        first, count = left_out.unread[0], len(left_out.unread)
        raise OSError(
            first.errno, f"{count} of the folder's files are not kept, the others are: {first.strerror}", first.filename
        )


# ------------------------------------------------------------------------------------------------------------ keeping


def _keep(
    layout: Layout,
    run_id: str,
    pieces: Iterable[_Piece],
    media: str | None,
    left_out: LeftOut | None = None,
) -> Iterator[Told]:
    """Keep the pieces, some hundreds at a time; after the first trouble of the disk the rest is only counted."""
    kept: list[Told] = []
    lost, cause = 0, ""
    with Shelf(layout, run_id) as shelf:
        for piece in pieces:
            if cause:
                lost += 1
                continue
            try:
                blob = _put(shelf, piece)
                kept.append({"name": piece.name, **blob._asdict(), "media": media or _media_of(piece.name)})
            except DiskTrouble as full:
                lost, cause = lost + 1, _words(full)
            except (OSError, InvalidValue) as error:
                if left_out is None:
                    raise
                left_out.add(piece.name, error if isinstance(error, OSError) else str(error))
            if len(kept) >= _BATCH and not cause:
                cause = _settle(shelf)
                if cause:
                    lost += len(kept)
                else:
                    yield from kept
                kept = []
        late = _settle(shelf)
        if not late:
            yield from kept
        else:
            lost, cause = lost + len(kept), cause or late
    if lost:
        _tell_once(run_id, cause)
        raise NotKept(lost, cause)


def _put(shelf: Shelf, piece: _Piece) -> Blob:
    for again in reversed(range(READS_MAX)):
        try:
            return shelf.put(piece.chunks(), piece.size_bytes)
        except Changed:
            if not again:
                raise
    raise AssertionError("unreachable")


def _settle(shelf: Shelf) -> str:
    try:
        shelf.settle()
    except DiskTrouble as full:
        return _words(full)
    return ""


def _words(full: DiskTrouble) -> str:
    return os.strerror(full.errno) if full.errno else str(full)


def _media_of(name: str) -> str | None:
    return _MEDIA.get(os.path.splitext(name)[1][1:].lower())


def _tell_once(run_id: str, cause: str) -> None:
    if (run_id, cause) not in _told:
        _told.add((run_id, cause))
        trouble.tell(
            f"run {short(run_id)} cannot keep its artifacts: {cause}. The script goes on; runfolio doctor says more"
        )


_told: set[tuple[str, str]] = set()
