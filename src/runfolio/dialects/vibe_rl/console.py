"""Say on the terminal how training goes, one compact line at a time.

Source: vibe-rl, "Metrics & Logging", Console logging.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from runfolio.dialects.vibe_rl.values import readable

LOGGER = "vibe_rl"
_NOT_SHOWN = ("step", "wall_time")


class CompactFormatter(logging.Formatter):
    """`I 2026-02-15 14:30:22.123 [vibe_rl] message`."""

    def __init__(self) -> None:
        super().__init__("%(letter)s %(asctime)s.%(msecs)03d [%(name)s] %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        record.letter = record.levelname[:1]
        return super().format(record)


def setup_logging(level: int | str = logging.INFO) -> None:
    """Have the logger "vibe_rl" and those below it write compact lines to the standard error stream.

    Doing it again replaces the handler. The root logger gets none of these lines: they would come out twice.
    """
    logger = logging.getLogger(LOGGER)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    handler = logging.StreamHandler()
    handler.setFormatter(CompactFormatter())
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False


def log_step_progress(
    step: int, total_steps: int, metrics: Mapping[str, Any] | None = None, logger_name: str = LOGGER
) -> None:
    """Tell how far training is: `step 5000/100000 (5.0%) | loss=0.42 reward=195`.

    Args:
        metrics: shown behind the bar, floats with four significant digits; `step` and `wall_time` are left out.
    """
    percent = 100 * step / total_steps if total_steps else 0.0
    text = f"step {step}/{total_steps} ({percent:.1f}%)"
    shown = [f"{name}={_text(value)}" for name, value in (metrics or {}).items() if name not in _NOT_SHOWN]
    logging.getLogger(logger_name).info("%s", f"{text} | {' '.join(shown)}" if shown else text)


def _text(value: object) -> str:
    plain = readable(value)
    return f"{plain:.4g}" if isinstance(plain, float) else str(plain)
