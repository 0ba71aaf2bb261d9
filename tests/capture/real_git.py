"""Real git repositories, made with the real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ME = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


class Repo:
    """A repository in a folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", *options)

    def git(self, *arguments: str | bytes, check: bool = True) -> str:
        """Run plain git, with the repository's own configuration, and return what it says."""
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=os.environ | ME, capture_output=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr!r}")
        return done.stdout.decode("utf-8", "surrogateescape")

    def write(self, name: str | bytes, content: str | bytes) -> Path:
        """Write a file of the work tree."""
        path = Path(os.fsdecode(os.path.join(os.fsencode(self.folder), os.fsencode(name))))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, **files: str) -> str:
        """Commit these files, `_` for a dot in their names, and all else; return the commit."""
        for name, content in files.items():
            self.write(name.replace("_", "."), content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "c")
        return self.head()

    def head(self) -> str:
        """Return the commit that is checked out."""
        return self.git("rev-parse", "HEAD").strip()
