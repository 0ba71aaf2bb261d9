"""Names, values and files that attack whoever looks at them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

import runfolio
from screen import stores
from screen.seeing import Screen
from screen.served import Served

ATTACKS = (
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(2)>',
    "javascript:alert(3)",
    "</script><script>alert(4)</script>",
    "{{constructor.constructor('alert(5)')()}}",
    "<iframe srcdoc='<script>parent.alert(6)</script>'>",
    "__proto__",
    "constructor",
    "${alert(7)}",
)
KEYS = (*ATTACKS, "prototype.polluted", "toString", "hasOwnProperty", "a,b\\c", "%2e%2e%2f")
NOTES = "\n\n".join(
    (
        "[a link](javascript:alert(8))",
        "[another](data:text/html,<script>alert(9)</script>)",
        "![picture](x onerror=alert(10))",
        '<iframe srcdoc="<script>alert(11)</script>"></iframe>',
        "<a href='javascript:alert(12)'>click</a>",
        "[ref]\n\n[ref]: javascript:alert(13)",
        "<javascript:alert(14)>",
        *ATTACKS,
    )
)
TEMPLATES = ("{{7*7}}", "${HOME}", "$AWS_SECRET_ACCESS_KEY", "%(x)s", "{0.__class__}", "{% raw %}", "<%= 7*7 %>")

PAGES = {
    "x.html": b"<!doctype html><body>seen<script>alert(1);parent.owned=1;fetch('/api/v1/stores')</script><img src=x onerror=alert(2)>",
    "x.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(3)"><script>alert(4)</script><text y="20">seen</text></svg>',
    "x.xml": b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#s"?><x xmlns:h="http://www.w3.org/1999/xhtml"><h:script>alert(5)</h:script></x>',
    "x.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(6))>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
    "x.js": b"alert(7); self.owned = 1",
    "x.gif": b"GIF89a/*\x00\x00*/=1;alert(8)",
}


def attack(store: Path) -> list[str]:
    """Runs with attacks in every place that takes text."""
    ids = []
    for number, text in enumerate(ATTACKS):
        run = runfolio.start(
            text,
            text,
            {"seed": number % 2, **dict.fromkeys(KEYS, text)},
            dict.fromkeys(KEYS[:4], text),
            NOTES,
            store=store,
            capture=False,
        )
        for step in range(3):
            run.log({**dict.fromkeys(KEYS, step + number / 10), "loss": 1.0 / (step + 1)}, step=step)
        run.summary.update({"word": text})
        run.add_artifact(text.encode(), text.replace("/", "|") + ".txt")
        stores.write_output(
            run,
            "".join(
                f"{each}\n\x1b]8;;javascript:alert(15)\x1b\\click\x1b]8;;\x1b\\\x1b]52;c;eA==\x07\x1b[2J\n"
                for each in ATTACKS
            ),
        )
        run.finish()
        ids.append(str(run.id))
    return ids


@pytest.fixture(scope="module")
def attacked(shared: Callable[..., Served]) -> tuple[Served, list[str]]:
    """Its server, and the ids."""
    ids: list[str] = []
    return shared(lambda store: ids.extend(attack(store))), ids


def unharmed(screen: Screen) -> None:
    """Nothing ran, and no prototype was changed."""
    assert screen.troubles == []
    assert screen.page.evaluate("Object.getOwnPropertyNames(Object.prototype).sort().join()") == (
        "__defineGetter__,__defineSetter__,__lookupGetter__,__lookupSetter__,__proto__,constructor,hasOwnProperty,"
        "isPrototypeOf,propertyIsEnumerable,toLocaleString,toString,valueOf"
    )
    assert screen.page.evaluate("({}).polluted === undefined && !('owned' in window)")
    found = screen.page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(each =>
             each.localName === 'script' ? !each.src.startsWith(location.origin) :
             each.localName === 'iframe' ||
             [...each.attributes].some(({ name, value }) => /^on/.test(name) ||
               (/^(href|src|action)$/.test(name) && /^\\s*(javascript|vbscript|data:(?!image)):?/i.test(value)))
           ).map(each => each.outerHTML.slice(0, 200))"""
    )
    assert found == []


