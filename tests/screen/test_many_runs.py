"""Thousands of runs in one list: 2,000 in each session, 10,000 where there is time (`make test-long`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
from playwright.sync_api import expect

from screen import stores
from screen.seeing import Screen
from screen.served import Served

NODES_MAX = 2500
FIRST_READ_MS = 240_000  # a store is read once, whatever the machine is busy with


class Many(NamedTuple):
    """Runs of one point each, and who serves them."""

    served: Served
    runs: int

    @property
    def last(self) -> str:
        return f"run{self.runs - 1:05}"

    def counted(self, before: str = "") -> re.Pattern[str]:
        """The count as a page writes it, whatever stands between the thousands."""
        return re.compile(before + re.sub(r"(?=(\d{3})+$)(?<=\d)", r"\\D?", str(self.runs)) + " runs")


@pytest.fixture(scope="module", params=[2000, pytest.param(10_000, marks=pytest.mark.long)])
def many(request: pytest.FixtureRequest, shared: Callable[..., Served]) -> Many:
    """That many runs."""
    runs: int = request.param
    return Many(shared(lambda store: stores.very_many(store, runs)), runs)


@pytest.fixture
def page(screen: Screen, many: Many) -> Screen:
    """The list, the oldest first."""
    screen.page.goto(many.served.page("runs?by=none&sort=created"))
    expect(screen.rows.first).to_be_visible(timeout=FIRST_READ_MS)
    expect(screen.line).to_contain_text(many.counted())
    return screen


def nodes(screen: Screen) -> int:
    return int(screen.page.evaluate("document.getElementsByTagName('*').length"))


def test_the_last_run_is_reached(page: Screen, many: Many) -> None:
    """The list shows at once, the last run is there when scrolled to, and only what is seen exists on the page."""
    expect(page.row("run00000")).to_be_visible()
    assert nodes(page) < NODES_MAX
    for share in (0.25, 0.5, 0.75, 1):
        page.page.evaluate(
            "share => { const box = document.querySelector('.run-table'); box.scrollTop = share * box.scrollHeight }",
            share,
        )
        expect(page.rows.first).to_be_visible()
        assert nodes(page) < NODES_MAX
    expect(page.row(many.last)).to_be_visible()
    page.key("Home")
    expect(page.row("run00000")).to_be_visible()
    page.key("End")
    expect(page.row(many.last)).to_be_visible()


def test_a_filter_over_all(page: Screen, many: Many) -> None:
    """A filter over all of them finds the few, and lets them all back."""
    page.filter.fill(f"lr >= {(many.runs - 10) / 1000} and depth == 3")
    page.key("Enter")
    expect(page.line).to_contain_text(many.counted("of "))
    expect(page.rows).to_have_count(sum(number % 7 == 3 for number in range(many.runs - 10, many.runs)))
    page.page.get_by_role("button", name="Clear the filter").click()
    expect(page.line).to_contain_text(many.counted("^"))


def test_a_chart_over_all(page: Screen, many: Many) -> None:
    """The chart is over all runs and says how many of them it draws; groups are folded by the server."""
    expect(page.words("loss")).to_contain_text(many.counted(), timeout=60_000)
    expect(page.words("loss")).to_contain_text("drawn, the newest")
    page.page.goto(many.served.page("runs?by=depth"))
    expect(page.rows).to_have_count(7)
    assert nodes(page) < NODES_MAX


def test_a_band_that_does_not_come_is_told(screen: Screen, shared: Callable[..., Served]) -> None:
    """Where the band of very many runs is refused, the chart says so beside their curves."""
    served = shared(lambda store: stores.very_many(store, 2010))
    refusal = {"error": {"kind": "UsageError", "message": "too much of it"}}
    screen.page.route(re.compile(r"/series\?.*curves=0"), lambda route: route.fulfill(status=400, json=refusal))
    screen.page.goto(served.page("runs?by=none"))
    expect(screen.page.get_by_text("no band of all: too much of it")).to_be_visible(timeout=FIRST_READ_MS)
