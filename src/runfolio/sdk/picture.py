"""Turn what a script draws with into the bytes of a picture file: figures, PIL images, arrays of pixels.

No drawing library is imported here: a figure and a PIL image know how to save themselves, and PNG needs only zlib.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from runfolio.errors import InvalidValue
from runfolio.model.names import shown
from runfolio.model.numbers import is_a

_FIGURE_MEDIA = {
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}
_PIL_FORMATS = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "tif": "TIFF",
    "tiff": "TIFF",
}
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}


def draw(source: Any, name: str | None) -> tuple[str, bytes, str] | None:
    """Render a picture as the ending of its name asks, PNG by default; None where `source` is no picture.

    Returns:
        The name, the bytes, the media type.

    Raises:
        InvalidValue: an array that is no picture. What saving a figure raises passes through.
    """
    if callable(getattr(source, "savefig", None)):
        return _figure(source, name or "figure.png")
    if is_a(source, "PIL.Image", "Image"):
        return _pil(source, name or "image.png")
    if hasattr(source, "shape") and hasattr(source, "dtype"):
        return name or "image.png", _array(source), "image/png"
    return None


def _figure(figure: Any, name: str) -> tuple[str, bytes, str]:
    ending = _ending(name)
    out = BytesIO()
    figure.savefig(out, format=ending if ending in _FIGURE_MEDIA else "png")
    return name, out.getvalue(), _FIGURE_MEDIA.get(ending, "image/png")


def _pil(image: Any, name: str) -> tuple[str, bytes, str]:
    kind = _PIL_FORMATS.get(_ending(name), "PNG")
    out = BytesIO()
    image.save(out, format=kind)
    return name, out.getvalue(), f"image/{kind.lower()}"


def _array(array: Any) -> bytes:
    shape = tuple(int(size) for size in array.shape)
    if (
        not _is_bytes(array.dtype)
        or len(shape) not in (2, 3)
        or not all(shape)
        or (shape[2:] or (1,))[0] not in _COLOUR_TYPES
    ):
        raise InvalidValue(
            f"an array of {shown(str(array.dtype))} and shape {shape} is no picture; give uint8 of shape (H, W), (H, W, 1), (H, W, 3) or "
            "(H, W, 4), or save it to a file and pass its path"
        )
    return encode_png(_pixels(array), shape)


def _is_bytes(dtype: object) -> bool:
    return str(dtype).strip("<>'").rpartition(".")[2].rpartition("'")[2] == "uint8"


def _pixels(array: Any) -> bytes:
    """Give an array's bytes, row by row, wherever it lies."""
    if hasattr(array, "detach"):
        array = array.detach().cpu().numpy()
    elif not hasattr(array, "tobytes"):
        array = array.__array__()
    found = array.tobytes()
    return found if isinstance(found, bytes) else bytes(found)


def encode_png(pixels: bytes, shape: Sequence[int]) -> bytes:
    """Write 8-bit pixels as a PNG.

    Shape: (height, width) or (height, width, channels): grey, RGB or RGBA.
    Source: PNG (Portable Network Graphics) Specification, Third Edition, W3C 2025.
    """
    import zlib
    from struct import pack

    height, width = shape[:2]
    channels = shape[2] if len(shape) == 3 else 1
    row_bytes = width * channels
    if len(pixels) != height * row_bytes:
        raise InvalidValue(f"{len(pixels)} bytes are no picture of shape {tuple(shape)}")
    packer = zlib.compressobj(6)
    packed = bytearray()
    for at in range(0, len(pixels), row_bytes):
        packed += packer.compress(b"\0" + pixels[at : at + row_bytes])
    packed += packer.flush()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(body, zlib.crc32(kind)))

    header = pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", bytes(packed)) + chunk(b"IEND", b"")


def _ending(name: str) -> str:
    return os.path.splitext(name)[1][1:].lower()
