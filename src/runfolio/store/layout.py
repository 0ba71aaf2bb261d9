"""Know every path of a store, find the store, make its folders.

Nothing else joins paths of a store. User text is never part of a path: ids are hexadecimal, names are hashed.
The writing side imports this module: standard library, few system calls.
"""

from __future__ import annotations

import os
import stat
import time
import zlib
from typing import NamedTuple

from runfolio.errors import StoreNotFound, Unreadable
from runfolio.journal.identity import host
from runfolio.model.ids import is_id, new_id
from runfolio.model.strict_json import dumps, loads

FORMAT = 1
STORE_NAME = ".runfolio"
_OURS = ("journal", "claims", "blobs", "runs")
_MAPPABLE = ("ext4", "tmpfs")
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "lustre", "beegfs", "gpfs", "ceph")
_EMPTY_S = 60.0
_TEMP_HOME = "runfolio-home-"


class Layout(NamedTuple):
    """The paths of the store at `root`."""

    root: str

    @property
    def store_json(self) -> str:
        return os.path.join(self.root, "store.json")

    @property
    def journal(self) -> str:
        """The folder of the store's own journals."""
        return os.path.join(self.root, "journal")

    @property
    def claims(self) -> str:
        return os.path.join(self.root, "claims")

    @property
    def blobs(self) -> str:
        return os.path.join(self.root, "blobs")

    @property
    def runs(self) -> str:
        return os.path.join(self.root, "runs")

    def run(self, run_id: str) -> str:
        if not is_id(run_id):
            raise ValueError(f"not a run id: {run_id!r}")
        return os.path.join(self.root, "runs", run_id)

    def run_journal(self, run_id: str) -> str:
        return os.path.join(self.run(run_id), "journal")

    def artifacts(self, run_id: str) -> str:
        return os.path.join(self.run(run_id), "artifacts")

    def output(self, run_id: str) -> str:
        return os.path.join(self.run(run_id), "output.log")

    def run_json(self, run_id: str) -> str:
        return os.path.join(self.run(run_id), "run.json")

    def parquet(self, run_id: str) -> str:
        return os.path.join(self.run(run_id), "metrics.parquet")

    def exists(self) -> bool:
        return os.path.isfile(self.store_json) and os.path.getsize(self.store_json) > 0

    def store_id(self) -> str:
        """Read the store's id.

        Raises:
            StoreNotFound: no store here. Unreadable: of a newer format, or not a store.
        """
        try:
            with open(self.store_json, "rb") as file:
                content = file.read(1 << 16)
            if not content:
                raise FileNotFoundError(2, "empty: not there yet", self.store_json)
            told = loads(content)
        except FileNotFoundError as gone:
            raise StoreNotFound(
                f"there is no store here yet; runfolio init makes one, so does the first run: {self.root}"
            ) from gone
        except (OSError, ValueError, Unreadable) as trouble:
            raise Unreadable(f"store.json cannot be read ({trouble}): {self.store_json}") from trouble
        if not isinstance(told, dict) or not isinstance(told.get("format"), int) or not is_id(str(told.get("id"))):
            raise Unreadable(f"this folder is not a runfolio store: {self.root}")
        if told["format"] > FORMAT:
            raise Unreadable(
                f"this store has format {told['format']}; this runfolio reads up to {FORMAT}. Upgrade runfolio: {self.root}"
            )
        return str(told["id"])

    def create(self, shared: bool = False) -> str:
        """Make the store where there is none; several at once agree on one id. Returns the id.

        Args:
            shared: for a group: folders 2770 and files 0660, whatever the umask.
        """
        if self.exists():
            return self.store_id()
        self._refuse_foreign()
        make_folder(self.root)
        if shared:
            os.chmod(self.root, 0o2770)
        for folder in (self.journal, self.claims, self.blobs, self.runs):
            make_folder(folder)
        write_once(self.store_json, dumps({"format": FORMAT, "id": new_id()}) + b"\n")
        return self.store_id()

    def check(self) -> None:
        """Refuse a store that we must not write to.

        Raises:
            Unreadable: of a newer format, or a folder with a store.json that is none of ours.
        """
        try:
            self.store_id()
        except StoreNotFound:
            self._refuse_foreign()
        except Unreadable as error:
            if not isinstance(error.__cause__, OSError):  # a disk that fails is told of where it is written to
                raise

    def _refuse_foreign(self) -> None:
        """Refuse a folder that holds other things: it was named by mistake."""
        try:
            names = os.listdir(self.root)
        except OSError:
            return
        foreign = sorted(name for name in names if name not in _OURS and not name.startswith("store.json"))
        if foreign:
            raise Unreadable(
                f"this folder holds other things ({foreign[0]!r}) and no store. Name an empty or new one: {self.root}"
            )


def write_once(path: str, content: bytes, mode: int = 0o666) -> bool:
    """Put a whole file in place if there is none; False where there is. Never seen half written.

    By link(2) of a temporary file in the same folder; by O_EXCL where there are no links. An empty file is none: one that somebody left so, killed
    between making and writing it, is taken away after a minute.
    """
    return _write_once(path, content, mode) or (_take_away_empty(path) and _write_once(path, content, mode))


def _write_once(path: str, content: bytes, mode: int) -> bool:
    draft = f"{path}.{new_id()}.tmp"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
    try:
        with os.fdopen(fd, "wb") as file:
            if is_shared(os.path.dirname(path)):
                os.fchmod(fd, 0o660)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
            return True
        except FileExistsError:
            return False
        except OSError:
            return _create_exclusively(path, content, mode)
    finally:
        os.unlink(draft)


