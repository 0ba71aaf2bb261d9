"""What happens while one looks: runs that log, a server that ends, others who change the same."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

import runfolio
from faults.tools import mounted
from runfolio.query.editing import Edit, apply, plan
from runfolio.store.layout import Layout
from screen import stores
from screen.seeing import Screen
from screen.served import Served

STORY = """
import sys, runfolio
run = runfolio.start("live", "lives", {"lr": 0.5}, capture=False)
run.define("loss", goal="min")
run.log({"loss": 1.0}, step=0)
run.flush()
print(run.id, flush=True)
for line in sys.stdin:
    step, value = line.split()
    run.log({"loss": float(value)}, step=int(step))
run.finish()
"""


class Script:
    """A training script in a process of its own, which logs when it is told to."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", STORY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.run = self.process.stdout.readline().strip()

    def log(self, step: int, value: float) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{step} {value}\n")
        self.process.stdin.flush()

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(30)


@contextmanager
def script() -> Iterator[Script]:
    made = Script()
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of three runs."""
    stores.plain(tmp_path / "store", 3)
    return tmp_path / "store"


def opened(screen: Screen, address: str) -> Screen:
    screen.page.goto(address)
    expect(screen.row("run000")).to_be_visible()
    return screen


def test_a_new_run_and_its_points_appear(screen: Screen, serve: Callable[..., Served], store: Path) -> None:
    """A run that another process starts slides in by itself; a point that it logs is in list and chart; its end is told."""
    served = serve()
    opened(screen, served.page("runs?by=none"))
    with script() as lives:
        expect(screen.row("lives")).to_contain_text("running")
        expect(screen.line).to_contain_text("1 running")
        lives.log(1, 0.125)
        expect(screen.row("lives")).to_contain_text("0.125")
        expect(screen.words("loss")).to_contain_text("4 runs")
        lives.end()
        expect(screen.row("lives")).to_contain_text("finished")
    assert len([url for url in screen.asked if "/live" in url]) <= 4  # one stream, opened anew as its questions grow


def test_what_comes_before_the_stream_is_told(screen: Screen, serve: Callable[..., Served], store: Path) -> None:
    """A run that begins and ends after the list was read and before the stream is open is in the list all the same."""
    served = serve()

    def late(route: Route) -> None:
        if "since=" in route.request.url and not late_runs:
            with runfolio.start("live", "between", {"lr": 0.25}, capture=False) as run:
                run.log({"loss": 0.5}, step=0)
            late_runs.append(str(run.id))
        route.continue_()

    late_runs: list[str] = []
    screen.page.route("**/live?*", late)
    opened(screen, served.page("runs?by=none"))
    expect(screen.row("between")).to_contain_text("0.5")
    assert late_runs


def filtered(screen: Screen, text: str) -> None:
    screen.page.fill("#filter", text)
    screen.page.press("#filter", "Enter")


def test_a_filter_whose_answer_is_lost_is_asked_again(
    screen: Screen, serve: Callable[..., Served], store: Path
) -> None:
    """Where the line breaks under a filter's rows they are asked for again: rows of another filter do not stay for good."""
    served = serve()
    opened(screen, served.page("runs?by=none"))
    lost: list[str] = []

    def lose(route: Route) -> None:
        if not lost and "limit=0" not in route.request.url:
            lost.append(route.request.url)
            return route.abort()
        route.continue_()

    screen.page.route("**/runs?q=*", lose)
    filtered(screen, 'name == "run001"')
    expect(screen.rows).to_have_count(1)
    expect(screen.row("run001")).to_be_visible()
    assert lost


def test_a_filter_that_was_typed_while_the_server_was_away(
    screen: Screen, serve: Callable[..., Served], store: Path
) -> None:
    """It stands in the box, so it is applied as soon as the server is there again."""
    served = serve()
    opened(screen, served.page("runs?by=none"))
    served.stop()
    filtered(screen, 'name == "run001"')
    served.start()
    expect(screen.rows).to_have_count(1)
    expect(screen.row("run001")).to_be_visible()


def test_a_slow_filter_is_not_overtaken(screen: Screen, serve: Callable[..., Served], store: Path) -> None:
    """While a filter's rows are under way and runs move, the list is not put in order by the old filter instead."""
    served = serve()
    with script() as lives:
        opened(screen, served.page("runs?by=none&sort=-metrics.loss.last"))
        expect(screen.row("lives")).to_be_visible()
        held: list[Route] = []
        screen.page.route(
            "**/runs?q=*", lambda route: route.continue_() if "limit=0" in route.request.url else held.append(route)
        )
        filtered(screen, 'name == "run001"')
        while not held:
            screen.page.wait_for_timeout(20)
        for step in range(1, 8):
            lives.log(step, step / 8)
            screen.page.wait_for_timeout(500)
        for route in held:
            route.continue_()
        expect(screen.rows).to_have_count(1)
        expect(screen.row("run001")).to_be_visible()


