"""`runfolio diff`: why did it change, on a screen and for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from cli.calling import call, fine, settled, start
from runfolio.cli.main import COMMANDS

GIT = {"root": "/gone", "commit": "a" * 40, "branch": "main", "dirty": False}
PATCH = "diff --git a/t.py b/t.py\nindex 1..2 100644\n--- a/t.py\n+++ b/t.py\n@@ -1,2 +1,2 @@\n--- a note\n+x = 2\n"


@pytest.fixture(autouse=True)
def _listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(COMMANDS, "diff", COMMANDS.get("diff", ""))
    yield


def pair(**second: Any) -> None:
    """Make the runs `one` and `two`, which are not the same."""
    for name, factor in (("one", 1), ("two", 2)):
        with start(name=name, params={"lr": 0.1 * factor, "layers": 2, "seed": 0}) as run:
            run.define("loss", "min")
            captured = {"git": GIT, "packages": {"numpy": "1.26.0"}, "command": ["python", "t.py"], "host": "here"}
            for field, value in {**captured, **(second if factor == 2 else {})}.items():
                run.tell("capture", field=field, value=value)
            for step in range(4):
                run.log({"loss": 1 / (step + factor ** (step > 1)), "epoch": step}, step=step)


GOLDEN = """\
A  abc12345  one  ✓ finished  2025-01-15 10:30:01  took 1.5s
B  abc12345  two  ✓ finished  2025-01-15 10:30:01  took 1.5s

Nothing differs but the param lr, the code and the package numpy.
The curves part at step 2; loss first.

params
  lr  0.1 → 0.2

code
  commit  aaaaaaaaaaaa → bbbbbbbbbbbb
  dirty   no → yes
  t.py: uncommitted changes only in B
    @@ -1,2 +1,2 @@
    --- a note
    +x = 2

packages
  numpy  1.26.0 → 2.0.0

metrics
  metric  last A  last B  B - A  best A  best B  B - A  curves
  loss      0.25    0.20  -0.05    0.25    0.20  -0.05  part at step 2, by -0.0833
1 metric equal at every step.
"""


def test_the_answer() -> None:
    """The answer stands in words at the top, then section by section; only what differs is shown."""
    pair(git={**GIT, "commit": "b" * 40, "dirty": True, "patch": PATCH}, packages={"numpy": "2.0.0"})
    assert settled(fine("diff", "one", "two").out) == GOLDEN


def test_two_patches_stand_under_their_heading() -> None:
    """Where nothing of the code differs but what was not committed, the two patches stand beside each other."""
    for value in (2, 3):
        with start(name=f"x{value}") as run:
            run.tell(
                "capture", field="git", value={**GIT, "dirty": True, "patch": PATCH.replace("x = 2", f"x = {value}")}
            )
    lines = fine("diff", "x2", "x3").lines
    at = lines.index("code")
    assert lines[at + 1] == "  t.py: other uncommitted changes"
    assert {"    -+x = 2", "    ++x = 3"} <= set(lines[at:])


def test_odd_facts_do_no_harm() -> None:
    """Facts of another shape than ours, as another version may write them, are compared all the same."""
    odd = {"commit": 5, "branch": ["x"], "left_out": 7, "untracked": 3, "patch": 9, "root": [], "error": {"a": 1}}
    pair(git=odd, packages=["a"], command="text", gpu=5, cpu={"count": {"deep": [1, {"x": None}]}})
    for form in ((), ("--json",), ("--csv",), ("--all",)):
        assert fine("diff", "one", "two", *form).out


def test_a_narrow_screen_cuts_no_value_that_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two values do not fit side by side they stand in a line each; metrics are told in words."""
    pair(command=["python", "t.py", "--with", "many words"])
    monkeypatch.setenv("COLUMNS", "45")
    lines = fine("diff", "one", "two").lines
    assert "  command  A python t.py" in lines
    assert "           B python t.py --with 'many words'" in lines
    assert "  loss last 0.25 → 0.20 (-0.05), best 0.25 →" in lines
    assert max(map(len, lines[3:])) <= 45


