"""The vibe-rl logger writes what its document says: S4.1 to S4.9, and S4.30."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runfolio
from dialects.vibe_rl.keeping import Keeping, in_another_process, lines_of, only_run, without_time, written
from runfolio.dialects.vibe_rl.metrics import MetricsLogger, read_metrics
from runfolio.errors import InvalidValue, RunIsClosed, UsageError


def test_S4_01_one_json_object_per_line() -> None:
    """Each record is one line of strict JSON, and stands in one run of the store."""
    assert written([{"step": 1000, "loss": 0.42, "reward": 195.0}, {"step": 2000, "loss": 0.31}]) == [
        {"step": 1000, "loss": 0.42, "reward": 195.0},
        {"step": 2000, "loss": 0.31},
    ]
    assert only_run().series("loss").values.tolist() == [0.42, 0.31]


def test_an_old_file_that_cannot_be_brought_in_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store takes no more, what another program wrote stays as it is; the logger goes on beside it, and says so."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runfolio.convert.importing.bring_in", refuse)
    Path("m.jsonl").write_text('{"step": 0, "loss": 1.0}\n')
    with pytest.warns(runfolio.RunfolioWarning, match="could not be imported|is not ours"):
        with MetricsLogger("m.jsonl") as logger:
            logger.write({"step": 1, "loss": 0.5})
    assert Path("m.jsonl").read_text() == '{"step": 0, "loss": 1.0}\n'
    assert without_time(lines_of("m.jsonl.runfolio")) == [{"step": 1, "loss": 0.5}]


def test_S4_02_fields_may_differ_from_line_to_line() -> None:
    """A line has the fields of its own record and no others."""
    records = [{"step": 1000, "loss": 0.42, "reward": 195.0}, {"step": 2000, "episode_return": 200.0}, {"eval": 1}]
    assert written(records) == records


def test_S4_03_the_step_is_a_field_of_the_record() -> None:
    """`step` in the record is the step of its metrics; a record without has none, and the line does not make one up."""
    assert written([{"loss": 0.5, "step": 7}, {"loss": 0.25}]) == [{"step": 7, "loss": 0.5}, {"loss": 0.25}]
    run = only_run()
    assert set(run.metrics) == {"loss", "wall_time"}
    series = run.series("loss")
    assert (series.steps[0], series.values.tolist()) == (7, [0.5, 0.25])


def test_S4_04_wall_time_is_added_where_there_is_none() -> None:
    """`wall_time` is seconds since the logger was made, to the millisecond, never falling, and the last field; a given one stays."""
    with MetricsLogger("m.jsonl") as logger:
        for record in ({"step": 0, "loss": 1.0}, {"step": 1, "loss": 0.5}, {"step": 2, "wall_time": 99.5, "loss": 0.1}):
            logger.write(record)
    first, second, given = lines_of("m.jsonl")
    assert list(first) == ["step", "loss", "wall_time"]
    assert 0 <= first["wall_time"] <= second["wall_time"] < 60
    assert round(second["wall_time"], 3) == second["wall_time"]
    assert given == {"step": 2, "wall_time": 99.5, "loss": 0.1}


def test_S4_04_wall_time_starts_again_in_a_later_logger() -> None:
    """A logger that goes on with a file counts from 0 again."""
    written([{"step": 0, "wall_time": 5000.0}])
    written([{"step": 1}])
    assert lines_of("metrics.jsonl")[1]["wall_time"] < 60


class Foreign:
    """An array of another library, of one element."""

    shape = ()

    def __init__(self, value: float) -> None:
        self._value = value

    def item(self) -> float:
        return self._value


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.42), 0.42),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.array(0.42), 0.42),
        (np.array([3]), 3),
        (Foreign(0.42), 0.42),
    ],
    ids=["float32", "float64", "int64", "bool", "array of none", "array of one", "foreign"],
)
def test_S4_05_scalars_of_numpy_and_jax_become_numbers(given: object, line: object) -> None:
    """A scalar of another library becomes Python's number of its kind, beside numbers and beside text."""
    found = written([{"step": np.int32(1), "x": given}, {"step": 2, "x": given, "note": "text"}])
    assert [(type(each["x"]), each["x"]) for each in found] == [(type(line), line)] * 2
    assert [each["step"] for each in found] == [1, 2]


