"""Plain pages, where the app is not built: no script, no style; they list the runs, and say how to get the app."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from runfolio.errors import FilterError
from runfolio.model.ids import short
from runfolio.model.names import printable
from runfolio.query.run import Run
from runfolio.query.store import Store
from runfolio.server.answers import Answer
from runfolio.server.errors import nothing_there
from runfolio.server.routing import check_run
from runfolio.server.served import Served

ROWS = 100
_HOW = (
    "This installation has no app: it came without the built one. Install the wheel (<code>pip install runfolio</code>), "
    "or build it in the repository (<code>make ui</code>, which needs Node). Until then, the runs stand here plainly."
)


def html(title: str, body: Iterable[str], status: int = 200) -> Answer:
    """Give a page. What is in `body` is HTML; names in it are escaped by who made it."""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{_text(title)}</title>'
    return Answer("\n".join([head, *body]).encode(errors="replace"), "text/html; charset=utf-8", status)


async def page(parts: list[str], asked: dict[str, str], all: dict[str, Served]) -> Answer:
    """Give the plain form of a page.

    Raises:
        Refused: no such store or run.
    """
    if not parts:
        return _stores(all)
    served = all.get(parts[0])
    if served is None:
        raise nothing_there("no store of this name is served here")
    if parts[1] == "run":
        check_run(parts[2])
        return await served.ask(lambda store: _run(store.run(parts[2]), served.name))
    return await served.ask(lambda store: _runs(store, served.name, asked))


def _stores(all: dict[str, Served]) -> Answer:
    links = [f'<li><a href="/{quote(name)}/runs">{_text(name)}</a>' for name in all]
    return html("runfolio", [f"<h1>runfolio</h1><p>{_HOW}</p><ul>", *links, "</ul>"])


def _runs(store: Store, name: str, asked: dict[str, str]) -> Answer:
    query, begin = asked.get("q", ""), int(asked["offset"]) if asked.get("offset", "").isdecimal() else 0
    trouble = ""
    try:
        found = list(store.runs(query or None))
    except FilterError as error:
        found, trouble = [], f"<p><strong>{_text(error.reason)}</strong>"
    shown = found[begin : begin + ROWS]
    body = [
        f'<h1>{_text(name)}</h1><p>{_HOW}</p><form><label>Filter <input name="q" size="60" value="{escape(query)}"></label></form>{trouble}',
        f"<p>{len(found):,} run{'' if len(found) == 1 else 's'}.",
        "<table><tr><th>run<th>name<th>status<th>created",
        *(_row(run, name) for run in shown),
        "</table>",
    ]
    if not found and not trouble:
        body.append(
            "<p>Nothing fits." if query else "<p>No run yet: <code>runfolio run script.py</code> makes the first."
        )
    if begin + ROWS < len(found):
        body.append(f'<p><a href="?{escape(urlencode({"q": query, "offset": begin + ROWS}))}">More</a>')
    return html(f"{name} · runfolio", body)


def _row(run: Run, store: str) -> str:
    created = run.created.strftime("%Y-%m-%d %H:%M") if run.created else ""
    link = f'<a href="/{quote(store)}/run/{run.id}">{short(run.id)}</a>'
    return f"<tr><td>{link}<td>{_text(run.name or '')}<td>{_text(run.status)}<td>{created}"


def _run(run: Run, store: str) -> Answer:
    metrics = {name: run.metrics.rank(name, run.metrics.ranks(name)[0]).last for name in run.metrics}
    body = [
        f'<p><a href="/{quote(store)}/runs">{_text(store)}</a><h1>{_text(run.name or short(run.id))}</h1>',
        f"<p>{_text(run.status)} · {short(run.id)}<p>{_text(run.notes, 2000)}",
        *_pairs("Metrics", metrics),
        *_pairs("Parameters", run.flat_params),
        *_pairs("Tags", run.tags),
    ]
    return html(f"{run.name or short(run.id)} · runfolio", body)


def _pairs(title: str, facts: dict[str, Any]) -> list[str]:
    rows = [f"<tr><td>{_text(key)}<td>{_text(str(value))}" for key, value in facts.items()]
    return [f"<h2>{title}</h2><table>", *rows, "</table>"] if rows else []


def _text(text: str, limit: int = 200) -> str:
    return escape(printable(text, limit))
