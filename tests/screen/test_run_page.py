"""The page of one run: what came out, what went in, what it wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from screen import stores
from screen.seeing import Screen
from screen.served import Served


@pytest.fixture(scope="module")
def seen(shared: Callable[..., Served]) -> tuple[Served, str]:
    """A run with something in every corner; its server and id."""
    ids: list[str] = []

    def fill(store: Path) -> None:
        ids.append(stores.rich(store))
        stores.add(store, "other", {"lr": 0.5, "seed": 0}, {"loss": [1.0, 0.5]})

    served = shared(fill)
    return served, ids[0]


@pytest.fixture
def page(screen: Screen, seen: tuple[Served, str]) -> Screen:
    """Its page, open."""
    served, run = seen
    screen.page.goto(served.page(f"run/{run[:8]}"))
    expect(screen.page.get_by_role("heading", level=1, name="rich-s1")).to_be_visible()
    return screen


def test_results_params_and_surroundings(page: Screen) -> None:
    """State, last and best values, params with those that differ first, tags, command and machine are told."""
    main = page.page.get_by_role("main")
    expect(main).to_contain_text("finished")
    results = page.page.get_by_role("region", name="Results")
    best = min(stores.curve(0.1, 1))
    expect(results).to_contain_text(f"{best:.4g}")
    expect(results).to_contain_text(f"{stores.curve(0.1, 1)[-1]:.4g}")
    expect(page.page.get_by_role("region", name="Tags and notes")).to_contain_text("team=ml")
    params = page.page.get_by_role("region", name="Parameters", exact=True)
    expect(params.locator("tbody").first).to_contain_text("differ in its experiment")
    expect(params.locator("tbody").first).to_contain_text("lr")
    expect(main).to_contain_text("Machine")


def test_params_are_searched(page: Screen) -> None:
    """A search leaves the params that fit; one that fits nothing says so."""
    params = page.page.get_by_role("region", name="Parameters", exact=True)
    params.get_by_role("searchbox").fill("layer13")
    expect(params.locator("tr th[scope=row]")).to_have_count(1)
    params.get_by_role("searchbox").fill("nothing like it")
    expect(params).to_contain_text("No parameter fits")


def test_notes_are_markdown(page: Screen) -> None:
    """Notes are shown as Markdown: headings, emphasis, lists, links that open elsewhere without telling from where."""
    notes = page.page.locator(".markdown")
    expect(notes.get_by_role("heading", name="What I saw")).to_be_visible()
    expect(notes.locator("strong")).to_have_text("learns")
    expect(notes.locator("li")).to_have_count(2)
    link = notes.get_by_role("link", name="the paper")
    expect(link).to_have_attribute("href", "https://example.org/paper")
    expect(link).to_have_attribute("rel", re.compile("noreferrer"))


def test_output_ends_at_the_end_with_its_colours(page: Screen) -> None:
    """The output is shown at its end, ANSI colours as colours and not as signs."""
    log = page.page.get_by_role("log")
    expect(log).to_contain_text("red alert and bold")
    span = log.locator("span", has_text=re.compile("^red alert$"))
    colour = str(span.evaluate("each => getComputedStyle(each).color"))
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    assert red > green + 60 and red > blue + 60
    assert "[31m" not in log.inner_text()


def test_output_is_searched_as_a_whole(page: Screen) -> None:
    """A search goes through all of the output, also what is not loaded, and goes from match to match."""
    output = page.page.get_by_role("region", name="Output", exact=True)
    output.get_by_role("searchbox").fill("epoch 7 ")
    expect(output).to_contain_text("1 of 1")
    expect(page.page.get_by_role("log").locator(".current")).to_have_text("epoch 7 loss 0.1250")
    output.get_by_role("searchbox").fill("no such words")
    expect(output).to_contain_text("nothing found")


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("table.csv", lambda file: expect(file.get_by_role("cell", name="ada")).to_be_visible()),
        ("facts.json", lambda file: expect(file.locator("pre")).to_contain_text('"depth": 3')),
        ("words.txt", lambda file: expect(file.locator("pre")).to_have_text(re.compile("plain words"))),
    ],
    ids=["table", "json", "text"],
)
def test_artifact_previews(page: Screen, name: str, look: Callable[[object], None]) -> None:
    """A file is opened in place: a table as a table, JSON and text as text."""
    files = page.page.get_by_role("region", name="Files")
    files.get_by_role("button", name=re.compile(re.escape(name))).click()
    look(files)


def test_artifact_picture(page: Screen) -> None:
    """A picture is shown as one, and downloads bit for bit."""
    files = page.page.get_by_role("region", name="Files")
    files.get_by_role("button", name=re.compile("picture.png")).click()
    picture = files.get_by_role("img", name="picture.png")
    expect(picture).to_be_visible()
    page.page.wait_for_function("() => document.querySelector('.preview img').naturalWidth === 40")
    with page.page.expect_download() as coming:
        files.get_by_role("link", name="Download picture.png").click()
    assert Path(coming.value.path()).read_bytes() == stores.FILES["picture.png"]
    assert coming.value.suggested_filename == "picture.png"


def test_artifact_html_in_a_sandbox(page: Screen) -> None:
    """A page among the artifacts is shown in a sandbox without its scripts, which reach nothing of ours."""
    files = page.page.get_by_role("region", name="Files")
    files.get_by_role("button", name=re.compile("page.html")).click()
    frame = files.locator("iframe")
    expect(frame).to_have_attribute("sandbox", "")
    expect(frame.content_frame.get_by_role("heading", name="A page")).to_be_visible()
    assert page.page.evaluate("'hacked' in window") is False
    assert "owned" not in page.page.title()
    assert page.troubles, "the browser says that it kept the script from running"
    assert all("sandboxed" in each or "policy" in each for each in page.troubles)
    page.troubles.clear()


def test_images_of_steps_by_a_slider(page: Screen) -> None:
    """Pictures logged at steps are a strip with a slider over the steps."""
    images = page.page.get_by_role("region", name="Images")
    expect(images).to_contain_text("step 20")
    images.get_by_role("slider").press("Home")
    expect(images).to_contain_text("step 0")
    expect(images.get_by_role("img", name="samples.png, step 0")).to_be_visible()


def test_from_seed_to_seed(page: Screen) -> None:
    """◂ and ▸ lead to the other seeds, and the back button back."""
    expect(page.page.get_by_role("navigation", name="Its seeds")).to_contain_text("seed 2 of 3")
    page.page.get_by_role("link", name="The next seed").click()
    expect(page.page.get_by_role("heading", level=1, name="rich-s2")).to_be_visible()
    page.page.go_back()
    expect(page.page.get_by_role("heading", level=1, name="rich-s1")).to_be_visible()
    page.page.get_by_role("link", name="The seed before").click()
    expect(page.page.get_by_role("heading", level=1, name="rich-s0")).to_be_visible()


def test_charts_are_with_its_seeds(page: Screen) -> None:
    """The run's curve stands among those of its seeds, and alone when asked."""
    expect(page.words("loss")).to_contain_text("3 runs")
    page.page.get_by_label("with its 2 other seeds").uncheck()
    expect(page.words("loss")).to_contain_text("1 run")


