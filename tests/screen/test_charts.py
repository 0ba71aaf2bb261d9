"""Charts: what they say, what they draw, what is taken from them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Download, Route, expect

from screen import stores
from screen.seeing import Screen
from screen.served import Served

MANY = 40
FEW = 12
METRICS = 60


@pytest.fixture(scope="module")
def few(shared: Callable[..., Served]) -> Served:
    """12 runs without seeds: one colour each."""
    return shared(lambda store: stores.plain(store, FEW))


@pytest.fixture(scope="module")
def many(shared: Callable[..., Served]) -> Served:
    """40 runs, more than there are colours; one has 60 metrics."""

    def fill(store: Path) -> None:
        stores.plain(store, MANY)
        values = [1.0, 0.5, 0.25]
        stores.add(
            store, "wide", {"lr": 9.0}, {"loss": values, **{f"part{n // 10}/m{n:02}": values for n in range(METRICS)}}
        )

    return shared(fill)


def opened(screen: Screen, served: Served, query: str = "") -> Screen:
    screen.page.goto(served.page("runs" + query))
    expect(screen.words("loss")).to_contain_text("runs")
    return screen


def saved(screen: Screen, item: str) -> str:
    """Save the large chart in a form, and give what was saved."""
    with screen.page.expect_download() as coming:
        screen.choose("More about loss", item)
    download: Download = coming.value
    return Path(download.path()).read_text(encoding="utf-8")


def coloured(screen: Screen) -> int:
    """Count the pixels of the large chart that have a hue."""
    return int(
        screen.page.evaluate(
            """() => [...document.querySelector('figure').querySelectorAll('canvas')].reduce((sum, canvas) => {
                 if (!canvas.width || !canvas.height) return sum;
                 const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                 for (let at = 0; at < data.length; at += 4) {
                   const [red, green, blue, alpha] = data.subarray(at, at + 4);
                   if (alpha > 100 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) sum++;
                 }
                 return sum;
               }, 0)"""
        )
    )


def swatches(screen: Screen) -> list[str]:
    """The colours beside the names at the right end of the large chart."""
    return list(
        screen.page.locator("figure")
        .first.locator(".label i")
        .evaluate_all("all => all.map(each => getComputedStyle(each).backgroundColor)")
    )


def drag(screen: Screen, start: float, end: float) -> None:
    """Choose a stretch of the large chart's width."""
    box = screen.figure("loss").locator(".u-over").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    screen.page.mouse.move(box["x"] + box["width"] * start, middle)
    screen.page.mouse.down()
    screen.page.mouse.move(box["x"] + box["width"] * (start + end) / 2, middle, steps=3)
    screen.page.mouse.move(box["x"] + box["width"] * end, middle, steps=3)
    screen.page.mouse.up()


def test_header_says_what_is_drawn(screen: Screen, few: Served) -> None:
    """The header says in words how many runs and points are drawn, and that they are raw."""
    opened(screen, few)
    expect(screen.words("loss")).to_contain_text("12 runs")
    expect(screen.words("loss")).to_contain_text("20 points each")
    expect(screen.words("loss")).to_contain_text("raw")


def test_few_runs_have_a_colour_each(screen: Screen, few: Served) -> None:
    """Up to as many runs as there are colours are each drawn in their own; none is used twice."""
    opened(screen, few)
    expect(screen.page.locator("figure").first.locator(".label").first).to_be_visible()
    text = saved(screen, "Save as SVG")
    strokes = re.findall(r'fill="none" stroke="([^"]+)"', text)
    assert len(strokes) == FEW
    assert coloured(screen) > 0


def test_many_runs_are_grey_until_ticked(screen: Screen, many: Served) -> None:
    """More runs than colours are one grey distribution with its median; what is ticked gets a colour."""
    opened(screen, many, "?by=none")
    expect(screen.words("loss")).to_contain_text("41 runs")
    expect(screen.words("loss")).to_contain_text(re.compile("raw|grey|median"))
    screen.page.wait_for_function("() => document.querySelector('figure canvas') !== null")
    assert coloured(screen) == 0
    name = screen.names[3]
    screen.row(name).get_by_role("checkbox").click()
    expect(screen.page.locator("figure").first.locator(".label", has_text=name)).to_be_visible()
    assert coloured(screen) > 0
    assert len(swatches(screen)) == len(set(swatches(screen)))


