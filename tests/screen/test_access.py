"""The pages for everybody: screen readers, phones, paper, a slow line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import runfolio.server
from screen import stores
from screen.seeing import PHONE, WIDE, Screen
from screen.served import Served

AXE = Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("runs", "run", "compare", "seeds")
FIRST_LOAD_BYTES_MAX = 150_000
FIRST_LOAD_REQUESTS_MAX = 8
ROWS_MIN = 22
VALUE_COLUMNS_MIN = 4
CHROME_PX_MAX = 88


@pytest.fixture(scope="module")
def seen(shared: Callable[..., Served]) -> tuple[Served, str]:
    """Groups over seeds, thirty more runs, one run with everything; its server and that run."""
    ids: list[str] = []

    def fill(store: Path) -> None:
        stores.groups(store)
        for number in range(14):
            stores.add(store, f"more{number}", stores.params(5.0 + number, 0), stores.told(0.5, number))
        ids.append(stores.rich(store))

    return shared(fill), ids[0]


def visit(screen: Screen, seen: tuple[Served, str], page: str) -> None:
    """Open a full page: with rows, ticked runs, charts, a table, a file that is open."""
    served, run = seen
    if page == "runs":
        screen.page.goto(served.page("runs?log=y"))
        expect(screen.rows.first).to_be_visible()
    elif page == "run":
        screen.page.goto(served.page(f"run/{run[:8]}"))
        screen.page.get_by_role("region", name="Files").get_by_role("button", name="table.csv").click()
        expect(screen.page.get_by_role("cell", name="ada")).to_be_visible()
        expect(screen.page.get_by_role("log")).to_contain_text("red alert")
    elif page == "compare":
        screen.page.goto(served.page("compare"))
        screen.page.get_by_role("button", name="Compare the newest five").click()
        expect(screen.page.get_by_role("region", name="Runs side by side")).to_be_visible()
    else:
        screen.page.goto(served.page("seeds"))
        expect(screen.page.locator("tr.group").first).to_be_visible()
    expect(screen.page.locator("figure .words").first).to_contain_text("run")
    screen.page.wait_for_function("() => !document.querySelector('.busy') && document.getAnimations().length === 0")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_serious(
    open_screen: Callable[..., Screen], seen: tuple[Served, str], page: str, colours: str
) -> None:
    """On each full page, light and dark, axe finds nothing serious or critical."""
    if not AXE.exists():
        pytest.skip("needs the app's node_modules: make ui installs them")
    screen = open_screen(color_scheme=colours, bypass_csp=True)
    visit(screen, seen, page)
    screen.page.add_script_tag(path=AXE)
    found: dict[str, Any] = screen.page.evaluate("axe.run({ resultTypes: ['violations'] })")
    told = [
        f"{one['id']}: {node['target']} {node['failureSummary'][:300]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
    assert told == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("page", PAGES)
def test_nothing_overflows(
    open_screen: Callable[..., Screen], seen: tuple[Served, str], page: str, size: dict[str, int]
) -> None:
    """At 1280 and at 390 pixels no page is wider than the window; what is wide scrolls inside its own frame."""
    screen = open_screen(viewport=size)
    visit(screen, seen, page)
    wide, window = screen.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window == size["width"]


def test_a_phone_shows_names_and_a_chart(open_screen: Callable[..., Screen], seen: tuple[Served, str]) -> None:
    """On a phone names, a value and the chart are on the page, and a run opens by a touch."""
    screen = open_screen(viewport=PHONE, has_touch=True, is_mobile=True)
    screen.page.goto(seen[0].page("runs?by=none"))
    expect(screen.rows.first).to_be_in_viewport()
    expect(screen.figure("loss")).to_be_attached()
    screen.rows.first.locator("a").tap()
    expect(screen.page.get_by_role("heading", level=1)).to_be_visible()


def test_dense_and_calm(screen: Screen, seen: tuple[Served, str]) -> None:
    """At 1280 × 800: at least 22 rows and 4 columns of values in sight, at most 88 pixels of chrome, the chart beside."""
    screen.page.goto(seen[0].page("runs?by=none"))
    expect(screen.rows.nth(ROWS_MIN)).to_be_visible()
    told = screen.page.evaluate(
        """() => {
          const box = document.querySelector('.run-table').getBoundingClientRect();
          const seen = (all, isIn) => [...document.querySelectorAll(all)].filter(each => isIn(each.getBoundingClientRect())).length;
          return {
            rows: seen('[id^=row-]', at => at.top >= box.top && at.bottom <= box.bottom + 1),
            columns: seen('[role=columnheader][data-column]', at => at.left >= box.left && at.right <= box.right + 1),
            top: box.top,
          };
        }"""
    )
    assert told["rows"] >= ROWS_MIN
    assert told["columns"] >= VALUE_COLUMNS_MIN
    assert told["top"] <= CHROME_PX_MAX
    expect(screen.figure("loss")).to_be_in_viewport()


@pytest.mark.parametrize("page", PAGES)
def test_printed(screen: Screen, seen: tuple[Served, str], page: str) -> None:
    """On paper the bar is gone and what the page tells is there."""
    visit(screen, seen, page)
    screen.page.emulate_media(media="print")
    expect(screen.page.locator("header.bar")).to_be_hidden()
    expect(screen.page.get_by_role("main")).to_contain_text("loss")
    assert screen.page.pdf().startswith(b"%PDF")


def test_first_load_is_small_and_of_this_machine(open_screen: Callable[..., Screen], seen: tuple[Served, str]) -> None:
    """The first load of the list with its charts: at most 8 requests and 150 kB on the wire, all of them of this machine."""
    screen = open_screen()
    session = screen.context.new_cdp_session(screen.page)
    session.send("Network.enable")
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    screen.page.goto(seen[0].page())
    expect(screen.rows.first).to_be_visible()
    expect(screen.words("loss")).to_contain_text("runs")
    first = {url for url in screen.asked if "/series?" not in url or "metric=loss&" in url}  # small charts come later
    assert len(first) <= FIRST_LOAD_REQUESTS_MAX, first
    assert sum(sizes) <= FIRST_LOAD_BYTES_MAX
    assert screen.foreign == []


def test_an_idle_page_asks_nothing(screen: Screen, seen: tuple[Served, str]) -> None:
    """While nothing changes a page asks each question once, and when it has come nothing more: not in ten seconds of its own clock."""
    screen.page.clock.install()
    screen.page.goto(seen[0].page())
    expect(screen.rows.filter(has_text="×").first).to_be_visible()
    expect(screen.page.locator(".charts figure .words", has_text="run")).to_have_count(4)
    screen.page.wait_for_load_state("load")
    expect(screen.line).to_contain_text("live")
    expect(screen.page.locator("figure[aria-busy=true]")).to_have_count(0)
    before = len(screen.asked)
    screen.page.clock.run_for(10_000)
    screen.page.evaluate("fetch('/health')")  # whatever was asked before it has been counted
    assert [url for url in screen.asked[before:] if not url.endswith("/health")] == []
    assert sorted(screen.asked) == sorted(set(screen.asked))


def test_built_files_name_no_foreign_host() -> None:
    """No file of the built app names a host to be asked: no font, script, style or picture from elsewhere."""
    built = Path(runfolio.server.__file__).with_name("ui")
    for file in built.rglob("*"):
        if file.suffix not in (".js", ".css", ".html"):
            continue
        hosts = set(re.findall(r"https?://([a-z0-9.-]+)", file.read_text(encoding="utf-8")))
        assert hosts <= {"www.w3.org", "svelte.dev"}, (file.name, hosts)
