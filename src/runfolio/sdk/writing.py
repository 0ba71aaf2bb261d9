"""Open the writer of a run: where its journals go, and what their first frame says."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from runfolio._version import __version__
from runfolio.errors import UsageError
from runfolio.journal.files import SYSTEM, SharedFiles
from runfolio.journal.identity import identity
from runfolio.journal.keeper import FSYNC_EVERY_S, Keeper
from runfolio.journal.writer import Writer
from runfolio.store import spool
from runfolio.store.layout import Layout, is_shared, make_folder, mappable


class Pen:
    """A writer and its keeper, for one process, rank and attempt of a run.

    Contract: after a fork the child writes a journal of its own, in the role `fork`, kept by a thread of its own.
    """

    def __init__(
        self,
        layout: Layout,
        run_id: str,
        *,
        role: str,
        attempt: int = 1,
        rank: int | None = None,
        high: int | None = None,
        fsync_every_s: float | None = None,
        on_trouble: Callable[[str], None] | None = None,
        chore: Callable[[], None] | None = None,
        spooled: bool = True,
    ) -> None:
        check_rank(rank)
        self.layout = layout
        self.run_id = run_id
        self.role = role
        self.attempt = attempt
        self.rank = rank
        self._pid = os.getpid()
        files = SharedFiles() if is_shared(layout.root) else SYSTEM
        places = [self._home, self._spool] if spool.wanted() and spooled else [self._home]
        self.writer = Writer(places, self._opening, files=files, high=high, on_trouble=on_trouble)
        self._keeper = Keeper(self.writer, _fsync_every_s(fsync_every_s), chore)

    @property
    def forked(self) -> bool:
        """Whether this is the copy that a fork made in a child."""
        return os.getpid() != self._pid

    def close(self, sync: bool = True, wait_s: float = 10.0) -> bool:
        """Close the journal; True where everything is on the disk.

        Args:
            wait_s: how long to wait for a sync that the keeper is in.
        """
        self._keeper.stop(wait_s)
        sound = self.writer.close(sync)
        if self.writer.journals and spool.journals_of(self.layout.root, self.run_id):
            self._bring_home()
        return sound

    def _bring_home(self) -> None:
        try:
            self._home()
            home = self.layout.run_journal(self.run_id)
            spool.bring_home(self.layout.root, self.run_id, home, self.writer.journals)
        except OSError:
            pass  # still not writable: show and doctor name the spool

    def _opening(self) -> dict[str, Any]:
        """Give what the open frame says; called in the process that writes."""
        role = self.role
        if self.forked:
            role = "fork"
            if self._keeper.started_in != os.getpid():
                self._keeper.forget()
        self._keeper.start()
        return {
            "run": self.run_id,
            "attempt": self.attempt,
            "rank": self.rank,
            "role": role,
            **identity(),
            "version": __version__,
        }

    def _home(self) -> tuple[str, bool]:
        """Make the run's own folder, and the store around it where there is none."""
        folder = self.layout.run_journal(self.run_id)
        if not os.path.isdir(folder):
            if not self.layout.exists():
                self.layout.create()
            make_folder(folder)
        return folder, mappable(folder)

    def _spool(self) -> tuple[str, bool]:
        folder = spool.run_journal(spool.make_base(), self.layout.root, self.run_id)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return folder, mappable(folder)


def check_rank(rank: object) -> None:
    """Refuse what is no rank: a number of a process, from 0.

    Raises:
        UsageError
    """
    if rank is not None and (isinstance(rank, bool) or not isinstance(rank, int) or rank < 0):
        raise UsageError(f"rank must be a number from 0, or None, not {rank!r}")


def _fsync_every_s(asked: float | None) -> float:
    if asked is not None:
        if not asked > 0:
            raise UsageError(f"fsync_every_s must be more than 0 seconds, not {asked!r}")
        return asked
    try:
        return float(os.environ.get("RUNFOLIO_FSYNC_EVERY_S") or FSYNC_EVERY_S)
    except ValueError:
        return FSYNC_EVERY_S


def open_side_writer(store_dir: str, run_id: str, role: str, attempt: int = 1) -> Writer:
    """Open a writer for a few events beside the run's own: no keeper, no spool, and nothing is made where the run's folder is gone."""
    folder = Layout(store_dir).run_journal(run_id)

    def opening() -> dict[str, Any]:
        return {"run": run_id, "attempt": attempt, "rank": None, "role": role, **identity(), "version": __version__}

    return Writer([lambda: (folder, False)], opening)
