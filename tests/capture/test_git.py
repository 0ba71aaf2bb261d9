"""What is captured of a git repository."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from capture.real_git import Repo
from runfolio.sdk.capture.git import NAMES_MAX, capture_git
from runfolio.sdk.capture.patch import PATCH_MAX


def captured(folder: Path) -> dict[str, Any]:
    """Capture a repository that must be there and make no trouble."""
    facts = capture_git(str(folder))
    assert facts is not None
    assert "error" not in facts
    return facts


def test_a_clean_repository(repo: Repo) -> None:
    """A clean work tree tells commit and branch, and no patch."""
    facts = captured(repo.folder)
    assert facts == {
        "root": str(repo.folder),
        "commit": repo.head(),
        "branch": "main",
        "remote": None,
        "dirty": False,
        "untracked": [],
        "untracked_cut": 0,
    }


def test_a_patch_brings_the_work_back(repo: Repo, tmp_path: Path) -> None:
    """The patch, applied to the commit, gives the files again: changed, staged, added, removed, with odd names."""
    repo.write("gone.txt", "a\n")
    repo.write("naïve name.txt", "a\n")
    commit = repo.commit(b_txt="1\r\n2\n3")
    repo.write("train.py", "lr = 0.2\n")
    repo.write("b.txt", "1\r\n2\nthree")
    repo.write("new.txt", "new\n")
    repo.write("naïve name.txt", "b\n")
    (repo.folder / "gone.txt").unlink()
    (repo.folder / "train.py").chmod(0o755)
    repo.git("add", "new.txt", "b.txt")
    facts = captured(repo.folder / ".git" / "..")
    assert facts["dirty"]
    assert facts["patch_exact"]
    again = tmp_path / "again"
    repo.git("clone", "--quiet", str(repo.folder), str(again))
    assert facts["commit"] == commit
    subprocess.run(["git", "apply", "-"], cwd=again, input=facts["patch"].encode(), check=True)
    names = sorted(path.name for path in again.iterdir() if path.is_file())
    assert names == ["b.txt", "naïve name.txt", "new.txt", "train.py"]
    for name in names:
        assert (again / name).read_bytes() == (repo.folder / name).read_bytes()


def test_untracked_files_are_named(repo: Repo) -> None:
    """Files that git does not know are named, folders of them once, ignored ones not; they make nothing dirty."""
    repo.commit(_gitignore="*.log\n")
    (repo.folder / ".git" / "info" / "exclude").write_text("*.tmp\n")
    (repo.folder / ".git" / "info").chmod(0o755)
    for name in ("a.log", "b.tmp", "new.py", "deep/one.py", "deep/two.py", "sub/.git/HEAD"):
        repo.write(name, "x")
    facts = captured(repo.folder)
    assert facts["untracked"] == ["deep/", "new.py"]
    assert not facts["dirty"]


def test_the_users_own_ignored_names_count(repo: Repo, tmp_path: Path) -> None:
    """The file of ignored names in the user's own configuration is read, also the one at the usual place."""
    repo.write("a.ckpt", "x")
    ignore = tmp_path / "home" / ".config" / "git" / "ignore"
    ignore.parent.mkdir(parents=True)
    ignore.write_text("*.ckpt\n")
    assert captured(repo.folder)["untracked"] == []
    (tmp_path / "home" / ".gitconfig").write_text("[core]\n\texcludesFile = ~/mine\n")
    (tmp_path / "home" / "mine").write_text("nothing\n")
    assert captured(repo.folder)["untracked"] == ["a.ckpt"]


def test_no_repository(tmp_path: Path) -> None:
    """Outside of a repository there is nothing to tell."""
    assert capture_git(str(tmp_path)) is None
    assert capture_git(str(tmp_path / "not there")) is None
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    assert capture_git(str(tmp_path)) is None


def test_no_commit_yet(tmp_path: Path) -> None:
    """Before the first commit what was added is the patch."""
    repo = Repo(tmp_path / "repo")
    assert captured(repo.folder) | {"root": ""} == {
        "root": "",
        "commit": None,
        "branch": "main",
        "remote": None,
        "dirty": False,
        "untracked": [],
        "untracked_cut": 0,
    }
    repo.write("a.py", "x = 1\n")
    repo.git("add", "a.py")
    facts = captured(repo.folder)
    assert facts["dirty"]
    assert facts["patch"].endswith("+x = 1\n")


def test_detached_head(repo: Repo) -> None:
    """A detached HEAD has a commit and no branch."""
    repo.git("checkout", "--quiet", "--detach")
    facts = captured(repo.folder)
    assert (facts["commit"], facts["branch"]) == (repo.head(), None)


