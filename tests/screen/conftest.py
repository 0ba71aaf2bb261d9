"""A real chromium on real servers. Skipped by name where one is missing; CI lists no such skip, so there it fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import runfolio.server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from screen.seeing import Screen
    from screen.served import Served

CHROMIUM = next((each for each in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if os.path.exists(each)), None)
BUILT = Path(runfolio.server.__file__).with_name("ui") / "index.html"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]


def missing() -> str | None:
    """Say what of a screen is not here."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "needs playwright: make test installs it"
    if CHROMIUM is None:
        return "needs chromium: tools/system_packages.sh installs it"
    if not BUILT.exists():
        return "needs the built app: make ui builds it"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip each of these tests by the name of what is missing."""
    why = missing()
    for item in items:
        if why and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One chromium for the tests of a file: playwright's loop would be in the way of those of other rooms in this process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def open_screen(browser: Browser) -> Iterator[Callable[..., Screen]]:
    """Open browsers for persons; in the end none had an error, a dialog, a broken policy, or asked another host."""
    from screen.seeing import Screen

    opened: list[Screen] = []

    def make(**options: Any) -> Screen:
        opened.append(Screen(browser, **options))
        return opened[-1]

    yield make
    for screen in opened:
        screen.close()
    for screen in opened:
        assert screen.troubles == []
        assert screen.foreign == []


@pytest.fixture
def screen(open_screen: Callable[..., Screen]) -> Screen:
    """A browser of 1280 × 800."""
    return open_screen()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Start servers of this test's own stores."""
    from screen.served import Served

    started: list[Served] = []

    def start(*stores: Path) -> Served:
        made = Served(*(stores or (Path(os.environ["RUNFOLIO_DIR"]),)))
        started.append(made)
        return made.start()

    yield start
    for each in started:
        each.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Callable[[Path], Any]], Served]]:
    """Make a store by a function and serve it to all tests of a file, which only look."""
    from screen.served import Served

    started: list[Served] = []

    def start(fill: Callable[[Path], Any]) -> Served:
        root = tmp_path_factory.mktemp("shared")
        env = {"XDG_CACHE_HOME": str(root / "cache"), "RUNFOLIO_SPOOL": str(root / "spool"), "HOME": str(root)}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            patch.setenv("RUNFOLIO_DIR", str(root / "store"))
            fill(root / "store")
            made = Served(root / "store")
        started.append(made)
        return made.start()

    yield start
    for each in started:
        each.stop()
