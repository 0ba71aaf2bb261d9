"""What the yanex document promises of logging and of its file, one test a promise."""

from __future__ import annotations

import inspect
import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runfolio
from dialects.blocks import blocks_of
from dialects.yanex.reading import metrics_file, needs_jq, records, rows, strict
from launch.launching import eventually, only_run, run, write_script
from runfolio.dialects import yanex

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def active() -> runfolio.ActiveRun:
    found = runfolio.active_run()
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------------- recording


def test_S0_01_a_module_with_log_metrics() -> None:
    """The module is named `yanex`; `log_metrics(metrics, step)` is its main call, and the step may be left out."""
    assert yanex.__name__.rpartition(".")[2] == "yanex"
    parameters = inspect.signature(yanex.log_metrics).parameters
    assert list(parameters) == ["metrics", "step"]
    assert parameters["step"].default is None


def test_S0_02_explicit_step() -> None:
    """With `step`, the metrics are filed under exactly that step."""
    yanex.log_metrics({"loss": 0.5}, step=7)
    yanex.log_metrics({"loss": 0.4}, step=np.int64(9))
    assert rows() == [(7, {"loss": 0.5}), (9, {"loss": 0.4})]


def test_S0_03_auto_step_from_zero() -> None:
    """Without `step` the steps are 0, 1, 2."""
    for loss in (1.5, 1.2, 0.9):
        yanex.log_metrics({"loss": loss})
    assert [step for step, _ in rows()] == [0, 1, 2]


def test_S0_04_auto_step_after_explicit() -> None:
    """A summary without a step after epochs 1 to 10 stands at 11: the highest step + 1, not the number of calls."""
    for epoch in range(1, 11):
        yanex.log_metrics({"train_loss": 0.5}, step=epoch)
        if epoch % 2 == 0:
            yanex.log_metrics({"val_loss": 0.6}, step=epoch)
    yanex.log_metrics({"final_accuracy": 0.9})
    assert rows()[-1] == (11, {"final_accuracy": 0.9})
    assert len(rows()) == 11


def test_S0_05_explicit_zero_then_auto() -> None:
    """An explicit 0 and then no step gives 1."""
    yanex.log_metrics({"loss": 1.0}, step=0)
    yanex.log_metrics({"loss": 0.9})
    assert [step for step, _ in rows()] == [0, 1]


def test_S0_06_sparse_steps() -> None:
    """Steps need not start at 0, nor be contiguous."""
    for step in (10, 20, 50, 100, 200):
        yanex.log_metrics({"accuracy": step / 200}, step=step)
    assert rows() == [(step, {"accuracy": step / 200}) for step in (10, 20, 50, 100, 200)]


def test_S0_07_calls_of_a_step_merge() -> None:
    """Several calls at a step make one record with all their keys, also when other steps came between."""
    yanex.log_metrics({"train_loss": 1.0}, step=5)
    yanex.log_metrics({"train_loss": 0.8}, step=6)
    yanex.log_metrics({"val_loss": 0.9}, step=5)
    assert rows() == [(5, {"train_loss": 1.0, "val_loss": 0.9}), (6, {"train_loss": 0.8})]


def test_S0_08_the_last_value_of_a_key_stays() -> None:
    """The same key twice at a step: the last value stands in the file; the journal keeps both."""
    yanex.log_metrics({"loss": 1.0}, step=5)
    yanex.log_metrics({"loss": 0.9}, step=5)
    assert rows() == [(5, {"loss": 0.9})]


def test_S0_09_a_merged_record_bears_the_latest_time() -> None:
    """`timestamp` is the latest write's; `first_timestamp`, on merged records only, the first write's."""
    yanex.log_metrics({"train_loss": 1.0}, step=5)
    before = records()[0]
    eventually(lambda: _now() > before["timestamp"], "a millisecond passes")
    yanex.log_metrics({"val_loss": 0.9}, step=5)
    yanex.log_metrics({"train_loss": 0.8}, step=6)
    merged, alone = records()
    assert merged["first_timestamp"] == before["timestamp"] < merged["timestamp"]
    assert "first_timestamp" not in before
    assert "first_timestamp" not in alone


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def test_S0_10_every_record_has_a_timestamp() -> None:
    """Each record has a timestamp that nobody asked for: of the time of its call."""
    began = _now()
    for step in range(3):
        yanex.log_metrics({"loss": 0.5}, step=step)
    stamps = [record["timestamp"] for record in records()]
    assert began <= stamps[0] <= stamps[1] <= stamps[2] <= _now()


def test_S0_11_step_is_no_metric() -> None:
    """`step` among the metrics raises, names the parameter, and keeps nothing of the call."""
    with pytest.raises(runfolio.UsageError, match="step="):
        yanex.log_metrics({"step": 3, "train_loss": 0.5})
    yanex.log_metrics({"train_loss": 0.5}, step=3)
    assert rows() == [(3, {"train_loss": 0.5})]


