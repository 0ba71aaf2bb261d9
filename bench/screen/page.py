"""A page in Debian's chromium, with a meter on it: requests, bytes, long tasks, frames, the moment of the last change."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = "/usr/bin/chromium"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]

# Runs in the page before the app: notes long tasks, and when the document or a canvas was last changed.
_METER = """
(() => {
  if (window.meter) return;
  const meter = window.meter = { long: [], changed: 0, frames: [], strokes: 0, acted: 0 };
  // not when the browser was told to: what that takes is not the app's
  for (const name of ['keydown', 'click']) addEventListener(name, event => { meter.acted = event.timeStamp; }, true);
  const mark = () => { meter.changed = performance.now(); };
  new PerformanceObserver(list => { for (const one of list.getEntries()) meter.long.push([one.startTime, one.duration]); })
    .observe({ type: 'longtask', buffered: true });
  new MutationObserver(found => {  // a clock that ticks is no change
    if (found.reduce((sum, one) => sum + (one.type === 'childList' ? 4 * one.addedNodes.length : 1), 0) >= 8) mark();
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['d', 'src', 'href'] });
  for (const name of ['stroke', 'fill', 'fillRect', 'drawImage']) {
    const real = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...told) { meter.strokes++; mark(); return real.apply(this, told); };
  }
  meter.record = () => { meter.frames = []; meter.on = true; let before = performance.now();
    const next = now => { meter.frames.push(now - before); before = now; if (meter.on) requestAnimationFrame(next); };
    requestAnimationFrame(next); };
  meter.stop = () => { meter.on = false; return meter.frames.slice(1); };
})();
"""


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)


class MeteredPage:
    """One page of 1280 × 800 in a context of its own, so with an empty cache."""

    def __init__(self, browser: Browser) -> None:
        self._context = browser.new_context(viewport={"width": 1280, "height": 800})
        self.page: Page = self._context.new_page()
        self.page.add_init_script(_METER)
        self.requests, self.wire_bytes, self.event_bytes = 0, 0, 0
        self._open: set[str] = set()
        self._streams: set[str] = set()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)[:200]))
        session = self._session = self._context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.send("Performance.enable")
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.dataReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.loadingFailed", lambda event: self._open.discard(event["requestId"]))

    def _sent(self, event: Any) -> None:
        if event["request"]["url"].startswith(("data:", "blob:")):
            return
        self.requests += 1
        if event.get("type") == "EventSource":
            self._streams.add(event["requestId"])
        else:
            self._open.add(event["requestId"])

    def _received(self, event: Any) -> None:
        if event["requestId"] in self._streams:
            self.event_bytes += event["dataLength"]

    def _finished(self, event: Any) -> None:
        self._open.discard(event["requestId"])
        self.wire_bytes += int(event["encodedDataLength"])

    def go(self, address: str) -> None:
        self.page.goto(address, wait_until="commit")

    def now(self) -> float:
        """The page's clock. Units: ms since it was asked for."""
        return float(self.page.evaluate("performance.now()"))

    def seen(self, text: str, limit_s: float = 30) -> float:
        """Wait until text that fits a pattern is on the screen, and give the page's time then, in ms."""
        return float(
            self.page.evaluate(_SEEN, [text, limit_s * 1000]) or float("nan"),
        )

    def settled(self, quiet_ms: float = 700, limit_s: float = 40) -> float:
        """Wait until nothing has changed for a while, and give the page's time of the last change, in ms."""
        until = time.perf_counter() + limit_s
        while True:
            now, changed = self.page.evaluate(
                "[performance.now(), Math.max(meter.changed, ...meter.long.slice(-3).map(one => one[0] + one[1]), 0)]"
            )
            if (now - changed > quiet_ms and not self._open) or time.perf_counter() > until:
                return float(changed)
            self.page.wait_for_timeout(50)

    def longest_task(self, since_ms: float = 0) -> float:
        """Units: ms; 0 where there was none above 50."""
        return float(
            self.page.evaluate(
                "since => Math.max(0, ...meter.long.filter(one => one[0] >= since).map(one => one[1]))", since_ms
            )
        )

    def frames_during(self, act: Any) -> list[float]:
        """Give how long each frame took while something was done. Units: ms."""
        self.page.evaluate("meter.record()")
        act()
        return [float(frame) for frame in self.page.evaluate("meter.stop()")]

    def heap_mb(self) -> float:
        self._session.send("HeapProfiler.collectGarbage")
        found = {one["name"]: one["value"] for one in self._session.send("Performance.getMetrics")["metrics"]}
        return float(found["JSHeapUsedSize"]) / 2**20

    def close(self) -> None:
        self._context.close()


_SEEN = """
([pattern, limit]) => new Promise(done => {
  const wanted = new RegExp(pattern), begin = performance.now();
  const look = () => {
    const walker = document.body && document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; walker && (node = walker.nextNode());) {
      if (!wanted.test(node.data)) continue;
      const box = node.parentElement.getBoundingClientRect();
      if (box.width && box.height && box.bottom > 0 && box.top < innerHeight)
        return requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0));
    }
    if (performance.now() - begin > limit) return done(null);
    setTimeout(look, 8);
  };
  look();
})
"""
