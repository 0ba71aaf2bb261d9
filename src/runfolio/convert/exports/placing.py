"""Put an export in place whole: a draft beside it, renamed at the end; nothing is left where it is interrupted, and nothing is replaced unasked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from runfolio.errors import UsageError
from runfolio.model.ids import new_id
from runfolio.model.names import printable, shown


@contextmanager
def placed_file(path: str, force: bool) -> Iterator[str]:
    """Give the path of a draft; what was written there stands at `path` when the block ends well.

    Raises:
        UsageError: something is there, and `force` is not given; or a folder is.
    """
    if os.path.isdir(path):
        raise UsageError(f"this is a folder; name a file in it: {printable(path)}")
    if os.path.lexists(path) and not force:
        raise UsageError(_there(path))
    draft = _draft(path)
    try:
        yield draft
        if not force and os.path.lexists(path):
            raise UsageError(_there(path))  # it came meanwhile
        os.replace(draft, path)
    finally:
        if os.path.lexists(draft):
            os.unlink(draft)


@contextmanager
def placed_folder(path: str, force: bool, ours: Collection[str]) -> Iterator[str]:
    """Give the path of a draft folder; what was written there stands at `path` when the block ends well.

    Args:
        ours: the names that such an export has at its top. A folder that holds anything else is never replaced.

    Raises:
        UsageError: something is there, and `force` is not given, or it is no export.
    """
    path = path.rstrip(os.sep) or path
    _check_folder(path, force, ours)
    draft = _draft(path)
    os.mkdir(draft)
    try:
        yield draft
        _check_folder(path, force, ours)
        old = _draft(path) if os.path.lexists(path) else None
        if old:
            os.rename(path, old)
        os.rename(draft, path)
        if old:
            shutil.rmtree(old)
    finally:
        if os.path.lexists(draft):
            shutil.rmtree(draft)


def _check_folder(path: str, force: bool, ours: Collection[str]) -> None:
    if not os.path.lexists(path):
        return
    names = os.listdir(path) if os.path.isdir(path) and not os.path.islink(path) else None
    if names == []:
        return
    if not force:
        raise UsageError(_there(path))
    strange = None if names is None else next((name for name in sorted(names) if name not in ours), None)
    if names is None or strange is not None:
        what = "no folder" if names is None else f"a folder with {shown(strange)} in it"
        raise UsageError(f"this is {what}, and no export that could be replaced: {printable(path)}")


def _there(path: str) -> str:
    return f"something is there already; --force, in Python force=True, replaces it: {printable(path)}"


def _draft(path: str) -> str:
    above = os.path.dirname(os.path.abspath(path))
    os.makedirs(above, exist_ok=True)
    return os.path.join(above, f".{os.path.basename(path)[:100]}.{new_id()[:12]}.tmp")
