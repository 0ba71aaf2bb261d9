"""A promise about speed or size, and what was seen of it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Gate(NamedTuple):
    """One figure of the table: must be kept, aim is hoped for. Lower is better in all of them."""

    row: str
    must: float
    aim: float
    unit: str
    below: bool = False  # "<" and not "≤"


class Finding(NamedTuple):
    """What was seen of a gate; `seen` is None where it could not be measured, and `detail` says why."""

    gate: Gate
    seen: float | None
    detail: str = ""

    @property
    def verdict(self) -> str:
        """Name the outcome in one word of the table."""
        if self.seen is None:
            return "missing"
        if self._keeps(self.gate.aim):
            return "met-aim"
        return "met" if self._keeps(self.gate.must) else "missed"

    def _keeps(self, limit: float) -> bool:
        assert self.seen is not None
        # The table has three digits; 1.2004× is 1.2× there and here.
        seen = float(f"{self.seen:.3g}")
        return seen < limit if self.gate.below else seen <= limit

    def as_json(self, date: str) -> dict[str, Any]:
        """Flatten into what `results/gates.json` keeps."""
        gate = self.gate
        return {
            "row": gate.row,
            "must": gate.must,
            "aim": gate.aim,
            "unit": gate.unit,
            "seen": None if self.seen is None else float(f"{self.seen:.4g}"),
            "verdict": self.verdict,
            "detail": self.detail,
            "date": date,
        }


def missing(gates: tuple[Gate, ...], why: str) -> list[Finding]:
    """Say of each gate that it could not be measured."""
    return [Finding(gate, None, why) for gate in gates]
