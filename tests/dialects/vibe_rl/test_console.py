"""vibe-rl's lines on the terminal: S4.24 to S4.28."""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from runfolio.dialects.vibe_rl import metrics
from runfolio.dialects.vibe_rl.metrics import log_step_progress, setup_logging

LOGGER = logging.getLogger("vibe_rl")
LINE = re.compile(r"([DIWEC]) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[([\w.]+)\] (.*)")


@pytest.fixture(autouse=True)
def _leave_logging_as_it_was() -> Iterator[None]:
    before = (list(LOGGER.handlers), LOGGER.level, LOGGER.propagate)
    yield
    LOGGER.handlers[:], LOGGER.propagate = before[0], before[2]
    LOGGER.setLevel(before[1])


def said(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str, str]]:
    """Give the lines on the error stream: letter, name, message."""
    found = [LINE.fullmatch(line) for line in capsys.readouterr().err.splitlines()]
    assert all(found)
    return [(match[1], match[2], match[3]) for match in found if match]


def test_S4_24_the_compact_format(capsys: pytest.CaptureFixture[str]) -> None:
    """A line is letter, local time with milliseconds, name in brackets, message; DEBUG is left out unless asked for."""
    setup_logging()
    LOGGER.debug("not shown")
    LOGGER.info("Starting training")
    logging.getLogger("vibe_rl.ppo").warning("Gradient norm exceeded threshold")
    assert said(capsys) == [
        ("I", "vibe_rl", "Starting training"),
        ("W", "vibe_rl.ppo", "Gradient norm exceeded threshold"),
    ]
    setup_logging(level=logging.DEBUG)
    LOGGER.debug("shown")
    assert said(capsys) == [("D", "vibe_rl", "shown")]


def test_S4_24_the_document_s_line_to_the_letter() -> None:
    """The record of the document's sample comes out as the document shows it."""
    setup_logging()
    record = logging.LogRecord("vibe_rl", logging.INFO, "x.py", 1, "Starting training", None, None)
    then = (2026, 2, 15, 14, 30, 22, 0, 0, -1)
    record.created, record.msecs = time.mktime(then) + 0.123, 123.0
    formatter = LOGGER.handlers[0].formatter
    assert formatter is not None
    assert formatter.format(record) == "I 2026-02-15 14:30:22.123 [vibe_rl] Starting training"


@pytest.mark.parametrize(
    ("level", "letter"),
    [
        (logging.DEBUG, "D"),
        (logging.INFO, "I"),
        (logging.WARNING, "W"),
        (logging.ERROR, "E"),
        (logging.CRITICAL, "C"),
    ],
)
def test_S4_25_a_letter_for_each_level(level: int, letter: str, capsys: pytest.CaptureFixture[str]) -> None:
    """D, I, W, E, C."""
    setup_logging(logging.DEBUG)
    LOGGER.log(level, "x")
    assert said(capsys) == [(letter, "vibe_rl", "x")]


def test_S4_26_repeated_calls_replace_the_handler(capsys: pytest.CaptureFixture[str]) -> None:
    """However often it is set up, and whatever handlers stood there, each message comes once; the root logger gets none."""
    stream, root = io.StringIO(), io.StringIO()
    LOGGER.addHandler(logging.StreamHandler(stream))
    at_root = logging.StreamHandler(root)
    logging.getLogger().addHandler(at_root)
    try:
        for _ in range(3):
            setup_logging()
        LOGGER.info("once")
    finally:
        logging.getLogger().removeHandler(at_root)
    assert said(capsys) == [("I", "vibe_rl", "once")]
    assert (len(LOGGER.handlers), LOGGER.propagate, stream.getvalue(), root.getvalue()) == (1, False, "", "")


def test_S4_27_progress_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Step, total, percent and metrics, as the document shows them; without metrics no bar; to another logger if asked."""
    setup_logging()
    log_step_progress(5000, 100_000, metrics={"loss": 0.42, "reward": 195.0})
    log_step_progress(99_999, 100_000)
    log_step_progress(1, 3, {"loss": 0.5}, logger_name="vibe_rl.sac")
    assert said(capsys) == [
        ("I", "vibe_rl", "step 5000/100000 (5.0%) | loss=0.42 reward=195"),
        ("I", "vibe_rl", "step 99999/100000 (100.0%)"),
        ("I", "vibe_rl.sac", "step 1/3 (33.3%) | loss=0.5"),
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"step": 5, "wall_time": 1.5, "loss": 0.123456}, "loss=0.1235"),
        ({"reward": 195.0, "n": 123456, "big": 123456.0}, "reward=195 n=123456 big=1.235e+05"),
        ({"loss": np.float32(0.42), "n": np.int64(7), "a": np.array(0.5)}, "loss=0.42 n=7 a=0.5"),
        ({"nan": float("nan"), "done": True, "env": "100%s"}, "nan=nan done=True env=100%s"),
    ],
)
def test_S4_28_how_metrics_are_shown(given: dict[str, Any], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`step` and `wall_time` are left out, floats have four significant digits, everything else is as it is."""
    setup_logging()
    log_step_progress(1, 2, given)
    assert said(capsys) == [("I", "vibe_rl", f"step 1/2 (50.0%) | {text}")]


def test_S4_28_a_total_of_zero_and_metrics_that_are_all_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """A total of 0 is 0.0%; nothing to show means no bar."""
    setup_logging()
    log_step_progress(3, 0, {"step": 3, "wall_time": 0.1})
    assert said(capsys) == [("I", "vibe_rl", "step 3/0 (0.0%)")]


def test_the_module_has_the_document_s_names() -> None:
    """All that the document imports from `metrics` is there."""
    for name in (
        "LogBackend", "MetricsLogger", "TensorBoardBackend", "WandbBackend", "log_step_progress", "read_metrics", "resume_wandb",
        "setup_logging",
    ):  # fmt: skip
        assert hasattr(metrics, name)