def _create_exclusively(path: str, content: bytes, mode: int) -> bool:
    """Write a file that nobody else has; take it back where the disk refuses. Readers see an empty one for a moment: not there yet."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
    except FileExistsError:
        return False
    try:
        with os.fdopen(fd, "wb") as file:
            if is_shared(os.path.dirname(path)):
                os.fchmod(fd, 0o660)
            file.write(content)
            file.flush()
            os.fsync(fd)
    except BaseException:
        os.unlink(path)
        raise
    return True


def _take_away_empty(path: str) -> bool:
    """Take away an empty file that nobody fills any more; True where that was done."""
    try:
        found = os.stat(path)
        if found.st_size or time.time() - found.st_mtime < _EMPTY_S:
            return False
        aside = f"{path}.{new_id()}.tmp"
        os.rename(path, aside)
    except FileNotFoundError:
        return True  # another one was here
    if os.path.getsize(aside):
        os.rename(aside, path)  # and has filled the place already
        return False
    os.unlink(aside)
    return True


def make_folder(path: str) -> None:
    """Make a folder and those above it; below a folder shared by a group, shared too."""
    if os.path.isdir(path):
        return
    above = os.path.dirname(path)
    if above and above != path:
        make_folder(above)
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    if is_shared(above):
        os.chmod(path, 0o2770)


def is_shared(folder: str) -> bool:
    """Say whether what lies in this folder belongs to a group: set-group-id, and writable for it."""
    try:
        mode = os.stat(folder).st_mode
    except OSError:
        return False
    return bool(mode & stat.S_ISGID and mode & stat.S_IWGRP)


def make_private(path: str) -> None:
    """Make a folder for our eyes only, or accept the one there is.

    Raises:
        PermissionError: somebody else's folder, a link or a file has this name.
    """
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    if not is_private(path):
        raise PermissionError(1, "this folder must belong to us alone", path)


def is_private(path: str) -> bool:
    """Say whether this is a real folder of ours that nobody else can write to."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    if os.name == "nt":
        return stat.S_ISDIR(found.st_mode)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def temp_folder() -> str:
    """Give the system's folder for temporary files, without importing tempfile."""
    return os.environ.get("TMPDIR") or os.environ.get("TEMP") or "/tmp"


def find(path: str | os.PathLike[str] | None = None) -> Layout:
    """Find the store to use: the argument, $RUNFOLIO_DIR, the nearest `.runfolio/` upward that is ours or root's, else ~/.runfolio."""
    if path is not None:
        return Layout(_store_at(os.path.abspath(os.fspath(path))))
    told = os.environ.get("RUNFOLIO_DIR")
    if told:
        return Layout(os.path.abspath(os.path.expanduser(told)))
    return Layout(_upward() or os.path.join(_home(), STORE_NAME))


def _store_at(path: str) -> str:
    """Accept the store itself or the project folder that holds it."""
    inner = os.path.join(path, STORE_NAME)
    return inner if not os.path.exists(os.path.join(path, "store.json")) and os.path.isdir(inner) else path


def _upward() -> str | None:
    try:
        here = os.getcwd()
    except OSError:  # the working folder was removed
        return None
    while True:
        candidate = os.path.join(here, STORE_NAME)
        if trusted_folder(candidate):
            return candidate
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above


def trusted_folder(path: str) -> bool:
    """Say whether this is a real folder that belongs to us or to root."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and (os.name == "nt" or found.st_uid in (os.geteuid(), 0))


def _home() -> str:
    """Give the home folder; one under the temporary folder where the user has none."""
    home = os.path.expanduser("~")
    if home != "~" and os.path.isabs(home):
        return home
    path = os.path.join(temp_folder(), f"{_TEMP_HOME}{os.getuid() if hasattr(os, 'getuid') else 0}")
    try:
        make_private(path)
    except OSError:
        path = f"{path}-{new_id()}"  # somebody sits on our name
        make_private(path)
    return path


def cache_folder(root: str, store_id: str) -> str:
    """Give the folder of this store's caches: safe to delete."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(_home(), ".cache")
    real = os.path.realpath(root).encode(errors="surrogateescape")
    name = f"{store_id}-{zlib.crc32(real):08x}"
    if file_system(base) in _REMOTE:
        name += f"-{host()}"
    return os.path.join(base, "runfolio", name)


def mappable(path: str) -> bool:
    """Say whether a journal in this folder may be written through a map: where reserved blocks are really kept.

    `RUNFOLIO_MAP=0` says no.
    """
    if os.environ.get("RUNFOLIO_MAP") == "0" or not hasattr(os, "posix_fallocate"):
        return False
    return file_system(path) in _MAPPABLE


def file_system(path: str) -> str:
    """Give the type of the file system that holds this path, by /proc/self/mountinfo; empty where it is not known."""
    try:
        device = os.stat(_existing(path)).st_dev
        with open("/proc/self/mountinfo", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    wanted = b"%d:%d" % (os.major(device), os.minor(device))
    for line in lines:
        fields = line.split()
        if len(fields) > 8 and fields[2] == wanted and b"-" in fields:
            return fields[fields.index(b"-") + 1].decode()
    return ""


def _existing(path: str) -> str:
    path = os.path.abspath(path)
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path
