"""Capture which code runs: commit, branch, remote, and the changes that are not committed."""

from __future__ import annotations

import os
import tempfile

from .neutral import Git, Settings, make_git, read_settings
from .output import find_program
from .patch import PATCH_MAX, make_patch, shown
from .redact import readable, redact_text
from .repository import Head, Repository, find_repository, read_head

NAMES_MAX = 1_000
_NAMES_BYTES_MAX = 4 << 20
_DIFF_BYTES_MAX = 32 * PATCH_MAX  # of which private files, notebooks and the like fall away

_EMPTY_TREE = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-submodules=dirty")
_PATCH = (*_DIFF, "--patch", "--full-index", "--src-prefix=a/", "--dst-prefix=b/")
_UNTRACKED = ("ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z")
_NO_FILTER = (b"unspecified", b"unset", b"set")
Facts = dict[str, object]


def capture_git(cwd: str) -> Facts | None:
    """Return the state of the repository around `cwd`, or None where there is none; it never raises.

    `error` stands beside what was found when something went wrong.
    """
    facts: Facts = {}
    try:
        repository = find_repository(cwd)
        if repository is None:
            return None
        head = read_head(repository)
        facts = {"root": readable(repository.work_tree or repository.git_dir)} | _head_facts(head)
        return facts | _told_by_git(repository, head)
    except Exception as error:
        return facts | {"error": redact_text(readable(f"{type(error).__name__}: {error}"))[:300]}


def _told_by_git(repository: Repository, head: Head | None) -> Facts:
    """Return what needs git: the remote, and the changes that are not committed."""
    program = find_program("git")
    if program is None:
        return {"error": "git is not installed: no remote and no uncommitted changes"}
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        settings = read_settings(program, folder, repository)
        git = make_git(program, folder, repository, settings)
        if settings.get("extensions.refstorage", "files").lower() == "reftable":
            head = _head_of_tables(git)
        return _head_facts(head) | {"remote": _remote(settings, head)} | _work_tree_facts(git, settings, head)


def _head_facts(head: Head | None) -> Facts:
    """Return commit and branch."""
    if head is None:
        return {"commit": None, "branch": None}
    return {"commit": head.commit, "branch": None if head.branch is None else redact_text(readable(head.branch))}


def _head_of_tables(git: Git) -> Head | None:
    """Ask git for HEAD where the refs stand in tables and not in files."""
    commit = git.run("rev-parse", "--verify", "--quiet", "HEAD", size_max=100)
    branch = git.run("symbolic-ref", "--quiet", "--short", "HEAD", size_max=10_000)
    if commit.failure and branch.failure:
        return None
    return Head(commit.text.decode().strip() or None, os.fsdecode(branch.text.strip()) or None)


def _remote(settings: Settings, head: Head | None) -> str | None:
    """Return the address of the branch's remote, else of origin, else of the first there is."""
    remotes = {
        name.removeprefix("remote.").removesuffix(".url"): address
        for name, address in settings.items()
        if name.startswith("remote.") and name.endswith(".url")
    }
    upstream = settings.get(f"branch.{head.branch}.remote") if head else None
    address = remotes.get(upstream or "") or remotes.get("origin") or next(iter(remotes.values()), None)
    return None if address is None else redact_text(readable(address))


def _work_tree_facts(git: Git, settings: Settings, head: Head | None) -> Facts:
    """Return what is not committed, or why that cannot be told."""
    if git.repository.work_tree is None:
        return {"dirty": None}
    if reason := _unknowable(git.repository, settings, head):
        return {"dirty": None, "error": reason}
    tree = (head and head.commit) or _EMPTY_TREE[settings.get("extensions.objectformat", "sha1").lower()]
    names = git.run(*_DIFF, "--name-only", "-z", tree, "--", size_max=_NAMES_BYTES_MAX)
    if names.failure:
        return {"dirty": True if names.text else None, "error": f"git diff {names.failure}"}
    changed = names.text.split(b"\0")[:-1]
    facts = _patch_facts(git, tree, changed) if changed else {}
    return {"dirty": bool(changed)} | _untracked_facts(git) | facts


def _unknowable(repository: Repository, settings: Settings, head: Head | None) -> str | None:
    """Say why the uncommitted changes are not looked for, or None."""
    if head is None:
        return "HEAD cannot be read"
    own = repository.work_tree or ""
    named = settings.get("core.worktree")
    if named and not _is_same(os.path.join(repository.git_dir, named), own):
        return "core.worktree names another folder"
    if not _is_ours(repository.git_dir):
        return "the repository belongs to another user"
    return None


def _is_same(one: str, other: str) -> bool:
    """Say whether two paths lead to the same folder."""
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)


def _is_ours(folder: str) -> bool:
    """Say whether a folder belongs to us or root. Whoever owns `/tmp/.git` would choose which files we copy."""
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return True
    return os.stat(folder).st_uid in (os.geteuid(), 0)


def _patch_facts(git: Git, tree: str, names: list[bytes]) -> Facts:
    """Return the changes of tracked files as a patch, and what it does not have."""
    filtered = _filtered(git, names)
    output = git.run(*_PATCH, tree, "--", size_max=_DIFF_BYTES_MAX)
    patch = make_patch(output.text, names, cut_bytes=output.cut_bytes, filtered=filtered, is_torn=bool(output.failure))
    facts: Facts = {
        "patch": patch.text,
        "patch_exact": patch.is_exact,
        "patch_cut_bytes": patch.cut_bytes,
        "redacted_lines": patch.redacted_lines,
        "left_out": [{"path": path, "why": why} for path, why in patch.left_out[:NAMES_MAX]],
        "left_out_cut": max(0, len(patch.left_out) - NAMES_MAX),
    }
    return facts | ({"error": f"git diff {output.failure}"} if output.failure else {})


def _filtered(git: Git, names: list[bytes]) -> set[bytes]:
    """Return the paths that git keeps in another form, made by a program which we do not run: Git LFS, git-crypt."""
    given = b"".join(name + b"\0" for name in names)
    output = git.run("check-attr", "--stdin", "-z", "filter", size_max=2 * _NAMES_BYTES_MAX, given=given)
    answers = output.text.split(b"\0")
    return {path for path, value in zip(answers[::3], answers[2::3], strict=False) if value not in _NO_FILTER}


def _untracked_facts(git: Git) -> Facts:
    """Return the names of the files that git neither tracks nor ignores; a folder of such files counts once."""
    output = git.run(*_UNTRACKED, size_max=_NAMES_BYTES_MAX)
    names = [shown(name) for name in output.text.split(b"\0")[:-1]]
    facts: Facts = {"untracked": names[:NAMES_MAX], "untracked_cut": max(0, len(names) - NAMES_MAX)}
    return facts | ({"error": f"git ls-files {output.failure}"} if output.failure else {})
