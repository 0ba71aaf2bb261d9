"""The address holds the whole of a view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from screen import stores
from screen.seeing import Screen
from screen.served import Served


@pytest.fixture(scope="module")
def served(shared: Callable[..., Served]) -> Served:
    """14 runs of four rates over seeds."""
    return shared(stores.groups)


def seen(screen: Screen) -> dict[str, object]:
    """What a reader sees of the list and its charts, the ages apart."""
    expect(screen.rows.first).to_be_visible()
    expect(screen.page.locator(".large .words")).to_contain_text("run")
    return {
        "names": screen.names,
        "headings": screen.page.locator("[role=columnheader] .label").all_inner_texts(),
        "ticked": screen.page.locator(".line .acts").all_inner_texts(),
        "drawn": screen.page.locator(".large .name").inner_text() + screen.page.locator(".large .words").inner_text(),
        "filter": screen.filter.input_value(),
    }


def test_an_address_shows_another_person_the_same(open_screen: Callable[..., Screen], served: Served) -> None:
    """Filter, order, columns, grouping, ticks, metric, axes, smoothing, zoom: the address alone brings all of it to another browser."""
    one = open_screen()
    one.page.goto(served.page("runs?by=none"))
    expect(one.rows.first).to_be_visible()
    one.filter.fill("lr < 0.05")
    one.key("Enter")
    expect(one.line).to_contain_text("8 of 14 runs")
    one.page.get_by_role("columnheader", name="loss").locator("button").click()
    one.is_at("sort=")
    one.row("lr0.01-s2").get_by_role("checkbox").click()
    one.page.get_by_role("button", name="log y", exact=True).click()
    one.page.get_by_role("slider", name="smooth").fill("50")
    one.is_at("smooth=")
    one.page.get_by_label("over").select_option("relative")
    one.is_at("x=relative")
    one.page.locator(".large .words", has_text="log y").wait_for()
    address = one.page.url
    assert len(address) < 2000
    for part in ("q=", "sort=", "by=none", "sel=", "log=y", "smooth=", "x=relative"):
        assert part in address
    other = open_screen()
    other.page.goto(address)
    expect(other.line).to_contain_text("8 of 14 runs")
    expect(other.page.locator(".large .words")).to_have_text(
        one.page.locator(".large .words").inner_text().replace("\n", "")
    )
    assert seen(other) == seen(one)
    assert other.page.url == address


def test_back_and_forward_walk_through_the_views(screen: Screen, served: Served) -> None:
    """Each step that a reader takes is one step of the back button, over pages too."""
    screen.page.goto(served.page("runs?by=none"))
    expect(screen.rows.first).to_be_visible()
    screen.filter.fill("lr < 0.05")
    screen.key("Enter")
    expect(screen.line).to_contain_text("8 of 14 runs")
    screen.rows.first.locator("a").click()
    expect(screen.page.get_by_role("heading", level=1)).to_contain_text("lr0.0")
    screen.page.go_back()
    expect(screen.line).to_contain_text("8 of 14 runs")
    expect(screen.filter).to_have_value("lr < 0.05")
    screen.page.go_back()
    expect(screen.line).to_contain_text("14 runs")
    expect(screen.filter).to_have_value("")
    screen.page.go_forward()
    expect(screen.line).to_contain_text("8 of 14 runs")


def test_what_is_typed_in_one_go_is_one_step(screen: Screen, served: Served) -> None:
    """A filter that the list follows while it is typed is one step of the back button; the next filter is another."""
    screen.page.goto(served.page("runs?by=none"))
    expect(screen.rows.first).to_be_visible()
    for text, line in (("lr < 0.05", "8 of 14 runs"), ('name == "nobody"', "0 of 14 runs")):
        screen.filter.fill(text)
        expect(screen.line).to_contain_text(line)  # the list follows without Enter
        screen.key("Enter")
    screen.page.go_back()
    expect(screen.filter).to_have_value("lr < 0.05")
    screen.page.go_back()
    expect(screen.filter).to_have_value("")
    expect(screen.line).to_contain_text("14 runs")


def test_a_wrong_filter_in_the_address_is_told(screen: Screen, served: Served) -> None:
    """Who comes by an address whose filter cannot be understood reads why, and a way on."""
    screen.page.goto(served.page("runs?q=nothing+%3E+1"))
    expect(screen.page.get_by_role("main")).to_contain_text("nothing")
    screen.page.get_by_role("link", name="Show all runs").click()
    expect(screen.rows.first).to_be_visible()


def test_groups_of_what_there_is_not(screen: Screen, served: Served) -> None:
    """Rows by a param that no run has are refused in words, and the list is there."""
    screen.page.goto(served.page("runs?by=nope"))
    expect(screen.page.get_by_text("Not grouped")).to_be_visible()
    expect(screen.rows.first).to_be_visible()


def test_an_address_that_makes_no_sense_still_opens(screen: Screen, served: Served) -> None:
    """What an address says that makes no sense is told where it matters, and the rest of the view is there."""
    screen.page.goto(
        served.page(
            "runs?sort=-metrics.nothing.last&x=metric:none&zoom=b..a&smooth=7&cols=params.gone,metrics.loss.last&by=none&sel=zz"
        )
    )
    expect(screen.rows.first).to_be_visible()
    screen.page.goto(served.page("runs?q=)("))
    expect(screen.page.locator("#filter-wrong")).to_be_visible()


def test_the_first_address_leads_to_the_store(screen: Screen, served: Served) -> None:
    """`/` leads to the list of the first store, and back does not end in a loop."""
    screen.page.goto(served.address + "/")
    expect(screen.rows.first).to_be_visible()
    assert urlsplit(screen.page.url).path == "/store/runs"


def test_two_stores_are_told_apart(screen: Screen, serve: Callable[..., Served], tmp_path: Path) -> None:
    """Of two stores each has its pages; the menu leads from one to the other."""
    for name in ("one", "two"):
        stores.add(tmp_path / name, f"of-{name}", {"lr": 1.0}, {"loss": [1.0]})
    served = serve(tmp_path / "one", tmp_path / "two")
    screen.page.goto(served.page())
    expect(screen.row("of-one")).to_be_visible()
    screen.page.locator("button.store").click()
    screen.page.get_by_role("menu").get_by_text("two · 1 run").click()
    expect(screen.row("of-two")).to_be_visible()
    screen.is_at("/two/runs")
    screen.page.go_back()
    expect(screen.row("of-one")).to_be_visible()
