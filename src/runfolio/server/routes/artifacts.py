"""The bytes of an artifact, whole or a range of them, and what can be shown of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from runfolio.query.previews.kind import AUDIO, BYTES, HTML, IMAGE, NONE, PARQUET, VIDEO, kind_of
from runfolio.query.previews.preview import preview
from runfolio.query.store import Store
from runfolio.server.answers import Answer, as_json
from runfolio.server.asked import Asked, Name
from runfolio.server.byte_ranges import OutOfRange, Span, asked_span
from runfolio.server.headers import Policy
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.safe_files import OpenFile
from runfolio.server.stored_bytes import FileBody, disposition, open_artifact

_HEAD_BYTES = 64 << 10
_SHOWN = (IMAGE, AUDIO, VIDEO, HTML)
_TEXT = "text/plain; charset=utf-8"


class ArtifactAsked(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An artifact of a run; without a version the latest."""

    name: Name
    version: Annotated[int, Meta(ge=1, le=2**31)] | None = None


class BytesAsked(ArtifactAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`view`: to be shown, in a sandbox, and not kept as a file."""

    view: bool = False


class PreviewFacts(Struct, frozen=True):
    """What can be shown of an artifact; what does not apply is null."""

    kind: str
    size: int
    type: str
    text: str | None
    cut: bool | None
    columns: list[str] | None
    rows: list[list[str | None]] | None
    rows_total: int | None


async def artifact(call: Call[BytesAsked, None]) -> Answer:
    """Send the bytes of an artifact."""
    asked = call.asked
    file, told = await call.ask(lambda store: open_artifact(store, call.path["run"], asked.name, asked.version))
    try:
        type_, inline = await call.desk.ask(lambda: _type_of(file, asked.name)) if asked.view else (BYTES, False)
        tag = f'"{told.sha256}"'
        headers = [
            ("Accept-Ranges", "bytes"),
            ("ETag", tag),
            ("Content-Disposition", disposition(asked.name, inline)),
        ]
        return _answer(file, type_, headers, _range_of(call, tag))
    except BaseException:
        file.close()
        raise


def _range_of(call: Call[BytesAsked, None], tag: str) -> str | None:
    """Give the Range header, unless the client has a part of other bytes."""
    return call.headers.get("range") if call.headers.get("if-range", tag) == tag else None


def _answer(file: OpenFile, type_: str, headers: list[tuple[str, str]], header: str | None) -> Answer:
    size = file.size_bytes
    try:
        span = asked_span(header, size)
    except OutOfRange:
        file.close()
        return Answer(b"", type_, 416, [*headers, ("Content-Range", f"bytes */{size}")], Policy.SANDBOX)
    if span is None:
        return Answer(FileBody(file, Span(0, size)), type_, 200, headers, Policy.SANDBOX, length=size)
    headers.append(("Content-Range", f"bytes {span.start}-{span.end - 1}/{size}"))
    return Answer(FileBody(file, span), type_, 206, headers, Policy.SANDBOX, length=span.end - span.start)


def _type_of(file: OpenFile, name: str) -> tuple[str, bool]:
    """Say as what an artifact is shown, by its bytes: pictures, sound and pages as such, text as text; the rest is kept as a file."""
    kind = kind_of(file.read_at(0, _HEAD_BYTES), name)
    if kind.kind in _SHOWN:
        return (f"{kind.type}; charset=utf-8" if kind.kind == HTML else kind.type), True
    return (BYTES, False) if kind.kind in (NONE, PARQUET) else (_TEXT, True)


async def preview_of(call: Call[ArtifactAsked, None]) -> Answer:
    """Look into an artifact."""
    return await call.ask(lambda store: _preview(store, call.path["run"], call.asked))


def _preview(store: Store, ref: str, asked: ArtifactAsked) -> Answer:
    file, _ = open_artifact(store, ref, asked.name, asked.version)
    with file:
        return as_json(PreviewFacts(*preview(file, asked.name)))


ROUTES = [
    Route(
        "GET",
        f"{STORE}/runs/{{run}}/artifact",
        artifact,
        "the bytes of an artifact, with ranges; as an attachment, or in a sandbox with view=true",
        asked=BytesAsked,
        type=BYTES,
        also=(206, 416),
    ),
    Route(
        "GET",
        f"{STORE}/runs/{{run}}/preview",
        preview_of,
        "what can be shown of an artifact",
        asked=ArtifactAsked,
        gives=PreviewFacts,
    ),
]
