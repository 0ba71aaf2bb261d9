"""What the documents say is so: their Python runs, their links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$")
PYTHON, NO_RUN = "python", "python no-run"


def script_of(text: str) -> tuple[str, list[int]]:
    """Blank all of a document but its Python, keeping line numbers; return the lines of `no-run` blocks too."""
    lines, no_run = [], []
    fence, indent, language = "", "", ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = FENCE.match(line)
        if mark and not fence:
            indent, fence, language = mark.groups()
            no_run += [number] if language == NO_RUN else []
        elif mark and mark[2].startswith(fence) and not mark[3]:
            fence = ""
        elif fence and language == PYTHON:
            lines.append(line.removeprefix(indent))
            continue
        lines.append("")
    return "\n".join(lines) + "\n", no_run


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_python_in_documents_runs(document: Path, record_property: Callable[[str, object], None]) -> None:
    """The Python blocks of a document run in order, as one script, in an empty folder."""
    script, no_run = script_of(document.read_text(encoding="utf-8"))
    if no_run:
        record_property(name_of(document), f"{len(no_run)} Python blocks not run, at lines {no_run}")
    if script.strip():
        run_script(script, document)


def run_script(script: str, document: Path) -> None:
    """Run a document's script in the working folder; its traceback tells the document's lines."""
    path = Path(document.stem + ".py")
    path.write_text(script, encoding="utf-8")
    command = [sys.executable, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{name_of(document)}\n{done.stdout}"


def test_script_of_keeps_lines_and_order() -> None:
    """Only blocks fenced as `python` are run, at the lines where they stand."""
    text = "# A\n```python\na = 1\n```\ntext\n```console\n$ ls\n```\n"
    text += "```python no-run\nb\n```\n  ```python\n  c = a\n  ```\n"
    script, no_run = script_of(text)
    assert script.split("\n") == ["", "", "a = 1", *[""] * 9, "c = a", "", ""]
    assert no_run == [9]


def check_links(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the link checker over a repository."""
    command = [sys.executable, str(ROOT / "tools" / "docs.py"), "--check", "--root", str(root)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def test_links_lead_somewhere() -> None:
    """Every relative link in the documents leads to a file, and its anchor to a heading."""
    done = check_links(ROOT)
    assert done.returncode == 0, done.stdout


def test_broken_links_are_told(tmp_path: Path) -> None:
    """A link to a missing file or heading is told with its line; one inside a code block is none."""
    (tmp_path / "README.md").write_text("# Read me\n\n[a](b.md) [c](#read-me)\n[d](#gone)\n\n```\n[e](f.md)\n```\n")
    done = check_links(tmp_path)
    assert done.returncode == 1
    assert "README.md:3: no file b.md" in done.stdout
    assert "no heading #gone" in done.stdout
    assert "1 documents, 2 broken links" in done.stdout
