"""What changes while somebody looks, as server-sent events."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from runfolio.server import limits
from runfolio.server.answers import Answer
from runfolio.server.asked import Asked, Name, RunRef
from runfolio.server.live.listener import LAST, Listener
from runfolio.server.live.poller import poller_of
from runfolio.server.routing import STORE, Call, Route

EVENTS = "text/event-stream; charset=utf-8"


class LiveAsked(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The metrics whose last points are told; the runs of whose output it is told that it has grown; up to which turn all is known."""

    metric: Annotated[tuple[Name, ...], Meta(max_length=limits.LIVE_METRICS_MAX)] = ()
    output: Annotated[tuple[RunRef, ...], Meta(max_length=limits.LIVE_OUTPUTS_MAX)] = ()
    since: Annotated[str, Meta(pattern=f"^{LAST}$")] | None = None


async def live(call: Call[LiveAsked, None]) -> Answer:
    """Stream what changes."""
    asked = call.asked
    outputs = await call.ask(lambda store: tuple(store.run(run).id for run in asked.output))
    poller = poller_of(call.served)
    back = call.headers.get("last-event-id")
    listener = Listener(
        poller.board,
        poller.epoch,
        poller.leave,
        metrics=asked.metric,
        outputs=outputs,
        last=back or asked.since,  # the browser knows better when it comes back by itself
        anew=back is None,
    )
    poller.join(listener)
    return Answer(listener, EVENTS)


ROUTES = [
    Route(
        "GET",
        f"{STORE}/live",
        live,
        "server-sent events: runs as they change, output as it grows; resumes by Last-Event-ID",
        asked=LiveAsked,
        type=EVENTS,
        also=(503,),
    )
]
