"""Write a record to a run: its numbers as metrics, and the whole of it where it holds more than numbers.

A record of numbers costs one copy of its dict above `run.log`. Any other one goes by an event `{"line": the record, "beside": names}` and the
metrics of these names beside it: the view shows the event and leaves out those metrics.
Source: vibe-rl, "Metrics & Logging", MetricsLogger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.convert.vibe_rl_lines import numbers_of, step_of
from runfolio.dialects.vibe_rl.values import readable
from runfolio.errors import InvalidValue, UsageError
from runfolio.journal.writer import FINAL
from runfolio.sdk.active import ActiveRun


def write_record(run: ActiveRun, fields: dict[str, Any]) -> None:
    """Write one record. `fields` belongs to this call.

    Raises:
        InvalidValue: a text of more than 1 MiB. RunIsClosed: the run has ended.
    """
    step = fields.pop("step", FINAL)
    if step is not None:  # to `log`, None means the next step
        try:
            return run.log(fields, step)
        except (InvalidValue, UsageError):
            pass  # refused as a whole: something in it is no number
    _write_whole(run, readable_line(fields if step is FINAL else {"step": step, **fields}))


def _write_whole(run: ActiveRun, line: dict[str, Any]) -> None:
    step, numbers = step_of(line), numbers_of(line)
    run.log_record({"line": line, "beside": list(numbers)}, step)
    if numbers:
        run.log(numbers, FINAL if step is None else step)


def readable_line(record: Mapping[Any, Any]) -> dict[str, Any]:
    """Give a record as JSON can carry it, in its order."""
    return {str(key): readable(value) for key, value in record.items()}
