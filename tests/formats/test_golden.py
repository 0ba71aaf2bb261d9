"""Stores that released versions wrote are read for ever: each point by its bits, each event, each artifact's bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from golden.make_format_1 import told
from runfolio.store.layout import Layout
from runfolio.store.verify import verify

GOLDEN = Path(__file__).parents[1] / "golden"
FORMAT_1 = GOLDEN / "format-1"
RUNS = json.loads((FORMAT_1 / "expected.json").read_text(encoding="utf-8"))["runs"]


def holds(found: object, expected: object, place: str = "") -> None:
    """Fail where something that is expected is not there or is something else; fields that came later are passed over."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), place
        for key, value in expected.items():
            assert key in found, f"{place}.{key}"
            holds(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert isinstance(found, list) and len(found) == len(expected), place
        for at, (one, other) in enumerate(zip(found, expected, strict=True)):
            holds(one, other, f"{place}[{at}]")
    else:
        assert found == expected, place


@pytest.mark.parametrize("expected", RUNS, ids=lambda run: run["facts"]["name"])
def test_a_run_of_format_1_is_read(monkeypatch: pytest.MonkeyPatch, expected: dict[str, object]) -> None:
    """All that a run of format 1 holds is found as it was, by a reader who writes nothing into the store."""
    monkeypatch.setenv("RUNFOLIO_DIR", str(FORMAT_1 / "store"))
    before = sorted((str(path), os.stat(path).st_size) for path in FORMAT_1.rglob("*"))
    holds(json.loads(json.dumps(told(expected["facts"]["id"]))), expected)
    assert sorted((str(path), os.stat(path).st_size) for path in FORMAT_1.rglob("*")) == before


def test_the_store_of_format_1_is_sound() -> None:
    """Every checksum of the golden store is right; what its killed writer left is a torn tail."""
    report = verify(Layout(str(FORMAT_1 / "store")))
    assert report.sound and report.runs == len(RUNS)
    assert [finding.message.split(":")[0] for finding in report.findings] == ["torn tail"]
