"""What a handle is begun with: the mode, the record of its surroundings, the one who tells of trouble."""

from __future__ import annotations

import os
from collections.abc import Callable

from runfolio.errors import UsageError
from runfolio.model.ids import short
from runfolio.sdk import exits, trouble
from runfolio.sdk.capture import SLOW, cheap, spawn
from runfolio.sdk.writing import Pen


def mode() -> str:
    """Give $RUNFOLIO_MODE: "disabled" makes every call a no-op."""
    told = os.environ.get("RUNFOLIO_MODE") or "enabled"
    if told not in ("enabled", "disabled"):
        raise UsageError(f"RUNFOLIO_MODE must be 'enabled' or 'disabled', not {told!r}")
    return told


def record(pen: Pen, wanted: frozenset[str]) -> None:
    """Record the cheap facts here, and let a companion process find the slow ones."""
    if not wanted:
        return
    for field, value in cheap(wanted=wanted).items():
        pen.writer.event({"type": "capture", "field": field, "value": value})
    slow = sorted(wanted & frozenset(SLOW))
    if slow and not pen.writer.spooling:
        exits.companion(spawn(pen.layout.root, pen.run_id, slow, _cwd(), pen.attempt))


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "/"


def teller(run_id: str) -> Callable[[str], None]:
    """Make the function that warns of a run's trouble, once for each cause."""
    told: set[str] = set()

    def on_trouble(cause: str) -> None:
        if cause not in told:
            told.add(cause)
            trouble.tell(
                f"run {short(run_id)} has trouble with its disk: {cause}. The script goes on; runfolio doctor says more"
            )

    return on_trouble