def test_packed_refs(repo: Repo) -> None:
    """A branch is found where git has packed its refs, beside others with a like name."""
    repo.git("branch", "x/main")
    repo.commit(a="a")
    repo.git("branch", "main2", "HEAD~1")
    repo.git("pack-refs", "--all")
    assert not (repo.folder / ".git" / "refs" / "heads" / "main").exists()
    assert captured(repo.folder)["commit"] == repo.head()


def test_bare_repository(repo: Repo, tmp_path: Path) -> None:
    """A bare repository has a commit and no work tree to be dirty."""
    bare = tmp_path / "bare.git"
    repo.git("clone", "--quiet", "--bare", str(repo.folder), str(bare))
    facts = captured(bare / "refs")
    assert facts == {
        "root": str(bare),
        "commit": repo.head(),
        "branch": "main",
        "remote": str(repo.folder),
        "dirty": None,
    }


def test_worktree(repo: Repo, tmp_path: Path) -> None:
    """A second work tree of a repository has a HEAD, an index and changes of its own, and the common remote."""
    repo.git("remote", "add", "origin", "https://example.org/r.git")
    repo.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "side" / "train.py").write_text("lr = 0.3\n")
    facts = captured(tmp_path / "side")
    assert (facts["commit"], facts["branch"], facts["dirty"]) == (repo.head(), "side", True)
    assert facts["remote"] == "https://example.org/r.git"
    assert "+lr = 0.3" in facts["patch"]
    assert captured(repo.folder)["dirty"] is False


def test_submodule(repo: Repo, tmp_path: Path) -> None:
    """Inside a submodule its own state is told; to the parent another commit is a change, a dirty file is none."""
    parent = Repo(tmp_path / "parent")
    parent.git("submodule", "--quiet", "add", str(repo.folder), "sub")
    parent.commit()
    (parent.folder / "sub" / "train.py").write_text("lr = 9\n")
    assert captured(parent.folder)["dirty"] is False
    inside = captured(parent.folder / "sub")
    assert (inside["commit"], inside["dirty"]) == (repo.head(), True)
    sub = Repo(parent.folder / "sub")
    commit = sub.commit()
    facts = captured(parent.folder)
    assert facts["dirty"]
    assert f"+Subproject commit {commit}" in facts["patch"]


def test_sha256_repository(tmp_path: Path) -> None:
    """A repository of the longer hashes is read as well, before its first commit too."""
    repo = Repo(tmp_path / "repo", "--object-format=sha256")
    repo.write("a.py", "x = 1\n")
    repo.git("add", "a.py")
    assert captured(repo.folder)["patch"].endswith("+x = 1\n")
    repo.commit()
    repo.write("a.py", "x = 2\n")
    facts = captured(repo.folder)
    assert facts["commit"] == repo.head()
    assert len(facts["commit"]) == 64
    assert "+x = 2" in facts["patch"]


def test_split_index_and_sparse_checkout(repo: Repo) -> None:
    """An index in two files is read; files that a sparse checkout leaves away are not removed ones."""
    repo.write("far/away.txt", "x\n")
    repo.write("near/by.txt", "x\n")
    repo.commit()
    repo.git("update-index", "--split-index")
    repo.git("sparse-checkout", "set", "near")
    assert not (repo.folder / "far").exists()
    assert captured(repo.folder)["dirty"] is False
    repo.write("near/by.txt", "y\n")
    assert captured(repo.folder)["patch"].count("diff --git") == 1


def test_the_repository_is_left_alone(repo: Repo) -> None:
    """Nothing in the repository is written, not even the index where its times are out of date."""
    os.utime(repo.folder / "train.py", (1, 1))

    def state() -> dict[Path, tuple[int, bytes]]:
        files = (path for path in repo.folder.rglob("*") if path.is_file())
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    assert captured(repo.folder)["dirty"] is False
    assert state() == before


def test_a_change_in_the_same_instant(repo: Repo) -> None:
    """A change of equal size in the very instant in which git wrote its index is seen, as git itself would see it."""
    repo.git("config", "core.trustctime", "false")
    path, index = repo.folder / "train.py", repo.folder / ".git" / "index"
    os.utime(path, ns=(10**18, 10**18))
    repo.git("update-index", "--refresh")
    os.utime(index, ns=(10**18, 10**18))
    with path.open("r+") as file:
        file.write("LR")
    os.utime(path, ns=(10**18, 10**18))
    assert captured(repo.folder)["dirty"]


def test_the_branchs_remote_comes_first(repo: Repo) -> None:
    """The remote is the branch's own, else origin, else the only one."""
    repo.git("remote", "add", "fork", "git@example.org:fork.git")
    assert captured(repo.folder)["remote"] == "git@example.org:fork.git"
    repo.git("remote", "add", "origin", "git@example.org:origin.git")
    assert captured(repo.folder)["remote"] == "git@example.org:origin.git"
    repo.git("config", "branch.main.remote", "fork")
    assert captured(repo.folder)["remote"] == "git@example.org:fork.git"


