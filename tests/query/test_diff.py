"""Why did it change: what differs between two runs, where their curves part, and the same between two groups of runs."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import UsageError
from runfolio.query.diff import Change, Diff, diff
from runfolio.query.group_diff import MISSING
from runfolio.query.parting import Parting
from runfolio.query.run import Run

GIT = {"root": "/gone", "commit": "a" * 40, "branch": "main", "dirty": False}
PATCH = "diff --git a/t.py b/t.py\nindex 12..34 100644\n--- a/t.py\n+++ b/t.py\n@@ -1 +1 @@\n-x = 1\n+x = {}\n"
CAPTURED: dict[str, Any] = {
    "command": ["python", "t.py"],
    "cwd": "/home/me",
    "host": "one",
    "python": {"version": "3.12.1"},
    "cpu": {"count": 8},
    "gpu": [{"name": "H100", "driver": "550"}],
    "git": GIT,
    "packages": {"numpy": "1.26.0", "torch": "2.4.0"},
}


def make(*values: float, params: dict[str, Any] | None = None, ended: bool = True, **captured: Any) -> Run:
    """Make a run that logs values of `loss` at the steps 0, 1, …; of its capture these fields are not as in `CAPTURED`, or None."""
    run = runfolio.start(params=params or {}, capture=False)
    for field, value in {**CAPTURED, **captured}.items():
        if value is not None:
            run.tell("capture", field=field, value=value)
    for step, value in enumerate(values):
        run.log({"loss": value}, step=step)
    if ended:
        run.finish()
    else:
        run.flush()
    return runfolio.open_store().run(run.id)


def bare(*values: float) -> Run:
    nothing: dict[str, Any] = dict.fromkeys(CAPTURED)
    return make(*values, **nothing)


def test_equal_runs_differ_in_nothing() -> None:
    """Two runs with the same circumstances and curves differ in nothing, and their metrics are counted as equal."""
    found = diff(make(1, math.nan), make(1, math.nan))
    assert (found.changes, found.unknown, found.metrics) == ({}, {}, [])
    assert [one.name for one in found.equal_metrics] == ["loss"]
    assert found.words() == [
        "Nothing differs in params, code, packages, machine, command and data.",
        "All metrics are equal at every step.",
    ]


def test_only_what_differs_is_told_by_section() -> None:
    """Each fact stands in its section, as added, removed or changed; what is the same is only counted."""
    a = make(params={"lr": 0.1, "old": 1, "same": 1, "seed": 0})
    b = make(
        params={"lr": 0.2, "new": None, "same": 1, "seed": 1},
        host="two",
        packages={"numpy": "2.0.0", "jax": "0.4"},
        python={"version": "3.13.0"},
        gpu=[{"name": "H100", "driver": "560"}],
        cwd="/home/you",
    )
    found = diff(a, b)
    assert found.changes == {
        "params": [
            Change("lr", "changed", 0.1, 0.2), Change("old", "removed", 1), Change("new", "added", None, None),
        ],
        "seed": [Change("seed", "changed", 0, 1)],
        "packages": [
            Change("numpy", "changed", "1.26.0", "2.0.0"), Change("torch", "removed", "2.4.0"),
            Change("jax", "added", None, "0.4"),
        ],
        "machine": [
            Change("host", "changed", "one", "two"), Change("python.version", "changed", "3.12.1", "3.13.0"),
            Change("gpu.0.driver", "changed", "550", "560"),
        ],
        "command": [Change("cwd", "changed", "/home/me", "/home/you")],
    }  # fmt: skip
    assert found.same == {
        "params": 1,
        "seed": 0,
        "code": 5,
        "packages": 0,
        "machine": 2,
        "command": 1,
        "data": 0,
    }
    assert str(found).startswith(
        "Nothing differs but the params lr, old, new, the seed, the packages numpy, torch, jax, "
    )


@pytest.mark.parametrize(("a", "b"), [(1, 1.0), (1, True), (0.0, -0.0), ("1", 1)])
def test_values_of_another_type_differ(a: object, b: object) -> None:
    """A param that became another type has changed."""
    assert diff(make(params={"x": a}), make(params={"x": b})).changes["params"] == [Change("x", "changed", a, b)]


def test_nan_params_are_equal() -> None:
    """NaN is NaN."""
    assert diff(make(params={"x": math.nan}), make(params={"x": math.nan})).changes == {}


# ------------------------------------------------------------------------------------------------------------- code


def test_code_differs_by_commit_branch_and_state() -> None:
    """Commit, branch and whether there were uncommitted changes are told apart."""
    other = {"root": "/elsewhere", "commit": "b" * 40, "branch": "try", "dirty": True, "patch": PATCH.format(2)}
    found = diff(make(), make(git=other))
    assert [(one.key, one.a, one.b) for one in found.changes["code"]] == [
        ("commit", "a" * 40, "b" * 40), ("branch", "main", "try"), ("dirty", False, True),
    ]  # fmt: skip
    (file,) = found.code.files
    assert (file.path, file.kind) == ("t.py", "added")
    assert file.lines == ["--- a/t.py", "+++ b/t.py", "@@ -1 +1 @@", "-x = 1", "+x = 2"]
    assert found.code.command is None


def test_two_patches_are_set_beside_each_other() -> None:
    """Of two different patches of a file a unified diff is told; a patch that is the same in both is not."""
    more = PATCH.replace("t.py", "same.py").format(1)
    git = [{**GIT, "dirty": True, "patch": PATCH.format(value) + more} for value in (2, 3)]
    (file,) = diff(make(git=git[0]), make(git=git[1])).code.files
    assert (file.path, file.kind) == ("t.py", "changed")
    assert file.lines is not None
    assert [line for line in file.lines[2:] if line[0] in "+-"] == ["-+x = 2", "++x = 3"]


def test_blob_names_make_no_difference() -> None:
    """Patches that change the same lines are the same, whatever blobs they name."""
    git = [{**GIT, "dirty": True, "patch": PATCH.replace("12..34", blobs).format(2)} for blobs in ("1..2", "3..4")]
    found = diff(make(git=git[0]), make(git=git[1]))
    assert found.code.files == []


def test_what_the_patches_lack_is_told() -> None:
    """Files left out of a patch, and an error of git, are told: they may be what differs."""
    other = {
        **GIT,
        "dirty": True,
        "patch": PATCH,
        "left_out": [{"path": ".env", "why": "may hold secrets"}],
        "error": "slow",
    }
    found = diff(make(), make(git=other))
    assert found.code.notes == [
        "changes of B that were not kept, so cannot be compared: .env", "B: slow",
    ]  # fmt: skip


def test_a_repository_and_none() -> None:
    """A run outside of any repository is told from one inside."""
    run = runfolio.start(capture=False)
    for field, value in {**CAPTURED, "git": None}.items():
        run.tell("capture", field=field, value=value)
    run.finish()
    found = diff(make(), runfolio.open_store().run(run.id))
    assert Change("repository", "changed", "git", "none") in found.changes["code"]


def commit(folder: Path, text: str) -> str:
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    (folder / "t.py").write_text(text)
    subprocess.run([*git, "add", "t.py"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "a"], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("packed", [False, True])
def test_a_command_is_offered_where_both_commits_are_at_hand(
    packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a repository has both commits, loose or packed, the command that compares them is told; it is not run."""
    repository = tmp_path / "my code"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    commits = [commit(repository, text) for text in "ab"]
    if packed:
        subprocess.run(["git", "-C", str(repository), "repack", "-adq"], check=True)
        assert not (repository / ".git" / "objects" / commits[0][:2] / commits[0][2:]).exists()
    a, b = (make(git={**GIT, "root": str(repository), "commit": one}) for one in commits)
    expected = f"git -C '{repository}' diff --stat {commits[0][:12]} {commits[1][:12]}"
    assert diff(a, b).code.command == expected
    away = make(git={**GIT, "root": "/gone", "commit": commits[1]})
    home = make(git={**GIT, "root": "/gone", "commit": commits[0]})
    assert diff(home, away).code.command is None
    (repository / "deep").mkdir()
    monkeypatch.chdir(repository / "deep")
    assert diff(home, away).code.command == expected
    assert diff(home, make()).code.command is None


