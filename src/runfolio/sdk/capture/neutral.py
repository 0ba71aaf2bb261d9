"""Run git over a repository's files without reading the repository's configuration.

A repository that somebody else made can name programs in its `.git/config`: core.fsmonitor, diff.external, textconv,
filter.*.clean, filter.*.process, core.hooksPath, core.pager, aliases, include.path, core.sshCommand,
remote.*.uploadpack for a promised object … and `git diff` or `git status` starts some of them. A list of what to forbid
would be out of date with git's next release. So git is given a repository of our own, empty but for a copy
of the index of the real one, the place of its objects, and of its settings those known to be harmless: format, file
modes, line ends. Names of filters and drivers in `.gitattributes` then name nothing, and locks are taken in the copy.

Rejected: `-c` overrides for each dangerous key (a deny list; filters have free names); `--attr-source` (git 2.41, and
leaves fsmonitor and promisors); the ownership check of git (refuses mounted folders and says nothing about clones).

Source: git-config(1), gitattributes(5), git(1), gitrepository-layout(5), git 2.39.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import NamedTuple

from .output import Output, read_output
from .repository import Repository, open_regular

TIMEOUT_S = 2.0

_SWITCHES = frozenset(
    "core.filemode core.symlinks core.ignorecase core.precomposeunicode core.trustctime core.sparsecheckout"
    " core.sparsecheckoutcone".split()
)
_CHOICES = {
    "core.autocrlf": ("true", "false", "input"),
    "core.eol": ("lf", "crlf", "native"),
    "core.checkstat": ("default", "minimal"),
    "extensions.objectformat": ("sha1", "sha256"),
    "extensions.refstorage": ("files", "reftable"),
}
_ON, _OFF = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")
_CONFIG_MAX = 1 << 20

# The first are answered by our empty configuration already, and said again for a git that would look elsewhere.
_ALWAYS = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"),
    *("-c", "core.attributesFile=/dev/null", "-c", "core.bigFileThreshold=1m", "-c", "core.untrackedCache=false"),
    *("-c", "protocol.allow=never"),
)
Settings = dict[str, str]


class Git(NamedTuple):
    """A git program with a repository of our own, in a folder that its maker removes."""

    program: str
    folder: str
    repository: Repository
    excludes: str | None

    def run(self, *arguments: str, size_max: int, given: bytes = b"") -> Output:
        """Run a git command at the top of the work tree.

        Raises:
            OSError: git cannot be started, or the work tree is gone.
        """
        excludes = ("-c", f"core.excludesFile={self.excludes}") if self.excludes else ()
        return read_output(
            (self.program, "--no-pager", *_ALWAYS, *excludes, *arguments),
            environment=_environment(self.folder) | self._places(),
            timeout_s=TIMEOUT_S,
            size_max=size_max,
            cwd=self.repository.work_tree or "/",
            given=given,
        )

    def _places(self) -> dict[str, str]:
        """Return the variables that tell git where our repository, its objects and its index are."""
        return {
            "GIT_DIR": self.folder,
            "GIT_WORK_TREE": self.repository.work_tree or self.folder,
            "GIT_OBJECT_DIRECTORY": os.path.join(self.repository.common_dir, "objects"),
        }


def make_git(program: str, folder: str, repository: Repository, settings: Settings) -> Git:
    """Fill `folder` with a repository of our own that stands for `repository`."""
    for name in ("refs", "info"):
        os.mkdir(os.path.join(folder, name))
    for name, content in (("HEAD", "ref: refs/heads/main\n"), ("config", _config(settings))):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(content)
    _copy_index(repository, folder)
    _link(repository, folder)
    return Git(program, folder, repository, _excludes(settings))


def read_settings(program: str, folder: str, repository: Repository) -> Settings:
    """Return the settings of the repository, and those that the user has for all, as text that nothing acts upon."""
    own = _listed(program, _of_user(folder), "--includes")
    theirs: Settings = {}
    path = os.path.join(repository.common_dir, "config")
    if os.path.isfile(path) and os.path.getsize(path) <= _CONFIG_MAX:
        theirs = _listed(program, _environment(folder), "--no-includes", "--file", path)
        theirs.pop("core.excludesfile", None)  # it may not say which file of this machine to read
    return {name: value for name, value in own.items() if name.startswith("core.")} | theirs


def _listed(program: str, environment: Mapping[str, str], *source: str) -> Settings:
    """Ask git to list a configuration; a name without a value means that it is true."""
    command = (program, "--no-pager", "config", "--null", "--list", *source)
    output = read_output(command, environment=environment, timeout_s=TIMEOUT_S, size_max=_CONFIG_MAX)
    entries = (entry.partition("\n") for entry in os.fsdecode(output.text).split("\0") if entry)
    return {name: value if newline else "true" for name, newline, value in entries}


def _environment(folder: str) -> dict[str, str]:
    """Return all that git gets to know: no home, no configuration, no programs to ask, no network."""
    return {
        "PATH": os.defpath,
        "HOME": folder,
        "XDG_CONFIG_HOME": folder,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_PAGER": "cat",
    }


def _of_user(folder: str) -> dict[str, str]:
    """Return what git needs to read the configuration of the user and of the system, and none of a repository."""
    places = ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
    environment = {"PATH": os.defpath, "LC_ALL": "C", "GIT_DIR": folder}
    return environment | {name: os.environ[name] for name in places if name in os.environ}


def _config(settings: Settings) -> str:
    """Write the configuration of our repository: what of the settings is known and harmless, in our own words."""
    lines = ["[core]", "repositoryformatversion = 1", "bare = false"]
    for name, value in settings.items():
        if name in _SWITCHES and value.lower() in _ON + _OFF:
            value = "true" if value.lower() in _ON else "false"
        elif value.lower() not in _CHOICES.get(name, ()):
            continue
        section, _, key = name.partition(".")
        lines += [f"[{section}]", f"{key} = {value.lower()}"]
    return "\n".join(lines) + "\n"


def _link(repository: Repository, folder: str) -> None:
    """Link what git reads beside the index: ignored names, attributes, parts of a split index, tables of refs."""
    for name in ("exclude", "attributes", "sparse-checkout"):
        for source in (repository.git_dir, repository.common_dir):
            _link_file(os.path.join(source, "info", name), os.path.join(folder, "info", name))
    for name in os.listdir(repository.git_dir):
        if name.startswith("sharedindex."):
            _link_file(os.path.join(repository.git_dir, name), os.path.join(folder, name))
    tables = os.path.join(repository.git_dir, "reftable")
    if os.path.isdir(tables):
        os.symlink(tables, os.path.join(folder, "reftable"))


def _copy_index(repository: Repository, folder: str) -> None:
    """Copy the index with its time, by which git tells what may have changed since."""
    source = open_regular(os.path.join(repository.git_dir, "index"))
    if source is None:
        return
    with source, open(os.path.join(folder, "index"), "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        status = os.fstat(source.fileno())
        os.utime(target.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))


def _link_file(source: str, target: str) -> None:
    """Link a regular file where it exists and nothing has its place yet."""
    if os.path.isfile(source) and not os.path.lexists(target):
        os.symlink(source, target)


def _excludes(settings: Settings) -> str | None:
    """Return the user's own file of names to ignore."""
    named = settings.get("core.excludesfile")
    if named:
        return os.path.expanduser(named)
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    path = os.path.join(base, "git", "ignore")
    return path if os.path.isfile(path) else None