def test_without_git(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where git is not installed, commit and branch are told nevertheless, and that the rest is missing."""
    commit = repo.head()
    monkeypatch.setenv("PATH", "")
    facts = capture_git(str(repo.folder))
    assert facts is not None
    assert (facts["commit"], facts["branch"]) == (commit, "main")
    assert "not installed" in str(facts["error"])


def test_without_a_temporary_folder(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no temporary file can be made, commit and branch are told nevertheless, and why the rest is missing."""
    monkeypatch.setattr(tempfile, "tempdir", str(repo.folder / "missing"))
    facts = capture_git(str(repo.folder))
    assert facts is not None
    assert (facts["commit"], facts["branch"]) == (repo.head(), "main")
    assert "FileNotFoundError" in str(facts["error"])


def test_a_huge_diff_is_cut(repo: Repo) -> None:
    """The patch stays within its bound, whole files are left out, and what was cut is counted and named."""
    for number in range(4):
        repo.write(f"big{number}.txt", "")
    repo.commit()
    for number in range(4):
        repo.write(f"big{number}.txt", f"line {number}\n" * (PATCH_MAX // 20))
    facts = captured(repo.folder)
    assert len(facts["patch"].encode()) < PATCH_MAX + 1_000
    assert facts["patch"].count("diff --git") == 2
    assert facts["left_out"] == [{"path": "big2.txt", "why": "size"}, {"path": "big3.txt", "why": "size"}]
    assert facts["patch_cut_bytes"] > PATCH_MAX // 2
    assert not facts["patch_exact"]


def test_many_names_are_cut(repo: Repo) -> None:
    """Of very many untracked files the first are named and the others counted."""
    for number in range(NAMES_MAX + 7):
        (repo.folder / f"{number:05}.txt").touch()
    facts = captured(repo.folder)
    assert len(facts["untracked"]) == NAMES_MAX
    assert facts["untracked_cut"] == 7


def test_names_that_are_no_utf8(repo: Repo) -> None:
    """A file name of arbitrary bytes is told as text that UTF-8 can carry."""
    for name in (b"caf\xe9.txt", b"new\nline.txt", "ünï.txt".encode()):
        repo.write(name, "x")
    facts = captured(repo.folder)
    assert sorted(facts["untracked"]) == ["caf\\xe9.txt", "new\\nline.txt", "ünï.txt"]
    repo.commit()
    for name in (b"caf\xe9.txt", b"new\nline.txt"):
        repo.write(name, b"\0")
    facts = captured(repo.folder)
    paths = [entry["path"] for entry in facts["left_out"]]
    assert paths == ["caf\\xe9.txt", "new\\nline.txt"]
    facts["patch"].encode()


def test_content_that_is_no_utf8(repo: Repo) -> None:
    """A changed line of other bytes is kept readable, and the patch says that it is not exact."""
    repo.write("train.py", b"lr = 0.1 # \xe9\n")
    facts = captured(repo.folder)
    assert "+lr = 0.1 # \ufffd" in facts["patch"]
    assert not facts["patch_exact"]


def test_binary_and_unmerged_files_are_named(repo: Repo) -> None:
    """A changed file that no text can show is named, and why it is not in the patch."""
    repo.write("a.bin", b"\0\1")
    repo.commit()
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit(train_py="lr = 1\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit(train_py="lr = 2\n")
    repo.write("a.bin", b"\0\2")
    repo.git("merge", "side", check=False)
    facts = captured(repo.folder)
    assert {entry["path"]: entry["why"] for entry in facts["left_out"]}["a.bin"] == "binary"
    assert facts["dirty"]
    assert not facts["patch_exact"]
    assert "train.py" in facts["patch"]


def test_files_behind_a_filter_are_named(repo: Repo) -> None:
    """A file that git keeps in another form, as Git LFS does, is named and not compared as text."""
    repo.commit(_gitattributes="*.csv filter=lfs\n", a_csv="version https://git-lfs.github.com/spec/v1\n")
    repo.write("a.csv", "1,2\n" * 1000)
    facts = captured(repo.folder)
    assert facts["left_out"] == [{"path": "a.csv", "why": "git filter"}]
    assert "1,2" not in facts["patch"]


def test_damage_is_told(repo: Repo) -> None:
    """A damaged repository gives what can be read, and the error; nothing is raised."""
    (repo.folder / ".git" / "index").write_bytes(b"not an index")
    facts = capture_git(str(repo.folder))
    assert facts is not None
    assert facts["commit"] == repo.git("rev-parse", "HEAD").strip()
    assert facts["dirty"] is None
    assert "git diff failed" in str(facts["error"])
    (repo.folder / ".git" / "HEAD").write_bytes(b"ref: nothing\n")
    facts = capture_git(str(repo.folder))
    assert facts is not None
    assert facts["commit"] is None
    assert facts["error"] == "HEAD cannot be read"
