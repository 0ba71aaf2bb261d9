"""An axis: where a value stands on it, and which round numbers to write beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROUND = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """From low to high; logarithmic where that is wanted."""

    low: float
    high: float
    log: bool = False

    def place(self, values: Floats) -> Floats:
        """Give where values stand, from 0 to 1. Halved, so that no difference of floats overflows."""
        low, high = self._scaled(self.low) / 2, self._scaled(self.high) / 2
        with np.errstate(all="ignore"):
            scaled = np.log10(values) if self.log else values
            return (scaled / 2 - low) / (high - low) if high > low else np.where(np.isfinite(values), 0.5, np.nan)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Give at most so many round numbers on the axis, with their text."""
        if not self.low < self.high:
            return [(self.low, f"{self.low:.4g}")]
        if self.log and math.log10(self.high) - math.log10(self.low) >= 1:
            return self._decades(most)
        return self._steps(most)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def _steps(self, most: int) -> list[tuple[float, str]]:
        span = self.high / 2 - self.low / 2
        if not span > abs(self.low) * 1e-12:
            return [(self.low, f"{self.low:.6g}")]
        rough = span / max(most, 1) * 2
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(size * one for one in _ROUND if size * one >= rough * 0.999)
        if not math.isfinite(step):
            return [(self.low, f"{self.low:.4g}")]
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        values = [number * step for number in range(first, min(last, first + 2 * most) + 1)]
        return [(value, _text(value, step)) for value in values] or [(self.low, f"{self.low:.4g}")]

    def _decades(self, most: int) -> list[tuple[float, str]]:
        first, last = math.floor(math.log10(self.low)), math.floor(math.log10(self.high))
        for parts in ((1, 2, 5), (1, 3), (1,)):
            values = [part * 10.0**power for power in range(first, last + 1) for part in parts]
            inside = [value for value in values if self.low <= value * 1.001 and value <= self.high * 1.001]
            inside = [value for value in inside if 0 < value < math.inf]
            if len(inside) <= most:
                break
        every = -(-len(inside) // max(most, 1)) or 1
        told = [(value, _text(value, 10.0 ** math.floor(math.log10(value) + 1e-9))) for value in inside[::every]]
        return told or [(self.low, f"{self.low:.4g}")]


def _text(value: float, step: float) -> str:
    """Write a number with as many decimals as its neighbours need."""
    if value and (abs(value) >= 1e6 or step < 1e-4):
        return f"{value:.1e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{decimals}f}" if value else "0"
