"""Examine the store in use, its disk, and what is installed."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from runfolio._version import __version__
from runfolio.cli.render import values
from runfolio.cli.stores import BRING_HOME, places_waiting
from runfolio.errors import RunfolioError, StoreNotFound
from runfolio.model.ids import is_id, new_id, short
from runfolio.store import spool
from runfolio.store.layout import FORMAT, STORE_NAME, Layout, cache_folder, file_system, find, mappable, trusted_folder

_NEEDED = ("click", "duckdb", "nanoarrow", "numpy", "pyyaml")
_OPTIONAL = ("pandas", "polars", "matplotlib", "torch", "jax")
_FREE_LOW = 64 << 20
_SKEW_MAX_S = 2.0
_NAMED_MAX = 8
_CLOCK_FROM = 2025  # no sound clock stands before it


class Finding(NamedTuple):
    """What was found about one subject: for people, for programs, and what is wrong."""

    name: str
    words: list[str]
    facts: dict[str, Any]
    trouble: list[str] = []  # noqa: RUF012


def examine() -> list[Finding]:
    """Look at everything. Writes a temporary folder into the store, and removes it."""
    layout = find()
    store = _store(layout)
    known = store.facts.get("id")
    return [
        store,
        _disk(layout),
        *([_cost(layout)] if known and os.access(layout.root, os.W_OK) else []),
        _spool(layout),
        *([_cache(layout, known)] if known else []),
        _clock(layout),
        _git(),
        _versions(),
    ]


# ------------------------------------------------------------------------------------------------------------ the store


def _store(layout: Layout) -> Finding:
    why = _why(layout.root)
    facts: dict[str, Any] = {"path": layout.root, "chosen_by": why, "id": None, "format": None, "runs": 0}
    words, trouble = [layout.root, f"chosen by: {why}"], _distrusted()
    try:
        facts["id"] = layout.store_id()
    except StoreNotFound:
        can_be = _is_writable(_existing(layout.root))
        makes = (
            "the first run makes it, or runfolio init" if can_be else "it cannot be made, as its place is not writable"
        )
        words.append(f"not made yet: {makes}")
        return Finding("store", words, facts, trouble)
    except RunfolioError as wrong:
        return Finding("store", words, facts, [*trouble, str(wrong)])
    facts["format"] = FORMAT
    try:
        facts["runs"] = sum(map(is_id, os.listdir(layout.runs)))
    except OSError as wrong:
        trouble.append(f"the folder of the runs cannot be read: {wrong.strerror}: {layout.runs}")
    words.append(f"id {facts['id']}, format {FORMAT}, {values.count(facts['runs'], 'run')}")
    return Finding("store", words, facts, trouble)


def _why(root: str) -> str:
    if os.environ.get("RUNFOLIO_DIR"):
        return "$RUNFOLIO_DIR"
    if any(folder == root for folder in _upward()):
        return f"the nearest {STORE_NAME} upward from here"
    return f"no {STORE_NAME} upward from here, so that of your home"


def _upward() -> list[str]:
    try:
        here = os.getcwd()
    except OSError:
        return []
    folders = [here]
    while os.path.dirname(folders[-1]) != folders[-1]:
        folders.append(os.path.dirname(folders[-1]))
    return [os.path.join(folder, STORE_NAME) for folder in folders]


def _distrusted() -> list[str]:
    """Name the folders upward that would be a store but for whom they belong to."""
    if os.environ.get("RUNFOLIO_DIR"):
        return []
    strange = [folder for folder in _upward() if os.path.lexists(folder) and not trusted_folder(folder)]
    return [f"passed over, as it is no folder of yours or root's: {folder}" for folder in strange]


# ------------------------------------------------------------------------------------------------------------- the disk


def _disk(layout: Layout) -> Finding:
    place = _existing(layout.root)
    kind, mapped, writable = file_system(place), mappable(place), _is_writable(place)
    free = _free_bytes(place)
    facts = {"file_system": kind or None, "mapped": mapped, "writable": writable, "free_bytes": free}
    trouble = []
    if not writable:
        trouble.append(f"the store cannot be written; runs go to the spool: {place}")
    if free is not None and free < _FREE_LOW:
        trouble.append(f"the disk of the store is nearly full, {values.size(free)} free: {place}")
    words = [
        f"{kind or 'unknown file system'}, {values.size(free)} free, {'writable' if writable else 'not writable'}",
        "log writes through a memory map" if mapped else f"log writes by write(2){_why_unmapped(kind)}",
    ]
    return Finding("disk", words, facts, trouble)


def _why_unmapped(kind: str) -> str:
    if os.environ.get("RUNFOLIO_MAP") == "0":
        return ": $RUNFOLIO_MAP is 0"
    return f": {kind} does not keep what is reserved" if kind else ""


def _is_writable(place: str) -> bool:
    return os.path.isdir(place) and os.access(place, os.W_OK)


def _existing(path: str) -> str:
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _free_bytes(path: str) -> int | None:
    try:
        found = os.statvfs(path)
    except (AttributeError, OSError):
        return None
    return found.f_bavail * found.f_frsize


def _cost(layout: Layout) -> Finding:
    from runfolio.cli.log_cost import measure

    try:
        cost = measure(layout.root)
    except OSError as wrong:
        return Finding("log", ["not measured"], {}, [f"a run cannot be written here: {wrong.strerror}: {layout.root}"])
    words = [
        f"{cost.p50_us:.1f} µs for 10 metrics (p50 of {cost.calls:,} calls; p99 {cost.p99_us:.1f} µs), measured here"
    ]
    return Finding("log", words, {"p50_us": cost.p50_us, "p99_us": cost.p99_us, "metrics": 10, "calls": cost.calls})


def _spool(layout: Layout) -> Finding:
    bases, waiting = spool.base_folders(), spool.runs_of(layout.root)
    facts = {"folders": bases, "runs": waiting}
    if not waiting:
        where = "off" if os.environ.get("RUNFOLIO_SPOOL") == "off" else "empty"
        return Finding("spool", [where], facts)
    many, more = values.count(len(waiting), "run"), ", …" if len(waiting) > _NAMED_MAX else ""
    words = [f"{many} of this store: {', '.join(map(short, waiting[:_NAMED_MAX]))}{more}", *places_waiting(layout.root)]
    told = f"{many} could not be written to the store, in whole or in part, and a temporary folder may be emptied"
    trouble = f"{told}. {BRING_HOME} moves what has ended into the store"
    return Finding("spool", words, facts, [trouble])


def _cache(layout: Layout, store_id: str) -> Finding:
    path = cache_folder(layout.root, store_id)
    used = _tree_bytes(path)
    return Finding("cache", [path, f"{values.size(used)}; safe to delete"], {"path": path, "size_bytes": used})


def _tree_bytes(path: str) -> int:
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total


# ------------------------------------------------------------------------------------------------------- what is around


def _clock(layout: Layout) -> Finding:
    now = datetime.now(UTC)
    skew = _skew_s(layout)
    trouble = []
    if now.year < _CLOCK_FROM:
        trouble.append(f"the clock says {values.utc(now)}: set it, or times will be wrong")
    if skew is not None and abs(skew) > _SKEW_MAX_S:
        trouble.append(
            f"the disk's clock is {skew:+.1f} s off this machine's: runs of several hosts will be ordered wrongly"
        )
    words = [f"{values.moment(now)} here, {values.utc(now)}"]
    return Finding("clock", words, {"utc": values.utc(now), "disk_skew_s": skew}, trouble)


def _skew_s(layout: Layout) -> float | None:
    """Compare the clock of the file system, another machine's on NFS, with ours."""
    path = os.path.join(layout.root, f"clock-{new_id()}.tmp")
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            return round(os.stat(path).st_mtime - time.time(), 3)
        finally:
            os.unlink(path)
    except OSError:
        return None


def _git() -> Finding:
    from runfolio.sdk.capture.output import find_program, read_output

    program = find_program("git")
    if program is None:
        return Finding(
            "git", ["not installed: runs are kept without the uncommitted changes"], {"path": None, "version": None}
        )
    try:
        said = read_output([program, "--version"], environment={}, timeout_s=2, size_max=200)
        version = said.text.decode("utf-8", "replace").strip().removeprefix("git version ")
    except OSError as wrong:
        version = f"cannot be started: {wrong.strerror}"
    return Finding("git", [f"{version}, {program}"], {"path": program, "version": version})


def _versions() -> Finding:
    found = {name: _version_of(name) for name in (*_NEEDED, *_OPTIONAL)}
    python = ".".join(map(str, sys.version_info[:3]))
    own = {"runfolio": __version__, "python": python}
    missing = [name for name in _NEEDED if found[name] is None]
    trouble = [f"{', '.join(missing)} missing: pip install {' '.join(missing)}"] if missing else []
    installed = {**own, **{name: version for name, version in found.items() if version}}
    words = [", ".join(f"{name} {version}" for name, version in installed.items())]
    return Finding("versions", words, {**own, **found}, trouble)


def _version_of(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None