def test_log_axis_is_named_and_taken_back(screen: Screen, few: Served) -> None:
    """A log axis stands in header and address; a click on its word takes it back."""
    opened(screen, few)
    screen.page.get_by_role("button", name="log y", exact=True).click()
    expect(screen.words("loss")).to_contain_text("log y")
    screen.is_at("log=y")
    screen.words("loss").get_by_role("button", name=re.compile("log y")).click()
    expect(screen.words("loss")).to_contain_text("raw")
    assert "log=" not in screen.page.url


def test_smoothing_keeps_the_raw_line(screen: Screen, few: Served) -> None:
    """Smoothing is off at first; on, it is named with its weight, and the line as logged stays behind each curve."""
    opened(screen, few)
    raw = len(re.findall(r"<path [^>]*fill=\"none\"", saved(screen, "Save as SVG")))
    screen.page.goto(few.page("runs?smooth=0.9"))
    expect(screen.words("loss")).to_contain_text("smoothed 0.9")
    expect(screen.words("loss")).not_to_contain_text("raw")
    text = saved(screen, "Save as SVG")
    assert len(re.findall(r"<path [^>]*fill=\"none\"", text)) == 2 * raw
    assert text.count('stroke-opacity="0.3"') == raw


def test_zoom_stands_in_the_address_and_back_takes_it_away(screen: Screen, few: Served) -> None:
    """A stretch that is chosen is zoomed into in all charts, is in the address, and is undone by its word."""
    opened(screen, few)
    drag(screen, 0.25, 0.75)
    expect(screen.words("loss")).to_contain_text("zoomed")
    screen.is_at("zoom=")
    address = screen.page.url
    screen.page.reload()
    expect(screen.words("loss")).to_contain_text("zoomed")
    assert screen.page.url == address
    screen.words("loss").get_by_role("button", name=re.compile("zoomed")).click()
    expect(screen.words("loss")).not_to_contain_text("zoomed")


def test_hover_reads_out_all_curves(screen: Screen, few: Served) -> None:
    """Under the pointer stand the values of all curves at that step, sorted."""
    opened(screen, few)
    box = screen.figure("loss").locator(".u-over").bounding_box()
    assert box
    screen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    read = screen.figure("loss").locator(".read")
    expect(read.locator(".at").first).to_contain_text("step")
    expect(read.locator(".row")).not_to_have_count(0)
    values = [float(text.replace("−", "-")) for text in read.locator(".row .value").all_inner_texts()]
    assert values in (sorted(values), sorted(values, reverse=True))


def test_csv_holds_the_numbers_unrounded(screen: Screen, few: Served) -> None:
    """The CSV of a chart holds each point of each run, bit for bit."""
    opened(screen, few)
    expect(screen.page.locator("figure").first.locator(".label").first).to_be_visible()
    rows = list(csv.DictReader(saved(screen, "Save as CSV").splitlines()))
    assert len(rows) == FEW * 20
    told = stores.curve(0.003, 2, 20)
    found = {float(row["x"]): float(row["value"]) for row in rows if row["name"] == "run002"}
    assert [found[step] for step in range(20)] == told


def test_png_is_saved(screen: Screen, few: Served) -> None:
    """A chart is saved as a picture of twice the pixels that it has on the screen."""
    opened(screen, few)
    with screen.page.expect_download() as coming:
        screen.choose("More about loss", "Save as PNG")
    head = Path(coming.value.path()).read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    shown = screen.figure("loss").locator(".host canvas").bounding_box()
    assert shown
    assert int.from_bytes(head[16:20], "big") >= max(1200, 2 * shown["width"])


