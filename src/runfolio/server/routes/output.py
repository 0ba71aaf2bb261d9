"""The output of a run: a stretch of it, and the lines that have a text."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

from msgspec import Meta, Struct, defstruct
from msgspec import field as named

from runfolio.errors import NotFound
from runfolio.model.states import is_over
from runfolio.query.output import cut_bytes, read_stretch, search
from runfolio.query.run import Run
from runfolio.query.store import Store
from runfolio.server import limits
from runfolio.server.answers import Answer, as_json
from runfolio.server.asked import Asked
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.safe_files import OpenFile, open_below

_TAIL_BYTES = 64 << 10

# `from` is a word of Python, so its struct is made by a call.
OutputAsked: Any = defstruct(
    "OutputAsked",
    [
        ("from", Annotated[int, Meta(ge=-(2**53), le=2**53)], -_TAIL_BYTES),
        ("bytes", Annotated[int, Meta(ge=1, le=limits.OUTPUT_BYTES_MAX)], _TAIL_BYTES),
    ],
    bases=(Asked,),
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    namespace={"__doc__": "Where to begin, below 0 so many bytes before the end, and how many bytes to give at most."},
)


class SearchAsked(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plain text of one line, whatever its case."""

    text: Annotated[str, Meta(min_length=1, max_length=limits.SEARCHED_MAX, pattern=r"^[^\n]*\Z")]
    limit: Annotated[int, Meta(ge=1, le=limits.MATCHES_MAX)] = 100


class OutputFacts(Struct, frozen=True):
    """Bytes of the output in whole lines, where there are lines; `file` is another one where the file was replaced, null where there is none."""

    from_: int = named(name="from")
    to: int
    size: int
    cut_bytes: int
    text: str
    ended: bool
    file: str | None


class MatchFacts(Struct, frozen=True):
    """A line that has the text, its number from 1, and where it begins."""

    line: int
    from_: int = named(name="from")
    text: str


class FoundFacts(Struct, frozen=True):
    """The first lines that have the text."""

    matches: list[MatchFacts]
    more: bool


async def output(call: Call[Any, None]) -> Answer:
    """Give a stretch of the output."""
    start, size = getattr(call.asked, "from"), call.asked.bytes
    return await call.ask(lambda store: as_json(_stretch(store, call.path["run"], start, size)))


def _stretch(store: Store, ref: str, start: int, size: int) -> dict[str, Any]:
    run = store.run(ref)
    ended = is_over(run.status)
    with ExitStack() as stack:
        file = _open(store, run)
        if file is None:
            return {"from": 0, "to": 0, "size": 0, "cut_bytes": 0, "text": "", "ended": ended, "file": None}
        stack.enter_context(file)
        got = read_stretch(file, start, size, ended)
        cut = cut_bytes(run.id, file, run.output.get("cut_bytes") if ended else None)
        return {
            "from": got.start,
            "to": got.to,
            "size": got.size_bytes,
            "cut_bytes": cut,
            "text": got.text,
            "ended": ended,
            "file": f"{file.number:x}",
        }


async def found(call: Call[SearchAsked, None]) -> Answer:
    """Find lines of the output."""
    asked = call.asked
    return await call.ask(lambda store: as_json(_search(store, call.path["run"], asked.text, asked.limit)))


def _search(store: Store, ref: str, text: str, limit: int) -> dict[str, Any]:
    file = _open(store, store.run(ref))
    if file is None:
        return {"matches": [], "more": False}
    with file:
        matches, more = search(file, text, limit)
    return {"matches": [{"line": one.line, "from": one.start, "text": one.text} for one in matches], "more": more}


def _open(store: Store, run: Run) -> OpenFile | None:
    """Open the output of a run; None where it has none, as only what `runfolio run` starts has one."""
    try:
        return open_below(store.path, "runs", run.id, "output.log")
    except NotFound:
        return None


ROUTES = [
    Route(
        "GET",
        f"{STORE}/runs/{{run}}/output",
        output,
        "a stretch of the output, in whole lines where there are; from=-N: the last N bytes",
        asked=OutputAsked,
        gives=OutputFacts,
    ),
    Route(
        "GET",
        f"{STORE}/runs/{{run}}/output/search",
        found,
        "the lines of the output that have a plain text, case ignored",
        asked=SearchAsked,
        gives=FoundFacts,
    ),
]