def test_S0_12_keys_may_vary() -> None:
    """A record has the metrics of its step, and no others."""
    yanex.log_metrics({"train_loss": 0.5}, step=1)
    yanex.log_metrics({"train_loss": 0.4, "val_loss": 0.6}, step=2)
    assert [sorted(metrics) for _, metrics in rows()] == [["train_loss"], ["train_loss", "val_loss"]]


def test_S0_13_ints_stay_ints() -> None:
    """Ints come out as ints, floats as floats, bools as bools; a fact that is repeated in each step stands in each."""
    yanex.log_metrics({"images": 1000, "loss": 1.0, "learning_rate": 0.01, "best": True}, step=1)
    yanex.log_metrics({"images": 2000, "loss": 0.1 + 0.2, "learning_rate": 0.01, "best": False}, step=2)
    text = metrics_text()
    assert '"images": 1000,' in text
    assert '"loss": 1.0,' in text
    assert '"loss": 0.30000000000000004,' in text
    assert '"best": true,' in text
    assert text.count('"learning_rate": 0.01,') == 2


def metrics_text() -> str:
    records()
    return metrics_file(active().id).read_text(encoding="utf-8")


def test_S0_14_ten_thousand_calls_open_no_file_each(record_property: Callable[[str, object], None]) -> None:
    """10,000 calls of `log_metrics` are no matter: no file is opened, renamed or rewritten for a call, and all are kept."""
    yanex.log_metrics({"loss": 1.0, "accuracy": 0.5}, step=-1)
    seen: list[str] = []
    watching = [True]

    def audit(event: str, _: tuple[Any, ...]) -> None:
        if watching[0] and event.split(".")[0] in ("open", "os", "subprocess", "shutil", "socket"):
            seen.append(event)

    sys.addaudithook(audit)  # it stays, so it is silenced
    try:
        for step in range(10_000):
            yanex.log_metrics({"loss": 1 / (step + 1), "accuracy": 0.5}, step=step)
    finally:
        watching[0] = False
    record_property("S0.14", f"10,000 calls of log_metrics: {len(seen)} file operations of the process")
    assert len(seen) < 100
    found = records()
    assert len(found) == 10_001
    assert found[-1]["step"] == 9999


# --------------------------------------------------------------------------------------------------------- storage


def test_S0_15_the_documented_place() -> None:
    """The file lies at ~/.yanex/experiments/<experiment_id>/metrics.json; the id is the run's first 8 digits."""
    yanex.log_metrics({"loss": 0.5})
    records()
    path = blocks_of("yanex")[11].text.strip().replace("<experiment_id>", active().id[:8])
    assert Path(path).expanduser().is_file()
    assert os.listdir(Path(path).expanduser().parent) == ["metrics.json"]


def test_S0_15_home_at_the_time_of_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home folder when the first metrics are logged, and the file stays there."""
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    yanex.log_metrics({"loss": 0.5})
    monkeypatch.setenv("HOME", str(tmp_path / "third"))
    yanex.log_metrics({"loss": 0.4})
    active().finish()
    (found,) = (tmp_path / "elsewhere").glob(".yanex/experiments/*/metrics.json")
    assert len(strict(found.read_text())) == 2
    assert not (tmp_path / "third").exists()


def test_S0_16_the_documented_records() -> None:
    """The file is the document's sample, but for its times: an array of objects, keys in that order, two spaces of indent."""
    rate = {"learning_rate": 0.01}
    yanex.log_metrics({"train_loss": 1.8234, "train_accuracy": 0.5234, **rate}, step=1)
    values = {"train_loss": 1.6012, "train_accuracy": 0.5823, **rate, "val_loss": 1.7234, "val_accuracy": 0.5456}
    yanex.log_metrics(values, step=2)
    sample = blocks_of("yanex")[12].text
    assert TIMESTAMP.sub("T", metrics_text()) == TIMESTAMP.sub("T", sample)


def test_S0_17_timestamps_are_utc() -> None:
    """A timestamp is ISO 8601, UTC, with milliseconds and Z, also where the local time is another."""
    yanex.log_metrics({"loss": 0.5})
    (record,) = records()
    assert TIMESTAMP.fullmatch(record["timestamp"])
    assert record["timestamp"][:16] <= _now()[:16]


def test_S0_18_a_merged_step_stands_once() -> None:
    """A merged step is one record, with train and val values together."""
    yanex.log_metrics({"train_loss": 1.6012}, step=2)
    yanex.log_metrics({"val_loss": 1.7234}, step=2)
    (record,) = records()
    assert list(record) == ["step", "train_loss", "val_loss", "timestamp", "first_timestamp"]


