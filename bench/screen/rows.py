"""What is measured of the app: each function opens a server and a page, and gives what was seen."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from playwright.sync_api import Browser, Playwright

from bench.gate import Finding, Gate
from bench.lab import SOURCE
from bench.screen import stores
from bench.screen.page import MeteredPage, launch
from bench.screen.served import Served

Seen = Iterator[Finding]

FIRST_ROWS = r"^\d[\d,  ]* (of [\d,  ]+ )?runs?$"
"""The context line says how many runs there are once their table is there."""


@contextmanager
def opened(browser: Browser, server: Served, path: str) -> Iterator[MeteredPage]:
    page = MeteredPage(browser)
    try:
        page.go(server.address + path)
        yield page
    finally:
        page.close()


def _store_name(server: Served) -> str:
    import json
    import urllib.request

    with urllib.request.urlopen(server.address + "/api/v1/stores") as answer:
        return quote(json.load(answer)["stores"][0]["name"])


def _runs(name: str, q: str, metric: str = "") -> str:
    return f"/{name}/runs?q={quote(q)}" + (f"&m={quote(metric)}" if metric else "")


def first_load(playwright: Playwright, folder: str, rounds: int) -> Seen:
    """Open the 500-run set with a browser that starts once the server answers: rule 10 of the screen's acceptance."""
    store = stores.five_hundred(folder)
    seen: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        seen.setdefault(name, []).append(value)

    for _ in range(rounds):
        with Served(store, os.path.join(folder, "screen-cache")) as server:
            note("cold", server.cold_s)
            with launch(playwright) as browser, opened(browser, server, f"/{_store_name(server)}/runs") as page:
                note("rows", page.seen(r"run0\d{4}"))
                note("settled", page.settled())
                note("task", page.longest_task())
                note("requests", page.requests)
                note("wire", page.wire_bytes / 1000)
                since = page.now()
                _scroll_list(page)
                note("scroll", page.longest_task(since))
                note("heap", page.heap_mb())
            note("rss", server.rss_mb)
    for name, gate in (
        ("cold", Gate("500 runs: process to first answer", 0.5, 0.3, "s")),
        ("rows", Gate("500 runs: first rows", 300, 200, "ms")),
        ("settled", Gate("500 runs: settled, chart of 500 × 100 drawn", 600, 400, "ms")),
        ("task", Gate("500 runs: longest task on load", 50, 50, "ms")),
        ("scroll", Gate("500 runs: longest task on scroll", 50, 50, "ms")),
        ("requests", Gate("500 runs: requests of the first load", 8, 8, "")),
        ("wire", Gate("500 runs: first load on the wire", 150, 120, "kB")),
        ("heap", Gate("500 runs: heap", 25, 15, "MB")),
        ("rss", Gate("500 runs: server's memory", 80, 60, "MB")),
    ):
        yield _finding(gate, seen[name])


def many_runs(playwright: Playwright, folder: str, rounds: int) -> Seen:
    """Open 10,000 runs with a browser that starts once the server answers, filter and sort them."""
    store = stores.ten_thousand(folder)
    cold, paint, filtering, sorting, memory = [], [], [], [], []
    for _ in range(rounds):
        with Served(store, os.path.join(folder, "ask", "cache")) as server:
            cold.append(server.cold_s)
            name = _store_name(server)
            with launch(playwright) as browser:
                with opened(browser, server, f"/{name}/runs") as page:
                    paint.append(page.seen(r"10.?000 runs"))
                    page.settled(limit_s=60)
                with opened(browser, server, f"/{name}/runs?by=") as page:
                    page.seen(r"run0\d{4}")
                    page.settled(limit_s=60)
                    for text in ("params.width == 64", "metrics.m3.min < 0.0015 and opt == 'adam'", ""):
                        filtering.append(_filter(page, text))
                        page.settled(limit_s=60)
                    for column in ("m1", "m0"):
                        sorting.append(_sort(page, column))
                        page.settled(limit_s=60)
            memory.append(server.rss_mb)
    yield _finding(Gate("10,000 runs: process to first answer", 0.5, 0.3, "s"), cold)
    yield _finding(Gate("10,000 runs: first useful paint", 1000, 500, "ms"), paint)
    yield _finding(
        Gate("10,000 runs: filter, from Enter to rows", 200, 100, "ms"), [one for one in filtering if one == one]
    )
    yield _finding(
        Gate("10,000 runs: sort, from click to rows", 200, 100, "ms"), [one for one in sorting if one == one]
    )
    yield _finding(Gate("10,000 runs: server's memory", 150, 100, "MB"), memory)


def big_charts(playwright: Playwright, folder: str, rounds: int) -> Seen:
    """Draw 100 runs × 10,000 points, zoom and pan in them; 500 metrics of one run; 1,000 runs × one metric."""
    with launch(playwright) as browser:
        yield from _big_charts(browser, folder, rounds)