def test_A23_stored_xss(screen: Screen, attacked: tuple[Served, list[str]]) -> None:
    """Attacks in names, tags, notes, params, metrics, experiments and artifact names are text on every page, and nothing runs."""
    served, _ = attacked
    screen.page.goto(served.page("runs?by=none&cols=experiment,tags,notes,params.toString,summary.word"))
    expect(screen.rows.first).to_be_visible()
    expect(screen.row("<img src=x onerror=alert(1)>").first).to_be_visible()
    for text in ATTACKS:
        assert any(text in name for name in screen.names)
    screen.page.locator(".charts .cell").last.scroll_into_view_if_needed()
    expect(screen.page.locator("figure").last).to_be_visible()
    screen.filter.click()
    screen.page.keyboard.type("a")
    screen.key("Escape")
    screen.rows.first.hover()
    unharmed(screen)
    screen.page.goto(served.page("runs"))
    expect(screen.rows.first).to_be_visible()
    screen.page.get_by_role("button", name="Columns").click()
    expect(screen.page.get_by_role("dialog")).to_contain_text("__proto__")
    screen.key("Escape")
    unharmed(screen)


@pytest.mark.parametrize("number", range(len(ATTACKS)))
def test_A23_stored_xss_on_the_run_page(screen: Screen, attacked: tuple[Served, list[str]], number: int) -> None:
    """The page of a run shows each attack as it was written: name, tags, notes, params, metrics, files, output."""
    served, ids = attacked
    text = ATTACKS[number]
    screen.page.goto(served.page(f"run/{ids[number][:8]}"))
    expect(screen.page.get_by_role("heading", level=1)).to_have_text(text)
    expect(screen.page.get_by_role("region", name="Tags and notes").locator(".tag").first).to_contain_text(text)
    params = screen.page.get_by_role("region", name="Parameters", exact=True)
    expect(params.locator("th", has_text="hasOwnProperty")).to_be_visible()
    assert "__proto__" in params.inner_text()
    expect(screen.page.locator("figure").first).to_be_visible()
    output = screen.page.get_by_role("log")
    expect(output).to_contain_text(ATTACKS[0])
    assert output.locator("a").count() == 0
    notes = screen.page.locator(".markdown")
    expect(notes).to_contain_text("<iframe srcdoc=")
    screen.page.get_by_role("region", name="Files").get_by_role("button").first.click()
    expect(screen.page.locator(".preview pre")).to_have_text(text)
    unharmed(screen)


def test_A23_stored_xss_compared(screen: Screen, attacked: tuple[Served, list[str]]) -> None:
    """Side by side and over seeds, attacks are text too."""
    served, ids = attacked
    screen.page.goto(served.page("compare?runs=" + ",".join(one[:8] for one in ids)))
    table = screen.page.get_by_role("region", name="Runs side by side")
    for text in ATTACKS:
        expect(table).to_contain_text(text)
    expect(screen.page.locator("figure").first).to_be_visible()
    unharmed(screen)
    screen.page.goto(served.page("seeds?metric=loss&goal=min"))
    expect(screen.page.locator("tr.group").first).to_be_visible()
    assert ATTACKS[0] in screen.page.get_by_role("main").inner_text()
    unharmed(screen)


def test_A23_reflected_in_the_address(screen: Screen, attacked: tuple[Served, list[str]]) -> None:
    """An attack in any part of the address is text."""
    served, _ = attacked
    bad = "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
    names = ("q", "sort", "cols", "by", "m", "x", "find", "pin", "sel", "zoom", "metric", "over", "base", "runs")
    query = "&".join(f"{name}={bad}" for name in names)
    for path in ("runs", f"run/{bad}", "compare", "seeds"):
        screen.page.goto(served.page(f"{path}?{query}"))
        expect(screen.page.get_by_role("main")).to_be_visible()
        screen.page.wait_for_load_state("load")
        expect(screen.page.get_by_role("navigation", name="Views")).to_be_visible()
        unharmed(screen)
    screen.page.goto(f"{served.address}/{bad}/runs?{query}")
    expect(screen.page.get_by_role("navigation", name="Views")).to_be_visible()
    unharmed(screen)
    screen.page.goto(served.page(f"{bad}?{query}"))  # no page of the app: told as JSON, which nobody reads as HTML
    assert screen.page.evaluate("document.contentType") == "application/json"
    unharmed(screen)


def test_A21_templates_stay_as_they_are(screen: Screen, serve: Callable[..., Served], tmp_path: Path) -> None:
    """Text that looks like a template or a variable is shown as it was written."""
    for text in TEMPLATES:
        stores.add(tmp_path / "store", text, {"p": text}, {"loss": [1.0]}, tags={"t": text}, notes=text)
    served = serve()
    screen.page.goto(served.page("runs?by=none&cols=params.p,tags,notes"))
    expect(screen.rows).to_have_count(len(TEMPLATES))
    for text in TEMPLATES:
        row = screen.rows.filter(has_text=text).first
        expect(row).to_contain_text(f"t={text}")
    screen.row("{{7*7}}").locator("a").click()
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("{{7*7}}")
    expect(screen.page.locator(".markdown")).to_have_text("{{7*7}}")
    unharmed(screen)


