"""Feed a run to the sinks that it asked for: each on a thread of its own, with what the latest attempt tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread

from runfolio.model.params import unflatten
from runfolio.model.run_state import Kept
from runfolio.sdk.writing import open_side_writer
from runfolio.sinks.feed import Feed
from runfolio.sinks.make import make
from runfolio.sinks.sink import About
from runfolio.store.follow import Entry, entries_of
from runfolio.store.layout import Layout
from runfolio.store.run_files import RunFiles

CLOSE_S = 300.0


class Feeding:
    """The sinks of one run."""

    def __init__(self, layout: Layout, run_id: str, tell: Callable[[str], None]) -> None:
        self._layout, self._run_id, self._tell = layout, run_id, tell
        self._feeds: dict[str, tuple[Kept, Feed]] = {}
        self._closing: list[Thread] = []
        self._done: set[tuple[str, int]] = set()

    def take(self, new: Iterable[Entry], files: RunFiles) -> None:
        """Hand on what is new, to sinks that are new too: those hear all of the latest attempt."""
        state = files.state
        attempt = max((kept.attempt for kept in state.sinks), default=0)
        for entry in new:
            for _, feed in self._feeds.values():
                feed.put(entry)
        for kept in state.sinks:
            key = f"{kept.what} {sorted(kept.options.items())}"
            if key not in self._feeds and kept.attempt == attempt and (key, attempt) not in self._done:
                self._done.add((key, attempt))
                self._feeds[key] = (kept, self._begin(kept, files))

    def _begin(self, kept: Kept, files: RunFiles) -> Feed:
        state = files.state
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
        for entry in entries_of(files):
            if entry.attempt >= kept.attempt:
                feed.put(entry)
        return feed

    def close(self, status: str, reason: str | None) -> None:
        """Begin to end all sinks, each on a thread of its own: a slow one keeps no other run waiting."""
        feeds, self._feeds = list(self._feeds.values()), {}
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