def _big_charts(browser: Browser, folder: str, rounds: int) -> Seen:
    store = stores.long_and_wide(folder)
    drawn, frames, tasks, thousand = [], [], [], []
    for _ in range(rounds):
        with Served(store, os.path.join(folder, "screen-cache")) as server:
            name = _store_name(server)
            with opened(browser, server, _runs(name, 'name == "wide"', "part0/m000")) as page:
                page.settled()
                drawn.append(_draw(page, _runs(name, 'name like "run*"', "m0"), "100 runs"))
            with opened(browser, server, _runs(name, 'name like "run*"', "m0")) as page:
                page.settled()
                frames += page.frames_during(lambda page=page: _zoom_and_pan(page))  # type: ignore[misc]
            with opened(browser, server, _runs(name, 'name == "wide"')) as page:
                page.settled()
                since = page.now()
                _scroll_charts(page)
                tasks.append(page.longest_task(since))
    ask = stores.ten_thousand(folder)
    with Served(ask, os.path.join(folder, "ask", "cache")) as server:
        name = _store_name(server)
        for number in range(rounds):
            with opened(browser, server, _runs(name, 'name == "run00000"', f"m{number}")) as page:
                page.settled()
                thousand.append(_draw(page, _runs(name, 'name like "run00*"', f"m{number}"), "1.?000 runs"))
    yield _finding(Gate("100 runs × 10,000 points: drawn after the click", 300, 200, "ms"), drawn)
    slow = statistics.quantiles(frames, n=20)[-1] if len(frames) > 20 else max(frames, default=float("nan"))
    yield Finding(
        Gate("100 runs × 10,000 points: frame while zooming and panning (19 of 20)", 33.4, 20, "ms"),
        slow,
        f"{len(frames)} frames, median {statistics.median(frames):.1f}",
    )
    yield _finding(Gate("1,000 runs × one metric: drawn", 1000, 500, "ms"), thousand)
    yield _finding(Gate("500 metrics: longest task while scrolling", 100, 50, "ms"), tasks)


_LOGGER = """
import sys, time, runfolio
n, seconds, pause, told = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]
runs = [runfolio.start("live", f"live{k}", {"p": k}, capture=False) for k in range(n)]
log = open(told[0], "a", buffering=1) if told else None
begin, step = time.time(), 0
while time.time() - begin < seconds:
    for run in runs:
        run.log({f"m{k}": 1 / (step + 1) + k for k in range(5)}, step=step)
    if log:
        print(step, time.time() * 1000, file=log)
    step += 1
    time.sleep(pause)
for run in runs:
    run.finish()
"""


def live(playwright: Playwright, folder: str, rounds: int) -> Seen:
    """Look on: while nothing happens, while a run logs twice a second, while 20 runs log ten times a second."""
    store = os.path.join(folder, f"screen-live-{os.getpid()}")
    os.makedirs(store)
    try:
        _begin(store, "2", "1", "0.1").wait()
        with Served(store, os.path.join(folder, "screen-cache")) as server, launch(playwright) as browser:
            yield from _live(browser, server, store, rounds)
    finally:
        shutil.rmtree(store, ignore_errors=True)


def _begin(store: str, *told: str) -> subprocess.Popen[bytes]:
    """Start a process that logs: how many runs, for how many seconds, the pause between steps, where to tell the times."""
    environ = {**os.environ, "RUNFOLIO_DIR": store, "PYTHONPATH": SOURCE}
    return subprocess.Popen([sys.executable, "-c", _LOGGER, *told], env=environ)


def _live(browser: Browser, server: Served, store: str, rounds: int) -> Seen:
    with opened(browser, server, f"/{_store_name(server)}/runs?by=&m=m0&cols=metrics.m0.last_step") as page:
        page.settled()
        page.page.wait_for_timeout(5000)  # until the small charts are there too
        before, asked = page.event_bytes + page.wire_bytes, page.requests
        page.page.wait_for_timeout(60_000)
        idle = (page.event_bytes + page.wire_bytes - before) / 1000
        asked = page.requests - asked
        log = os.path.join(store, "told")
        one = _begin(store, "1", str(5 * rounds), "0.5", log)
        late = _lateness(page, one, log)
        twenty = _begin(store, "20", "34", "0.1")
        page.page.wait_for_timeout(5000)
        cpu_s, since = server.cpu_s, time.perf_counter()
        page.page.wait_for_timeout(25_000)
        busy = (server.cpu_s - cpu_s) / (time.perf_counter() - since) * 100
        twenty.wait()
    yield Finding(Gate("idle, on the wire", 1, 0.5, "kB/min"), idle, f"{asked} requests")
    yield _finding(Gate("a point logged is on the screen", 1000, 700, "ms"), late)
    yield Finding(Gate("server while 20 runs log ten times a second", 2, 1, "% of a core"), busy)


