"""Number the points without a step, for trackers that give every point one: 0, 1, … for each metric."""

from __future__ import annotations

from runfolio.sinks.memory import Memory


class FinalSteps:
    """Counts for one run in one place, over its attempts.

    A batch begins with `begin` and ends with `keep`: one that failed half-way is numbered the same the next time.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        kept = memory.get("final_steps")
        self._kept: dict[str, int] = kept if isinstance(kept, dict) else {}
        self._next = dict(self._kept)

    def begin(self) -> None:
        """Count from where the last whole batch ended."""
        if self._next != self._kept:
            self._next = dict(self._kept)

    def of(self, series: str) -> int:
        """Give the number of this series' next point."""
        step = self._next.get(series, 0)
        self._next[series] = step + 1
        return step

    def keep(self) -> None:
        """Hold on to what was counted since `begin`."""
        if self._next != self._kept:
            self._memory.set(final_steps=self._next)
            self._kept = dict(self._next)
