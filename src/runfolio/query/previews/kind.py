"""Say what an artifact is: by its first bytes where those are sure, by the ending of its name among what its bytes allow.

A name alone makes nothing an image, and no name makes a page of a picture: `cat.png` that begins with `<script>` is text.
"""

from __future__ import annotations

import os.path
from typing import NamedTuple

IMAGE, AUDIO, VIDEO, HTML, TEXT, JSON, NONE = "image", "audio", "video", "html", "text", "json", "none"
SEPARATED, PARQUET = "separated", "parquet"
BYTES = "application/octet-stream"


class Kind(NamedTuple):
    """What an artifact is, and the media type under which it may be viewed."""

    kind: str
    type: str
    separator: str = ""

    @property
    def is_table(self) -> bool:
        return self.kind in (SEPARATED, PARQUET)


_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", Kind(IMAGE, "image/png")),
    (b"\xff\xd8\xff", Kind(IMAGE, "image/jpeg")),
    (b"GIF87a", Kind(IMAGE, "image/gif")),
    (b"GIF89a", Kind(IMAGE, "image/gif")),
    (b"fLaC", Kind(AUDIO, "audio/flac")),
    (b"ID3", Kind(AUDIO, "audio/mpeg")),
    (b"\x1aE\xdf\xa3", Kind(VIDEO, "video/webm")),
    (b"PAR1", Kind(PARQUET, "application/vnd.apache.parquet")),
)
_RIFF = {b"WEBP": Kind(IMAGE, "image/webp"), b"WAVE": Kind(AUDIO, "audio/wav")}
_OGG = {"ogv": Kind(VIDEO, "video/ogg")}
_TEXTS = {
    "csv": Kind(SEPARATED, "text/csv", ","),
    "tsv": Kind(SEPARATED, "text/tab-separated-values", "\t"),
    "tab": Kind(SEPARATED, "text/tab-separated-values", "\t"),
    "htm": Kind(HTML, "text/html"),
    "html": Kind(HTML, "text/html"),
    "json": Kind(JSON, "application/json"),
    "ipynb": Kind(JSON, "application/json"),
    "svg": Kind(IMAGE, "image/svg+xml"),
}
_CLOSED = frozenset(
    ("bin", "ckpt", "dill", "joblib", "npy", "npz", "onnx", "pickle", "pkl", "pt", "pth", "safetensors")
)
"""What is for a program to load, also where its first bytes are text, as those of an old pickle are."""
_PLAIN = Kind(TEXT, "text/plain; charset=utf-8")
_CONTROLS_MAX = 0.02  # of the characters; a terminal's log has some


def kind_of(head: bytes, name: str) -> Kind:
    """Say what begins with these bytes and has this name."""
    ending = os.path.splitext(name)[1][1:].lower()
    if ending in _CLOSED:
        return Kind(NONE, BYTES)
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[:4] == b"OggS":
        return _OGG.get(ending, Kind(AUDIO, "audio/ogg"))
    if head[4:8] == b"ftyp":
        return _mpeg4(head[8:12])
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE6 in (0xE2, 0xE4, 0xE6) and ending == "mp3":
        return Kind(AUDIO, "audio/mpeg")
    return _text(head, ending) if _is_text(head) else Kind(NONE, BYTES)


def _mpeg4(brand: bytes) -> Kind:
    if brand in (b"avif", b"avis"):
        return Kind(IMAGE, "image/avif")
    return Kind(AUDIO, "audio/mp4") if brand.startswith(b"M4A") else Kind(VIDEO, "video/mp4")


def _text(head: bytes, ending: str) -> Kind:
    """Choose among the kinds of text. What a name promises must be there."""
    kind = _TEXTS.get(ending, _PLAIN)
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if kind.kind == IMAGE and not (
        begin.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg", b"<svg")) and b"<svg" in head
    ):
        return _PLAIN
    if kind.kind == JSON and not begin.startswith((b"{", b"[")):
        return _PLAIN
    return kind


def _is_text(head: bytes) -> bool:
    """Say whether these bytes can be read: UTF-8, but for a character cut at the end, and hardly any control characters."""
    if b"\0" in head:
        return False
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) - error.start > 3:
            return False
        text = head[: error.start].decode("utf-8")
    odd = sum(text.count(chr(code)) for code in range(32) if code not in (9, 10, 12, 13, 27))
    return odd <= _CONTROLS_MAX * len(text)
