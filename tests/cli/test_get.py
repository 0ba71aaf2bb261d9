"""`runfolio get`: one field, bare."""

from __future__ import annotations

import math
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import runfolio
from cli.calling import call, fine, spawn, start, store, write_run
from runfolio.model.run_state import ArtifactVersion
from runfolio.query.unpack import places


@pytest.fixture
def run_id() -> str:
    """Make a run that has something in every field."""
    with start(
        experiment="digits",
        name="mlp",
        params={"lr": 0.1, "net": {"width": 64, "act": "relu"}, "list": [1, "a"], "none": None, "text": "a b"},
        tags={"best": "", "team": "ml"},
        notes="line one\nline two",
    ) as run:
        run.log({"loss": 0.5, "a.b": 1}, step=0)
        run.log({"loss": 0.1 + 0.2, "a.b": 2}, step=5)
        run.log({"test": True}, step=runfolio.FINAL)
        run.summary["acc"] = 0.97
        run.add_artifact(b"weights", "model.npz")
        run.add_artifact(b"new weights", "model.npz")
        run.add_artifact(b"plot", "plots/loss.png")
    return run.id


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", "mlp\n"), ("status", "finished\n"), ("experiment", "digits\n"), ("notes", "line one\nline two\n"),
        ("params.lr", "0.1\n"), ("lr", "0.1\n"), ("params.net.width", "64\n"), ("params.net", "width=64\nact=relu\n"),
        ("params.text", "a b\n"), ("params.none", "null\n"), ("params.list", "1\na\n"), ("params.list.1", "a\n"),
        ("params", 'lr=0.1\nnet.width=64\nnet.act=relu\nlist=[1,"a"]\nnone=null\ntext=a b\n'), ("tags", "best\nteam=ml\n"),
        ("metrics.loss.last", "0.30000000000000004\n"), ("loss", "0.30000000000000004\n"), ("metrics.loss.step_of_max", "0\n"),
        ("metrics.a.b.min", "1\n"), ("summary.acc", "0.97\n"), ("acc", "0.97\n"), ("tags.team", "ml\n"),
        ("series.loss", "0\t0.5\n5\t0.30000000000000004\n"), ("series.test", "final\ttrue\n"), ("exit_code", "\n"),
    ],
)  # fmt: skip
def test_fields_are_bare_and_exact(run_id: str, field: str, text: str) -> None:
    """A field is printed as it is: text bare, numbers exactly, an entry or item on each line."""
    expected = "\n" if text == "null\n" else text
    assert fine("get", run_id, field).out == expected


def test_what_was_captured_is_found_by_its_name() -> None:
    """Captured fields need no prefix; the command line comes quoted for a shell."""
    patch = "--- a\n+++ b\n\tx\n"
    run_id = write_run(
        {"type": "capture", "field": "command", "value": ["python", "a b.py"]},
        {"type": "capture", "field": "git", "value": {"commit": "c0ffee", "patch": patch}},
        {"type": "capture", "field": "packages", "value": {"numpy": "2.0"}},
        {"type": "error", "kind": "ValueError", "message": "no", "traceback": "Traceback\n  here"},
    )
    asked = ("command", "git.commit", "patch", "packages", "packages.numpy", "capture.git.commit", "error.traceback")
    assert [fine("get", run_id, field).out for field in asked] == [
        "python 'a b.py'\n", "c0ffee\n", patch, "numpy=2.0\n", "2.0\n", "c0ffee\n", "Traceback\n  here\n",
    ]  # fmt: skip
    assert fine("get", run_id, "folder").out == store().run(run_id) + "\n"


def test_json_is_strict(run_id: str) -> None:
    """Any field comes as strict JSON too."""
    assert fine("get", run_id, "params.net", "--json").json == {"width": 64, "act": "relu"}
    assert fine("get", run_id, "artifacts", "--json").json[0]["name"] == "model.npz"
    with start() as run:
        run.log({"loss": math.nan})
    assert fine("get", run.id, "metrics.loss.last", "--json").json == "NaN"
    assert fine("get", run.id, "metrics.loss.last").out == "nan\n"


