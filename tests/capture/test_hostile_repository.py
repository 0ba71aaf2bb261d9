"""A19: a repository that somebody else made starts no program of its own, whatever its configuration says.

Each attack is shown to bite first: plain git, asked about the same repository, leaves the canary's mark.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from capture.processes import is_gone
from capture.real_git import Repo
from runfolio.sdk.capture import neutral
from runfolio.sdk.capture.git import capture_git

SECRET = "hunter2-of-another-file"


class Canary:
    """A program that leaves a mark when it is started."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.mark = folder / "mark"
        self.path = folder / "canary"
        self.path.write_text(f"#!/bin/sh\necho started >> {self.mark}\n")
        self.path.chmod(0o755)

    def sang(self) -> bool:
        """Say whether it was started since the last time this was asked."""
        was = self.mark.exists()
        self.mark.unlink(missing_ok=True)
        return was

    def __str__(self) -> str:
        return str(self.path)


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    """Return a canary that is silent at the end of the test."""
    canary = Canary(tmp_path / "canary")
    yield canary
    assert not canary.sang()


def captured(folder: Path) -> dict[str, Any]:
    """Capture a repository that is there."""
    facts = capture_git(str(folder))
    assert facts is not None
    return facts


def config(repo: Repo, *settings: str) -> None:
    """Write settings, `name=value`, into the repository's own configuration."""
    for setting in settings:
        repo.git("config", *setting.split("=", 1))


def attributes(repo: Repo, line: str) -> None:
    """Write a committed `.gitattributes`."""
    repo.commit(_gitattributes=line + "\n")


def fsmonitor(repo: Repo, canary: Canary) -> None:
    config(repo, f"core.fsmonitor={canary}")


def external_diff(repo: Repo, canary: Canary) -> None:
    config(repo, f"diff.external={canary}")


def diff_driver(repo: Repo, canary: Canary) -> None:
    attributes(repo, "*.py diff=evil")
    config(repo, f"diff.evil.command={canary}")


def textconv(repo: Repo, canary: Canary) -> None:
    attributes(repo, "*.py diff=evil")
    config(repo, f"diff.evil.textconv={canary}")


def filter_clean(repo: Repo, canary: Canary) -> None:
    attributes(repo, "*.py filter=evil")
    config(repo, f"filter.evil.clean={canary}", "filter.evil.required=true")


def filter_process(repo: Repo, canary: Canary) -> None:
    attributes(repo, "*.py filter=evil")
    config(repo, f"filter.evil.process={canary}")


def filter_with_an_odd_name(repo: Repo, canary: Canary) -> None:
    attributes(repo, "*.py filter=a.b=c")
    repo.write(".git/config", (repo.folder / ".git/config").read_text() + f'[filter "a.b=c"]\n\tclean = {canary}\n')


def filter_by_private_attributes(repo: Repo, canary: Canary) -> None:
    repo.write(".git/info/attributes", "* filter=evil\n")
    config(repo, f"filter.evil.clean={canary}")


def filter_by_named_attributes(repo: Repo, canary: Canary) -> None:
    repo.write("attributes", "*.py filter=evil\n")
    config(repo, f"core.attributesFile={repo.folder}/attributes", f"filter.evil.clean={canary}")


def hook(repo: Repo, canary: Canary) -> None:
    os.symlink(canary.path, repo.folder / ".git" / "hooks" / "post-index-change")


def hooks_path(repo: Repo, canary: Canary) -> None:
    (repo.folder / "hooks").mkdir()
    os.symlink(canary.path, repo.folder / "hooks" / "post-index-change")
    config(repo, f"core.hooksPath={repo.folder}/hooks")


def pager(repo: Repo, canary: Canary) -> None:
    config(repo, f"core.pager={canary}", f"pager.diff={canary}", f"pager.config={canary}", f"pager.ls-files={canary}")


def alias(repo: Repo, canary: Canary) -> None:
    config(repo, f"alias.st=!{canary}", f"alias.diff=!{canary}", f"alias.ls-files=!{canary}", f"alias.config=!{canary}")


def included(repo: Repo, canary: Canary) -> None:
    repo.write("evil", f"[core]\n\tfsmonitor = {canary}\n")
    config(repo, "include.path=../evil")


def included_if(repo: Repo, canary: Canary) -> None:
    repo.write("evil", f"[core]\n\tfsmonitor = {canary}\n")
    config(repo, "includeIf.gitdir:/**.path=../evil")


def worktree_config(repo: Repo, canary: Canary) -> None:
    config(repo, "extensions.worktreeConfig=true")
    repo.git("config", "--worktree", "core.fsmonitor", str(canary))