def test_only_visible_charts_exist(screen: Screen, many: Served) -> None:
    """Of 60 metrics only the charts in sight exist; scrolling makes the next and lets go of the first."""
    opened(screen, many, "?by=none")
    figures = screen.page.locator(".charts figure")
    expect(screen.page.locator(".charts .cell").nth(METRICS - 1)).to_be_attached()
    expect(figures.nth(1)).to_be_attached()
    assert figures.count() < METRICS / 2
    screen.page.locator(".charts .cell").last.scroll_into_view_if_needed()
    expect(screen.figure("part5/m59")).to_be_visible()
    expect(screen.figure("part0/m00")).to_have_count(0)


def test_charts_are_found_by_pattern(screen: Screen, many: Served) -> None:
    """A pattern leaves the charts that fit it, and stands in the address."""
    opened(screen, many, "?by=none")
    screen.page.get_by_role("searchbox", name="Find charts by name").fill("part3/*")
    expect(screen.page.locator(".charts .cell")).to_have_count(10)
    screen.is_at("find=part3")


def test_another_metric_is_drawn_large_and_back_returns(screen: Screen, many: Served) -> None:
    """A small chart is drawn large by its menu; the back button brings the first again."""
    opened(screen, many, "?by=none")
    expect(screen.figure("part0/m00")).to_be_visible()
    screen.choose("More about part0/m00", "Draw large")
    screen.is_at("m=part0")
    expect(screen.page.locator(".large .name")).to_have_text("part0/m00")
    screen.page.go_back()
    expect(screen.page.locator(".large .name")).to_have_text("loss")


def test_not_finite_values_are_marked(screen: Screen, serve: Callable[..., Served], tmp_path: Path) -> None:
    """NaN and infinity are gaps with marks: the axis stays that of the finite, and the export names them."""
    values: list[Any] = [1.0, float("nan"), 0.5, float("inf"), 0.25]
    stores.add(tmp_path / "store", "odd", {}, {"loss": values})
    served = serve()
    screen.page.goto(served.page())
    expect(screen.words("loss")).to_contain_text("5 points")
    expect(screen.page.locator("figure").first.locator(".label").first).to_be_visible()
    rows = list(csv.DictReader(saved(screen, "Save as CSV").splitlines()))
    assert [row["value"] for row in rows] == ["1", "NaN", "0.5", "Infinity", "0.25"]


def test_no_value_has_no_axis_that_was_made_up(screen: Screen, serve: Callable[..., Served], tmp_path: Path) -> None:
    """Where no value is finite the chart says so and names the runs; no number stands on its y axis."""
    stores.add(tmp_path / "store", "blown", {}, {"loss": [float("nan"), float("inf"), float("nan")]})
    screen.page.goto(serve().page())
    expect(screen.figure("loss").locator(".note")).to_have_text("no finite value")
    expect(screen.figure("loss").locator(".label", has_text="blown")).to_be_visible()
    words = re.findall(r'text-anchor="end"[^>]*>([^<]*)<', saved(screen, "Save as SVG"))
    assert words == []


def test_long_and_turned_names_stay_names(screen: Screen, serve: Callable[..., Served], tmp_path: Path) -> None:
    """A name that is too long ends in an ellipsis; one that would turn text around shows the sign that does."""
    stores.add(tmp_path / "store", "a-name-that-goes-on-" * 5, {"lr": 1}, {"loss": [1.0, 0.5]})
    stores.add(tmp_path / "store", "evil\u202elive", {"lr": 2}, {"loss": [0.5, 1.0]})
    screen.page.goto(serve().page())
    figure = screen.figure("loss")
    expect(figure.locator(".label", has_text="evil\\u202elive")).to_be_visible()
    is_cut = figure.locator(".label bdi", has_text="a-name").evaluate(
        "it => it.scrollWidth > it.clientWidth && getComputedStyle(it).textOverflow === 'ellipsis'"
    )
    assert is_cut


