"""What a page asks when it is opened was told with it, and is asked once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from screen import stores
from screen.seeing import Screen
from screen.served import Served


def _few(store: Path) -> None:
    stores.plain(store, 3)


def _many(store: Path) -> None:
    stores.very_many(store, 40)


def _grey(store: Path) -> None:
    stores.very_many(store, 230)


def _seeds(store: Path) -> None:
    stores.groups(store)


def _many_groups(store: Path) -> None:
    for lr in range(9):
        for seed in range(2):
            stores.add(store, f"lr{lr}-s{seed}", {"lr": lr, "seed": seed}, {"odd ~é/+": [float(lr), float(seed)]})


def _told(page: str) -> list[str]:
    with urlopen(page) as answer:
        return re.findall(r"<([^>]*)>", ", ".join(answer.headers.get_all("Link") or []))


@pytest.mark.parametrize("fill", [_few, _many, _grey, _seeds, _many_groups])
def test_first_questions_are_asked_once(
    screen: Screen, shared: Callable[..., Served], fill: Callable[[Path], None]
) -> None:
    """Overview and large chart are what the page's headers tell, letter by letter: else the browser would ask for both."""
    served = shared(fill)
    address = served.page("runs")
    screen.page.goto(address)
    expect(screen.rows.first).to_be_visible()  # now the chart is known
    told = _told(address)
    assert [urlsplit(one).path.rpartition("/")[2] for one in told] == ["overview", "series"]
    screen.asked.clear()
    screen.page.reload()
    expect(screen.rows.first).to_be_visible()
    expect(screen.page.locator(".large figure[aria-busy=false], .large figure:not([aria-busy])")).to_be_visible()
    asked = [url.removeprefix(served.address) for url in screen.asked if "/api/" in url and "/live" not in url]
    assert len(asked) == len(set(asked))
    assert set(told) <= set(asked)
    (metric,) = parse_qs(urlsplit(told[1]).query)["metric"]
    of_chart = [one for one in asked if "/series?" in one and parse_qs(urlsplit(one).query)["metric"] == [metric]]
    assert of_chart == [told[1]]