def test_an_overview_that_comes_late_is_not_of_the_next_filter(
    screen: Screen, serve: Callable[..., Served], store: Path
) -> None:
    """What a filter found is not taken for what is there without it, when it is cleared before the answer has come."""
    served = serve()
    opened(screen, served.page("runs?by=none"))
    heads = screen.page.get_by_role("columnheader")
    before = heads.count()
    held: list[Route] = []
    screen.page.route("**/overview?q=*", lambda route: held.append(route))
    filtered(screen, 'name == "run001"')
    expect(screen.rows).to_have_count(1)
    filtered(screen, "")
    expect(screen.rows).to_have_count(3)
    for route in held:
        route.continue_()
    screen.page.wait_for_timeout(300)
    expect(heads).to_have_count(before)
    expect(screen.line).to_contain_text("3 runs")
    assert held


def test_seeds_that_come_while_one_looks(screen: Screen, serve: Callable[..., Served], store: Path) -> None:
    """Where runs over seeds begin while the list is open, it folds them, also those that begin right after a look."""
    served = serve()
    opened(screen, served.page("runs"))
    for seed in range(8):
        with runfolio.start("live", f"s{seed}", {"lr": 0.125 * (1 + seed % 2), "seed": seed}, capture=False) as run:
            run.log({"loss": 0.5 + seed}, step=0)
        if seed == 0:
            expect(screen.page.get_by_text("4 runs", exact=True)).to_be_visible()
    expect(screen.page.get_by_role("treegrid")).to_be_visible()


def test_a_run_page_lives(screen: Screen, serve: Callable[..., Served], store: Path) -> None:
    """The page of a running run has its last value, its curve and its state as they come."""
    served = serve()
    with script() as lives:
        screen.page.goto(served.page(f"run/{lives.run[:8]}"))
        expect(screen.page.get_by_role("main")).to_contain_text("running")
        lives.log(1, 0.0625)
        expect(screen.page.get_by_role("region", name="Results")).to_contain_text("0.0625")
        expect(screen.words("loss")).to_contain_text("2 points")
        lives.end()
        expect(screen.page.locator(".stands")).to_contain_text("finished")


def test_a_run_page_follows_output(screen: Screen, serve: Callable[..., Served], store: Path) -> None:
    """Output appears as the script writes it, and its end stays in sight."""
    served = serve()
    with runfolio.start("live", "writes", capture=False) as run:
        log = Path(run.folder) / "output.log"
        log.write_text("".join(f"line {number}\n" for number in range(200)))
        screen.page.goto(served.page(f"run/{run.id[:8]}"))
        shown = screen.page.get_by_role("log")
        expect(shown).to_contain_text("line 199")
        with log.open("a") as file:
            file.write("the newest words\n")
        expect(shown.get_by_text("the newest words")).to_be_in_viewport()


def test_server_stopped_and_started(screen: Screen, serve: Callable[..., Served], store: Path) -> None:
    """When the server is gone the page says so in words and keeps all it shows; when it is back, it goes on by itself."""
    served = serve()
    opened(screen, served.page("runs?by=none"))
    expect(screen.words("loss")).to_contain_text("3 runs")
    served.stop()
    expect(screen.line).to_contain_text("The server stopped answering")
    expect(screen.rows).to_have_count(3)
    expect(screen.words("loss")).to_contain_text("3 runs")
    assert "crashed" not in screen.page.locator("body").inner_text().lower()
    stores.add(store, "meanwhile", {"lr": 7.0}, {"loss": [0.5]})
    served.start()
    expect(screen.line).to_contain_text("live")
    expect(screen.row("meanwhile")).to_be_visible()
    expect(screen.line).not_to_contain_text("stopped answering")


@pytest.mark.parametrize("page", ["run", "compare", "seeds"])
def test_silence_on_the_other_pages(screen: Screen, serve: Callable[..., Served], store: Path, page: str) -> None:
    """Every page says in words that the server is silent, keeps what it shows, and is well again when it is back."""
    ids = sorted(each.name for each in (store / "runs").iterdir())
    path = {"run": f"run/{ids[0][:8]}", "compare": f"compare?runs={ids[0][:8]},{ids[1][:8]}", "seeds": "seeds"}[page]
    served = serve()
    screen.page.goto(served.page(path))
    expect(screen.words("loss")).to_contain_text("run")
    before = screen.page.get_by_role("main").inner_text()
    served.stop()
    said = screen.page.get_by_role("status").filter(has_text="The server stopped answering")
    expect(said).to_be_visible()
    expect(screen.words("loss")).to_contain_text("run")
    assert "crashed" not in screen.page.locator("body").inner_text().lower()
    assert "loss" in before
    served.start()
    expect(said).to_have_count(0)


