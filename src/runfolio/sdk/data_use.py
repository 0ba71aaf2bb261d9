"""Describe data that a run reads: where it lies, how big it is, its hash. The bytes stay where they are.

The hash of a file is the SHA-256 of its bytes. The hash of a folder is the SHA-256 of one line per regular file in it, in the order of their
paths' bytes: the file's SHA-256 in hexadecimal, two spaces, its path in the folder, a zero byte. Symbolic links are followed, sockets and the
like left out, empty folders do not count. With the tools of a shell:

    cd FOLDER && find -L . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum -z | sha256sum
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any

from runfolio.sdk.source_files import READS_MAX, Changed, LeftOut, is_folder, read, walk


def describe(path: str) -> dict[str, Any]:
    """Read a file or folder, and tell path, size_bytes, sha256 and kind (`file` or `folder`). Memory: one piece of 1 MiB.

    Raises:
        OSError: it cannot be read wholly, or does not hold still. InvalidValue: it is neither a file nor a folder.
    """
    whole = os.path.abspath(path)
    if is_folder(path):
        size_bytes, digest = _folder(path)
        return {"path": whole, "size_bytes": size_bytes, "sha256": digest, "kind": "folder"}
    size_bytes, digest = _file(path)
    return {"path": whole, "size_bytes": size_bytes, "sha256": digest, "kind": "file"}


def _file(path: str) -> tuple[int, str]:
    for again in reversed(range(READS_MAX)):
        try:
            return _hash(path)
        except Changed:
            if not again:
                raise
    raise AssertionError("unreachable")


def _hash(path: str) -> tuple[int, str]:
    size_bytes, digest = 0, sha256()
    for data in read(path):
        size_bytes += len(data)
        digest.update(data)
    return size_bytes, digest.hexdigest()


def _folder(path: str) -> tuple[int, str]:
    left_out = LeftOut()
    found: list[tuple[bytes, str]] = []
    size_bytes = 0
    for entry in walk(path, left_out, follow=True):
        size, digest = _file(entry.path)
        size_bytes += size
        found.append((os.fsencode(entry.name), digest))
    if left_out.unread:
        raise left_out.unread[0]
    told = sha256()
    for name, digest in sorted(found):
        told.update(b"%s  %s\0" % (digest.encode(), name))
    return size_bytes, told.hexdigest()