@pytest.fixture(scope="module")
def files(shared: Callable[..., Served]) -> tuple[Served, str]:
    """A run whose artifacts are pages that attack; its server and id."""
    ids: list[str] = []

    def fill(store: Path) -> None:
        with runfolio.start("files", "files", store=store, capture=False) as run:
            for name, content in PAGES.items():
                run.add_artifact(content, name)
            ids.append(str(run.id))

    return shared(fill), ids[0]


@pytest.mark.parametrize("name", PAGES)
def test_A25_artifact_as_page(screen: Screen, files: tuple[Served, str], name: str) -> None:
    """An artifact that is opened by its address runs no script and has no part in the app's origin; else it is a download."""
    served, run = files
    address = f"{served.address}/api/v1/stores/store/runs/{run}/artifact?name={name}&view=true"
    blank = screen.page
    try:
        blank.goto(address)
    except Error as error:
        assert "Download is starting" in str(error) or "ERR_ABORTED" in str(error)
        return
    assert blank.evaluate("self.origin") == "null"
    assert blank.evaluate("!('owned' in self)")
    with pytest.raises(Error, match=re.compile("sandbox|denied|SecurityError|insecure", re.I)):
        blank.evaluate("localStorage.length")
    assert not any(each.startswith("dialog") for each in screen.troubles)
    assert all(
        re.search("sandbox|policy|Content Security|Blocked|CORS|XSLT|xsl", each, re.I) for each in screen.troubles
    )
    screen.troubles.clear()


def test_A25_artifact_as_script(screen: Screen, files: tuple[Served, str]) -> None:
    """An artifact cannot be loaded as a script: not from the app, and not from another page."""
    served, run = files
    address = f"{served.address}/api/v1/stores/store/runs/{run}/artifact?name=x.js&view=true"
    load = """address => new Promise(done => { const one = document.createElement('script');
      one.onload = () => done('ran'); one.onerror = () => done('refused');
      try { one.src = address } catch { return done('refused') } document.head.append(one) })"""
    screen.page.goto(served.page())
    expect(screen.rows.first).to_be_visible()
    assert screen.page.evaluate(load, address) == "refused"
    screen.troubles.clear()
    screen.page.goto("data:text/html,<p>elsewhere")
    assert screen.page.evaluate(load, address) == "refused"
    assert screen.page.evaluate("!('owned' in self)")
    screen.troubles.clear()


def test_A30_framing(screen: Screen, files: tuple[Served, str]) -> None:
    """No page of the app can be put into a frame of another."""
    served, _ = files
    screen.page.goto("data:text/html,<iframe></iframe>")
    screen.page.evaluate("address => { document.querySelector('iframe').src = address }", served.page())
    screen.page.wait_for_function(  # the empty frame may be looked into, what the browser shows for a refusal may not
        "() => { try { return !document.querySelector('iframe').contentWindow.document } catch { return true } }"
    )
    assert [each.url for each in screen.page.frames[1:]] == ["chrome-error://chromewebdata/"]


def test_A49_cardinality_and_size(screen: Screen, serve: Callable[..., Served], tmp_path: Path) -> None:
    """Very long names, hundreds of tags, params and metrics: what exists on the page stays bounded, whatever there is."""
    store = tmp_path / "store"
    long = "7" * 400
    many = {f"key{number:04}": number for number in range(2000)}
    for number in range(3):
        run = runfolio.start(
            "big",
            long[: 390 + number],
            {"seed": number, "long": "9" * 10_000, **many},
            {f"tag{n}": "v" * 50 for n in range(500)},
            "x" * 100_000,
            store=store,
            capture=False,
        )
        for step in range(2):
            run.log({f"m{n:04}": float(step + n) for n in range(1500)}, step=step)
        run.finish()
        last = str(run.id)
    served = serve()
    count = "document.getElementsByTagName('*').length"
    screen.page.goto(served.page("runs?cols=tags,notes,params.long&by=none"))
    expect(screen.rows).to_have_count(3)
    expect(screen.page.locator("figure").first).to_be_visible()
    assert screen.page.evaluate(count) < 4000
    assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screen.page.goto(served.page(f"run/{last[:8]}"))
    expect(screen.page.get_by_role("heading", level=1)).to_contain_text("777")
    expect(screen.page.locator("figure").first).to_be_visible()
    assert screen.page.evaluate(count) < 6000
    assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screen.page.goto(served.page("compare?runs=" + ",".join(each.name[:8] for each in (store / "runs").iterdir())))
    expect(screen.page.get_by_role("heading", name="3 runs")).to_be_visible()
    assert screen.page.evaluate(count) < 6000
    assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