def test_S4_06_close_ends_file_run_and_back_ends() -> None:
    """After `close()`, by hand or by `with`, the file is complete, the run finished, and each back end closed once."""
    kept = Keeping()
    logger = MetricsLogger("m.jsonl", backends=[kept])
    logger.write({"step": 1, "loss": 0.5})
    logger.close()
    logger.close()
    assert without_time(lines_of("m.jsonl")) == [{"step": 1, "loss": 0.5}]
    assert (kept.closed, only_run().status) == (1, "finished")
    with MetricsLogger("other.jsonl", backends=[kept]):
        pass
    assert kept.closed == 2


def test_S4_06_writing_after_close_is_refused() -> None:
    """A closed logger says so, and which file a new one would go on with."""
    logger = MetricsLogger("m.jsonl")
    logger.close()
    with pytest.raises(RunIsClosed, match=r"this logger is closed.*m\.jsonl"):
        logger.write({"step": 1})


def test_S4_06_an_exception_is_kept_in_the_run() -> None:
    """A `with` block that raises leaves a failed run with the reason, and a file with all that was written."""
    with pytest.raises(ZeroDivisionError), MetricsLogger("m.jsonl") as logger:
        logger.write({"step": 1, "loss": 0.5})
        _ = 1 / 0
    assert (only_run().status, len(lines_of("m.jsonl"))) == ("failed", 1)


def test_S4_07_parent_folders_are_made() -> None:
    """The folders above the file are there as soon as the logger is."""
    logger = MetricsLogger(Path("a/b/c/metrics.jsonl"))
    assert Path("a/b/c").is_dir()
    logger.close()


def test_S4_08_the_same_file_goes_on() -> None:
    """Opening a file again appends to it, as a new attempt of the same run."""
    written([{"step": 1, "loss": 0.5}])
    assert written([{"step": 2, "loss": 0.25}]) == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}]
    run = only_run()
    assert run.series("loss").values.tolist() == [0.5, 0.25]
    assert run.status == "finished"


def test_S4_08_two_loggers_on_one_file_share_its_run() -> None:
    """Loggers that are open together write one run, which ends with the last of them."""
    first, second = MetricsLogger("m.jsonl"), MetricsLogger(Path("x/../m.jsonl"))
    first.write({"step": 1, "a": 1})
    second.write({"step": 2, "b": 2})
    first.close()
    assert len(lines_of("m.jsonl")) == 2
    second.write({"step": 3, "b": 3})
    assert only_run().status == "running"
    second.close()
    assert without_time(lines_of("m.jsonl")) == [{"step": 1, "a": 1}, {"step": 2, "b": 2}, {"step": 3, "b": 3}]
    assert only_run().status == "finished"


ANOTHER = """
from runfolio.dialects.vibe_rl.metrics import MetricsLogger
with MetricsLogger("m.jsonl") as logger:
    logger.write({"step": 2, "from": 2})
"""


def test_S4_08_two_processes_on_one_file_share_its_run() -> None:
    """A process that opens a file whose run lives in another one writes beside it, and does not end the run."""
    with MetricsLogger("m.jsonl") as logger:
        logger.write({"step": 1, "from": 1})
        in_another_process(ANOTHER)
        assert only_run().status == "running"
        logger.write({"step": 3, "from": 1})
        found = read_metrics("m.jsonl")
    assert without_time(found) == [{"step": 1, "from": 1}, {"step": 2, "from": 2}, {"step": 3, "from": 1}]
    assert only_run().status == "finished"


