"""Every code block of the NTN document: run, run with stand-ins, or listed with the reason why not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dialects.blocks import Block, blocks_of, mapped
from dialects.ntn.in_aim import aim_names, needs_aim, wait_until_fed
from dialects.ntn.reading import EXAMPLE, names, shell
from runfolio.dialects.ntn.trackers import BaseTracker, MultiTracker, create_tracker

BLOCKS = {block.number: block for block in blocks_of("ntn")}


def seeds(experiment: str) -> list[str]:
    return [f"{experiment}_seed{seed}" for seed in range(5)]


# Shell that runs as it stands: the folders that it leaves, and the runs with a file in each.
AS_IT_IS: dict[int, dict[str, list[str]]] = {
    2: {"experiment_logs": seeds("mpo2_experiment"), "my_logs": seeds("mpo2_experiment")},
    6: {},
    9: {"experiment_logs": seeds("mpo2_experiment")},
    10: {"experiment_logs": seeds("california_housing_L3_bond6")},
}

# Python that runs as it stands.
PYTHON = (8,)

# Shell with what stands in for addresses that do not exist here, and for a web server that does not end; with one seed, as loading AIM takes seconds.
# The files and the AIM runs that it leaves.
AIM_HERE = ('"aim://192.168.5.5:5800"', ".aim")
WITH_STAND_INS: dict[int, tuple[list[tuple[str, str]], dict[str, list[str]], list[str]]] = {
    4: ([AIM_HERE, ('"aim://aimtracking.kosmon.org:443"', ".aim")], {}, 3 * ["mpo2_experiment_seed0"]),
    5: ([AIM_HERE], {"logs": ["mpo2_experiment_seed0"]}, ["mpo2_experiment_seed0"]),
    11: ([("4 6 8 10", "4 6"), ("aim up\n", "")], {}, ["bond_sweep_4_seed0", "bond_sweep_6_seed0"]),
    12: ([AIM_HERE], {"local_logs": ["production_run_seed0"]}, ["production_run_seed0"]),
}

OTHERWISE = {
    3: "the file's content, with comments and dots: test_S2_15_the_sample_and_jq",
    7: "callbacks, with a network of the example as `ntn`: test_callbacks_of_the_document",
    13: "commands that look at the files of an earlier block: test_commands_that_look",
}

ILLUSTRATIONS = {
    1: "a drawing",
    14: "Aim's own web server, which does not end",
}


def test_every_block_is_accounted_for(record_property: Callable[[str, object], None]) -> None:
    """Each of the document's blocks is run, checked or listed, once."""
    lists = [list(AS_IT_IS), list(PYTHON), list(WITH_STAND_INS), list(OTHERWISE), list(ILLUSTRATIONS)]
    assert sorted(number for each in lists for number in each) == sorted(BLOCKS)
    ran, stood, checked = len(AS_IT_IS) + len(PYTHON), len(WITH_STAND_INS), len(OTHERWISE)
    counts = f"{ran} run as they stand, {stood} with stand-ins, {checked} checked by a test of their own, {len(ILLUSTRATIONS)} illustrations"
    record_property("blocks of ntn.md", counts)


def left(folders: dict[str, list[str]]) -> None:
    """Check which folders of files there are, and whose files."""
    found = {path.name for path in Path().iterdir() if path.is_dir()} - {
        "home",
        "tmp",
        "store",
        "cache",
        "bin",
        "experiments",
        ".aim",
    }
    assert found == set(folders)
    for folder, runs in folders.items():
        assert names(folder) == runs


@pytest.mark.parametrize("number", AS_IT_IS)
def test_block_runs_as_it_stands(number: int) -> None:
    """A block's shell lines, beside our example's scripts, leave the files that the document says."""
    shell(mapped(BLOCKS[number].text, "ntn"))
    left(AS_IT_IS[number])


def run_with_stand_ins(block: Block, stand_ins: list[tuple[str, str]]) -> None:
    text = mapped(block.text, "ntn")
    for old, new in stand_ins:
        assert old in text
        text = text.replace(old, new)
    shell(text, SEEDS="0")


@needs_aim
@pytest.mark.parametrize("number", WITH_STAND_INS)
def test_block_runs_with_stand_ins(number: int) -> None:
    """A block's shell lines, with an AIM repository here for the addresses of others, leave the files and the AIM runs."""
    stand_ins, folders, runs = WITH_STAND_INS[number]
    run_with_stand_ins(BLOCKS[number], stand_ins)
    left(folders)
    wait_until_fed()
    assert aim_names() == runs


def test_custom_tracker_of_the_document() -> None:
    """The document's own tracker is a BaseTracker that takes all calls, alone and beside ours."""
    scope: dict[str, Any] = {}
    exec(compile(mapped(BLOCKS[8].text, "ntn"), f"ntn.md:{BLOCKS[8].line}", "exec"), scope)
    custom = scope["MyCustomTracker"]()
    assert isinstance(custom, BaseTracker)
    for tracker in (custom, MultiTracker([create_tracker("x_seed0", {}, "file"), custom])):
        tracker.log_hparams({"seed": 0})
        tracker.log_metrics({"loss": 1.0}, -1)
        tracker.log_summary({"r2": 0.5})
        tracker.finalize()
    assert names() == ["x_seed0"]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Import the example's modules as its scripts do."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    import training  # type: ignore[import-not-found]

    yield training
    for name in ("ntn", "models", "training"):
        sys.modules.pop(name, None)


def test_callbacks_of_the_document(example: ModuleType) -> None:
    """The document's callbacks and its call of fit() run with a network of the example."""
    x, _, y, _ = example.data(0)
    ntn = example.MODELS["mpo2"](x, y, 3, 2, np.random.default_rng(0))
    exec(compile(mapped(BLOCKS[7].text, "ntn"), f"ntn.md:{BLOCKS[7].line}", "exec"), {"ntn": ntn})
    assert ntn.evaluate()["r2"] > 0.3


def test_commands_that_look() -> None:
    """The document's json.tool, jq and plotting commands run on our files as they stand."""
    shell("bash experiments/run_mpo2.sh")
    told = shell(mapped(BLOCKS[13].text, "ntn"), MPLBACKEND="Agg")
    assert '"experiment_name": "mpo2_experiment_seed0"' in told
    assert len([line for line in told.splitlines() if line.startswith("0.")]) == 5
