"""The app's own files, as they were built: found once, held in memory, served by exact name. No path of a request ever reaches the disk."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from runfolio.server.answers import Answer, packed
from runfolio.server.headers import FOR_EVER

UI_FOLDER = Path(__file__).with_name("ui")
PAGES = ("runs", "compare", "seeds")
"""The pages of a store, each at /{store}/{page}; a run is at /{store}/run/{id}."""
_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}
_HASHED = re.compile(r"assets/.+[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+")
_LOOK_AGAIN = "no-cache"
_BYTES_MAX = 8 << 20


class _File(NamedTuple):
    """A file of the app in its forms."""

    type: str
    cache: str
    plain: bytes
    gzip: bytes
    brotli: bytes | None


class Files:
    """The built app.

    Contract: reads the folder when it is made, and again when its index.html has changed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or UI_FOLDER
        self._stamp = -1
        self._files: dict[str, _File] = {}

    @property
    def built(self) -> bool:
        """Whether there is an app to serve."""
        self._refresh()
        return "index.html" in self._files

    def page(self, encodings: frozenset[str], links: list[tuple[str, str]]) -> Answer:
        """Give the page that every address of the app shows, with headers that say what it will ask for."""
        found = _answer(self._files["index.html"], encodings)
        found.headers.extend(links)
        return found

    def file(self, parts: list[str], encodings: frozenset[str]) -> Answer | None:
        """Give a file by the parts of its address; None where there is none."""
        found = self._files.get("/".join(parts))
        return found and _answer(found, encodings)

    def _refresh(self) -> None:
        try:
            stamp = os.stat(self._folder / "index.html").st_mtime_ns
        except OSError:
            stamp = 0
        if stamp != self._stamp:
            self._stamp, self._files = stamp, _read(self._folder)


def is_page(parts: list[str]) -> bool:
    """Say whether an address is one of the app's pages."""
    if len(parts) == 2:
        return parts[1] in PAGES
    return not parts or (len(parts) == 3 and parts[1] == "run")


def encodings_of(headers: list[tuple[bytes, bytes]]) -> frozenset[str]:
    """Give the packings that a client takes, without those that it refuses by q=0."""
    found = set()
    for name, value in headers:
        if name == b"accept-encoding":
            for part in value.decode("latin-1").lower().split(","):
                coding, *params = part.replace(" ", "").split(";")
                if not any(re.fullmatch(r"q=0(\.0*)?", param) for param in params):
                    found.add(coding)
    return frozenset(found)


def _answer(file: _File, encodings: frozenset[str]) -> Answer:
    if file.brotli is not None and "br" in encodings:
        return Answer(file.brotli, file.type, headers=[("Content-Encoding", "br")], cache=file.cache)
    if "gzip" in encodings and len(file.gzip) < len(file.plain):
        return Answer(file.gzip, file.type, headers=[("Content-Encoding", "gzip")], cache=file.cache)
    return Answer(file.plain, file.type, cache=file.cache)


def _read(folder: Path) -> dict[str, _File]:
    """Read the files of a folder and its assets: plain ones of known types, no links."""
    raw: dict[str, bytes] = {}
    for below in ("", "assets"):
        try:
            entries = list(os.scandir(folder / below))
        except OSError:
            continue
        for entry in entries:
            if entry.is_file(follow_symlinks=False) and entry.stat().st_size <= _BYTES_MAX:
                raw[f"{below}/{entry.name}".lstrip("/")] = Path(entry.path).read_bytes()
    return {name: _file(name, raw) for name in raw if name.rpartition(".")[2] in _TYPES}


def _file(name: str, raw: dict[str, bytes]) -> _File:
    cache = FOR_EVER if _HASHED.fullmatch(name) else _LOOK_AGAIN
    plain = raw[name]
    gzip = raw.get(f"{name}.gz")
    return _File(_TYPES[name.rpartition(".")[2]], cache, plain, gzip or packed(plain), raw.get(f"{name}.br"))