def test_small_charts_say_what_was_done_to_the_numbers(screen: Screen, many: Served) -> None:
    """However small a chart is, that it is smoothed stands beside its name, before how many runs there are."""
    opened(screen, many, "?by=none&smooth=0.9")
    word = screen.words("part0/m00").get_by_role("button", name=re.compile("smoothed"))
    expect(word).to_be_visible()
    shown = word.evaluate(
        """it => {
             const [own, all] = [it, it.closest('.words')].map(each => each.getBoundingClientRect());
             return it.scrollWidth - it.clientWidth < 40 && own.width > 30 && own.left >= all.left && own.right <= all.right + 1;
           }"""
    )
    assert shown


def test_a_double_click_on_a_zoomed_chart_ticks_nothing(screen: Screen, few: Served) -> None:
    """A double click takes the zoom back; the run beneath the pointer is not ticked by its first half."""
    opened(screen, few)
    drag(screen, 0.25, 0.75)
    screen.is_at("zoom=")
    zoom = re.search(r"zoom=([^&]*)", screen.page.url)
    assert zoom and len(zoom[1]) < 20
    box = screen.figure("loss").locator(".u-over").bounding_box()
    assert box
    across = box["x"] + box["width"] / 2
    front = screen.figure("loss").locator(".read .row.front")
    for share in range(5, 100, 5):
        screen.page.mouse.move(across, down := box["y"] + box["height"] * share / 100)
        screen.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        if front.count():
            break
    expect(front).to_be_visible()
    screen.page.mouse.dblclick(across, down)
    expect(screen.words("loss")).not_to_contain_text("zoomed")
    assert "zoom=" not in screen.page.url
    assert "sel=" not in screen.page.url


_COUNT_STROKES = """
() => {
  window.strokes = 0;
  for (const name of ['stroke', 'fill']) {
    const real = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...told) { window.strokes++; return real.apply(this, told); };
  }
}
"""


def test_what_is_drawn_is_not_drawn_again(screen: Screen, many: Served) -> None:
    """Rows in another order leave all charts as they are; a filter leaves them until its curves are there, and asks once for its rows."""
    opened(screen, many, "?by=none&cols=params.lr")
    expect(screen.words("part0/m00")).to_contain_text("run")
    screen.page.wait_for_timeout(500)
    screen.page.evaluate(_COUNT_STROKES)

    first = screen.names[0]
    screen.page.get_by_role("columnheader", name="lr").get_by_role("button").click()
    expect(screen.rows.first).not_to_contain_text(first)
    screen.page.wait_for_timeout(300)
    assert screen.page.evaluate("strokes") == 0

    held: list[Route] = []
    screen.page.route("**/series?*", lambda route: held.append(route))
    screen.asked.clear()
    screen.filter.fill("params.lr <= 0.005")
    screen.filter.press("Enter")
    expect(screen.line).to_contain_text("5 of 41 runs")
    screen.page.wait_for_timeout(300)
    assert len([url for url in screen.asked if "/runs?" in url]) == 1
    assert screen.page.evaluate("strokes") == 0
    for route in held:
        route.continue_()
    screen.page.unroute("**/series?*")
    expect(screen.words("loss")).to_contain_text("5 runs")
    assert screen.page.evaluate("strokes") > 0


def test_a_name_that_is_learned_late_stands_in_the_read_out(screen: Screen, shared: Callable[..., Served]) -> None:
    """The curve under a pointer at rest is told by its name, also where the list has not come to that run yet."""
    opened(screen, shared(lambda store: stores.plain(store, 90)), "?by=none")
    box = screen.figure("loss").locator(".u-over").bounding_box()
    assert box
    front = screen.figure("loss").locator(".read .row.front")
    listed = set(screen.names)
    seen = set()
    for share in range(10, 95, 3):
        screen.page.mouse.move(box["x"] + box["width"] * share / 100, box["y"] + box["height"] * 0.5)
        screen.page.mouse.move(box["x"] + box["width"] * share / 100, box["y"] + box["height"] * share / 100)
        screen.page.wait_for_timeout(40)
        if not front.count():
            continue
        expect(front).to_contain_text(re.compile(r"run\d{3}"))
        seen |= set(re.findall(r"run\d{3}", front.inner_text()))
    assert seen - listed
