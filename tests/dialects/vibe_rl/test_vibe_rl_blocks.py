"""Every code block of the vibe-rl document: run, checked, or listed with the reason why not."""

from __future__ import annotations

import inspect
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest

from dialects.blocks import Block, blocks_of, mapped
from dialects.vibe_rl.keeping import Keeping, lines_of, without_time
from runfolio.dialects.vibe_rl import metrics
from runfolio.dialects.vibe_rl.metrics import LogBackend, MetricsLogger, TensorBoardBackend, WandbBackend, read_metrics
from runfolio.dialects.vibe_rl.run_dir import RunDir

BLOCKS = {block.number: block for block in blocks_of("vibe_rl")}

Names = dict[str, Any]


class Array:
    """An array of a library that is not installed here: no number, but it holds one."""

    shape = ()

    def __init__(self, value: float) -> None:
        self._value = value

    def item(self) -> float:
        return self._value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        import numpy as np

        return np.array(self._value, dtype=dtype)


@pytest.fixture(autouse=True)
def _leave_logging_as_it_was() -> Iterator[None]:
    logger = logging.getLogger("vibe_rl")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


@pytest.fixture
def _some_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    """`jax.numpy` with `array`, where there is no jax."""
    try:
        import jax.numpy
    except ImportError:
        jax, numpy = ModuleType("jax"), ModuleType("jax.numpy")
        numpy.array, jax.numpy = Array, numpy  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "jax", jax)
        monkeypatch.setitem(sys.modules, "jax.numpy", numpy)


def old_folder(name: str, lines: str) -> None:
    """Leave a run's folder as the document shows it."""
    logs = Path("runs") / name / "logs"
    logs.mkdir(parents=True)
    (logs / "metrics.jsonl").write_text(lines, encoding="utf-8")


def a_run() -> Names:
    """A run and a logger on it, as the blocks before have made them."""
    run = RunDir("dqn_cartpole")
    return {"run": run, "MetricsLogger": MetricsLogger, "logger": MetricsLogger(run.log_path())}


def train_ppo(config: dict[str, Any], run_dir: RunDir) -> tuple[str, dict[str, float]]:
    """Train as the document's runner does, for one step."""
    with MetricsLogger(run_dir.log_path()) as logger:
        logger.write({"step": 1, "actor_loss": 0.1, "critic_loss": 0.2})
    return "state", {"actor_loss": 0.1}


def run_block(number: int, names: Names) -> Names:
    """Run a block with our imports, and close its logger."""
    exec(compile(mapped(BLOCKS[number].text, "vibe_rl"), f"block {number}", "exec"), names)
    if "logger" in names:
        names["logger"].close()
    return names


def lines_in(names: Names) -> list[dict[str, Any]]:
    """Give the lines of the file of the block's run, without their times."""
    return without_time(lines_of(names["run"].log_path()))


# --------------------------------------------------------------------------------------------- as they stand

AS_IT_IS = (1, 5, 13, 14, 16)


def test_block_1() -> None:
    """The first example writes the two lines it names."""
    assert lines_in(run_block(1, {})) == [
        {"step": 1000, "loss": 0.42, "reward": 195.0},
        {"step": 2000, "loss": 0.31, "episode_return": 200.0},
    ]


def test_block_5() -> None:
    """Reading gives what the comment shows; and an empty list where there is no file."""
    assert run_block(5, {})["records"] == []
    line = {"step": 1000, "loss": 0.42, "reward": 195.0, "wall_time": 12.345}
    old_folder("dqn_cartpole_20260216_143022", json.dumps(line) + "\n")
    assert run_block(5, {})["records"] == [line]
    assert str(line).replace("'", '"') in BLOCKS[5].text


@pytest.mark.usefixtures("some_wandb")
def test_block_13() -> None:
    """The resume workflow appends to the folder that the original left, and takes its W&B id."""
    old_folder("dqn_cartpole_20260215_143022", '{"step": 40000, "loss": 0.2}\n')
    (Path("runs") / "dqn_cartpole_20260215_143022" / "wandb_id.txt").write_text("kept1234")
    names = run_block(13, {})
    assert lines_in(names) == [{"step": 40000, "loss": 0.2}, {"step": 50000, "loss": 0.12, "reward": 200.0}]
    assert names["backend"].run_id == "kept1234"


def test_block_14(capsys: pytest.CaptureFixture[str]) -> None:
    """`setup_logging()` installs the formatter on the logger "vibe_rl"."""
    run_block(14, {})
    logging.getLogger("vibe_rl").info("Starting training")
    assert re.fullmatch(r"I .{23} \[vibe_rl\] Starting training\n", capsys.readouterr().err)


