"""One person's browser on the app: opens pages, and notes all that a page must never do."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Locator, Page, expect

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 20_000

expect.set_options(timeout=PATIENCE_MS)

# Runs before the page's own scripts, in each of its frames.
_WATCH = """
addEventListener('securitypolicyviolation', event =>
  console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`), true);
"""

# The browser's own line for an answer like 400 or a server that is gone: the page tells of it in its own words.
_OF_THE_LINE = ("Failed to load resource", "net::ERR_")


class Screen:
    """A browser context with one page; `troubles` must be empty when the test ends."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        options.setdefault("viewport", WIDE)
        options.setdefault("locale", "en-GB")
        self.context: BrowserContext = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.context.add_init_script(_WATCH)
        self.troubles: list[str] = []
        self.asked: list[str] = []
        self.context.on("weberror", lambda error: self.troubles.append(f"error: {error.error}"))
        self.context.on("console", self._said)
        self.context.on("dialog", self._dialog)
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page: Page = self.context.new_page()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part in _OF_THE_LINE):
            self.troubles.append(f"console: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def close(self) -> None:
        self.context.close()

    @property
    def foreign(self) -> list[str]:
        """What was asked of other hosts than this machine."""
        return [url for url in self.asked if urlsplit(url).hostname not in (None, "", "127.0.0.1")]

    # ---------------------------------------------------------------- what is on the page

    @property
    def rows(self) -> Locator:
        """The rows of the list that exist, heading and waiting ones apart."""
        return self.page.locator("[role=row][id^=row-]")

    def row(self, name: str) -> Locator:
        """The row of a run or group."""
        return self.rows.filter(has_text=name)

    @property
    def names(self) -> list[str]:
        """What stands in the first column, top down."""
        return [text.strip() for text in self.rows.locator(".name").all_inner_texts()]

    @property
    def line(self) -> Locator:
        """The line that says what is on the page."""
        return self.page.locator(".line").first

    @property
    def filter(self) -> Locator:
        return self.page.get_by_role("combobox", name="Filter the runs")

    def figure(self, metric: str) -> Locator:
        """The chart of a metric."""
        return self.page.locator("figure").filter(has=self.page.locator(f'.name[title="{metric}"]'))

    def words(self, metric: str) -> Locator:
        """What a chart says that it draws."""
        return self.figure(metric).locator(".words")

    def key(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def choose(self, menu: str | re.Pattern[str] | Locator, item: str) -> None:
        """Take an item of a menu."""
        button = menu if isinstance(menu, Locator) else self.page.get_by_role("button", name=menu)
        button.click()
        self.page.get_by_role("menu").get_by_text(item, exact=True).click()

    @property
    def toast(self) -> Locator:
        return self.page.locator(".toast")

    def is_at(self, part: str) -> None:
        """Wait until the address holds this."""
        self.page.wait_for_function("part => (location.pathname + location.search).includes(part)", arg=part)