def test_long_lists_are_cut_and_counted() -> None:
    """Beyond forty lines a section says how many there are more; --all shows them."""
    pair(packages={f"p{number}": "1" for number in range(60)})
    lines = fine("diff", "one", "two").lines
    assert "  … 22 more: --all shows them" in lines
    assert sum("only in B" in line for line in fine("diff", "one", "two", "--all").lines) == 60


def test_names_are_safe_for_a_terminal() -> None:
    """What a run says of itself moves no cursor."""
    pair(host="\x1b[2J", git={**GIT, "dirty": True, "patch": PATCH.replace("note", "\x1b[2J")})
    assert "\x1b" not in fine("diff", "one", "two").out


def test_json_and_csv() -> None:
    """JSON has sections, code, metrics and words; CSV a row for each change."""
    pair(git={**GIT, "dirty": True, "patch": PATCH})
    facts = fine("diff", "one", "two", "--json").json
    assert (facts["a"]["name"], facts["b"]["name"], facts["same_run"]) == ("one", "two", False)
    assert facts["changes"]["params"] == [{"key": "lr", "kind": "changed", "a": 0.1, "b": 0.2}]
    assert facts["code"]["files"][0]["path"] == "t.py"
    assert facts["metrics"][0]["parting"]["step"] == 2
    assert facts["equal_metrics"] == ["epoch"]
    rows = list(csv.DictReader(io.StringIO(fine("diff", "one", "two", "--csv").out)))
    assert [(row["section"], row["key"], row["change"]) for row in rows[:3]] == [
        ("params", "lr", "changed"), ("code", "dirty", "changed"), ("code", "changes of t.py", "added"),
    ]  # fmt: skip


def test_the_same_run_and_wrong_calls() -> None:
    """A run and itself are told as one; what is not two runs or two filters is wrong usage, an unknown run is no answer."""
    pair()
    assert "are the same run" in fine("diff", "one", "one").out
    for wrong in (["one"], [], ["one", "two", "one"], ["one", "--filter-a", "lr > 0"], ["--filter-a", "lr > 0"]):
        assert call("diff", *wrong).code == 2
    assert call("diff", "one", "three").code == 1
    assert call("diff", "--filter-a", "lr >", "--filter-b", "lr > 0").code == 2


def test_groups() -> None:
    """With filters, what differs between all runs of A and all of B stands apart from what varies inside."""
    for lr in (0.1, 0.2):
        for seed in range(3):
            with start(params={"lr": lr, "seed": seed}) as run:
                run.log({"loss": lr + seed / 100}, step=0)
    called = ("diff", "--filter-a", "lr < 0.15", "--filter-b", "lr > 0.15")
    lines = fine(*called).lines
    assert lines[0] == "Between all of A (3) and all of B (3) differ: lr."
    assert "  lr  0.1  |  0.2" in lines and "  seed  2, 1, 0  |  2, 1, 0" in lines
    assert lines[-1].split() == "loss 0.11 (3) 0.21 (3) +0.10 0.0773 … 0.123 from step 0".split()
    facts = fine(*called, "--json").json
    assert facts["between"]["params"] == [
        {"key": "lr", "a": [{"value": 0.1, "runs": 3}], "b": [{"value": 0.2, "runs": 3}]},
    ]  # fmt: skip
    assert len(list(csv.DictReader(io.StringIO(fine(*called, "--csv").out)))) == 2
    assert call("diff", "--filter-a", "lr > 5", "--filter-b", "lr > 0").code == 1


def test_without_a_store() -> None:
    """Where there is nothing, there is no such run."""
    assert call("diff", "one", "two").code == 1
    assert call("diff", "--filter-a", "lr > 0", "--filter-b", "lr < 0").code == 1
