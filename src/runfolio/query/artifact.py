"""An artifact as a reader holds it: its bytes, checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256

from runfolio.errors import NotFound
from runfolio.model.names import shown
from runfolio.model.run_state import ArtifactVersion
from runfolio.store.blobs import open_blob, sound_path
from runfolio.store.layout import Layout

_TOLD_MAX = 20  # the latest versions are told


class Artifact:
    """One version of an artifact of a run.

    Whatever gives its bytes checks them first, and raises `Unreadable` where they are damaged, `NotFound` where they are not in this store.
    """

    def __init__(self, layout: Layout, run_id: str, version: ArtifactVersion) -> None:
        self._layout = layout
        self._run_id = run_id
        self._version = version

    @property
    def name(self) -> str:
        return self._version.name

    @property
    def version(self) -> int:
        """The versions of a name count from 1."""
        return self._version.version

    @property
    def size_bytes(self) -> int:
        return self._version.size_bytes

    @property
    def sha256(self) -> str:
        return self._version.sha256

    @property
    def step(self) -> int | None:
        return self._version.step

    @property
    def path(self) -> str:
        """Where its bytes lie in the store: a file named by their hash, to be read and not written. Cost: reads all of it."""
        return sound_path(self._layout, self._run_id, self.sha256)

    def read_bytes(self) -> bytes:
        """Read all of it."""
        with open_blob(self._layout, self._run_id, self.sha256) as file:
            data = file.read()
        if sha256(data).hexdigest() == self.sha256:
            return data
        with open(self.path, "rb") as file:  # another copy that is sound
            return file.read()

    def copy_to(self, target: str | os.PathLike[str], replace: bool = False) -> str:
        """Copy it; return the path of the copy.

        Args:
            target: a folder that is there, or text that ends in `/`: there it keeps its own name and ending. Else the file to write.
            replace: a file that is there and holds something else.

        Raises:
            UsageError: another file is there, and `replace` is not given.
        """
        from runfolio.query.unpack import copy_out, places

        path = os.fspath(target)
        if os.path.isdir(path) or path.endswith(("/", os.sep)):
            path = os.path.join(path, places([self._version])[0][1])
        copy_out(self._layout, self._run_id, self._version, path, replace)
        return path

    def __repr__(self) -> str:
        return f"<Artifact {shown(self.name)} version {self.version}, {self.size_bytes:,} bytes>"


def version_of(versions: Sequence[ArtifactVersion], name: str, version: int | None = None) -> ArtifactVersion:
    """Choose a version of an artifact, by default the latest.

    Raises:
        NotFound: there is none; those there are are named.
    """
    named = [one for one in versions if one.name == name]
    for one in reversed(named):
        if version in (None, one.version):
            return one
    if named:
        there = ", ".join(str(one.version) for one in named[-_TOLD_MAX:])
        raise NotFound(f"artifact {shown(name)} of this run has no version {version}; its versions are {there}")
    from difflib import get_close_matches

    names = list(dict.fromkeys(one.name for one in versions))
    near = get_close_matches(name[:200], names[:2000], 3) or names[:5]
    has = f"it has {', '.join(map(shown, near))}" if near else "it has none"
    raise NotFound(f"this run has no artifact {shown(name)}; {has}")