def _lateness(page: MeteredPage, writer: subprocess.Popen[bytes], log: str) -> list[float]:
    """Give for each step how long after `log()` the table showed it, or a later one. Units: ms."""
    look = """() => [Date.now(), Math.max(-1, ...[...document.querySelectorAll('[role="gridcell"]')]
        .map(one => one.innerText.trim()).filter(text => /^\\d+$/.test(text)).map(Number).filter(step => step < 9))]"""
    shown: dict[int, float] = {}
    while writer.poll() is None:
        now, step = page.page.evaluate(look)
        for earlier in range(int(step) + 1):
            shown.setdefault(earlier, now)
        page.page.wait_for_timeout(20)
    with open(log, encoding="ascii") as lines:
        told = {int(step): float(at) for step, at in map(str.split, lines)}
    return [shown[step] - at for step, at in told.items() if step in shown and 0 < step < 9]


def _finding(gate: Gate, seen: list[float]) -> Finding:
    known = [one for one in seen if one == one]
    if not known:
        return Finding(gate, None, "not seen on the page")
    return Finding(gate, statistics.median(known), f"{min(known):.3g}–{max(known):.3g}, {len(known)} times")


def _filter(page: MeteredPage, text: str) -> float:
    """Type a filter, press Enter, and wait until the line that counts the runs says something else. Units: ms."""
    page.page.fill("#filter", text)
    _watch(page, ".line .fact")
    page.page.press("#filter", "Enter")
    return _changed(page)


def _sort(page: MeteredPage, column: str) -> float:
    """Click the header of a metric and wait until the first row is another. Units: ms."""
    header = page.page.locator('[role="columnheader"]', has_text=column).first
    header.scroll_into_view_if_needed()
    _watch(page, '[role="row"]:has([role="gridcell"])')
    # not by playwright's own click, which waits for the page to stand still first
    header.locator("button").evaluate("one => one.click()")
    return _changed(page)


def _watch(page: MeteredPage, selector: str) -> None:
    """Begin to look for a change of what stands in an element."""
    page.page.evaluate(
        """selector => { const before = document.querySelector(selector)?.innerText, end = performance.now() + 10000;
        meter.other = new Promise(done => { const look = () => { const now = document.querySelector(selector)?.innerText;
            if (now !== undefined && now !== before) return done(performance.now());
            performance.now() > end ? done(NaN) : setTimeout(look, 4); }; look(); }); }""",
        selector,
    )


def _changed(page: MeteredPage) -> float:
    """Give how long after the last key or click what is watched was another. Units: ms."""
    found = page.page.evaluate("meter.other.then(at => at - meter.acted)")
    return float("nan") if found is None else float(found)


def _draw(page: MeteredPage, path: str, runs: str) -> float:
    """Go to another view inside the app, and wait until its large chart has drawn so many runs. Units: ms."""
    since = page.now()
    page.page.evaluate(
        "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }", path
    )
    look = """runs => new Promise(done => { const end = performance.now() + 20000, wanted = new RegExp('^' + runs);
        const look = () => { const chart = document.querySelector('.large figure');
            if (chart && chart.getAttribute('aria-busy') !== 'true' && wanted.test(chart.querySelector('.words')?.innerText ?? ''))
                return requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));  // drawn in the first
            performance.now() > end ? done(NaN) : setTimeout(look, 4); }; look(); })"""
    found = page.page.evaluate(look, runs)
    return float("nan") if found is None else float(found) - since


def _scroll_list(page: MeteredPage) -> None:
    page.page.mouse.move(300, 400)
    for _ in range(30):
        page.page.mouse.wheel(0, 400)
        page.page.wait_for_timeout(16)
    page.settled()


def _scroll_charts(page: MeteredPage) -> None:
    page.page.mouse.move(1100, 600)
    for _ in range(60):
        page.page.mouse.wheel(0, 600)
        page.page.wait_for_timeout(30)
    page.settled()


def _zoom_and_pan(page: MeteredPage) -> None:
    mouse = page.page.mouse
    mouse.move(1000, 300)
    for _ in range(20):
        mouse.wheel(0, -120)
        page.page.wait_for_timeout(16)
    page.page.keyboard.down("Shift")
    mouse.down()
    for place in range(40):
        mouse.move(1000 - 4 * place, 300)
        page.page.wait_for_timeout(16)
    mouse.up()
    page.page.keyboard.up("Shift")


ROWS: dict[str, Callable[[Playwright, str, int], Seen]] = {
    "load": first_load,
    "many": many_runs,
    "charts": big_charts,
    "live": live,
}