def test_an_unknown_field_names_the_nearest(run_id: str) -> None:
    """A field that the run lacks ends with 1 and tells those like it."""
    for field, near in (
        ("params.lrr", "'params.lr'"),
        ("lrr", "near to it: 'lr'"),
        ("metrics.loss.maxx", "near to it: 'metrics.loss.max'"),
        ("loss.maxx", "near to it: 'loss.max'"),
        ("statuss", "'status'"),
        ("series.los", "'loss'"),
        ("artifacts.model", "'model.npz'"),
    ):
        called = call("get", run_id, field)
        assert (called.code, called.out) == (1, "") and near in called.err, called
    assert "near to it" not in call("get", run_id, "qqqqqqqq").err
    assert call("get", run_id, "output").code == 1
    assert call("get", run_id, "params", "somewhere").code == 2


@pytest.mark.parametrize(
    ("git", "field", "why"),
    [
        (None, "git.commit", "not started in a git repository"), (None, "patch", "not started in a git repository"),
        (None, "capture.git.commit", "not started in a git repository"), (..., "patch", "git was not captured"),
        ({"commit": "c0ffee", "dirty": False}, "patch", "nothing was uncommitted"),
        ({"commit": "c0ffee", "dirty": None, "error": "git diff took too long"}, "patch", "git diff took too long"),
    ],
)  # fmt: skip
def test_what_git_did_not_tell_is_explained(git: object, field: str, why: str) -> None:
    """Outside a repository, and where git told nothing, that is said, and no other field is offered."""
    run_id = write_run(*([] if git is ... else [{"type": "capture", "field": "git", "value": git}]))
    called = call("get", run_id, field)
    assert (called.code, called.out) == (1, "") and why in called.err and "near" not in called.err


def test_the_error_of_a_good_run(run_id: str) -> None:
    """A run that ended well has no error, and says so."""
    called = call("get", run_id, "error.traceback")
    assert (called.code, called.err) == (1, "runfolio: the run has no error\n")


def test_ranks_must_be_chosen() -> None:
    """Where ranks differ nothing is guessed: the ranks are named, and `--rank` picks."""
    with start(rank=0) as run:
        run.log({"loss": 1.0}, step=0)
        other = runfolio.attach(run.id, rank=1)
        other.log({"loss": 3.0}, step=0)
        other.finish()
    for field in ("metrics.loss.last", "loss", "series.loss"):
        called = call("get", run.id, field)
        assert called.code == 1 and "ranks 0, 1" in called.err and "--rank" in called.err, called
    assert fine("get", run.id, "metrics.loss.last", "--rank", "1").out == "3.0\n"
    assert fine("get", run.id, "metrics.loss.min").out == "1.0\n"
    assert fine("get", run.id, "series.loss", "--rank", "mean").out == "0\t2.0\n"
    assert fine("get", run.id, "series.loss", "--rank", "all").out == "0\t0\t1.0\n0\t1\t3.0\n"


def test_output_comes_as_it_was(run_id: str) -> None:
    """output.log is copied byte for byte into a pipe; a terminal gets its colours, and no other control."""
    raw = b"\x1b[32mgreen\x1b[0m 50%\r100%\n\xff\x1b]0;title\x07\x1b[2J\n"
    Path(store().output(run_id)).write_bytes(raw)
    assert call("get", run_id, "output", encoding="latin-1").out.encode("latin-1") == raw
    shown = fine("get", run_id, "output", terminal=True).out
    assert shown.startswith("\x1b[32mgreen\x1b[0m 50%\r100%\n") and "\\x1b]0;title\\x07\\x1b[2J" in shown


def test_text_is_quiet_on_a_terminal() -> None:
    """Text with control characters is printed as kept into a pipe, escaped on a terminal."""
    run_id = write_run({"type": "notes", "text": "a\x1b[2J\tb\nc"})
    assert fine("get", run_id, "notes").out == "a\x1b[2J\tb\nc\n"
    assert "\x1b" not in fine("get", run_id, "notes", terminal=True).out
    assert fine("get", run_id, "notes", terminal=True).out.endswith("\nc\n")


# ----------------------------------------------------------------------------------------------------------- artifacts