def test_S4_08_a_file_that_was_removed_begins_a_fresh_run() -> None:
    """Who removes the file and logs there again gets a fresh file; the earlier run stays in the store."""
    written([{"step": 1, "loss": 0.5}])
    Path("metrics.jsonl").unlink()
    assert written([{"step": 2, "loss": 0.25}]) == [{"step": 2, "loss": 0.25}]
    assert written([{"step": 3, "loss": 0.125}]) == [{"step": 2, "loss": 0.25}, {"step": 3, "loss": 0.125}]
    assert [len(run.series("loss").values) for run in runfolio.open_store().runs()] == [2, 1]


KILLED = """
import os, signal
from runfolio.dialects.vibe_rl.metrics import MetricsLogger
logger = MetricsLogger("m.jsonl")
for step in range(1000):
    logger.write({"step": step, "loss": 1 / (step + 1)})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_S4_09_nothing_is_lost_at_a_kill() -> None:
    """What `write` returned from is in the run after a SIGKILL, and in the file once it is opened again."""
    done = subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(only_run().series("loss").values) == 1000
    with MetricsLogger("m.jsonl") as logger:
        logger.write({"step": 1000, "loss": 0.0})
    assert [record["step"] for record in read_metrics("m.jsonl")] == list(range(1001))


def test_S4_09_what_is_no_number_becomes_json_or_text() -> None:
    """Text, None, lists and dicts stand in the line as they are, other objects as text; numbers beside them are metrics; no line comes twice."""
    record: dict[str, Any] = {
        "step": 3,
        "loss": 0.5,
        "note": "warm-up",
        "none": None,
        "layers": [1, 2.5, "x", {"deep": {4}}],
        "path": Path("a/b"),
        "thing": slice(1, 2),
        "huge": 2**70,
    }
    found = written([record, {"step": 4, "loss": 0.25}])
    expected = {**record, "layers": [1, 2.5, "x", {"deep": [4]}], "path": "a/b", "thing": "slice(1, 2, None)"}
    assert found == [expected, {"step": 4, "loss": 0.25}]
    assert only_run().series("loss").values.tolist() == [0.5, 0.25]


@pytest.mark.parametrize("step", ["one", 1.5, None, True, [1]], ids=repr)
def test_S4_09_a_step_that_is_no_integer_stays_in_the_line(step: object) -> None:
    """A step of another kind is written as given; the metrics of its record belong to no step."""
    assert written([{"step": step, "loss": 0.5}]) == [{"step": step, "loss": 0.5}]
    assert only_run().series("loss").values.tolist() == [0.5]


def test_S4_09_a_whole_step_written_as_float_is_that_step() -> None:
    """1000.0 stays 1000.0 in the line, and is the step 1000 of the metric."""
    (line,) = written([{"step": 1000.0, "loss": 0.5}])
    assert (type(line["step"]), only_run().series("loss").steps.tolist()) == (float, [1000])


def test_S4_09_equal_records_of_text_and_numbers_are_each_shown() -> None:
    """Numbers that go beside a record are left out once for each record, and equal calls of numbers alone are kept."""
    with_text = {"step": 1, "loss": 0.5, "note": "x", "wall_time": 1.0}
    numbers = {"step": 1, "loss": 0.5, "wall_time": 1.0}
    with MetricsLogger("m.jsonl") as logger:
        for record in (numbers, with_text, with_text, numbers):
            logger.write(record)
    assert [dict(sorted(line.items())) for line in lines_of("m.jsonl")] == [
        dict(sorted(record.items())) for record in (numbers, with_text, with_text, numbers)
    ]


def test_S4_09_threads_write_whole_lines() -> None:
    """Several threads may write; each record is one line."""
    with MetricsLogger("m.jsonl") as logger:

        def write(thread: int) -> None:
            for step in range(200):
                logger.write({"step": step, "thread": thread, **({"note": "x"} if step % 2 else {})})

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = lines_of("m.jsonl")
    assert len(lines) == 800
    for number in range(4):
        assert [line["step"] for line in lines if line["thread"] == number] == list(range(200))


def test_S4_30_the_order_in_the_file_is_that_of_writing() -> None:
    """Steps that repeat or fall change nothing in the order: the last record is the one that was written last."""
    steps = [5, 3, 3, 9, -1, 9]
    found = written([{"step": step, "reward": float(place)} for place, step in enumerate(steps)])
    assert [(record["step"], record["reward"]) for record in found] == list(zip(steps, range(6), strict=True))
    assert read_metrics("metrics.jsonl")[-1]["reward"] == 5.0


def test_nan_and_infinities_are_texts_in_the_file_and_floats_again_when_read() -> None:
    """The file is strict JSON, and reading gives the floats back."""
    found = written([{"step": 1, "a": math.nan, "b": math.inf}, {"step": 2, "a": -math.inf, "note": "x"}])
    assert found == [{"step": 1, "a": "NaN", "b": "Infinity"}, {"step": 2, "a": "-Infinity", "note": "x"}]
    first, second = read_metrics("metrics.jsonl")
    assert math.isnan(first["a"])
    assert (first["b"], second["a"], second["note"]) == (math.inf, -math.inf, "x")


def test_a_logger_takes_a_run_dir_too() -> None:
    """The folder of a run, which the original's own header passes, means the metrics file in it."""
    from runfolio.dialects.vibe_rl.run_dir import RunDir

    run = RunDir("dqn")
    with MetricsLogger(run) as logger:
        logger.write({"step": 1})
    assert logger.path == run.log_path()
    assert len(read_metrics(run)) == 1