# ------------------------------------------------------------------------------------------------- what is not known


def test_what_was_not_captured_is_not_compared() -> None:
    """A run without capture makes nothing look removed: it is told that it is not known, and of whom."""
    found = diff(make(1), bare(1))
    assert found.changes == {}
    assert found.unknown == {key: ["B"] for key in ("code", "packages", "machine", "command")}
    assert found.words()[:2] == [
        "Nothing that is known differs: params, the seed and the data.",
        "Not known: the code, packages, the machine and the command, of which B has captured nothing.",
    ]
    assert diff(bare(), bare()).unknown["code"] == ["A", "B"]


def test_the_same_run_is_told() -> None:
    """A run compared with itself says so."""
    run = make(1)
    found = diff(run, run)
    assert found.is_same_run
    assert found.words() == [f"A and B are the same run, {run.id[:8]}."]


def test_running_and_empty_runs_are_told() -> None:
    """Of a running run one learns that it is not at its end, of an empty one that it has no metrics."""
    found = diff(make(ended=False), make(1))
    assert found.words()[-2:] == ["A is still running: this is how it stands now.", "A has logged no metric."]


# ------------------------------------------------------------------------------------------------------------- data


def use(*files: str) -> Run:
    run = runfolio.start(capture=False)
    for file in files:
        run.use_data(file)
    run.finish()
    return runfolio.open_store().run(run.id)


