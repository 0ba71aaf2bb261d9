"""Watch journals that are not closed: has one moved, is its writer alive, how does the run stand?

Standard library only, and one small read for each: a listing asks this of every run that goes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from runfolio.journal.files import read_at
from runfolio.journal.frame import KeySet
from runfolio.model.states import KILLED, LOST, RUNNING
from runfolio.store.catch_up import Caught, Mark
from runfolio.store.liveness import ALIVE, DEAD, UNKNOWN, Look, heartbeat, look_again, process_of

STARTERS = ("start", "launch")
"""The roles whose end ends the run."""

GONE = "gone"
"""Proved dead, where DEAD is only without a sign of life."""

_DAY_NS = 86_400 * 10**9
_PROCESS = ("host", "pid", "pid_start", "boot_id", "pid_ns")


class Here(NamedTuple):
    """The place and moment of a look."""

    boot_id: str | None
    boot_ns: int
    wall_ns: int


class Watched(NamedTuple):
    """A journal that may go on."""

    path: str
    end: int
    last_ns: int  # the last time in it, by its writer's clock
    starter: bool  # of the latest attempt
    process: dict[str, Any]  # as in the open frame
    look: Look
    life: str
    mark: Mark | None = None

    @property
    def settled(self) -> bool:
        """Whether its process is proved gone on this very boot: nothing can come any more."""
        return self.life == GONE and self.process.get("boot_id") == self.look.boot_id

    def as_list(self) -> list[Any]:
        """Give the plain values that `from_list` takes."""
        mark = self.mark and [*self.mark[:3], [columns[:6] for columns in self.mark.sets]]
        return [*self[:5], self.look, self.life, mark]


def from_list(values: list[Any]) -> Watched:
    *told, look, life, mark = values
    if mark is not None:
        *place, sets = mark
        mark = Mark._make([*place, [KeySet._make([*columns[:5], tuple(columns[5]), b""]) for columns in sets]])
    return Watched._make([*told, Look._make(look), life, mark])


def watch(watched: Watched, before: Watched | None, here: Here) -> Watched:
    """Take in where a journal ends now, whatever it was like before."""
    return watched._replace(look=look_again(before.look if before else None, watched.end, here.boot_id, here.boot_ns))


def begin(path: str, end: int, last_ns: int, starter: bool, opening: dict[str, Any], mark: Mark | None) -> Watched:
    """Begin to watch a journal."""
    return Watched(
        path,
        end,
        last_ns,
        starter,
        {name: opening.get(name) for name in _PROCESS},
        Look(end, None, 0, True),
        UNKNOWN,
        mark,
    )


def moved_on(watched: Watched, caught: Caught, here: Here) -> Watched:
    """Take in that a journal was followed to where it ends now."""
    seen = look_again(watched.look, caught.end, here.boot_id, here.boot_ns)
    now = watched._replace(end=caught.end, last_ns=caught.last_ns, look=seen, mark=caught.mark)
    return look(now, here)


def look(watched: Watched, here: Here) -> Watched:
    """Judge the writer anew, before anything is read from its file: what is read later is then all that a dead one wrote."""
    if watched.settled:
        return watched
    life = process_of(watched.process, watched.last_ns)
    beat = heartbeat(watched.look, here.boot_ns)
    if life == DEAD:  # one of an earlier boot that moves is another machine's, of the same name
        life = ALIVE if beat == ALIVE and watched.process.get("boot_id") != here.boot_id else GONE
    return watched._replace(life=beat if life == UNKNOWN else life)


def moved(watched: Watched) -> bool:
    """Say whether there may be something behind the end that is known."""
    try:
        fd = os.open(watched.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return True
    try:
        return any(read_at(fd, 8, watched.end))
    except OSError:
        return True
    finally:
        os.close(fd)


def may_go_on(watched: Watched, here: Here) -> bool:
    """Say whether to look at it again. A process gone with an earlier boot is believed after a day: two hosts may share a name."""
    return watched.life != GONE or not (watched.settled or here.wall_ns - watched.last_ns > _DAY_NS)


class Standing(NamedTuple):
    """How a run stands that has not told its end."""

    status: str
    reason: str | None
    since_ns: int | None


def standing(open_journals: Sequence[Watched], last_ns: int | None) -> Standing:
    """Judge a run by the journals of its starters.

    Args:
        last_ns: the last time in any of its journals.
    """
    starters = [watched for watched in open_journals if watched.starter]
    lives = {watched.life for watched in starters}
    if ALIVE in lives:
        return Standing(RUNNING, None, None)
    if UNKNOWN in lives:
        return Standing(RUNNING, f"not yet confirmed: {_who(starters)} is watched from here", None)
    since_ns = max((watched.last_ns for watched in starters), default=last_ns)
    if not starters:
        return Standing(LOST, "its journals are closed, and none tells how it ended", since_ns)
    if lives == {GONE}:
        return Standing(KILLED, f"{_who(starters)} is gone without a word", since_ns)
    return Standing(LOST, f"no sign of life from {_who(starters)}", since_ns)


def _who(starters: Iterable[Watched]) -> str:
    names = [f"process {w.process.get('pid')} on {w.process.get('host')}" for w in starters]
    return " and ".join(names[:3])