def test_a_lost_run_is_not_called_crashed(screen: Screen, serve: Callable[..., Served], store: Path) -> None:
    """A run whose process was killed is told as such, in words and by a sign, never as crashed."""
    served = serve()
    with script() as lives:
        opened(screen, served.page("runs?by=none"))
        expect(screen.row("lives")).to_contain_text("running")
        os.kill(lives.process.pid, signal.SIGKILL)
        lives.process.wait()
        expect(screen.row("lives")).to_contain_text("killed")
    assert "crashed" not in screen.page.locator("body").inner_text().lower()


def test_an_edit_shows_in_another_browser(
    open_screen: Callable[..., Screen], serve: Callable[..., Served], store: Path
) -> None:
    """What one person changes, another sees without doing anything."""
    served = serve()
    one, other = open_screen(), open_screen()
    for each in (one, other):
        opened(each, served.page("runs?by=none&cols=tags"))
    one.row("run001").click()
    one.key("r")
    one.page.get_by_role("textbox", name="Name").fill("renamed")
    one.page.get_by_role("button", name="Save").click()
    expect(one.row("renamed")).to_be_visible()
    expect(other.row("renamed")).to_be_visible()


def test_a_run_deleted_while_shown(
    open_screen: Callable[..., Screen], serve: Callable[..., Served], store: Path
) -> None:
    """A run that somebody deletes while its page is open is told in calm words; what was read stays; it can be restored."""
    served = serve()
    one, other = open_screen(), open_screen()
    opened(one, served.page("runs?by=none"))
    one.row("run001").locator("a").click()
    expect(one.page.get_by_role("heading", level=1, name="run001")).to_be_visible()
    opened(other, served.page("runs?by=none"))
    other.row("run001").get_by_role("checkbox").click()
    other.choose(other.page.locator(".line .acts"), "Delete")
    expect(other.row("run001")).to_have_count(0)
    expect(one.page.get_by_role("main")).to_contain_text("This run was deleted")
    expect(one.page.get_by_role("region", name="Results")).to_contain_text("loss")
    one.page.get_by_role("button", name="Restore").click()
    expect(one.page.get_by_role("main")).not_to_contain_text("This run was deleted")
    expect(other.row("run001")).to_be_visible()


def test_a_run_whose_folder_is_gone(screen: Screen, serve: Callable[..., Served], store: Path) -> None:
    """A run whose folder vanishes while its page is open stays as it was read, and the page says so."""
    served = serve()
    opened(screen, served.page("runs?by=none"))
    screen.row("run001").locator("a").click()
    expect(screen.page.get_by_role("heading", level=1, name="run001")).to_be_visible()
    expect(screen.words("loss")).to_contain_text("1 run")
    run = next(
        each for each in (store / "runs").iterdir() if each.name.startswith(screen.page.url.split("/run/")[1][:8])
    )
    (found,) = [each for each in runfolio.open_store(store).runs() if each.id == run.name]
    apply(Layout(str(store)), "tag", plan([found], Edit(add_tags={"heard": ""})))
    expect(screen.page.get_by_role("main")).to_contain_text(
        "heard", timeout=40_000
    )  # so the page is told of what happens
    shutil.rmtree(run)
    expect(screen.page.get_by_role("main")).to_contain_text(
        "This run was deleted", timeout=40_000
    )  # looked for every 20 s
    expect(screen.page.get_by_role("region", name="Results")).to_contain_text("loss")


@pytest.mark.root
def test_a_store_on_a_read_only_disk(screen: Screen, serve: Callable[..., Served], store: Path, tmp_path: Path) -> None:
    """A store that cannot be written to is shown as any other; a change is refused in words, and nothing of the page breaks."""
    with mounted(store, tmp_path / "shelf", "--bind", "-o", "ro"):
        served = serve(tmp_path / "shelf")
        opened(screen, served.page("runs?by=none&cols=tags"))
        expect(screen.words("loss")).to_contain_text("3 runs")
        screen.row("run001").click()
        screen.key("e")
        expect(screen.toast.first).to_contain_text("Nothing was changed")
        expect(screen.toast.first).to_contain_text(re.compile("read-only", re.I))
        expect(screen.rows).to_have_count(3)
        screen.row("run001").locator("a").click()
        expect(screen.page.get_by_role("heading", level=1, name="run001")).to_be_visible()
        served.stop()
