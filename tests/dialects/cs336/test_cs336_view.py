"""The view of a cs336 experiment as text: what it says, and what it costs."""

from __future__ import annotations

import gc
import json
import math
import sys
from collections.abc import Mapping
from typing import Any

import pytest

import runfolio
from dialects.cs336.making import started
from runfolio.convert.cs336_record import log_of
from runfolio.convert.strict import restored
from runfolio.convert.view import Snapshot, snapshot
from runfolio.convert.views.cs336 import render
from runfolio.store.layout import find

ODD = (math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1, 3, 2**53)


def experiment(losses: tuple[float, ...], notes: str = "") -> tuple[Snapshot, Mapping[str, Any]]:
    """Track an experiment; give it as the companion reads it."""
    tracker = started(eps=math.inf)
    for iteration, loss in enumerate(losses):
        tracker.log_metrics(iteration, train_loss=loss, learning_rate=loss)
    run = runfolio.active_run()
    assert run is not None
    tracker.finish(notes=notes)
    found = snapshot(find(None), run.id)
    return found, found.state.views[0].options


@pytest.mark.parametrize("losses", [(), (1.5,), ODD])
def test_the_text_says_what_the_record_says(losses: tuple[float, ...]) -> None:
    """The text is strict JSON, and read back it is the record, bit for bit, in its order; one snapshot a line."""
    found, options = experiment(losses, notes='quote " and }, { and NaN')
    (file,) = render(found, "experiment.json", options)
    read = json.loads(file.content, parse_constant=lambda name: pytest.fail(f"bare {name}"))
    assert repr(restored(read)) == repr(log_of(found, options))
    assert file.content.count('\n    {"iteration": ') == len(losses)


def test_rendering_is_one_call_of_the_encoder() -> None:
    """Beside the look at each snapshot no Python function is entered for it: a thousand cost as many calls of them as ten."""
    counts = []
    for size in (10, 1000):
        found, options = experiment((1.5,) * size)
        assert found.calls  # read now: that is done by pieces of the journal
        entered: list[str] = []
        gc.collect()
        gc.disable()  # it may call what other tests have left
        sys.setprofile(lambda frame, event, _: entered.append(frame.f_code.co_name) if event == "call" else None)  # noqa: B023
        list(render(found, "experiment.json", options))
        sys.setprofile(None)
        gc.enable()
        counts.append(sum(not name.startswith("<") for name in entered))  # <genexpr>: the search for the best loss
    assert counts[0] == counts[1]
