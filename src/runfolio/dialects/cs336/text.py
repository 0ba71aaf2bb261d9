"""Experiments as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from runfolio.dialects.cs336.log import ExperimentLog
from runfolio.model.names import printable

MISSING = "N/A"
NOTHING = "No experiments loaded"
_HEAD = ("Name", "Train Loss", "Val Loss", "Duration", "Iterations")


def comparison(logs: Iterable[ExperimentLog]) -> str:
    """Set experiments side by side: their best losses, how long they took."""
    rows = [
        (printable(log.name), loss(log.best_train_loss), loss(log.best_val_loss), duration(log.duration_seconds), str(log.iterations))
        for log in logs
    ]  # fmt: skip
    if not rows:
        return NOTHING
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    lines = [_HEAD, tuple("-" * width for width in widths), *rows]
    return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    first, *others = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join((first, *others))


def summary(log: ExperimentLog) -> str:
    """Describe one experiment."""
    config = log.config
    lines = [
        f"Experiment: {printable(log.name)}",
        f"  Model:            d_model {config.d_model}, {config.num_layers} layers, {config.num_heads} heads, d_ff {config.d_ff}",
        f"  Started:          {log.start_time or MISSING}",
        f"  Ended:            {log.end_time or MISSING}",
        f"  Duration:         {duration(log.duration_seconds)}",
        f"  Iterations:       {log.iterations}",
        f"  Gradient steps:   {log.gradient_steps}",
        f"  Best train loss:  {loss(log.best_train_loss)}",
        f"  Best val loss:    {loss(log.best_val_loss)}",
        f"  Final train loss: {loss(log.final_train_loss)}",
        f"  Final val loss:   {loss(log.final_val_loss)}",
    ]
    if log.notes:
        lines.append(f"  Notes:            {printable(log.notes)}")
    return "\n".join(lines)


def loss(value: float | None) -> str:
    """Show a loss."""
    return MISSING if value is None else f"{value:.6f}"


def duration(seconds: float | None) -> str:
    """Show how long something took."""
    if seconds is None or seconds - seconds != 0:
        return MISSING
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m {rest:02d}s" if hours else f"{minutes}m {rest:02d}s"
