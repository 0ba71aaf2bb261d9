"""Stamp a table with what it was made from, in a comment, and read stamps and tables back from a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from runfolio._version import __version__
from runfolio.cli.render.paper import OF_BOLD, OF_NUMBERS, paper_latex, paper_markdown
from runfolio.query.paper import PaperTable, Recipe

LATEX, MARKDOWN = "latex", "markdown"
FORMS = (LATEX, MARKDOWN)
_WORD = "runfolio table "
_STAMP = re.compile(r"^\s*(?:%+|<!--)\s*runfolio table (\{.*\})\s*(?:-->)?\s*$")
_TEXTS, _LISTS = ("metric", "goal", "filter", "experiment"), ("rows", "cols", "over")
_ROW_END = re.compile(r"\\\\(?:\[[^\]]*\])?")
_RULE = re.compile(r"\\(?:top|mid|bottom)rule(?:\[[^\]]*\])?|\\hline|\\c(?:mid)?(?:rule|line)(?:\([lr]*\))?\{[^}]*\}")


class Stamped(NamedTuple):
    """A stamp as it stands in a file, and the rows of the table that follows."""

    line: int
    """From 1."""
    form: str
    recipe: Recipe
    runs: int
    digest: str
    rows: list[list[str]]


def stamp_facts(table: PaperTable, recipe: Recipe) -> dict[str, Any]:
    """Give what a stamp tells."""
    told = {key: value for key, value in recipe._asdict().items() if value is not None}
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    return {**told, "runs": len(table.runs), "hash": table.digest, "runfolio": __version__, "date": today}


def stamped_lines(table: PaperTable, recipe: Recipe, form: str) -> list[str]:
    """Render a table with its stamp before it."""
    stamp = _one_line(stamp_facts(table, recipe))
    said = [f"{OF_NUMBERS}; bold: {OF_BOLD}", *(f"! {note}" for note in table.notes())]
    comments = [_WORD + stamp, *(_ascii(one) for one in said)]
    if form == LATEX:
        return [*(f"% {one}" for one in comments), *paper_latex(table)]
    return [*(f"<!-- {one} -->" for one in comments), "", *paper_markdown(table)]


def _one_line(facts: dict[str, Any]) -> str:
    """Write facts so that no comment ends in them: `--` would, in Markdown."""
    return json.dumps(facts).replace("--", "-\\u002d").replace(">", "\\u003e")


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode().replace("--", "- -").replace("\n", " ")


# ------------------------------------------------------------------------------------------------------- reading back


def stamps_in(text: str) -> Iterator[Stamped | int]:
    """Yield each stamped table of a text; only its line where the stamp cannot be read."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        found = _STAMP.match(line)
        if found:
            yield _stamped(found[1], at + 1, lines[at + 1 :]) or at + 1
        elif _WORD + "{" in line and line.lstrip().startswith(("%", "<!--")):
            yield at + 1


def _stamped(stamp: str, line: int, after: list[str]) -> Stamped | None:
    try:
        told = json.loads(stamp)
        recipe, runs, digest = _recipe(told), told["runs"], told["hash"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(digest, str) or type(runs) is not int:
        return None
    form, rows = _rows_after(after)
    return Stamped(line, form, recipe, runs, digest, rows)


def _recipe(told: dict[str, Any]) -> Recipe:
    """Take the recipe out of a stamp.

    Raises:
        TypeError: it holds what a recipe does not.
    """
    given = {key: told[key] for key in Recipe._fields if key in told}
    for key, value in given.items():
        is_fit = (
            isinstance(value, list) and all(isinstance(one, str) for one in value)
            if key in _LISTS
            else isinstance(value, str)
        )
        if not is_fit:
            raise TypeError(key)
    return Recipe(**given)


def _rows_after(lines: list[str]) -> tuple[str, list[list[str]]]:
    """Read the rows of the next table, without its head: LaTeX up to `\\end{tabular…}`, or Markdown."""
    for at, line in enumerate(lines):
        if line.lstrip().startswith("|"):
            return MARKDOWN, _markdown_rows(lines[at:])
        if "\\begin{tabular" in line:
            return LATEX, _latex_rows(lines[at:])
        if _STAMP.match(line):
            break
    return LATEX, []


def _markdown_rows(lines: list[str]) -> list[list[str]]:
    rows = []
    for line in lines:
        if not line.lstrip().startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line.strip())[1:-1]
        rows.append([_even(cell) for cell in cells])
    return rows[2:]


def _latex_rows(lines: list[str]) -> list[list[str]]:
    body = []
    for line in lines[1:]:
        if "\\end{tabular" in line:
            break
        body.append(re.sub(r"(?<!\\)%.*", "", line))
    rows = [_RULE.sub("", row).strip() for row in _ROW_END.split("\n".join(body))]
    return [[_even(cell) for cell in re.split(r"(?<!\\)&", row)] for row in rows if row][1:]


def _even(cell: str) -> str:
    return " ".join(cell.split())


def rows_of(table: PaperTable, form: str) -> list[list[str]]:
    """Give the rows of a table as `stamps_in` would read them."""
    return _markdown_rows(paper_markdown(table)) if form == MARKDOWN else _latex_rows(paper_latex(table))


def is_one_table(text: str) -> bool:
    """Say whether a text is one of our tables, and nothing before or after it."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or not _STAMP.match(lines[0]):
        return False
    rest = [line for line in lines if not line.lstrip().startswith(("%", "<!--"))]
    if rest and rest[0].startswith("|"):
        return all(line.startswith("|") for line in rest)
    return sum("\\begin{" in line for line in rest) == 1 and rest[-1].strip() == "\\end{tabular}"


def changes(then: Stamped, now: PaperTable) -> list[str]:
    """Say what is not the same in a table of a file and the one that the store gives now."""
    told = list(_changed_rows(then.rows, rows_of(now, then.form), len(now.rows), now))
    if then.digest != now.digest and not told:
        of_others = "other runs" if then.runs == len(now.runs) else f"{len(now.runs)} runs, and not of {then.runs}"
        return [f"the same numbers now come of {of_others}"]
    if told and then.runs != len(now.runs):
        told.insert(0, f"it was made of {then.runs} runs, now there are {len(now.runs)}")
    return told


def _changed_rows(then: list[list[str]], now: list[list[str]], labels: int, table: PaperTable) -> Iterator[str]:
    heads = [one.title for one in table.columns]
    old, new = ({tuple(row[:labels]): row[labels:] for row in rows} for rows in (then, now))
    for label, cells in new.items():
        name = _row_name(table, label)
        if label not in old:
            yield f"{name} is not in the file: {', '.join(cells)}"
        elif len(old[label]) != len(cells):
            yield f"{name} has {len(old[label])} columns in the file, {len(cells)} in the store"
        else:
            for head, was, is_now in zip(heads, old[label], cells, strict=True):
                if was != is_now:
                    yield f"{name}, {head}: {was} in the file, {is_now} in the store"
    for label in old:
        if label not in new:
            yield f"{_row_name(table, label)} is in the file, but not in the store"
    if list(old) != list(new) and set(old) == set(new):
        yield "the rows stand in another order"


def _row_name(table: PaperTable, label: tuple[str, ...]) -> str:
    if len(label) != len(table.rows):
        return f"the row {' | '.join(label)}"
    return ", ".join(f"{key}={value}" for key, value in zip(table.rows, label, strict=True))