def test_data_is_compared_by_its_bytes(tmp_path: Path) -> None:
    """Data at the same path is compared by hash; the same bytes elsewhere have moved, another file of the same name has changed."""
    for name, text in {"a.csv": "1", "old/b.csv": "2", "new/b.csv": "3", "c.csv": "4", "moved.csv": "4"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    a = use("a.csv", "old/b.csv", "c.csv")
    (tmp_path / "a.csv").write_text("more")
    found = diff(a, use("a.csv", "new/b.csv", "moved.csv"))
    assert [(Path(one.key).name, one.kind) for one in found.changes["data"]] == [
        ("a.csv", "changed"), ("c.csv", "moved"), ("b.csv", "changed"),
    ]  # fmt: skip
    assert found.same["data"] == 0
    assert diff(use("c.csv"), use("c.csv")).same["data"] == 1
    assert diff(use(), use("c.csv")).changes["data"][0].kind == "added"


def test_data_without_a_hash_is_not_known() -> None:
    """Data whose hash is not known is told so, unless its size has changed."""
    runs = []
    for size in (5, 5, 6):
        run = runfolio.start(capture=False)
        run.tell("data", path="/d", size_bytes=size, sha256=None, kind="file")
        run.finish()
        runs.append(runfolio.open_store().run(run.id))
    assert diff(runs[0], runs[1]).changes["data"][0].kind == "unknown"
    assert diff(runs[0], runs[2]).changes["data"][0].kind == "changed"


# ----------------------------------------------------------------------------------------------------------- curves


def parting(a: Run, b: Run) -> tuple[Parting | None, int, int]:
    (one,) = diff(a, b).metrics
    return one.parting, one.common, one.differing


def test_curves_part_at_the_first_step_that_is_not_exactly_equal() -> None:
    """The last digit counts; NaN equals NaN, and a NaN against a number is where curves part."""
    assert parting(make(1, 0.3, 3), make(1, 0.1 + 0.2, 4)) == (Parting(1, 0.3, 0.1 + 0.2), 3, 2)
    assert parting(make(math.nan, math.inf, 1), make(math.nan, math.inf, 2)) == (Parting(2, 1.0, 2.0), 3, 1)
    found = parting(make(1, math.nan), make(1, 2))[0]
    assert found is not None and found.step == 1 and math.isnan(found.a)


def test_steps_are_matched_not_places() -> None:
    """Points are compared step by step, also where one run has logged fewer of them."""
    runs = []
    for steps in (range(10), range(0, 20, 2)):
        with runfolio.start(capture=False) as run:
            for step in steps:
                run.log({"loss": step * step}, step=step)
        runs.append(runfolio.open_store().run(run.id))
    found = diff(*runs)
    (one,) = found.metrics
    assert (one.parting, one.common, one.points, one.first_common) == (None, 5, (10, 10), 0)
    assert "The curves are equal as far as both go." in found.words()


def test_curves_without_a_common_step_are_told() -> None:
    """Where no step is in both, nothing is said to be equal."""
    runs = []
    for step in (1, 2):
        with runfolio.start(capture=False) as run:
            run.log({"loss": 1}, step=step)
        runs.append(runfolio.open_store().run(run.id))
    assert diff(*runs).words()[-1] == "The curves have no step in common."


def test_points_without_a_step_are_compared_last() -> None:
    """Where all steps are equal but a final point is not, that is told."""
    runs = []
    for value in (1, 2):
        with runfolio.start(capture=False) as run:
            run.log({"loss": 5}, step=0)
            run.log({"loss": value}, step=runfolio.FINAL)
        runs.append(runfolio.open_store().run(run.id))
    found = diff(*runs)
    assert found.metrics[0].parting == Parting(None, 1.0, 2.0)
    assert found.parting is None
    assert "The curves are equal at every step; points without a step differ." in found.words()


def test_the_metric_that_parts_first_is_named() -> None:
    """Of several metrics the one that parts at the lowest step is named; equal ones are counted, lone ones told."""
    runs = []
    for number in (0, 1):
        with runfolio.start(capture=False) as run:
            run.define("acc", "max")
            for step in range(6):
                run.log(
                    {"loss": 1 + number * (step >= 4), "acc": step % 5 + number * (step >= 2), "same": 1}, step=step
                )
            run.log({"extra" if number else "other": 1}, step=0)
        runs.append(runfolio.open_store().run(run.id))
    found = diff(*runs)
    assert found.parting is not None and found.parting.name == "acc"
    assert found.parting.parting == Parting(2, 2.0, 3.0) and found.parting.parting.difference == 1.0
    assert "The curves part at step 2; acc first." in found.words()
    assert {one.name: one.in_one_only for one in found.metrics} == {
        "loss": None,
        "acc": None,
        "other": "A",
        "extra": "B",
    }
    assert [one.name for one in found.equal_metrics] == ["same"]
    acc = next(one for one in found.metrics if one.name == "acc")
    assert (acc.last, acc.best) == ((0, 1), (4, 5))
    assert next(one for one in found.metrics if one.name == "loss").best == (None, None)


def test_ranks_are_compared_each_with_its_like() -> None:
    """A metric of several ranks is compared rank by rank."""
    runs = []
    for number in (0, 1):
        run = runfolio.start(capture=False)
        for rank in (0, 1):
            with runfolio.attach(run.id, rank=rank) as one:
                one.log({"loss": rank * number}, step=0)
        run.finish()
        runs.append(runfolio.open_store().run(run.id))
    found = diff(*runs)
    assert [(one.rank, one.last) for one in found.metrics] == [(1, (0, 1))]
    assert [one.rank for one in found.equal_metrics] == [0]


def test_unexplained_parting_is_told() -> None:
    """Where the curves part though nothing differs, that is said in words."""
    assert "What made them part was not captured" in str(diff(make(1), make(2)))


# ----------------------------------------------------------------------------------------------------------- groups


def test_groups_tell_what_differs_between_and_what_varies_inside() -> None:
    """A fact that no run of A shares with one of B differs between them; the others that are not the same vary inside."""
    a = [make(1 + seed / 10, 1 + seed / 10, params={"lr": 0.1, "seed": seed, "k": 1, "x": 1}) for seed in range(3)]
    b = [
        make(1, 3 + seed / 10, params={"lr": 0.2 + seed, "seed": seed, "k": seed % 2}, host=f"h{seed}")
        for seed in range(3)
    ]
    found = diff(a, b)
    assert [one.key for one in found.between["params"]] == ["lr", "x"]
    assert found.between["params"][0].a == [(0.1, 3)]
    assert found.between["params"][1].b == [(MISSING, 3)]
    assert {section: [one.key for one in ones] for section, ones in found.inside.items()} == {
        "params": ["k"],
        "seed": ["seed"],
    }
    assert [one.key for one in found.between["machine"]] == ["host"]
    (loss,) = found.metrics
    assert loss.difference == pytest.approx(2.0)
    assert loss.interval is not None and loss.interval.low < 2 < loss.interval.high
    assert loss.apart_from == 1
    assert found.words()[0] == "Between all of A (3) and all of B (3) differ: lr, x, host."


def test_groups_lie_apart_from_the_last_touch_on() -> None:
    """All apart is the step after the last one at which curves of A and B touch, cross or change sides; None where they still do."""
    for b, step in (([2, 2, 1, 2, 3], 3), ([2, 0, 2, 0, 2], 4), ([0, 0, 0, 0, 0], 0), ([2, 2, 2, 2, 1], None)):
        (loss,) = diff([make(1, 1, 1, 1, 1)], [make(*b)]).metrics
        assert loss.apart_from == step


def test_groups_without_a_difference() -> None:
    """Equal groups differ in nothing; a run in both groups is told, and what was not captured is no difference."""
    run = make(1, params={"seed": 0})
    found = diff([run, make(1, params={"seed": 1})], [run, bare(1)])
    assert not found.between
    assert found.words() == [
        "Nothing differs between all of A (2) and all of B (2).",
        "Varies inside: seed.",
        "1 run is in both groups, so A and B are not two groups.",
        *(f"{name} not known of 0 in A and 1 in B." for name in ("Code", "Packages", "Machine", "Command")),
    ]
    assert found.metrics[0].apart_from is None and found.metrics[0].interval is None


def test_wrong_calls_are_refused() -> None:
    """A run and a list, and a list without runs, are refused with what to do."""
    run = make()
    with pytest.raises(UsageError, match=r"\[run\]"):
        diff(run, [run])
    with pytest.raises(UsageError, match="group B has no runs"):
        diff([run], [])


def test_a_store_compares_by_name() -> None:
    """`store.diff` takes runs, names of runs and lists."""
    make(1, params={"lr": 1})
    b = make(2, params={"lr": 2})
    store = runfolio.open_store()
    a = store.runs("lr == 1")[0]
    assert isinstance(store.diff(a.id[:8], "latest"), Diff)
    assert store.diff(a, b).changes == store.diff(a.id, b.id).changes
    assert [one.key for one in store.diff([a], [b]).between["params"]] == ["lr"]
