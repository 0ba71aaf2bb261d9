"""Feed a run to the sinks that it asked for: each on a thread of its own, with what the latest attempt tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread

from runfolio.model.params import unflatten
from runfolio.model.run_state import Kept, RunState
from runfolio.sdk.writing import open_side_writer
from runfolio.sinks.feed import Feed
from runfolio.sinks.make import make
from runfolio.sinks.sink import About
from runfolio.store.follow import Entry
from runfolio.store.layout import Layout

CLOSE_S = 300.0


class Feeding:
    """The sinks of one run."""

    def __init__(self, layout: Layout, run_id: str, tell: Callable[[str], None]) -> None:
        self._layout, self._run_id, self._tell = layout, run_id, tell
        self._feeds: dict[str, tuple[Kept, Feed]] = {}
        self._closing: list[Thread] = []
        self._done: set[tuple[str, int]] = set()
        self._past: list[Entry] = []  # of the latest attempt: a sink that is asked for late hears it all

    def take(self, new: Iterable[Entry], state: RunState) -> None:
        """Hand on what is new, to sinks that are new too."""
        new = list(new)
        self._past += new
        attempt = max((kept.attempt for kept in state.sinks), default=0)
        self._past = [entry for entry in self._past if entry.attempt >= attempt] if attempt else self._past
        for _, feed in self._feeds.values():
            for entry in new:
                feed.put(entry)
        for kept in state.sinks:
            key = f"{kept.what} {sorted(kept.options.items())}"
            if key not in self._feeds and kept.attempt == attempt and (key, attempt) not in self._done:
                self._done.add((key, attempt))
                self._feeds[key] = (kept, self._begin(kept, state))

    def _begin(self, kept: Kept, state: RunState) -> Feed:
        about = About(
            run_id=self._run_id,
            name=state.name,
            experiment=state.experiment,
            params=unflatten(state.params),
            tags=dict(state.tags),
            notes=state.notes,
            created_ns=state.created_ns or 0,
            attempt=kept.attempt,
            folder=self._layout.run(self._run_id),
        )
        feed = Feed(lambda: make(kept.what, kept.options), about, kept.what, self._tell)
        for entry in self._past:
            feed.put(entry)
        return feed

    def close(self, status: str, reason: str | None) -> None:
        """Begin to end all sinks, each on a thread of its own: a slow one keeps no other run waiting."""
        feeds, self._feeds, self._past = list(self._feeds.values()), {}, []
        for kept, feed in feeds:
            thread = Thread(target=self._close_one, args=(kept, feed, status, reason), daemon=True)
            thread.start()
            self._closing.append(thread)

    def wait(self) -> None:
        """Wait until all sinks have ended, each as long as it may take."""
        for thread in self._closing:
            thread.join(CLOSE_S + 5)

    def _close_one(self, kept: Kept, feed: Feed, status: str, reason: str | None) -> None:
        """End a sink, and keep in the run what it has taken."""
        told = feed.close(status, reason, CLOSE_S)
        writer = open_side_writer(self._layout.root, self._run_id, "sink", kept.attempt)
        writer.event(
            {"type": "sent", "sink": kept.what, "sent": told.sent, "dropped": told.dropped, "error": told.error}
        )
        writer.close()