def test_artifacts_are_listed_and_copied(run_id: str, tmp_path: Path) -> None:
    """The list has the latest versions; a folder gets their bytes, checked; the path of one is where its bytes lie."""
    assert [line.split("\t")[:3] for line in fine("get", run_id, "artifacts").lines] == [
        ["model.npz", "2", "11"], ["plots/loss.png", "1", "4"],
    ]  # fmt: skip
    out = tmp_path / "out"
    assert fine("get", run_id, "artifacts", str(out)).lines == [str(out / "model.npz"), str(out / "plots" / "loss.png")]
    assert (out / "model.npz").read_bytes() == b"new weights" and (out / "plots" / "loss.png").read_bytes() == b"plot"
    assert Path(fine("get", run_id, "artifacts.model.npz").out.strip()).read_bytes() == b"new weights"
    assert Path(fine("get", run_id, "artifacts.model.npz", "--version", "1").out.strip()).read_bytes() == b"weights"
    fine("get", run_id, "artifacts.plots", str(tmp_path / "only"))
    assert [path.name for path in (tmp_path / "only").rglob("*") if path.is_file()] == ["loss.png"]
    called = call("get", run_id, "artifacts.model.npz", "--version", "3")
    assert called.code == 1 and "has no version 3; its versions are 1, 2" in called.err


def test_files_are_not_overwritten(run_id: str, tmp_path: Path) -> None:
    """The same file again is fine, another one in its place is kept unless --force is given; a link is replaced, not followed."""
    target = tmp_path / "model.npz"
    for _ in range(2):
        fine("get", run_id, "artifacts.model.npz", str(tmp_path))
    target.write_bytes(b"mine")
    called = call("get", run_id, "artifacts.model.npz", str(tmp_path))
    assert called.code == 2 and "--force" in called.err and target.read_bytes() == b"mine"
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    target.unlink()
    target.symlink_to(victim)
    fine("get", run_id, "artifacts.model.npz", str(tmp_path), "--force")
    assert target.read_bytes() == b"new weights" and victim.read_bytes() == b"mine" and not target.is_symlink()


def test_damaged_bytes_are_not_handed_out(run_id: str, tmp_path: Path) -> None:
    """Bytes whose hash is wrong are refused, and nothing is left in the folder."""
    path = Path(fine("get", run_id, "artifacts.model.npz").out.strip())
    path.chmod(0o644)
    path.write_bytes(b"rotten bytes")
    called = call("get", run_id, "artifacts.model.npz", str(tmp_path / "out"))
    assert called.code == 1 and "damaged" in called.err
    assert call("get", run_id, "artifacts.model.npz").code == 1
    assert not list((tmp_path / "out").rglob("*"))


def version(name: str, number: int) -> ArtifactVersion:
    return ArtifactVersion(name, 1, f"{number:064x}", 1, None, None, 0, 1)


PARTS = st.sampled_from(
    ["", ".", "..", "a", "A", "b", "é", "e\u0301", "\\", "C:", "...", " ", "x" * 300, "\n", "\x1b[2J", "CON", "a.b"]
)
NAMES = st.one_of(st.lists(PARTS, min_size=1, max_size=4).map("/".join), st.text(min_size=1, max_size=20))


@given(st.lists(NAMES, min_size=1, max_size=12, unique=True))
def test_F44_no_name_leads_out_of_the_folder(names: list[str]) -> None:
    """Whatever artifacts are called, each gets a relative path of its own, below the folder, of plain characters."""
    names = [name for name in names if name]
    placed = places([version(name, number) for number, name in enumerate(names)])
    paths = [path for _, path in placed]
    assert len({path.casefold() for path in paths}) == len(paths)
    for path in paths:
        parts = path.split("/")
        assert not path.startswith("/") and not set(parts) & {"", ".", ".."}
        assert all(
            len(part.encode("utf-8", "surrogatepass")) <= 255 and not set(part) & set("\\:\0\n\x1b") for part in parts
        )
        assert not any(other.startswith(path + "/") for other in paths)


def test_plain_names_keep_their_folders() -> None:
    """An ordinary name is its path; one that would leave the folder is made flat."""
    names = ["model.npz", "plots/loss.png", "../../etc/passwd", "/etc/passwd", "a/../b", "損失.png"]
    assert [path for _, path in places([version(name, n) for n, name in enumerate(names)])] == [
        "model.npz", "plots/loss.png", "etc_passwd", "etc_passwd~" + sha256(b"/etc/passwd").hexdigest()[:8], "a_b", "損失.png",
    ]  # fmt: skip


def test_the_shell_can_use_it(run_id: str) -> None:
    """The command in a process of its own prints the same."""
    assert spawn("get", run_id[:8], "lr") == (0, "0.1\n", "")
