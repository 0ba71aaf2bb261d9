"""`runfolio table`: its forms, its stamp, and what `--check` makes of a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import runfolio
from cli.calling import call, fine, start
from runfolio.cli.main import COMMANDS
from runfolio.cli.render.stamp import Stamped, changes, is_one_table, stamped_lines, stamps_in
from runfolio.query.paper import Column, Line, PaperTable, Recipe

NOISE = {"cnn": (0, 3, 1, 4, 2), "mlp": (2, 0, 4, 1, 3), "a_b": (4, 2, 0, 3, 1)}
MADE = ("table", "--rows", "params.model", "--cols", "metrics.acc", "--over", "seed")


@pytest.fixture(autouse=True)
def _listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(COMMANDS, "table", COMMANDS.get("table", ""))
    yield


def make(model: str, seed: int, value: float) -> str:
    with start(params={"model": model, "seed": seed}) as run:
        run.define("acc", "max")
        run.log({"acc": value}, step=1)
    return run.id


def grid() -> None:
    """Make three models over five seeds: cnn and a_b alike, mlp far worse."""
    for model, value in {"cnn": 0.9, "mlp": 0.8, "a_b": 0.9005}.items():
        for seed, noise in enumerate(NOISE[model]):
            make(model, seed, value + (noise - 2) / 1000)


GOLDEN = """\
model                  acc
a_b    0.9005 ± 0.0020 (5)*
cnn    0.9000 ± 0.0020 (5)*
mlp    0.8000 ± 0.0020 (5)
mean and 95 % interval (number of runs); * the best of a column, and what is not significantly different from it (Holm)
"""
LATEX = r"""\begin{tabular}{lr}
\toprule
model & acc \\
\midrule
a\_b & $\mathbf{0.9005 \pm 0.0020}$ (5) \\
cnn & $\mathbf{0.9000 \pm 0.0020}$ (5) \\
mlp & $0.8000 \pm 0.0020$ (5) \\
\bottomrule
\end{tabular}
"""
MARKDOWN = r"""
| model | acc |
| --- | --: |
| a\_b | **0.9005 ± 0.0020** (5) |
| cnn | **0.9000 ± 0.0020** (5) |
| mlp | 0.8000 ± 0.0020 (5) |
"""


def test_the_forms() -> None:
    """On a screen a mark says what is best, in LaTeX and Markdown bold type; the comments before the table are plain ASCII."""
    grid()
    assert [line.rstrip() for line in fine(*MADE).lines] == GOLDEN.splitlines()
    for form, body in (("--latex", LATEX), ("--markdown", MARKDOWN)):
        out = fine(*MADE, form).out
        comments = out.removesuffix(body)
        assert comments != out and comments.isascii()
        assert all(line.startswith(("% ", "<!-- ")) for line in comments.splitlines())


def test_json_and_csv() -> None:
    """JSON has each cell with its numbers and runs, and the stamp; CSV exact numbers."""
    grid()
    facts = fine(*MADE, "--json").json
    assert [row["params"]["model"] for row in facts["rows"]] == ["a_b", "cnn", "mlp"]
    cell = facts["rows"][0]["cells"][0]
    assert (cell["n"], cell["best"], cell["interval"], len(cell["runs"])) == (5, True, "Student t", 5)
    assert facts["stamp"]["rows"] == ["params.model"] and facts["stamp"]["runs"] == 15
    rows = list(csv.DictReader(io.StringIO(fine(*MADE, "--csv").out)))
    assert [(row["params.model"], row["acc n"], row["acc best"]) for row in rows][2] == ("mlp", "5", "false")
    assert float(rows[2]["acc mean"]) == pytest.approx(0.8)


def test_the_stamp_tells_what_it_was_made_from() -> None:
    """The stamp is one line: filter, runs, hash, version and date; nothing in a filter ends the comment."""
    grid()
    wild = 'model != "-->" and seed < 3'
    for form in ("--latex", "--markdown"):
        line = fine(*MADE, "--filter", wild, form).lines[0]
        assert "-->" not in line.removesuffix("-->")
        stamp = json.loads(line[line.index("{") : line.rindex("}") + 1])
        assert (stamp["filter"], stamp["runs"], stamp["runfolio"]) == (wild, 9, runfolio.__version__)
        assert len(stamp["hash"]) == 64 and len(stamp["date"]) == 10


def written(name: str, *more: str) -> Path:
    fine(*MADE, "--out", name, *more)
    return Path(name)


@pytest.mark.parametrize("name", ["t.tex", "t.md"])
def test_check_is_content_with_the_same_store(name: str) -> None:
    """A table that was just written matches, also inside of a paper that sets it in another way."""
    grid()
    text = written(name, "--filter", 'model != "x"').read_text()
    assert fine("table", "--check", name).out == f"{name}:1: the table matches the store.\n"
    text = (
        text.replace("\\toprule", "\\hline").replace("{lr}", "{l|r}").replace(" & ", "\n   &  ").replace("\n", "\r\n")
    )
    Path(name).write_text(f"Before\n\n{text}\nAfter\n", newline="")
    assert fine("table", "--check", name).out == f"{name}:3: the table matches the store.\n"


@pytest.mark.parametrize("name", ["t.tex", "t.md"])
def test_check_tells_what_changed(name: str) -> None:
    """Another run that counts makes the check fail; the cells that changed are told, and how to make the table anew."""
    grid()
    written(name)
    make("mlp", 5, 0.805)
    make("new", 0, 0.5)
    checked = call("table", "--check", name)
    assert checked.code == 1
    assert checked.lines[0] == f"{name}:1: the table no longer matches the store:"
    assert checked.lines[1].strip() == "it was made of 15 runs, now there are 17"
    assert checked.lines[2].startswith("  model=mlp, acc: ") and "(5) in the file, " in checked.lines[2]
    assert "model=new is not in the file" in checked.out
    assert "runfolio table --rows params.model --cols metrics.acc --over seed" in checked.lines[-1]
    fine(*MADE, "--out", name)
    fine("table", "--check", name)


def test_check_sees_a_number_changed_by_hand() -> None:
    """A number, a bold or a label that was edited in the file no longer matches; a missing row neither."""
    grid()
    file = written("t.tex")
    text = file.read_text()
    for old, new, told in (
        ("0.8000", "0.9500", "model=mlp, acc: $0.9500"),
        ("$0.8000 \\pm 0.0020$", "$\\mathbf{0.8000 \\pm 0.0020}$", "model=mlp, acc"),
        ("cnn &", "CNN &", "model=CNN is in the file, but not in the store"),
        ("cnn & $\\mathbf{0.9000 \\pm 0.0020}$ (5) \\\\\n", "", "model=cnn is not in the file"),
    ):
        file.write_text(text.replace(old, new))
        checked = call("table", "--check", "t.tex")
        assert checked.code == 1 and told in checked.out


def test_check_sees_other_runs_with_the_same_numbers() -> None:
    """Where the numbers are the same but come of other runs, that is told."""
    ids = [make("cnn", seed, 0.5 + seed / 10) for seed in range(3)]
    written("t.tex")
    fine("delete", ids[0])
    make("cnn", 0, 0.5)
    checked = call("table", "--check", "t.tex")
    assert (checked.code, checked.lines[1]) == (1, "  the same numbers now come of other runs")


NAMES = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["a|b", "a\\", "50 %", "a & b", "\\\\", "{x}", "`", "-->", "@", "é", " "]
)


@given(
    names=st.lists(NAMES, min_size=1, max_size=4, unique=True),
    title=NAMES,
    where=NAMES,
    form=st.sampled_from(["latex", "markdown"]),
)
def test_any_name_survives_a_file(names: list[str], title: str, where: str, form: str) -> None:
    """Whatever params, metrics and filters are called, a table that was written is read back as the same."""
    table = PaperTable(["model"], [Column(title, title, None)], [Line((name,), [None]) for name in names])
    recipe = Recipe(["model"], [title], filter=where)
    text = "\n".join(stamped_lines(table, recipe, form))
    (found,) = stamps_in(text)
    assert isinstance(found, Stamped)
    assert (found.form, found.recipe, len(found.rows)) == (form, recipe, len(names))
    assert changes(found, table) == []
    assert is_one_table(text)


def test_check_of_several_tables_and_of_broken_ones() -> None:
    """Each table of a file is checked; one that cannot be made any more, or whose stamp is broken, does not match."""
    grid()
    text = fine(*MADE, "--latex").out
    gone = text.replace('"metrics.acc"', '"metrics.gone"')
    broken = text.replace('"hash"', '"hush"')
    Path("t.tex").write_text(text + gone + broken + text.replace("table {", "table {{"))
    checked = call("table", "--check", "t.tex")
    assert checked.code == 1
    assert "t.tex:1: the table matches the store." in checked.lines
    assert "it cannot be made any more: none of these runs has the metric" in checked.out
    assert checked.out.count("its stamp cannot be read") == 2


def test_check_of_a_file_without_a_table() -> None:
    """A file without a stamp, without text or without being there is wrong usage."""
    grid()
    Path("t.tex").write_text("\\begin{tabular}{l}\\end{tabular}")
    Path("t.bin").write_bytes(b"\xff\xfe")
    for name in ("t.tex", "t.bin", "none.tex"):
        assert call("table", "--check", name).code == 2
    assert call("table", "--check", "t.tex", "--rows", "model").code == 2


def test_out_replaces_its_own_tables_only() -> None:
    """A file that is no such table, or more than one, is left, unless told; the form is that of its ending."""
    grid()
    for name in ("t.tex", "t.md", "t.csv", "t.json"):
        written(name)
    json.loads(Path("t.json").read_text())
    assert Path("t.csv").read_text().startswith("params.model,")
    paper = Path("paper.tex")
    for text in ("A paper.\n", f"{Path('t.tex').read_text()}More.\n", f"More.\n{Path('t.tex').read_text()}"):
        paper.write_text(text)
        assert call(*MADE, "--out", "paper.tex").code == 2
        assert paper.read_text() == text
    fine(*MADE, "--out", "paper.tex", "--force")
    assert call(*MADE, "--out", "t.doc").code == 2
    assert not list(Path().glob("*.draft"))


def test_wrong_usage() -> None:
    """Missing rows or columns, two forms and an unknown param are told."""
    grid()
    for wrong in (
        ["--rows", "model"],
        ["--cols", "acc"],
        [*MADE[1:], "--latex", "--json"],
        [*MADE[1:], "--goal", "up"],
    ):
        assert call("table", *wrong).code == 2
    assert call("table", "--rows", "mdl", "--cols", "acc").code == 1
    assert call(*MADE, "--filter", "seed >").code == 2


def test_without_a_store() -> None:
    """Where there are no runs there is no table."""
    assert call(*MADE).code == 1


def test_no_line_of_words_is_wider_than_a_narrow_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands below the table is set into lines as wide as the screen; the table itself is never cut."""
    grid()
    monkeypatch.setenv("COLUMNS", "40")
    lines = fine(*MADE).lines
    below = lines[next(at for at, line in enumerate(lines) if line.startswith("mean and 95 %")) :]
    assert len(below) > 1 and max(map(len, below)) <= 40