def test_S0_19_strict_json() -> None:
    """`python3 -m json.tool` and strict parsers read the file, with NaN and infinities as text."""
    yanex.log_metrics({"train_loss": math.nan, "gap": math.inf}, step=1)
    text = metrics_text()
    (record,) = strict(text)
    assert (record["train_loss"], record["gap"]) == ("NaN", "Infinity")
    subprocess.run([sys.executable, "-m", "json.tool"], input=text.encode(), check=True, capture_output=True)


@needs_jq
def test_S0_19_jq() -> None:
    """The document's jq line gives an object for each step, and null for a metric that a step lacks."""
    yanex.log_metrics({"train_loss": math.nan}, step=1)
    yanex.log_metrics({"train_loss": 0.5, "val_loss": -math.inf}, step=2)
    query = ".[] | {step, train_loss, val_loss}"
    done = subprocess.run(["jq", "-c", query], input=metrics_text().encode(), check=True, capture_output=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"step": 1, "train_loss": "NaN", "val_loss": None},
        {"step": 2, "train_loss": 0.5, "val_loss": "-Infinity"},
    ]


def test_S0_20_records_stand_in_the_order_of_steps() -> None:
    """The records are ordered by step, whatever the order of the calls; negative steps come first."""
    for step in (3, 1, 2, -1):
        yanex.log_metrics({"loss": 0.5}, step=step)
    assert [step for step, _ in rows()] == [-1, 1, 2, 3]


# --------------------------------------------------------------------------------------------------- running, patterns

SCRIPT = """
from runfolio.dialects import yanex

epochs = yanex.get_param("epochs", 10)
for epoch in range(1, epochs + 1):
    yanex.log_metrics({"train_loss": 2 / epoch}, step=epoch)
    if epoch % yanex.get_param("val_frequency", default=2) == 0:
        yanex.log_metrics({"val_loss": 2.5 / epoch}, step=epoch)
print(yanex.get_params())
"""


def file_of_the_only_run() -> list[dict[str, Any]]:
    path = metrics_file(only_run())
    found: list[dict[str, Any]] = strict(path.read_text()) if path.exists() else []
    return found


def test_S0_21_one_run_of_the_launcher_has_the_file() -> None:
    """`runfolio run train_model.py` with the dialect is one run, and its file is there and exact."""
    ran = run(write_script(SCRIPT, "train_model.py"))
    assert ran.code == 0, ran.err
    eventually(lambda: len(file_of_the_only_run()) == 10, "the file has all steps")
    assert [record["step"] for record in file_of_the_only_run() if "val_loss" in record] == [2, 4, 6, 8, 10]


def test_S0_25_params_are_read_in_the_script() -> None:
    """`get_param` gives what `-p` told, else the script's default; `get_params` gives what was told."""
    ran = run(write_script(SCRIPT, "train_model.py"), "-p", "epochs=3")
    assert ran.out.splitlines()[0] == b"{'epochs': 3}"
    eventually(lambda: len(file_of_the_only_run()) == 3, "the file has all steps")


def test_S0_25_get_param_without_a_run() -> None:
    """Without a run `get_param` gives the default, None if there is none, and begins no run."""
    assert yanex.get_param("epochs", 10) == 10
    assert yanex.get_param("epochs") is None
    assert yanex.get_params() == {}
    assert runfolio.active_run() is None


def test_S0_35_plain_python_starts_a_run_of_its_own() -> None:
    """A script that plain `python` runs has a run of its own, named by the script, finished at its end, with its file."""
    subprocess.run([sys.executable, write_script(SCRIPT, "train_model.py")], check=True, capture_output=True)
    with runfolio.open_store() as store:
        (found,) = store.runs()
        assert (found.experiment, found.status) == ("train_model", "finished")
    assert len(file_of_the_only_run()) == 10  # there and exact when the script has ended


def test_S0_35_mixing_explicit_and_auto_is_defined() -> None:
    """Explicit steps and none may be mixed: none is always the highest step so far + 1, also after a lower one."""
    yanex.log_metrics({"a": 1.0}, step=5)
    yanex.log_metrics({"b": 2.0})
    yanex.log_metrics({"c": 3.0}, step=2)
    yanex.log_metrics({"d": 4.0})
    assert rows() == [(2, {"c": 3.0}), (5, {"a": 1.0}), (6, {"b": 2.0}), (7, {"d": 4.0})]


# ------------------------------------------------------------------------------------------------------ the next steps


