"""Copy artifacts into a folder. Their names are user text, maybe a stranger's: none leads out of the folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256

from runfolio.errors import Unreadable, UsageError
from runfolio.model.ids import new_id
from runfolio.model.names import printable
from runfolio.model.run_state import ArtifactVersion
from runfolio.store.blobs import hash_of, open_blob
from runfolio.store.layout import Layout

_PART_BYTES_MAX = 200
_CHUNK = 1 << 20
_NEVER = set('/\\:*?"<>|')  # what some file system takes for more than a character of a name


def places(artifacts: Iterable[ArtifactVersion]) -> list[tuple[ArtifactVersion, str]]:
    """Give each artifact a relative path of its own: its name where that is one, else a flat form of it."""
    files: set[str] = set()
    folders: set[str] = set()
    placed = []
    for one in artifacts:
        parts = _parts(one.name)
        while _is_taken(parts, files, folders):
            parts = [_distinct(_part("_".join(parts)), one.name)]
        folders.update(_key(parts[:end]) for end in range(1, len(parts)))
        files.add(_key(parts))
        placed.append((one, os.path.join(*parts)))
    return placed


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    if all(part not in ("", ".", "..") for part in parts) and len(parts) <= 32:
        return [_part(part) for part in parts]
    return [_part("_".join(part for part in parts if part not in ("", ".", ".."))) or "artifact"]


def _part(text: str) -> str:
    """Make one part of a path: no separator, nothing invisible, no longer than a file system takes."""
    clean = "".join(
        "_" if char in _NEVER or not (char.isprintable() or char in "\u200c\u200d") else char for char in text
    )
    clean = clean if clean.strip(". ") else clean.replace(".", "_").replace(" ", "_")
    if len(clean.encode()) <= _PART_BYTES_MAX:
        return clean
    stem, ending = os.path.splitext(clean)
    ending = ending if len(ending.encode()) < 20 else ""
    cut = stem.encode()[: _PART_BYTES_MAX - len(ending.encode())].decode(errors="ignore")
    return _distinct(cut + ending, text)


def _distinct(path: str, name: str) -> str:
    """Tell a path from one that looks alike, by the hash of the whole name."""
    stem, ending = os.path.splitext(path)
    return f"{stem}~{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}{ending}"


def _is_taken(parts: list[str], files: set[str], folders: set[str]) -> bool:
    return (
        _key(parts) in files
        or _key(parts) in folders
        or any(_key(parts[:end]) in files for end in range(1, len(parts)))
    )


def _key(parts: list[str]) -> str:
    """Compare paths as the least careful file system does."""
    from unicodedata import normalize

    return normalize("NFC", "/".join(parts)).casefold()


def copy_out(layout: Layout, run_id: str, one: ArtifactVersion, target: str, force: bool = False) -> bool:
    """Copy the bytes of an artifact, checking their hash on the way; False where the same file is there already.

    Raises:
        UsageError: another file is there, and `force` is not given. Unreadable: the bytes are damaged.
    """
    if os.path.lexists(target):
        if hash_of(target) == one.sha256:
            return False
        if not force:
            raise UsageError(
                f"another file is there already; --force, in Python replace=True, replaces it: {printable(target)}"
            )
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    draft = os.path.join(os.path.dirname(target), f".{new_id()}.tmp")
    try:
        _copy(layout, run_id, one, draft)
        os.replace(draft, target)
    finally:
        if os.path.exists(draft):
            os.unlink(draft)
    return True


def _copy(layout: Layout, run_id: str, one: ArtifactVersion, draft: str) -> None:
    digest = sha256()
    with open_blob(layout, run_id, one.sha256) as source, open(draft, "xb") as file:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != one.sha256:
        raise Unreadable(f"the bytes of artifact {printable(one.name, 60)} are damaged; runfolio verify says more")