def test_block_16(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress comes out as the block's own comment says, but for the time."""
    run_block(16, {})
    shown = BLOCKS[16].text.splitlines()[-1].removeprefix("# ")
    said = capsys.readouterr().err.strip()
    assert said[:2] + said[25:] == shown[:2] + shown[25:]


# --------------------------------------------------------------------------------------------- with stand-ins

WITH_STAND_INS: dict[int, Callable[[], Names]] = {
    2: a_run,
    3: lambda: {**a_run(), "compute_loss": lambda: 0.5},
    6: lambda: {**a_run(), "backend1": Keeping(), "backend2": Keeping()},
    8: a_run,
    9: a_run,
    11: lambda: {**a_run(), "WandbBackend": WandbBackend, "TensorBoardBackend": TensorBoardBackend},
    12: a_run,
    17: lambda: {"config": {"lr": 0.1}, "train_ppo": train_ppo},
    18: lambda: {"train_step": lambda: 0.5, "evaluate": lambda: 195.0},
}


@pytest.mark.usefixtures("some_wandb", "some_tensorboard", "_some_jax")
@pytest.mark.filterwarnings("ignore::runfolio.RunfolioWarning")  # an empty package takes no records
@pytest.mark.parametrize("number", WITH_STAND_INS)
def test_blocks_with_stand_ins(number: int) -> None:
    """The block runs, with stand-ins for the names that it leaves open; what it says of the file or the run holds."""
    names = run_block(number, WITH_STAND_INS[number]())
    expected: dict[int, Callable[[], object]] = {
        2: lambda: lines_in(names) == [{"step": 1000, "loss": 0.42}],
        3: lambda: lines_in(names) == [{"step": step, "loss": 0.5} for step in range(1000)],
        6: lambda: (names["backend1"].closed, names["backend2"].closed) == (1, 1),
        8: lambda: (names["run"].root / "wandb_id.txt").read_text() == names["backend"].run_id,
        9: lambda: isinstance(names["backend"], LogBackend),
        11: lambda: (names["run"].root / "wandb_id.txt").exists(),
        12: lambda: (names["run"].root / "wandb_id.txt").read_text() == names["backend"].run_id,
        17: lambda: json.loads((names["run"].root / "config.json").read_text()) == {"lr": 0.1} and lines_in(names),
        18: lambda: (len(names["records"]), names["final_reward"]) == (100, 195.0),
    }
    assert expected[number]()


# --------------------------------------------------------------------------------------------- checked, or listed

CHECKED = (4, 7, 15)

ILLUSTRATIONS = {
    10: "starts TensorBoard's server; its own reader reads the same folder in test_backends",
}


def test_block_4() -> None:
    """The folder is the one that is drawn."""
    run = RunDir("dqn_cartpole")
    MetricsLogger(run.log_path()).close()
    drawn = re.findall(r"[├└]── (\w+)/", BLOCKS[4].text)
    assert sorted(drawn) == sorted(entry.name for entry in run.root.iterdir())
    assert (
        [entry.name for entry in run.logs.iterdir()]
        == ["metrics.jsonl"]
        == re.findall(r"[\w.]+\.jsonl", BLOCKS[4].text)
    )
    assert re.fullmatch(r"runs/dqn_cartpole_\d{8}_\d{6}", BLOCKS[4].text.splitlines()[0].rstrip("/"))
    assert re.fullmatch(r"runs/dqn_cartpole_\d{8}_\d{6}", str(run.root))


def test_block_7() -> None:
    """The protocol has the methods that are listed, with their signatures."""
    names: Names = {"Protocol": Protocol, "Any": Any}
    exec(BLOCKS[7].text, names)
    for method in ("log", "close"):
        listed = inspect.signature(getattr(names["LogBackend"], method), eval_str=True)
        assert listed == inspect.signature(getattr(LogBackend, method), eval_str=True)


def test_block_15(capsys: pytest.CaptureFixture[str]) -> None:
    """The sample's lines are ours, but for the time."""
    metrics.setup_logging()
    levels = {"I": logging.INFO, "W": logging.WARNING}
    for line in BLOCKS[15].text.splitlines():
        letter, _, _, name, message = line.split(" ", 4)
        logging.getLogger(name.strip("[]")).log(levels[letter], message)
    said = capsys.readouterr().err.splitlines()
    assert [(line[:2], line[25:]) for line in said] == [(line[:2], line[25:]) for line in BLOCKS[15].text.splitlines()]


def test_every_block_has_its_place(record_property: Callable[[str, object], None]) -> None:
    """Each block of the document is in exactly one list; the counts are printed."""
    lists = (AS_IT_IS, tuple(WITH_STAND_INS), CHECKED, tuple(ILLUSTRATIONS))
    assert sorted(number for each in lists for number in each) == sorted(BLOCKS)
    counts = "run as they stand {}, with stand-ins {}, checked {}, illustrations {}".format(*map(len, lists))
    record_property("vibe-rl blocks", counts)
    assert all(isinstance(block, Block) for block in BLOCKS.values())


def test_the_signature_table_of_the_wandb_back_end_holds() -> None:
    """The parameters and defaults are those of the document's table."""
    parameters = inspect.signature(WandbBackend).parameters
    assert [(each.name, each.default) for each in parameters.values()] == [
        ("project", "vibe_rl"),
        ("entity", None),
        ("config", None),
        ("run_dir", None),
        ("init_kwargs", inspect.Parameter.empty),
    ]
    assert read_metrics is metrics.read_metrics
