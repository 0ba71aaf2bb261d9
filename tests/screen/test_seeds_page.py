"""Which setting is better, over seeds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from screen import stores
from screen.seeing import Screen
from screen.served import Served


@pytest.fixture(scope="module")
def found(shared: Callable[..., Served]) -> tuple[Served, Any]:
    """Groups over seeds, and what `runfolio stats --json` says of them."""
    said: list[Any] = []

    def fill(store: Path) -> None:
        stores.groups(store)
        command = [sys.executable, "-m", "runfolio", "stats", "loss", "--json"]
        done = subprocess.run(command, capture_output=True, check=True)
        said.append(json.loads(done.stdout))

    return shared(fill), said[0]


@pytest.fixture
def page(screen: Screen, found: tuple[Served, Any]) -> Screen:
    """The page, its groups told."""
    screen.page.goto(found[0].page("seeds"))
    expect(screen.page.locator("tr.group")).to_have_count(4)
    return screen


def test_each_run_is_a_dot(page: Screen) -> None:
    """Every run of a group is a dot, which opens its page; the group unfolds to its runs."""
    group = page.page.locator("tr.group", has_text="0.001")
    group.get_by_role("button", name=re.compile("0.001")).click()
    expect(page.page.locator("tr.runs a")).to_have_count(4)
    page.page.locator("tr.runs a").first.click()
    expect(page.page.get_by_role("heading", level=1, name=re.compile("lr0.001-s"))).to_be_visible()


def test_mean_carries_n_and_its_interval(page: Screen) -> None:
    """A mean stands with n and its interval, whose name is in the heading; of two runs there is none."""
    expect(page.page.get_by_role("columnheader", name=re.compile("mean ± 95 % t"))).to_be_visible()
    expect(page.page.locator("tr.group", has_text="0.001").locator("td.mean")).to_contain_text("±")
    two = page.page.locator("tr.group", has_text=re.compile("lr=1(?![0-9.])"))
    expect(two.locator("td.number").first).to_have_text("2")
    expect(two.locator("td.mean")).to_have_text("n < 3: no mean")
    expect(two).to_contain_text("1 not finished")


def test_verdicts_are_those_of_the_command(page: Screen, found: tuple[Served, Any]) -> None:
    """The words of each verdict are those of `runfolio stats --json`, turned only where they are told from the other side."""
    groups, comparisons = found[1]["groups"], found[1]["comparisons"]
    best = next(place for place, group in enumerate(groups) if group["mean"] is not None)
    turned = {"better": "worse", "worse": "better"}
    for place, group in enumerate(groups):
        row = page.page.locator(
            "tr.group", has_text=re.compile(rf"lr={re.escape(format(group['params']['lr'], 'g'))}(?![0-9.])")
        )
        if place == best:
            expect(row.locator(".verdict")).to_contain_text("best mean")
            continue
        one = next(one for one in comparisons if {one["a"], one["b"]} == {place, best})
        verdict = one["verdict"] if one["a"] == place else turned.get(one["verdict"], one["verdict"])
        said = row.locator(".verdict")
        expect(said).to_contain_text(verdict)
        expect(said).to_contain_text(one["text"].removeprefix(one["verdict"]).lstrip("; "))
        assert said.evaluate("cell => cell.scrollWidth <= cell.clientWidth"), "the words of a verdict are cut"
    among = found[1]["corrected_for"]
    heading = page.page.get_by_role("columnheader", name=re.compile("against best mean"))
    expect(heading).to_contain_text(f"95 % each, not corrected for {among} comparisons")


def test_another_baseline(page: Screen) -> None:
    """Another group as the baseline turns the differences, and stands in the address; back takes it away."""
    expect(page.page.locator("tr.group.base")).to_contain_text("0.001")
    page.page.locator("tr.group", has_text="0.1").get_by_role("button", name="as baseline").click()
    expect(page.page.locator("tr.group.base")).to_contain_text("0.1")
    page.is_at("base=")
    page.page.go_back()
    expect(page.page.locator("tr.group.base")).to_contain_text("0.001")


def test_metric_and_goal_are_chosen(page: Screen) -> None:
    """Metric, number and direction are chosen; a direction that neither a run nor the name tells is asked for."""
    page.page.get_by_label("Metric").select_option("val/acc")
    page.is_at("metric=val/acc")
    expect(page.page.get_by_role("main")).to_contain_text("val/acc last · higher is better")
    page.page.get_by_label("Metric").select_option("grad")
    alert = page.page.get_by_role("alert")
    expect(alert).to_contain_text("better low or high?")
    alert.get_by_role("button", name="Lower is better").click()
    expect(page.page.get_by_role("main")).to_contain_text("grad last · lower is better")
    page.page.locator("label", has_text=re.compile("^At ")).locator("select").select_option(label="best value")
    page.is_at("at=best")
    expect(page.page.get_by_role("main")).to_contain_text("grad best")


def test_groups_are_asked_for_once(page: Screen) -> None:
    """A page of which nothing changes asks once for its groups."""
    expect(page.page.get_by_label("Curves of the groups").locator("canvas").first).to_be_visible()
    assert sum("/groups?" in url for url in page.asked) == 1
