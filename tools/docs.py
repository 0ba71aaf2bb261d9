"""Check every link of the documents and render them as a small static site.

A relative link must lead to a file of the repository, and its #anchor to a heading there. Exits 1 where one does not.

Usage: python tools/docs.py [--check] [--root FOLDER]     (--check renders nothing)
"""

from __future__ import annotations

import argparse
import html
import itertools
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
PARSER = MarkdownIt("commonmark").enable("table")
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ margin: 2rem auto; max-width: 56rem; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }}
nav {{ border-bottom: 1px solid #bbb; padding-bottom: .5rem; }}
pre {{ background: #f4f4f4; overflow: auto; padding: .7rem; }}
table {{ border-collapse: collapse; }}
td, th {{ border: 1px solid #bbb; padding: .2rem .5rem; }}
</style>
<nav>{nav}</nav>
{body}
</html>
"""


class Document(NamedTuple):
    """One Markdown file, parsed."""

    path: Path
    tokens: list[Token]


def read_documents(root: Path) -> list[Document]:
    """Read the documents of a repository: its top folder's first, then docs/."""
    paths = [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]
    paths.sort(key=lambda path: path.name != "README.md")
    return [Document(path, PARSER.parse(path.read_text(encoding="utf-8"))) for path in paths]


def inline_tokens(tokens: list[Token]) -> Iterator[tuple[int, Token]]:
    """Yield (line, token) for what stands inside paragraphs, headings and cells."""
    line = 0
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        for child in token.children or ():
            yield line, child


def links(document: Document) -> Iterator[tuple[int, str]]:
    """Yield (line, address) for each link and image."""
    for line, token in inline_tokens(document.tokens):
        address = token.attrGet("href") if token.type == "link_open" else token.attrGet("src")
        if isinstance(address, str):
            yield line, address


def slug(heading: str) -> str:
    """Return the anchor that code hosts give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


def headings(tokens: list[Token]) -> Iterator[tuple[Token, str]]:
    """Yield each heading with its text."""
    for token, content in itertools.pairwise(tokens):
        if token.type == "heading_open":
            yield token, content.content


def broken_links(document: Document, documents: list[Document]) -> Iterator[str]:
    """Yield a complaint for each relative link that leads nowhere."""
    anchors = {other.path: {slug(text) for _, text in headings(other.tokens)} for other in documents}
    for line, address in links(document):
        if re.match(r"[a-z]+:", address):
            continue
        name, _, anchor = address.partition("#")
        target = (document.path.parent / name).resolve() if name else document.path
        if not target.exists():
            yield f"{document.path}:{line}: no file {address}"
        elif anchor and anchor not in anchors.get(target, ()):
            yield f"{document.path}:{line}: no heading {address}"


def page_of(path: Path, root: Path) -> Path:
    """Return the page's place in the site, relative to its top."""
    inside = path.relative_to(root)
    return Path("index.html") if inside == Path("README.md") else inside.with_suffix(".html")


def relink(document: Document, root: Path, pages: set[Path]) -> None:
    """Give headings their anchors, and let links to documents lead to their pages."""
    for token, text in headings(document.tokens):
        token.attrSet("id", slug(text))
    here = page_of(document.path, root).parent
    for _, token in inline_tokens(document.tokens):
        name, hash_, anchor = str(token.attrGet("href") or "").partition("#")
        target = (document.path.parent / name).resolve()
        if name and target in pages:
            token.attrSet("href", os.path.relpath(page_of(target, root), here) + hash_ + anchor)


def title_of(document: Document) -> str:
    """Return the first heading, else the file's name."""
    return next((text for _, text in headings(document.tokens)), document.path.stem)


def render(documents: list[Document], root: Path) -> Path:
    """Write the site; return its first page."""
    site = root / "build" / "docs"
    pages = {document.path for document in documents}
    for document in documents:
        relink(document, root, pages)
        page = page_of(document.path, root)
        nav = " · ".join(
            f'<a href="{os.path.relpath(page_of(other.path, root), page.parent)}">{html.escape(title_of(other))}</a>'
            for other in documents
        )
        body = PARSER.renderer.render(document.tokens, PARSER.options, {})
        (site / page).parent.mkdir(parents=True, exist_ok=True)
        text = PAGE.format(title=html.escape(title_of(document)), nav=nav, body=body)
        (site / page).write_text(text, encoding="utf-8")
    return site / "index.html"


def main() -> int:
    """Check, and render where nothing is broken."""
    arguments = argparse.ArgumentParser(description="Check the links of the documents and render them.")
    arguments.add_argument("--check", action="store_true", help="check only")
    arguments.add_argument("--root", type=Path, default=ROOT)
    asked = arguments.parse_args()
    root = asked.root.resolve()
    documents = read_documents(root)
    complaints = [text for document in documents for text in broken_links(document, documents)]
    print("\n".join([*complaints, f"{len(documents)} documents, {len(complaints)} broken links"]))
    if not complaints and not asked.check:
        print(f"rendered to {os.path.relpath(render(documents, root))}")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
