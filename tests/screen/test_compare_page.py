"""Runs side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from screen import stores
from screen.seeing import Screen
from screen.served import Served


@pytest.fixture(scope="module")
def compared(shared: Callable[..., Served]) -> tuple[Served, list[str]]:
    """Three runs that share optimiser and data, and differ by rate; their server and ids."""
    ids: list[str] = []

    def fill(store: Path) -> None:
        for number, lr in enumerate((0.1, 0.01, 0.001)):
            values = [1.0, 0.5 - number / 10]
            ids.append(stores.add(store, f"c{number}", {"lr": lr, "opt": "adam", "data": "digits"}, {"loss": values}))

    return shared(fill), ids


@pytest.fixture
def page(screen: Screen, compared: tuple[Served, list[str]]) -> Screen:
    """The three, the first as the baseline."""
    served, ids = compared
    screen.page.goto(served.page(f"compare?runs={','.join(one[:8] for one in ids)}&base={ids[0][:8]}"))
    expect(screen.page.get_by_role("heading", name="3 runs")).to_be_visible()
    return screen


def table(page: Screen) -> Locator:
    return page.page.get_by_role("region", name="Runs side by side")


def line(page: Screen, key: str) -> Locator:
    return table(page).get_by_role("row").filter(has=page.page.get_by_role("rowheader", name=key))


def test_only_what_differs(page: Screen) -> None:
    """Only params that differ are rows; equal ones are counted, and shown when asked for."""
    expect(line(page, "lr")).to_contain_text("0.01")
    assert line(page, "opt").count() == 0
    page.page.get_by_role("button", name="2 equal").click()
    expect(table(page).locator("tr.equal", has_text="opt")).to_contain_text("adam")


def test_difference_from_a_baseline_that_changes(page: Screen) -> None:
    """Values carry their difference from the baseline, the best is marked; another baseline turns them and is in the address."""
    row = line(page, "loss")
    expect(row).to_contain_text("−0.1")
    expect(row).to_contain_text("−0.2")
    expect(row.locator("td.best")).to_contain_text("0.3")
    page.page.get_by_role("combobox", name="Baseline").select_option(label="c2")
    expect(row).to_contain_text("+0.1")
    expect(row).to_contain_text("+0.2")
    page.is_at("base=")
    page.page.go_back()
    expect(row).to_contain_text("−0.2")


def test_a_run_is_taken_out(page: Screen) -> None:
    """A run is taken out of the comparison, and back brings it again."""
    page.page.get_by_role("columnheader", name="c1").hover()
    page.page.get_by_role("button", name="Take out c1").click()
    expect(page.page.get_by_role("heading", name="2 runs")).to_be_visible()
    page.page.go_back()
    expect(page.page.get_by_role("heading", name="3 runs")).to_be_visible()


def test_curves_and_distance(page: Screen) -> None:
    """The curves are laid over each other, and beside them their distance from the baseline."""
    expect(page.words("loss")).to_contain_text("3 runs")
    expect(page.figure("loss minus the baseline")).to_be_visible()


def test_why_it_changed(page: Screen) -> None:
    """The page says in words what lies between the baseline and another run."""
    expect(page.page.get_by_role("region", name="Why it changed")).to_contain_text("lr")


def test_nothing_to_compare(screen: Screen, compared: tuple[Served, list[str]]) -> None:
    """Without runs the page says how to choose some, and offers the newest."""
    screen.page.goto(compared[0].page("compare"))
    expect(screen.page.get_by_role("main")).to_contain_text("Nothing is ticked")
    screen.page.get_by_role("button", name="Compare the newest five").click()
    expect(screen.page.get_by_role("heading", name="3 runs")).to_be_visible()


def test_a_param_and_a_metric_of_one_name(screen: Screen, serve: Callable[..., Served], tmp_path: Path) -> None:
    """A rate that is a param and is logged as well is both on the page."""
    ids = [
        stores.add(
            tmp_path / "store", f"c{number}", {"lr": number + 1.0}, {"loss": [1.0 - number / 10], "lr": [number / 100]}
        )
        for number in range(3)
    ]
    served = serve()
    screen.page.goto(served.page(f"compare?runs={','.join(one[:8] for one in ids)}"))
    expect(screen.page.get_by_role("heading", name="3 runs")).to_be_visible()
    expect(line(screen, "lr")).to_have_count(2)


def test_runs_that_are_gone(page: Screen, compared: tuple[Served, list[str]]) -> None:
    """Ids of runs that are gone, and what is no id, are counted in words; what is there is compared, one alone with the newest other."""
    served, ids = compared
    main = page.page.get_by_role("main")
    page.page.goto(served.page(f"compare?runs=zzzzzzzz,{ids[0][:8]},{ids[1][:8]},12345678&base=12345678"))
    expect(page.page.get_by_role("heading", name="2 runs")).to_be_visible()
    expect(main).to_contain_text("2 of 4 runs are gone.")
    page.page.goto(served.page("compare?runs=zzzzzzzz,12345678"))
    expect(main).to_contain_text("These 2 runs are gone.")
    assert page.page.get_by_role("alert").count() == 0
    page.page.goto(served.page(f"compare?runs=12345678,{ids[2][:8]}"))
    expect(main).to_contain_text("1 of 2 runs is gone. One run alone cannot be compared.")
    page.page.get_by_role("button", name="Compare it with the newest other run").click()
    expect(page.page.get_by_role("heading", name="2 runs")).to_be_visible()
    page.is_at(f"runs={ids[2][:8]},{ids[1][:8]}")