def test_S0_36_a_curve_from_the_file(tmp_path: Path) -> None:
    """Training curves are plotted from metrics.json with a few lines; the sparse validation curve has its own steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    for epoch in range(1, 11):
        yanex.log_metrics({"train_loss": 2 / epoch}, step=epoch)
        if epoch % 2 == 0:
            yanex.log_metrics({"val_loss": 2.5 / epoch}, step=epoch)
    found = records()
    pyplot.figure()
    for name in ("train_loss", "val_loss"):
        points = [(record["step"], record[name]) for record in found if name in record]
        pyplot.plot(*zip(*points, strict=True), label=name)
    train, val = pyplot.gca().get_lines()
    assert list(train.get_xdata()) == list(range(1, 11))
    assert list(val.get_ydata()) == [2.5 / epoch for epoch in (2, 4, 6, 8, 10)]
    pyplot.savefig(tmp_path / "curve.png")
    pyplot.close("all")
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_S0_36_early_stopping() -> None:
    """A loop that stops when the validation no longer gets better leaves the epochs it ran, and the reason in the summary."""
    val_losses = [1.0, 0.8, 0.7, 0.75, 0.9, 0.6]
    best, patience = math.inf, 2
    bad = 0
    for epoch, val_loss in enumerate(val_losses, 1):
        yanex.log_metrics({"train_loss": 1 / epoch}, step=epoch)
        yanex.log_metrics({"val_loss": val_loss}, step=epoch)
        bad = 0 if val_loss < best else bad + 1
        best = min(best, val_loss)
        if bad == patience:
            break
    yanex.log_metrics({"best_val_loss": best, "stopped_early": True})
    assert [step for step, _ in rows()] == [1, 2, 3, 4, 5, 6]
    assert rows()[-1] == (6, {"best_val_loss": 0.7, "stopped_early": True})


def test_S0_36_periodic_validation_by_merging() -> None:
    """Validation every few epochs stands in the records of its epochs only."""
    for epoch in range(1, 8):
        yanex.log_metrics({"train_loss": 0.5}, step=epoch)
        if epoch % 3 == 0:
            yanex.log_metrics({"val_loss": 0.6}, step=epoch)
    assert [step for step, metrics in rows() if "val_loss" in metrics] == [3, 6]


# --------------------------------------------------------------------------------------------------------- hard times


def test_the_file_is_exact_after_a_kill() -> None:
    """After a SIGKILL of the script the file comes to hold every step that was logged."""
    text = """
import os, signal
from runfolio.dialects import yanex
for step in range(500):
    yanex.log_metrics({"loss": 1 / (step + 1)}, step=step)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, write_script(text)], check=False)
    assert done.returncode == -signal.SIGKILL
    eventually(lambda: len(file_of_the_only_run()) == 500, "the file has all steps")


def test_a_second_run_has_a_file_of_its_own() -> None:
    """A run that begins after another has ended has its own file; the first one's stays as it was."""
    yanex.log_metrics({"loss": 1.0})
    first = active()
    first.finish()
    yanex.log_metrics({"loss": 2.0})
    second = active()
    second.finish()
    assert first.id != second.id
    assert [strict(metrics_file(run.id).read_text())[0]["loss"] for run in (first, second)] == [1.0, 2.0]


def test_a_handle_of_ours_and_the_dialect_are_one_run() -> None:
    """A run begun by `runfolio.start` is the one that the dialect logs to, and then has the file with all its calls."""
    with runfolio.start(experiment="digits", params={"lr": 0.1}) as begun:
        begun.log({"loss": 1.0}, step=0)
        yanex.log_metrics({"val_loss": 2.0}, step=0)
        assert yanex.get_param("lr") == 0.1
        assert rows() == [(0, {"loss": 1.0, "val_loss": 2.0})]


@pytest.mark.parametrize("value", ["0.5", None, [1, 2], {"a": 1}, 2**53 + 1])
def test_what_is_no_number_is_refused(value: object) -> None:
    """A value that is no number raises, naming its key; nothing of that call is kept, and the run goes on."""
    with pytest.raises(runfolio.InvalidValue, match="loss"):
        yanex.log_metrics({"accuracy": 0.5, "loss": value}, step=1)
    yanex.log_metrics({"accuracy": 0.5}, step=2)
    assert rows() == [(2, {"accuracy": 0.5})]


def test_metrics_must_be_a_dict() -> None:
    """Metrics that are no dict raise, telling what came instead."""
    with pytest.raises(runfolio.UsageError, match="list"):
        yanex.log_metrics([("loss", 0.5)])  # type: ignore[arg-type]


def test_disabled_mode_keeps_nothing() -> None:
    """With RUNFOLIO_MODE=disabled every call is a no-op and no file is made; the script runs to its end."""
    done = subprocess.run(
        [sys.executable, write_script(SCRIPT)],
        env={**os.environ, "RUNFOLIO_MODE": "disabled"},
        capture_output=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"{}\n", b"")
    assert not (Path.home() / ".yanex").exists()


def test_import_is_light() -> None:
    """The dialect loads no numpy, no SQLite and no reading side."""
    code = "import sys; from runfolio.dialects import yanex; print([n for n in ('numpy', 'sqlite3', 'runfolio.query') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
