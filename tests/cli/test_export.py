"""`runfolio export`: which runs, where to, and what it says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli.calling import call, fine, start


@pytest.fixture(autouse=True)
def _runs():
    for name, lr in (("one", 0.1), ("two", 0.01)):
        with start(name=name, params={"lr": lr}) as run:
            run.log({"loss": lr}, step=0)


def names(text):
    return [json.loads(line)["name"] for line in text.splitlines()]


def test_runs_by_name_by_filter_or_all():
    """Runs are named, filtered, or all of them."""
    assert names(fine("export", "one", "--format", "jsonl", "--out", "-").out) == ["one"]
    assert names(fine("export", "one", "two", "one", "--format", "jsonl", "--out", "-").out) == ["one", "two"]
    assert names(fine("export", "--filter", "lr < 0.05", "--format", "jsonl", "--out", "-").out) == ["two"]
    assert names(fine("export", "--format", "jsonl", "--out", "-").out) == ["two", "one"]
    assert call("export", "one", "--filter", "lr < 1", "--format", "json", "--out", "-").code == 2
    assert call("export", "nope", "--format", "json", "--out", "-").code == 1


def test_a_file_is_written_and_told():
    """The path is told; what is there is replaced only with --force."""
    assert fine("export", "--format", "json", "--out", "out.json").lines == ["Exported 2 runs to out.json"]
    assert len(json.loads(Path("out.json").read_text())["runs"]) == 2
    again = call("export", "one", "--format", "json", "--out", "out.json")
    assert again.code == 2 and "--force" in again.err
    fine("export", "one", "--format", "json", "--out", "out.json", "--force")
    assert len(json.loads(Path("out.json").read_text())["runs"]) == 1


@pytest.mark.parametrize("form", ["csv", "parquet", "folder"])
def test_a_folder_is_written_and_told(form):
    """A folder is told with a / at its end."""
    assert fine("export", "--format", form, "--out", "sub/out/").lines == [
        f"Exported 2 runs to {os.path.join('sub', 'out')}/"
    ]
    assert os.listdir("sub") == ["out"]


def test_standard_output_takes_text_only():
    """`-` is for json, jsonl and csv."""
    assert (
        fine("export", "one", "--format", "csv", "--out", "-").lines[0] == "run,name,metric,rank,step,value,kind,time"
    )
    assert json.loads(fine("export", "one", "--format", "json", "--out", "-").out)["format"] == 1
    assert call("export", "one", "--format", "parquet", "--out", "-").code == 2
    assert call("export", "one", "--format", "folder", "--out", "-").code == 2
    assert not os.path.exists("-")


def test_a_name_cannot_reach_a_terminal_raw():
    """Where standard output is a terminal, control characters in names are shown escaped."""
    with start(name="\x1b[2Jx") as run:
        run.log({"loss": 1.0})
    for form in ("csv", "json", "jsonl"):
        assert "\x1b" not in call("export", "--format", form, "--out", "-", terminal=True).out


def test_a_bar_is_for_terminals():
    """Progress is shown on a terminal, and nothing in a pipe."""
    assert "Exporting" in call("export", "--format", "folder", "--out", "one", terminal=True).err
    assert call("export", "--format", "folder", "--out", "two").err == ""
