"""Tables to be pasted into a text: `--markdown` and `--latex` of list, compare, best and stats."""

from __future__ import annotations

import pytest

from cli.calling import call, fine, start
from runfolio.store.layout import find

BIG = 2**60
LONG = "a sentence that is longer than any cell of a table on a screen"


def runs() -> None:
    """Make six runs of two settings whose values only show in full what tells them apart."""
    for number in range(6):
        params = {"big": BIG + number % 2, "seed": number // 2, "text": f"{LONG} {number % 2}"}
        with start(name=f"{LONG} {number}", params=params) as run:
            run.define("acc_top", "max")
            run.log({"acc_top": 0.5 + 0.3 * (number % 2) + 0.01 * number**2})


WAYS = {
    "list": ("list",),
    "list of groups": ("list", "--group-by", "big,text"),
    "compare": ("compare",),
    "best": ("best", "acc_top", "--top", "6"),
    "stats": ("stats", "acc_top", "--by", "big,text", "--over", "seed"),
}


@pytest.mark.parametrize("arguments", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("form", ["--markdown", "--latex"])
def test_each_has_both_forms_and_cuts_nothing(arguments: tuple[str, ...], form: str) -> None:
    """Both forms hold a row for each run or group with every value whole: a paper is no narrow screen."""
    runs()
    out = fine(*arguments, form).out
    assert str(BIG) in out and str(BIG + 1) in out and f"{LONG} 0" in out and f"{LONG} 1" in out
    assert "..." not in out
    assert ("\\begin{tabular}" if form == "--latex" else "\n| -") in out


@pytest.mark.parametrize("arguments", WAYS.values(), ids=WAYS)
def test_one_form_at_a_time(arguments: tuple[str, ...]) -> None:
    """Two forms at once are refused as wrong usage."""
    runs()
    called = call(*arguments, "--markdown", "--latex")
    assert (called.code, called.out) == (2, "") and "--markdown or --latex, not both" in called.err


@pytest.mark.parametrize("arguments", WAYS.values(), ids=WAYS)
def test_names_are_no_marks_in_markdown(arguments: tuple[str, ...]) -> None:
    """A name as `__proto__` or `[x](y)` stands there as it is, and makes no text bold and no link."""
    for seed, (big, text) in enumerate([(1, "__proto__"), (2, "[x](y)")]):
        with start(name="__init__", params={"big": big, "text": text, "seed": seed}) as run:
            run.define("acc_top", "max")
            run.log({"acc_top": seed})
    out = fine(*arguments, "--markdown").out
    assert "\\_\\_proto\\_\\_" in out and "\\[x](y)" in out and "__proto__" not in out and "__init__" not in out


def test_a_long_int_is_whole_on_a_screen() -> None:
    """Two ints of 64 bits that differ in the last digit are seen to differ, also where cells are short."""
    for number in (2**63 - 1, 2**63 - 2):
        with start(params={"big": number}) as run:
            run.log({"loss": 1.0})
    for arguments in (("list",), ("compare",), ("stats", "loss", "--goal", "min")):
        out = fine(*arguments).out
        assert str(2**63 - 1) in out and str(2**63 - 2) in out


def test_what_was_left_out_stands_in_the_text_forms_too() -> None:
    """The table of stats says in each form what is compared, and which runs do not count."""
    for seed, value in enumerate((0.1, 0.2, float("nan"))):
        with start(name="diverged_1" if seed == 2 else "fine", params={"seed": seed}) as run:
            run.log({"loss": value})
    markdown, latex = (fine("stats", "loss", "--goal", "min", form).out for form in ("--markdown", "--latex"))
    assert "lowest is best" in markdown and "1 run at NaN, left out" in markdown and "diverged\\_1" in markdown
    comments = [line for line in latex.splitlines() if line.startswith("% ")]
    assert any("lowest is best" in line for line in comments) and any("1 run at NaN" in line for line in comments)


@pytest.mark.parametrize("form", ["--csv", "--json", "--markdown", "--latex"])
def test_no_groups_are_no_words_for_a_program(form: str) -> None:
    """Where there is nothing to group a form for programs says so in its own way; a person reads how to start."""
    for _ in range(2):
        out = fine("list", "--group-by", "lr", form).out
        assert "No run" not in out
        assert "No runs yet" in fine("list", "--group-by", "lr").out
        find().create()


def test_params_are_found_by_the_names_that_filters_use() -> None:
    """`--group-by` knows a param by its dotted key, with the prefix of filters, and by its last part where that is unique."""
    with start(params={"model": {"width": 64}}) as run:
        run.log({"loss": 1.0})
    told = [fine("list", "--group-by", name, "--csv").out for name in ("model.width", "params.model.width", "width")]
    assert told[0].startswith("params.model.width,runs,") and len(set(told)) == 1
    called = call("list", "--group-by", "widht")
    assert called.code == 1 and "model.width" in called.err


def test_best_speaks_the_words_of_the_command_line() -> None:
    """Without a goal it names the option; where there is no run it says that no run has a number; a name is looked for among those shown."""
    find().create()
    called = call("best", "loss")
    assert (called.code, called.out, called.err) == (1, "No run has a number of 'loss'.\n", "")
    with start() as run:
        run.log({"loss": 1.0})
    called = call("best", "loss")
    assert called.code == 2 and "--goal min" in called.err and "mode" not in called.err
    fine("rename", "--metric", "loss", "cost")
    assert "did you mean" not in call("best", "loss").err


def test_a_name_that_holds_commas_may_stand_alone() -> None:
    """Wherever names stand with commas between them, one that holds commas itself is found where it stands alone."""
    for number in (1, 2):
        with start(params={"a,b": number, "seed": number}) as run:
            run.log({"c,d": float(number)})
    assert fine("list", "--group-by", "a,b", "--csv").out.startswith('"params.a,b",runs,')
    assert fine("list", "--columns", "a,b", "--csv").out.startswith('id,"a,b"')
    assert fine("list", "--columns", "metrics.c,d", "--csv").out.startswith('id,"metrics.c,d"')
    assert "a,b=1 (n = 1)" in fine("plot", "c,d", "--group-by", "a,b").out
    assert fine("stats", "c,d", "--by", "params.a,b", "--goal", "min", "--json").json["by"] == ["a,b"]
    assert fine("list", "--group-by", "seed, a,b".replace(" a,b", "params.seed"), "--csv").out.startswith(
        "params.seed,runs"
    )


@pytest.mark.parametrize("columns", ["40", "200"])
def test_compare_tells_a_param_from_a_metric_of_its_name(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a param and a metric have one name both titles say which is which, in each form and on each screen."""
    monkeypatch.setenv("COLUMNS", columns)
    for number in (1, 2):
        with start(params={"lr": 0.1 * number}) as run:
            run.define("lr", "min")
            run.log({"lr": 0.05 * number})
    for form in ((), ("--markdown",), ("--latex",)):
        out = fine("compare", *form).out
        assert "params.lr" in out and "metrics.lr" in out


def test_the_best_fit_a_narrow_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all params fit, the best runs show those that do beside the value, and say how many do not; a pipe has all."""
    for number in range(3):
        with start(name=f"a-rather-long-name-{number}", params={f"param_{one}": number for one in "abcdef"}) as run:
            run.log({"loss": 0.1 * number})
    asked = ("best", "loss", "--goal", "min", "--top", "3")
    assert "param_f" in fine(*asked).out
    for columns in (40, 60):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = fine(*asked).lines
        assert max(map(len, lines)) <= columns and "loss" in lines[0] and "0.10" in lines[2]
        assert "not fit: --csv has all." in " ".join(lines)
