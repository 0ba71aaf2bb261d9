"""Take a name or a number once, among any number of processes and hosts, without a lock.

A claim is a file made by link(2) that holds its owner's id. It is never removed, so a number is never given twice.
"""

from __future__ import annotations

import os

from runfolio.store.layout import Layout, make_folder, write_once

try:  # hashlib would load OpenSSL, 6 ms of a short script's life; these are CPython's own
    from _sha2 import sha256  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        from hashlib import sha256


def claim(layout: Layout, kind: str, name: str, owner: str) -> str:
    """Claim `name` for `owner`; return who has it, the first one for ever.

    Raises:
        OSError: the store cannot be written.
    """
    path = _path(layout, kind, name)
    try:
        if write_once(path, owner.encode()):
            return owner
    except FileNotFoundError:
        make_folder(os.path.dirname(path))
        if write_once(path, owner.encode()):
            return owner
    return _read(path)


def owner_of(layout: Layout, kind: str, name: str) -> str | None:
    """Give who has claimed `name`; None where nobody has."""
    try:
        return _read(_path(layout, kind, name))
    except FileNotFoundError:
        return None


def next_number(layout: Layout, kind: str, scope: str, owner: str, first: int = 1) -> int:
    """Claim the lowest number from `first` on that nobody has in this scope."""
    number = first
    while (
        owner_of(layout, kind, f"{scope}:{number}") is not None
        or claim(layout, kind, f"{scope}:{number}", owner) != owner
    ):
        number += 1
    return number


def _path(layout: Layout, kind: str, name: str) -> str:
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return os.path.join(layout.claims, kind, digest[:2], digest)


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