def test_the_run_is_named_by_its_path() -> None:
    """A run's folder gives experiment and name; a file elsewhere its own name for both."""
    from runfolio.dialects.vibe_rl.run_dir import RunDir

    run = RunDir("dqn_cartpole")
    MetricsLogger(run.log_path()).close()
    MetricsLogger(run.log_path("eval.jsonl")).close()
    MetricsLogger("out/sweep.jsonl").close()
    found = {(each.experiment, each.name) for each in runfolio.open_store().runs()}
    assert found == {
        ("dqn_cartpole", run.run_id),
        ("dqn_cartpole", f"{run.run_id}/eval"),
        ("sweep", "sweep"),
    }


def test_what_is_no_dict_is_refused() -> None:
    """A record that is no dict raises, and nothing is written."""
    with MetricsLogger("m.jsonl") as logger:
        with pytest.raises(UsageError, match="a record is a dict of names to values, not int"):
            logger.write(5)  # type: ignore[arg-type]
        with pytest.raises(InvalidValue, match="more than 1 MiB"):
            logger.write({"step": 1, "text": "x" * (1 << 21)})
    assert lines_of("m.jsonl") == []


def test_disabled_mode_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With RUNFOLIO_MODE=disabled every call works and leaves neither file nor store."""
    monkeypatch.setenv("RUNFOLIO_MODE", "disabled")
    with MetricsLogger("m.jsonl") as logger:
        logger.write({"step": 1, "note": "x"})
        assert read_metrics("m.jsonl") == []
    assert not Path("m.jsonl").exists()
    assert not Path(os.environ["RUNFOLIO_DIR"]).exists()


def test_a_foreign_edit_of_the_file_is_not_overwritten(tmp_path: Path) -> None:
    """A file that somebody changed stays; the run's goes beside it."""
    written([{"step": 1, "loss": 0.5}])
    Path("metrics.jsonl").write_text(json.dumps({"step": 1, "loss": 99}) + "\n", encoding="utf-8")
    with MetricsLogger("metrics.jsonl") as logger:
        logger.write({"step": 2, "loss": 0.25})
    assert lines_of("metrics.jsonl") == [{"step": 1, "loss": 99}]
    beside = without_time(lines_of("metrics.jsonl.runfolio"))
    assert beside == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}]


def test_odd_names_and_nan_among_thousands_of_lines() -> None:
    """Names that look like the border between two objects, and NaN anywhere, leave every line its own."""
    records: list[dict[str, Any]] = [{"step": step, "loss": float(step)} for step in range(2500)]
    records[1200] = {"step": 1200, "a}, {b": 1.0}
    records[2100] = {"step": 2100, "loss": math.nan}
    found = written(records)
    assert found[2100] == {"step": 2100, "loss": "NaN"}
    del found[2100], records[2100]
    assert found == records
