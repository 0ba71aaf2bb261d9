"""Set columns as Markdown or LaTeX, to be pasted into a text."""

from __future__ import annotations

from collections.abc import Sequence

from runfolio.cli.render.table import Column

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "×": r"$\times$", "−": "$-$", "…": r"\dots{}",
    "✓": "", "✗": "", "●": "", "○": "",
}  # fmt: skip
_LATEX_OF = str.maketrans(_LATEX)
_MARKDOWN_OF = str.maketrans({char: f"\\{char}" for char in "\\|*_`[<~$&"})  # $: GitHub's mathematics


def markdown_lines(columns: Sequence[Column]) -> list[str]:
    """Render columns as a table of GitHub's Markdown."""
    rows = [[markdown_text(cell) for cell in row] for row in _rows(columns)]
    rules = ["--:" if one.right else "---" for one in columns]
    lines = [[markdown_text(one.title) for one in columns], rules, *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def latex_lines(columns: Sequence[Column]) -> list[str]:
    """Render columns as a LaTeX tabular, for the package booktabs."""
    spec = "".join("r" if one.right else "l" for one in columns)
    body = [f"{' & '.join(map(latex_text, row))} \\\\" for row in _rows(columns)]
    titles = f"{' & '.join(latex_text(one.title) for one in columns)} \\\\"
    return [f"\\begin{{tabular}}{{{spec}}}", "\\toprule", titles, "\\midrule", *body, "\\bottomrule", "\\end{tabular}"]


def markdown_text(text: str) -> str:
    """Write text so that Markdown shows it as it is."""
    return text.strip().translate(_MARKDOWN_OF)


def latex_text(text: str) -> str:
    """Write text so that LaTeX prints it as it is."""
    return text.strip().translate(_LATEX_OF).strip()


def _rows(columns: Sequence[Column]) -> list[list[str]]:
    return [[one.cells[place] for one in columns] for place in range(len(columns[0].cells) if columns else 0)]
