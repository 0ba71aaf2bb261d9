"""The list of runs: found, ordered, folded, ticked, changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from screen import stores
from screen.seeing import Screen
from screen.served import Served


@pytest.fixture(scope="module")
def served(shared: Callable[..., Served]) -> Served:
    """14 runs of four rates over seeds."""
    return shared(stores.groups)


def opened(screen: Screen, served: Served, query: str = "") -> Screen:
    """Open the list, and wait for its rows."""
    screen.page.goto(served.page("runs" + query))
    expect(screen.rows.first).to_be_visible()
    return screen


def test_first_sight(screen: Screen, served: Served) -> None:
    """Without a click: every run, seeds folded, numbers in columns, the objective drawn, what all share said."""
    opened(screen, served)
    expect(screen.line).to_contain_text("14 runs")
    expect(screen.row("lr0.001-s0")).to_contain_text("finished")
    expect(screen.row("lr1-s1")).to_contain_text("failed")
    assert sum("×4" in name for name in screen.names) == 3
    expect(screen.page.get_by_role("columnheader", name="loss")).to_be_visible()
    expect(screen.words("loss")).to_contain_text("14 runs")
    expect(screen.line).to_contain_text("dataset=digits")
    assert screen.page.title() == "Runs · store · runfolio"


def test_filter_narrows_list_and_charts(screen: Screen, served: Served) -> None:
    """A filter that is typed narrows the list, the charts and the count, and stands in the address."""
    opened(screen, served)
    screen.key("/")
    screen.page.keyboard.type("lr < 0.05")
    screen.key("Enter")
    expect(screen.line).to_contain_text("8 of 14 runs")
    expect(screen.row("lr0.1-s0")).to_have_count(0)
    expect(screen.words("loss")).to_contain_text("8 runs")
    screen.is_at("q=lr+%3C+0.05")
    screen.page.get_by_role("button", name="Clear the filter").click()
    expect(screen.line).to_contain_text("14 runs")


def test_a_filtered_list_goes_on_after_another_key(screen: Screen, shared: Callable[..., Served]) -> None:
    """Enter once more, or half a filter, takes nothing from the rows that are shown: what is scrolled to comes."""
    opened(screen, shared(lambda store: stores.very_many(store, 120)), "?by=none&sort=created")
    screen.filter.fill("params.lr <= 0.11")
    screen.filter.press("Enter")
    expect(screen.line).to_contain_text("111 of 120 runs")
    screen.filter.press("Enter")
    screen.filter.press_sequentially(" and sta")
    screen.page.mouse.move(300, 400)
    screen.page.mouse.wheel(0, 20_000)
    expect(screen.row("run00110")).to_be_visible()


def test_a_filter_whose_runs_lack_what_they_are_sorted_by(screen: Screen, shared: Callable[..., Served]) -> None:
    """Grouping and order are given up, and said so, where the runs that are left have no such param."""

    def fill(store: Path) -> None:
        for number in range(4):
            stores.add(store, f"rate{number}", {"lr": number / 10}, {"loss": [1.0, 0.5]})
            stores.add(store, f"wide{number}", {"width": number}, {"loss": [1.0, 0.5]})

    opened(screen, shared(fill), "?by=lr&sort=params.lr")
    screen.filter.fill("params.width >= 1")
    screen.filter.press("Enter")
    expect(screen.line).to_contain_text("3 of 8 runs")
    expect(screen.row("wide3")).to_be_visible()


def test_filter_error_stands_under_its_column(screen: Screen, served: Served) -> None:
    """A filter that cannot be understood is told in words, marked under its column, and the list stays."""
    opened(screen, served)
    screen.filter.fill("lr < 0.05 and statsu == 'finished'")
    screen.key("Enter")
    alert = screen.page.locator("#filter-wrong")
    expect(alert).to_be_visible()
    assert "JSON" not in alert.inner_text()
    expect(screen.filter).to_have_attribute("aria-invalid", "true")
    mark = alert.locator(".caret").bounding_box()
    box = screen.filter.bounding_box()
    letter = screen.page.evaluate(
        """() => { const box = document.querySelector('#filter'), pen = document.createElement('canvas').getContext('2d');
                   pen.font = getComputedStyle(box).font; return pen.measureText('x').width }"""
    )
    assert mark and box
    assert abs(mark["x"] - (box["x"] + 14 * letter)) < 2 * letter  # statsu begins at the 15th letter
    expect(screen.line).to_contain_text("14 runs")


def test_filter_completes(screen: Screen, served: Served) -> None:
    """While a filter is typed, names and values of this store are offered, and Tab takes the first."""
    opened(screen, served)
    screen.filter.click()
    screen.page.keyboard.type("datas")
    expect(screen.page.get_by_role("option").first).to_contain_text("dataset")
    screen.key("Tab")
    expect(screen.filter).to_have_value(re.compile(r"dataset\s*$"))
    screen.page.keyboard.type("== ")
    expect(screen.page.get_by_role("option", name=re.compile("digits"))).to_be_visible()


def test_sort_by_a_heading(screen: Screen, served: Served) -> None:
    """A click on a heading sorts, the next the other way; where nothing is folded, by that number of each run."""
    opened(screen, served, "?by=none")
    heading = screen.page.get_by_role("columnheader", name="loss")
    heading.locator("button").click()
    expect(heading).to_have_attribute("aria-sort", re.compile("ending"))
    first = heading.get_attribute("aria-sort")
    expect(screen.rows.first).to_contain_text("lr1-" if first == "descending" else "lr0.001-")
    heading.locator("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending" if first == "descending" else "descending")
    expect(screen.rows.first).to_contain_text("lr0.001-" if first == "descending" else "lr1-")
    screen.is_at("sort=")


def test_fold_and_unfold_seeds(screen: Screen, served: Served) -> None:
    """Runs equal but for the seed are one row with n, mean and interval; it folds and unfolds; n below 3 has no mean."""
    opened(screen, served)
    group = screen.rows.filter(has_text="×4").first
    expect(group).to_contain_text("±")
    expect(screen.rows.filter(has_text="×2")).to_contain_text("n=2")
    expect(screen.rows.filter(has_text="×2")).not_to_contain_text("±")
    expect(group.get_by_role("button", name="Fold")).to_be_visible()  # it is unfolded once its runs are read
    for name in ("lr0.1-s0", "lr0.01-s0"):
        expect(screen.row(name)).to_be_visible()
    before = screen.rows.count()
    group.get_by_role("button", name="Fold").click()
    expect(screen.rows).to_have_count(before - 4)
    group.get_by_role("button", name="Unfold").click()
    expect(screen.rows).to_have_count(before)


def test_ticks_drive_address_and_compare(screen: Screen, served: Served) -> None:
    """What is ticked stands in the address, is counted in the bar, and is what Compare opens."""
    opened(screen, served, "?by=none")
    for name in ("lr0.1-s0", "lr0.01-s0"):
        screen.row(name).get_by_role("checkbox").click()
    screen.is_at("sel=")
    expect(screen.line).to_contain_text("2 ticked")
    link = screen.page.get_by_role("link", name="Compare(2)")
    link.click()
    screen.is_at("/compare?runs=")
    expect(screen.page.get_by_role("heading", name="2 runs")).to_be_visible()
    expect(screen.page.get_by_role("region", name="Runs side by side")).to_contain_text("lr0.01-s0")


@pytest.mark.parametrize("by", ["mouse", "script"])
def test_a_name_leads_on_with_what_was_ticked_by_then(screen: Screen, served: Served, by: str) -> None:
    """A link takes along what has changed since its row was filled, also where the pointer rested on it."""
    opened(screen, served, "?by=none")
    link = screen.row("lr1-s0").locator("a")
    link.hover()
    screen.key("x")
    expect(screen.page).to_have_url(re.compile("sel="))
    if by == "mouse":
        link.click()
    else:
        link.evaluate("one => one.click()")
    expect(screen.page).to_have_url(re.compile(r"/run/.*sel="))


def test_columns_are_chosen(screen: Screen, served: Served) -> None:
    """A column is searched for, added and removed; the address keeps the choice."""
    opened(screen, served, "?by=none")
    screen.page.get_by_role("button", name="Columns").click()
    dialog = screen.page.get_by_role("dialog", name="Columns")
    dialog.get_by_role("searchbox").fill("opt")
    dialog.get_by_role("checkbox", name=re.compile("opt")).first.check()
    screen.key("Escape")
    expect(screen.page.get_by_role("columnheader", name="opt")).to_be_attached()
    expect(screen.rows.first).to_contain_text("adam")
    screen.is_at("params.opt")


def test_group_by_a_param(screen: Screen, served: Served) -> None:
    """Runs are grouped by a chosen param, and the address says by which."""
    opened(screen, served)
    screen.key("g")
    dialog = screen.page.get_by_role("dialog", name="Group runs")
    dialog.get_by_label("By params:").check()
    dialog.get_by_label(re.compile("^lr")).check()
    dialog.get_by_role("button", name="Close").click()
    screen.is_at("by=")
    expect(screen.line).to_contain_text("by ")
    expect(screen.rows.filter(has_text="×").first).to_be_visible()


def test_keys_alone(screen: Screen, served: Served) -> None:
    """Moving, ticking, comparing, grouping, opening and the list of keys need no pointer."""
    opened(screen, served, "?by=none")
    at = "(document.querySelector('.row.cursor') || document.body).dataset.at"
    screen.key("j", "j", "k")
    screen.page.wait_for_function(f"{at} === '1'")
    screen.key("x", "j", "x")
    expect(screen.line).to_contain_text("2 ticked")
    screen.key("?")
    expect(screen.page.get_by_role("dialog")).to_contain_text("next row")
    screen.key("Escape")
    screen.key("g")
    expect(screen.page.get_by_role("dialog", name="Group runs")).to_be_visible()
    screen.key("Escape")
    expect(screen.page.get_by_role("dialog")).to_have_count(0)
    screen.key("c")
    expect(screen.page.get_by_role("heading", name="2 runs")).to_be_visible()
    screen.key("1")
    expect(screen.rows.first).to_be_visible()
    name = screen.names[0]
    screen.key("Enter")
    expect(screen.page.get_by_role("heading", level=1, name=name)).to_be_visible()


def test_a_slider_keeps_its_keys(screen: Screen, served: Served) -> None:
    """Arrow keys, Home and End move the slider that has the focus, and not the list."""
    opened(screen, served, "?by=none")
    slider = screen.page.get_by_role("slider", name="smooth")
    slider.press("End")
    screen.is_at("smooth=0.999")
    slider.press("Home")
    screen.page.wait_for_function("() => !location.search.includes('smooth')")


@pytest.fixture
def own(serve: Callable[..., Served], tmp_path: Path) -> Served:
    """A store of four runs that a test may change."""
    stores.plain(tmp_path / "store", 4)
    return serve()


def test_tags_in_bulk_and_undo(screen: Screen, own: Served) -> None:
    """Tags are added to all ticked runs at once, the toast says so, and its button takes it back."""
    opened(screen, own, "?by=none&cols=tags")
    screen.key("Control+a")
    expect(screen.line).to_contain_text("4 ticked")
    screen.key("t")
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Tags to add").fill("team=ml, good")
    dialog.get_by_role("button", name="Save").click()
    expect(screen.toast.first).to_contain_text("4 runs")
    expect(screen.rows.filter(has_text="team=ml")).to_have_count(4)
    screen.toast.first.get_by_role("button", name="Undo").click()
    expect(screen.rows.filter(has_text="team=ml")).to_have_count(0)


@pytest.mark.parametrize(
    ("item", "show"), [("Archive", "Archived runs"), ("Delete", "Deleted runs")], ids=["archive", "delete"]
)
def test_archive_delete_and_undo(screen: Screen, own: Served, item: str, show: str) -> None:
    """Ticked runs are archived or deleted without a question, are found under ⋯, and come back by undo."""
    opened(screen, own, "?by=none")
    for name in ("run000", "run001"):
        screen.row(name).get_by_role("checkbox").click()
    screen.choose(screen.page.locator(".line .acts"), item)
    expect(screen.rows).to_have_count(2)
    expect(screen.row("run000")).to_have_count(0)
    expect(screen.toast.first).to_contain_text("2 runs")
    screen.choose(re.compile("More of the table"), show)
    expect(screen.rows).to_have_count(2)
    expect(screen.row("run001")).to_be_visible()
    screen.choose(re.compile("More of the table"), "Runs")
    expect(screen.rows).to_have_count(2)
    screen.key("u")
    expect(screen.rows).to_have_count(4)


def test_empty_store_says_what_to_do(screen: Screen, serve: Callable[..., Served], tmp_path: Path) -> None:
    """A store without runs shows how to log the first; it appears by itself when it comes."""
    stores.Layout(str(tmp_path / "store")).create()
    served = serve()
    screen.page.goto(served.page())
    expect(screen.page.get_by_role("heading", name="No runs yet")).to_be_visible()
    expect(screen.page.locator("pre").first).to_contain_text("runfolio.start")
    stores.plain(tmp_path / "store", 1)
    expect(screen.row("run000")).to_be_visible()