def promise(repo: Repo) -> None:
    """Take away an object that a diff needs, and promise it at a remote."""
    blob = repo.git("rev-parse", "HEAD:train.py").strip()
    (repo.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    config(repo, "core.repositoryFormatVersion=1", "extensions.partialClone=origin", "remote.origin.promisor=true")


def promised_over_ssh(repo: Repo, canary: Canary) -> None:
    promise(repo)
    config(repo, "remote.origin.url=ssh://example.invalid/x", f"core.sshCommand={canary}")


def promised_over_a_pack_program(repo: Repo, canary: Canary) -> None:
    promise(repo)
    config(repo, f"remote.origin.url={repo.folder}", f"remote.origin.uploadpack={canary}")


def promised_over_ext(repo: Repo, canary: Canary) -> None:
    promise(repo)
    config(repo, f"remote.origin.url=ext::{canary}", "protocol.ext.allow=always", "protocol.allow=always")


def promised_over_a_proxy(repo: Repo, canary: Canary) -> None:
    promise(repo)
    config(repo, "remote.origin.url=git://example.invalid/x", f"core.gitProxy={canary}")


def submodule(repo: Repo, canary: Canary) -> None:
    other = Repo(repo.folder.parent / "other")
    other.commit(a="a")
    repo.git("submodule", "--quiet", "add", str(other.folder), "sub")
    repo.commit()
    repo.git("-C", "sub", "config", "core.fsmonitor", str(canary))


def submodule_update(repo: Repo, canary: Canary) -> None:
    submodule(repo, canary)
    config(repo, "submodule.recurse=true", f"submodule.sub.update=!{canary}", "status.submoduleSummary=true")


STATUS, DIFF, INDEX = ("status",), ("diff", "HEAD"), ("add", "train.py")
ATTACKS: list[tuple[Callable[[Repo, Canary], None], tuple[str, ...]]] = [
    (fsmonitor, STATUS),
    (external_diff, DIFF),
    (diff_driver, DIFF),
    (textconv, DIFF),
    (filter_clean, DIFF),
    (filter_process, DIFF),
    (filter_with_an_odd_name, DIFF),
    (filter_by_private_attributes, DIFF),
    (filter_by_named_attributes, DIFF),
    (hook, INDEX),
    (hooks_path, INDEX),
    (pager, DIFF),
    (alias, ("st",)),
    (included, STATUS),
    (included_if, STATUS),
    (worktree_config, STATUS),
    (promised_over_ssh, DIFF),
    (promised_over_a_pack_program, DIFF),
    (promised_over_ext, DIFF),
    (promised_over_a_proxy, DIFF),
    (submodule, STATUS),
    (submodule_update, STATUS),
]


@pytest.mark.parametrize(("attack", "bait"), ATTACKS, ids=lambda value: getattr(value, "__name__", " "))
def test_A19_no_program_of_the_repository_is_started(
    repo: Repo, canary: Canary, attack: Callable[[Repo, Canary], None], bait: tuple[str, ...]
) -> None:
    """A configured program is not started by the capture, though plain git starts it; the change is told nevertheless."""
    attack(repo, canary)
    canary.sang()  # while the trap was laid
    repo.write("train.py", "lr = 0.2\n")
    facts = captured(repo.folder)
    assert not canary.sang()
    assert facts["commit"] == (repo.folder / ".git/refs/heads/main").read_text().strip()
    assert facts["dirty"] or "git diff failed" in facts["error"]  # where the object stays away
    os.utime(repo.folder / "train.py", (1, 1))
    on_terminal(repo.folder, "git", *bait)
    assert canary.sang(), "the attack does not bite; the test shows nothing"


def on_terminal(folder: Path, *command: str) -> None:
    """Run a program as if at a terminal, where a pager may start."""
    ours, theirs = os.openpty()
    with open(ours, "rb", buffering=0), open(theirs, "wb", buffering=0) as terminal:
        environment = os.environ | {"GIT_PAGER_IN_USE": "", "TERM": "xterm"}
        subprocess.run(
            command, cwd=folder, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, check=False
        )


def test_A19_ambient_variables_start_nothing(
    repo: Repo, canary: Canary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the environment tells git, to start programs or to look elsewhere, has no effect on the capture."""
    other = Repo(tmp_path / "other")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(canary))
    for name in (
        "GIT_EXTERNAL_DIFF",
        "GIT_PAGER",
        "PAGER",
        "GIT_SSH_COMMAND",
        "GIT_SSH",
        "GIT_PROXY_COMMAND",
        "GIT_ASKPASS",
    ):
        monkeypatch.setenv(name, str(canary))
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no index"))
    monkeypatch.setenv("GIT_TRACE", str(canary.mark))
    repo.write("train.py", "lr = 0.2\n")
    facts = captured(repo.folder)
    assert "+lr = 0.2" in facts["patch"]
    assert facts["root"] == str(repo.folder)


def test_A19_a_filter_of_the_users_is_not_started_for_others(repo: Repo, canary: Canary, tmp_path: Path) -> None:
    """A filter that the user has installed for all repositories is not started by one's `.gitattributes`."""
    attributes(repo, "* filter=lfs")
    (tmp_path / "home" / ".gitconfig").write_text(f'[filter "lfs"]\n\tclean = {canary}\n\tprocess = {canary}\n')
    repo.write("train.py", "lr = 0.2\n")
    facts = captured(repo.folder)
    assert facts["left_out"] == [{"path": "train.py", "why": "git filter"}]


def test_A19_git_is_not_taken_from_the_working_directory(
    repo: Repo, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program called git in the repository is not started, though the PATH has the working directory."""
    os.symlink(canary.path, repo.folder / "git")
    monkeypatch.chdir(repo.folder)
    monkeypatch.setenv("PATH", f".::{os.environ['PATH']}")
    assert captured(repo.folder)["untracked"] == ["git"]


NAMES = [
    "$(touch pwned)",
    "`touch pwned`",
    ";touch pwned",
    "|touch pwned",
    "--upload-pack=touch pwned",
    "-oProxyCommand=x",
]


@pytest.mark.parametrize("name", NAMES)
def test_A19_names_are_only_names(repo: Repo, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch, remote or file named like a command or an option is told as it is."""
    monkeypatch.chdir(repo.folder)
    branch = name.replace(" ", "+")
    commit = repo.head()
    repo.write(f".git/refs/heads/{branch}", commit + "\n")
    repo.write(".git/HEAD", f"ref: refs/heads/{branch}\n")
    repo.git("config", f"remote.{name}.url", name)
    repo.git("config", f"branch.{branch}.remote", name)
    repo.write(name, "a\n")
    repo.git("add", "--", name)
    repo.write(f"{name}2", "a\n")
    facts = captured(repo.folder)
    assert (facts["commit"], facts["branch"], facts["remote"]) == (commit, branch, name)
    assert facts["untracked"] == [f"{name}2"]
    assert "+a" in facts["patch"]
    assert not (repo.folder / "pwned").exists()


@pytest.mark.parametrize("name", [":(exclude)*", ":!*", "*", "[a]", "a -> b", '"quoted"', "tab\there", "a b/a b"])
def test_names_with_a_meaning_to_git(repo: Repo, name: str) -> None:
    """A file whose name is a pattern to git, or like a header of a diff, is one file."""
    repo.write(name, "a\n")
    repo.commit()
    repo.write(name, "b\n")
    facts = captured(repo.folder)
    assert facts["patch_exact"]
    assert "+b" in facts["patch"]
    repo.write(name, b"\0")
    assert captured(repo.folder)["left_out"] == [{"path": name.replace("\t", "\\t"), "why": "binary"}]


def test_A19_files_outside_are_not_read(repo: Repo, tmp_path: Path) -> None:
    """Links and settings that lead out of the repository do not bring foreign files into the capture."""
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    os.symlink(secret, repo.folder / "link.py")
    (repo.folder / ".git" / "refs" / "heads" / "main").unlink()
    os.symlink(secret, repo.folder / ".git" / "refs" / "heads" / "main")
    config(repo, f"core.excludesFile={secret}", f"include.path={secret}", f"core.worktree={tmp_path}")
    facts = captured(repo.folder)
    assert SECRET not in repr(facts)
    assert facts["commit"] is None
    assert "core.worktree" in facts["error"]


def test_A19_nothing_hangs(repo: Repo) -> None:
    """A FIFO in the place of a file that is read does not keep the capture waiting."""
    for name in ("packed-refs", "config", "info/exclude", "index", "refs/heads/main"):
        (repo.folder / ".git" / name).unlink(missing_ok=True)
        os.mkfifo(repo.folder / ".git" / name)
    facts = captured(repo.folder)
    assert facts["branch"] == "main"
    assert facts["commit"] is None


def test_A19_a_program_that_hangs_is_stopped(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that does not end is killed with all that it started, and the capture says so."""
    pids = tmp_path / "pids"
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\nsleep 1000 &\necho $$ $! >> {pids}\nwait\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(neutral, "TIMEOUT_S", 0.3)
    facts = captured(repo.folder)
    assert "took too long" in facts["error"]
    assert facts["branch"] == "main"
    for pid in map(int, pids.read_text().split()):
        assert is_gone(pid)


@pytest.mark.root
def test_A19_a_repository_of_another_user(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns a repository above our files does not choose which of them are copied; the commit is told."""
    repo.write("train.py", "lr = 0.2\n")
    with open_folder() as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        theirs = shutil.copytree(repo.folder, folder / "repo", symlinks=True)
        for path in (theirs / ".git", *theirs.rglob("*")):
            os.chown(path, 12345, 12345, follow_symlinks=False)
        assert captured(theirs)["dirty"]
        os.seteuid(23456)
        try:
            facts = captured(theirs)
        finally:
            os.seteuid(0)
    assert (facts["commit"], facts["branch"]) == (repo.head(), "main")
    assert facts["error"] == "the repository belongs to another user"
    assert "patch" not in facts


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that every user may enter and write to, which those of the tests are not."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o1777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