def test_no_such_run(screen: Screen, seen: tuple[Served, str]) -> None:
    """A run that is not there is told in words, with a way on."""
    screen.page.goto(seen[0].page("run/00000000"))
    expect(screen.page.get_by_role("main")).to_contain_text("There is no run 00000000")
    screen.page.get_by_role("link", name="All runs of this store").click()
    expect(screen.row("rich-s1")).to_be_visible()


def test_edits_on_the_page(screen: Screen, serve: Callable[..., Served], tmp_path: Path) -> None:
    """Tags and notes are changed where they stand."""
    run = stores.plain(tmp_path / "store", 1)[0]
    served = serve()
    screen.page.goto(served.page(f"run/{run[:8]}"))
    about = screen.page.get_by_role("region", name="Tags and notes")
    about.get_by_role("button", name="+ tag").click()
    about.get_by_role("textbox", name="New tag").fill("kind=good")
    screen.key("Enter")
    expect(about.locator(".tag")).to_contain_text("kind=good")
    screen.key("Escape")
    about.get_by_role("button", name="+ notes").click()
    about.get_by_role("textbox", name="Notes").fill("Some **strong** words")
    about.get_by_role("button", name="Keep").click()
    expect(about.locator("strong")).to_have_text("strong")
    about.get_by_role("button", name="Remove the tag kind").click()
    expect(about.locator(".tag")).to_have_count(0)


def test_that_a_run_is_gone_is_said_once(screen: Screen, seen: tuple[Served, str]) -> None:
    """Of a run that is gone the page says so at its top; the charts that cannot be drawn any more do not say it again."""
    served, run = seen
    told = json.dumps({"version": "a-1", "runs": [{"id": run, "status": "finished", "step": None, "gone": True}]})
    refused = json.dumps({"error": {"kind": "RunNotFound", "message": "there is no run here any more"}})
    screen.page.route(
        re.compile("/live"),
        lambda route: route.fulfill(content_type="text/event-stream", body=f"event: runs\ndata: {told}\n\n"),
    )
    screen.page.route(
        re.compile("/series"), lambda route: route.fulfill(status=404, content_type="application/json", body=refused)
    )
    screen.page.goto(served.page(f"run/{run[:8]}"))
    expect(screen.page.get_by_role("main")).to_contain_text("This run was deleted")
    expect(screen.page.locator("p.note", has_text="any more").first).to_be_attached()
    expect(screen.page.get_by_text("any more").first).to_be_hidden()
