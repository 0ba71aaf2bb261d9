"""Keep what a store cannot take in a temporary place, and bring it home.

The spool is a folder of ours alone under $RUNFOLIO_SPOOL or the system's temporary folder; inside it each run has its journals, as in a store.
`RUNFOLIO_SPOOL=off` does without.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Container

from runfolio.journal.files import SYSTEM
from runfolio.journal.frame import SUFFIX
from runfolio.model.ids import is_id, new_id
from runfolio.store.layout import is_private, temp_folder


def wanted() -> bool:
    """Say whether there may be a spool."""
    return os.environ.get("RUNFOLIO_SPOOL") != "off"


def base_folders() -> list[str]:
    """Give the spool folders of ours that exist."""
    told = os.environ.get("RUNFOLIO_SPOOL")
    if told == "off":
        return []
    if told:
        return [told] if is_private(told) else []
    temp, stem = temp_folder(), _stem()
    try:
        names = sorted(name for name in os.listdir(temp) if name == stem or name.startswith(stem + "-"))
    except OSError:
        return []
    return [path for name in names if is_private(path := os.path.join(temp, name))]


def make_base() -> str:
    """Make the spool folder, for our eyes only, or take the one there is.

    Raises:
        OSError: there is no place for one.
    """
    told = os.environ.get("RUNFOLIO_SPOOL")
    if told == "off":
        raise OSError(95, "the spool is switched off by RUNFOLIO_SPOOL=off")
    path = told or os.path.join(temp_folder(), _stem())
    for _ in range(3):
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
        if is_private(path):
            return path
        if told:
            break
        path = os.path.join(temp_folder(), f"{_stem()}-{new_id()[:8]}")  # somebody sits on our name
    raise OSError(1, "the spool folder is not ours", path)


def run_journal(base: str, root: str, run_id: str) -> str:
    """Give the spool's folder for the journals of a run of the store at `root`."""
    return os.path.join(base, _store_key(root), run_id, "journal")


def journals_of(root: str, run_id: str) -> list[str]:
    """Give the spool folders that hold journals of this run."""
    return [path for base in base_folders() if os.path.isdir(path := run_journal(base, root, run_id))]


def runs_of(root: str) -> list[str]:
    """Give the ids of the runs of this store that have something in the spool."""
    found: set[str] = set()
    for base in base_folders():
        try:
            found.update(name for name in os.listdir(os.path.join(base, _store_key(root))) if is_id(name))
        except OSError:
            continue
    return sorted(found)


def bring_home(root: str, run_id: str, home: str, journals: Container[str] | None = None) -> int:
    """Move a run's spooled journals into its own folder; return how many. Doing it again, or half, does no harm.

    Args:
        journals: the ids of those to move; None: all. One that is still written would lose what comes.

    Raises:
        OSError: the store still cannot be written.
    """
    moved = 0
    for folder in journals_of(root, run_id):
        for name in sorted(os.listdir(folder)):
            journal_id = name.removesuffix(SUFFIX)
            if name.endswith(SUFFIX) and is_id(journal_id) and (journals is None or journal_id in journals):
                _move(os.path.join(folder, name), os.path.join(home, name))
                moved += 1
        for empty in (folder, os.path.dirname(folder), os.path.dirname(os.path.dirname(folder))):
            try:
                os.rmdir(empty)
            except OSError:
                break
    return moved


def _move(source: str, target: str) -> None:
    draft = f"{target}.{new_id()}.tmp"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        with open(source, "rb") as spooled, open(draft, "xb") as file:
            while piece := spooled.read(1 << 20):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
        SYSTEM.sync_folder(os.path.dirname(target))
    except OSError:
        if os.path.exists(draft):
            os.unlink(draft)
        raise
    os.unlink(source)


def _stem() -> str:
    return f"runfolio-spool-{os.getuid() if hasattr(os, 'getuid') else os.environ.get('USERNAME', 'user')}"


def _store_key(root: str) -> str:
    return f"{zlib.crc32(os.path.realpath(root).encode(errors='surrogateescape')):08x}"
