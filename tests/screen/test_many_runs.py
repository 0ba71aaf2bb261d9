"""Ten thousand runs in one list."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from screen import stores
from screen.seeing import Screen
from screen.served import Served

RUNS = 10_000
NODES_MAX = 2500


@pytest.fixture(scope="module")
def served(shared: Callable[..., Served]) -> Served:
    """10,000 runs of one point each."""
    return shared(lambda store: stores.very_many(store, RUNS))


def opened(screen: Screen, served: Served) -> Screen:
    screen.page.goto(served.page("runs?by=none&sort=created"))
    expect(screen.rows.first).to_be_visible(timeout=60_000)
    expect(screen.line).to_contain_text(re.compile("10.000 runs"))
    return screen


def nodes(screen: Screen) -> int:
    return int(screen.page.evaluate("document.getElementsByTagName('*').length"))


def test_the_last_of_10000_is_reached(screen: Screen, served: Served) -> None:
    """The list shows at once, the last run is there when scrolled to, and only what is seen exists on the page."""
    opened(screen, served)
    expect(screen.row("run00000")).to_be_visible()
    assert nodes(screen) < NODES_MAX
    for share in (0.25, 0.5, 0.75, 1):
        screen.page.evaluate(
            "share => { const box = document.querySelector('.scroller'); box.scrollTop = share * box.scrollHeight }",
            share,
        )
        expect(screen.rows.first).to_be_visible()
        assert nodes(screen) < NODES_MAX
    expect(screen.row("run09999")).to_be_visible()
    screen.key("Home")
    expect(screen.row("run00000")).to_be_visible()
    screen.key("End")
    expect(screen.row("run09999")).to_be_visible()


def test_a_filter_over_10000(screen: Screen, served: Served) -> None:
    """A filter over all of them finds the few, and lets them all back."""
    opened(screen, served)
    screen.filter.fill("lr >= 9.99 and depth == 3")
    screen.key("Enter")
    expect(screen.line).to_contain_text(re.compile("of 10.000 runs"))
    expect(screen.rows).to_have_count(sum(number % 7 == 3 for number in range(9990, 10_000)))
    screen.page.get_by_role("button", name="Clear the filter").click()
    expect(screen.line).to_contain_text(re.compile("10.000 runs"))


def test_a_chart_over_10000(screen: Screen, served: Served) -> None:
    """The chart says how many of them it draws, and a group over them all is folded by the server."""
    opened(screen, served)
    expect(screen.words("loss")).to_contain_text(re.compile("10.000 runs"), timeout=30_000)
    expect(screen.words("loss")).to_contain_text("drawn, the newest")
    screen.page.goto(served.page("runs?by=depth"))
    expect(screen.rows.filter(has_text="×1,429").or_(screen.rows.filter(has_text="×1429")).first).to_be_visible()
    assert nodes(screen) < NODES_MAX
