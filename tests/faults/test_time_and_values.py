"""Time, order and values, as a whole process meets them: clocks that move, odd steps, odd numbers, odd names, very many, and none."""

from __future__ import annotations

import json
import math
import os
import re
import struct
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest

import runfolio
from runfolio.store.edits import delete
from runfolio.store.layout import find
from sdk.told import past, points

from .scale import SOAK
from .scripted import SOURCE, Script, only_run, run_script, steps_of
from .tools import shim, strace

HOUR = 3600


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setenv("RUNFOLIO_CAPTURE", "none")


def runfolio_says(*words, code=0, env=None, before=()):
    """Run a command of ours; give what it prints."""
    command = [*before, sys.executable, "-m", "runfolio", *words]
    told = {**os.environ, "PYTHONPATH": SOURCE, **(env or {})}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=told, check=False)
    assert done.returncode == code and "Traceback" not in done.stderr, done
    return done.stdout


# ------------------------------------------------------------------------------------------------------ F28: the clock

JUMPS = """
    import ctypes, runfolio
    clock = ctypes.CDLL(None)
    run = runfolio.start(fsync_every_s=0.05)
    run.summary["best"] = 0
    for n in range(100):
        run.log({"loss": n, "again": n}, step=n)
    print("before", flush=True)
    MOVE
    for n in range(100, 200):
        run.log({"loss": n}, step=n)
    for n in range(100):
        run.log({"again": n + 1000}, step=n)
    run.summary["best"] = 1
    print("after", flush=True)
    input()
"""
MOVES = {
    "back an hour": "clock.move_clock(ctypes.c_longlong(-3600))",
    "forward a year": "clock.move_clock(ctypes.c_longlong(365 * 86400))",
    "standing": "clock.stop_clock(1)",
    "standing, then back": "clock.stop_clock(1); clock.move_clock(ctypes.c_longlong(-86400)); clock.stop_clock(0)",
}
STARTS = {"now": None, "1970": 5, "before 1970": -10_000, "2038": 2**31 - 1, "2106": 2**32 - 1}


def no_time_is_negative(out):
    """Check that no duration or age in this output is below zero."""
    assert not re.search(r"(?<![\w.-])-\d+(\.\d+)?\s?(ms|s|m|h|d|w|y)\b", out), out


@pytest.mark.parametrize(
    ("move", "start"),
    [(move, "now") for move in MOVES] + [("back an hour", start) for start in STARTS if start != "now"],
)
def test_F28_the_wall_clock_moves(tmp_path, move, start, record_property):
    """Set back, forward, stopped, before 1970 or past 2038: order is kept, the later write wins, syncs go on, and no duration is negative."""
    moved = {**shim("clock", tmp_path), "TZ": "Europe/Berlin"}
    if STARTS[start] is not None:
        moved["CLOCK_START"] = str(STARTS[start])
    script = Script(JUMPS.replace("MOVE", MOVES[move]), env=moved).wait_for("after")
    end = past(only_run()).scans[0].end

    def synced_all():
        return past(only_run()).scans[0].synced >= end - 64

    eventually(synced_all, "a sync after the clock has moved")
    done = script.tell().end()
    assert (done.code, done.err) == (0, "")
    with runfolio.open_store() as store:
        run = store.run("latest")
        assert run.status == "finished" and run.summary == {"best": 1}
        assert 0 <= run.duration_s < 60
        loss, again = run.series("loss"), run.series("again")
        assert loss.values.tolist() == list(range(200))
        assert again.values.tolist() == [n + 1000 for n in range(100)]
        if STARTS[start] is not None:
            assert abs(loss.times[0].astype(int) / 1e9 - STARTS[start]) < 60
        assert (loss.times[1:] >= loss.times[:-1]).all() and loss.times[-1] <= again.times[-1]
        assert again.times[-1] - loss.times[0] < 60 * 10**9
    assert json.loads(runfolio_says("show", "latest", "--json"))["duration_s"] >= 0
    for words in (["list"], ["show", "latest"]):
        no_time_is_negative(runfolio_says(*words))
    if (move, start) == ("back an hour", "now"):
        record_property(
            "F28",
            f"{len(MOVES)} moves of the wall clock, {len(STARTS)} times to begin: 0 reordered, 0 negative durations",
        )


def eventually(holds, what):
    """Wait until something holds."""
    limit = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < limit, f"did not come: {what}"
        time.sleep(0.01)


def test_F28_a_resume_with_the_clock_set_back(tmp_path):
    """An attempt that begins an hour before the one it goes on with, by the clock, still comes after it."""
    body = """
    import sys, runfolio
    run = runfolio.start(params={"lr": 1}) if len(sys.argv) == 1 else runfolio.resume(sys.argv[1])
    for n in range(10):
        run.log({"loss": n + 100 * run.attempt}, step=n)
    run.summary["attempt"] = run.attempt
    """
    assert run_script(body).code == 0
    back = {**shim("clock", tmp_path), "CLOCK_START": "86400"}
    done = run_script(body, only_run(), env=back)
    assert done.code == 0, done.err
    with runfolio.open_store() as store:
        run = store.run("latest")
        assert run.series("loss").values.tolist() == [200 + n for n in range(10)]
        assert run.summary == {"attempt": 2} and run.status == "finished"
        assert 0 <= run.duration_s < 60
    no_time_is_negative(runfolio_says("show", "latest"))
    no_time_is_negative(runfolio_says("list", env=back))


def test_F28_an_edit_with_the_clock_set_back(tmp_path):
    """An edit that is made after another wins, also where the clock has been set back an hour in between."""
    with runfolio.start(name="edited") as run:
        run.log({"loss": 1.0}, step=0)
    runfolio_says("delete", run.id)
    runfolio_says("restore", run.id, env={**shim("clock", tmp_path), "CLOCK_START": str(int(time.time()) - HOUR)})
    with runfolio.open_store() as store:
        assert [one.name for one in store.runs()] == ["edited"]


# ------------------------------------------------------------------------------------------------------ F29: steps


def test_F29_any_steps_from_a_whole_process(record_property):
    """Steps back, again, negative, far and of numpy: the series is what a dict would hold, and what is no step is refused by its name."""
    done = run_script(
        """
        import json, random, numpy, runfolio
        dice, run, oracle, order, refused = random.Random(29), runfolio.start(), {}, [], 0
        far = [-2**63, 2**63 - 1, -1, 0, 2**31, -2**31 - 1, 2**53 + 1]
        types = [int, numpy.int64, numpy.int32, numpy.uint8, numpy.array]
        for n in range(3000):
            if dice.random() < 0.1:
                try:
                    run.log({"loss": n}, step=dice.choice([1.0, True, "3", 2**63, -2**63 - 1, numpy.float64(1), numpy.array([1, 2])]))
                except runfolio.InvalidValue:
                    refused += 1
                continue
            step = dice.choice([dice.choice(far), dice.randrange(-50, 50), dice.randrange(200)])
            kind = dice.choice(types) if 0 <= step < 200 else int
            oracle[step] = n
            order.append(step)
            run.log({"loss": n}, step=kind(step))
        print(json.dumps([sorted(oracle.items()), order, refused]))
        """
    )
    assert done.code == 0, done.err
    oracle, order, refused = json.loads(done.out)
    assert steps_of(only_run())["loss"] == order
    with runfolio.open_store() as store:
        assert [[step, value] for step, value in store.run("latest").series("loss")] == oracle
    assert refused > 200
    record_property(
        "F29",
        f"{len(order)} steps in any order, {len(oracle)} different: 0 reordered; {refused} that are no steps refused",
    )


def test_F29_without_a_step_after_any_step():
    """Without a step, the next is one more than the highest so far, whatever came between, and across attempts."""
    with runfolio.start() as run:
        for step in (-7, None, 40, 3):
            run.log({"a": 1.0}, step=step)
        run.log({"a": 2.0})
    assert steps_of(run.id)["a"] == [-7, -6, 40, 3, 41]
    with runfolio.resume(run.id) as again:
        again.log({"a": 3.0})
    assert sorted(steps_of(run.id)["a"]) == [-7, -6, 3, 40, 41, 42]


# ------------------------------------------------------------------------------------------------------ F31: equal names, life


def test_F31_equal_names_stay_apart():
    """Runs of one name and experiment are several runs; the name gives the latest, and each is had by its id."""
    ids = []
    for n in range(5):
        with runfolio.start(experiment="same", name="same") as run:
            run.log({"loss": n}, step=0)
        ids.append(run.id)
    assert len(set(ids)) == 5
    with runfolio.open_store() as store:
        assert store.run("same").id == ids[-1]
        assert [store.run(run_id).series("loss").values.tolist() for run_id in ids] == [[n] for n in range(5)]
        assert len(store.runs(name="same")) == 5


def test_F31_resume_of_a_run_that_lives_elsewhere():
    """While another process writes it, a run is not resumed, unless by force, as a new attempt; when that process is dead, it is, at once."""
    script = Script(
        """
        import runfolio
        run = runfolio.start()
        for n in range(10):
            run.log({"loss": n}, step=n)
        print("ready", flush=True)
        input()
        """
    ).wait_for("ready")
    with pytest.raises(runfolio.RunIsLive, match="still running"):
        runfolio.resume(only_run())
    with runfolio.resume(only_run(), force=True) as forced:
        forced.log({"loss": 10})
        assert forced.attempt == 2
    with runfolio.open_store() as store:
        assert store.run(only_run()).series("loss").steps.tolist() == list(range(11))
    script.kill()
    with runfolio.resume(only_run()) as again:
        again.log({"loss": 11})
        assert again.attempt == 3
    with runfolio.open_store() as store:
        assert store.run(only_run()).series("loss").values.tolist() == list(range(12))
        assert store.run(only_run()).status == "finished"


def test_F31_resume_after_delete():
    """A run that was deleted goes on when it is resumed, and stays deleted until it is restored; one whose bytes are freed is not found."""
    with runfolio.start(name="gone") as run:
        run.log({"loss": 0}, step=0)
    delete(find(), run.id)
    with runfolio.resume(run.id) as again:
        again.log({"loss": 1})
    with runfolio.open_store() as store:
        assert store.runs() == [] and [one.id for one in store.runs(deleted=True)] == [run.id]
    runfolio_says("restore", run.id)
    with runfolio.open_store() as store:
        assert store.run("gone").series("loss").values.tolist() == [0, 1]
    runfolio_says("delete", run.id)
    runfolio_says("gc")
    with pytest.raises(runfolio.RunNotFound, match=run.id[:8]):
        runfolio.resume(run.id)


# ------------------------------------------------------------------------------------------------------ F41, F42, F43: values


def test_F41_ints_keep_every_digit_to_the_last_reader():
    """Ints and bools come back as they were logged, through journal, seal, series, metrics and JSON; what would lose a digit is refused."""
    kept = [0, -1, 2**53, -(2**53), 2**53 + 2, 2**62, -(2**63), True, False]
    with runfolio.start() as run:
        for n, value in enumerate(kept):
            run.log({f"v{n}": value, "all": value}, step=n)
        for value in (2**53 + 1, 2**63, -(2**63) - 1, "3", None, 1j, b"1"):
            with pytest.raises(runfolio.InvalidValue, match="bad"):
                run.log({"good": 1.0, "bad": value}, step=99)
    for sealed in (False, True):
        if sealed:
            runfolio_says("seal")
        with runfolio.open_store() as store:
            read = store.run("latest")
            for n, value in enumerate(kept):
                assert read.metrics[f"v{n}"].last == value and type(read.metrics[f"v{n}"].last) is type(value)
                assert [(step, got, type(got)) for step, got in read.series(f"v{n}")] == [(n, value, type(value))]
            assert set(read.metrics) == {f"v{n}" for n in range(len(kept))} | {"all"}
        shown = json.loads(runfolio_says("show", "latest", "--json"))["metrics"]
        assert [repr(shown[f"v{n}"]["last"]) for n in range(len(kept))] == [repr(value) for value in kept]


def test_F42_every_scalar_of_numpy(record_property):
    """Each scalar type of numpy, and arrays of one element, equal their item() bit for bit; a NaN of float32 stays a NaN; more is refused."""
    types = [np.dtype(code).type for code in np.typecodes["AllInteger"] + "efd?"]
    values = [tp(n) for tp in types for n in (0, 1, 100)] + [
        np.float32("nan"),
        np.float16("inf"),
        np.float64(-0.0),
        np.float32(0.1),
    ]
    shapes = [lambda v: v, np.array, lambda v: np.array([v]), lambda v: np.array([[v]])]
    with runfolio.start() as run:
        told = [(shape(value), value.item()) for value in values for shape in shapes]
        for n, (value, _) in enumerate(told):
            run.log({f"v{n}": value}, step=n)
        run.log({"long": np.longdouble(0.5)}, step=0)
        for value in (np.zeros(2), np.zeros(0), np.array("x"), np.complex64(1), np.longdouble(1) / 3):
            with pytest.raises(runfolio.InvalidValue, match="'bad'"):
                run.log({"bad": value}, step=0)
    found = {metric: (value, kind) for metric, _step, value, kind in points(run.id)}
    assert "bad" not in found and found["long"] == (0.5, "f")
    for n, (_, item) in enumerate(told):
        value, kind = found[f"v{n}"]
        assert struct.pack(">d", value) == struct.pack(">d", item) or (math.isnan(value) and math.isnan(item))
        assert kind == {float: "f", int: "i", bool: "b"}[type(item)]
    record_property("F42", f"{len(types)} types of numpy in 4 shapes: {len(told)} values, all equal to item()")


@pytest.mark.parametrize("package", ["torch", "jax"])
def test_F42_tensors_in_a_loop(package):
    """Scalars of torch and JAX, with gradients and half floats, are kept as their item() says."""
    pytest.importorskip(package, reason=f"needs {package}")
    make = {
        "torch": "[torch.tensor(0.5, requires_grad=True), torch.tensor([3]), torch.tensor(True), torch.tensor(0.1, dtype=torch.bfloat16)]",
        "jax": "[jax.numpy.float32(0.5), jax.numpy.array([3]), jax.numpy.array(True), jax.numpy.bfloat16(0.1)]",
    }
    done = run_script(
        f"""
        import json, {package}, runfolio
        values = {make[package]}
        run = runfolio.start()
        for n, value in enumerate(values):
            run.log({{f"v{{n}}": value}}, step=n)
        print(json.dumps([value.item() for value in values]))
        """
    )
    assert done.code == 0, done.err
    assert [value for _, _, value, _ in points(only_run())] == json.loads(done.out)


def test_F43_values_that_misbehave(record_property):
    """A number that raises, logs, or lets the garbage be collected while it is read: contained, named, nothing of the call kept, the rest is."""
    done = run_script(
        """
        import gc, runfolio
        run = runfolio.start()
        class Raises:
            def __float__(self): raise RuntimeError("on purpose")
        class Logs:
            def __float__(self):
                run.log({"inner": 1.0})
                gc.collect()
                return 2.0
        class Deep:
            def __float__(self): return float(Deep())
        class Shape:
            @property
            def shape(self): raise OSError("gone")
        refused = 0
        for n in range(100):
            run.log({"loss": float(n)}, step=n)
            for bad in (Raises(), Deep() if n % 20 == 0 else Raises(), Shape()):
                try:
                    run.log({"loss": 1.0, "bad": bad}, step=n)
                except runfolio.InvalidValue as error:
                    assert error.key == "bad" and "bad" in str(error), error
                    refused += 1
        run.log({"outer": Logs()}, step=200)
        print(refused)
        """
    )
    assert (done.code, done.out, done.err) == (0, "300\n", "")
    assert steps_of(only_run()) == {"loss": list(range(100)), "inner": [100], "outer": [200]}
    record_property("F43", "300 numbers that raise: 300 refused by name, 0 kept, 0 warnings needed")


# ------------------------------------------------------------------------------------------------------ F46: very many

MANY = """
    import os, sys, resource, runfolio
    keys, steps = int(sys.argv[1]), int(sys.argv[2])
    run = runfolio.start()
    folder = os.path.join(run.folder, "journal")
    def written():
        return sum(entry.stat().st_size for entry in os.scandir(folder))
    names = [f"layer/{n}/weight" for n in range(keys)]
    def resident_mib():
        return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20
    before_mib = resident_mib()
    def one_by_one():
        for name in names:
            run.log({name: 0.5}, step=0)
            yield
    def one_key():
        for n in range(steps):
            run.log({"loss": n * 0.5}, step=n)
            yield
    def all_keys():
        for n in range(steps):
            run.log(dict.fromkeys(names, n * 0.5), step=n)
            yield
    calls = steps if keys == 1 or sys.argv[3] == "wide" else keys
    way = one_key if keys == 1 else all_keys if sys.argv[3] == "wide" else one_by_one
    marks = [written()]
    for number, _ in enumerate(way(), 1):
        if number % (calls // 10) == 0:
            marks.append(written())
    tenths = [after - before for before, after in zip(marks, marks[1:])]
    print(calls, tenths[0] / (calls // 10), tenths[-1] / (calls // 10), resident_mib() - before_mib)
"""

SIZES = [(10_000, 1, "keys"), (1, 100_000, "steps"), (2_000, 20, "wide")]
LONG = [(200_000, 1, "keys"), (1, 3_000_000, "steps"), (10_000, 200, "wide")]
SOAKING = [(1_000_000, 1, "keys"), (1, 100_000_000, "steps"), (10_000, 10_000, "wide")]


@pytest.mark.parametrize(
    ("keys", "steps", "way"),
    SIZES
    + [
        pytest.param(*size, marks=[pytest.mark.long, pytest.mark.timeout(3600)]) for size in (SOAKING if SOAK else LONG)
    ],
)
def test_F46_very_many(keys, steps, way, record_property):
    """With ever more keys or steps a call costs the same: the last tenth of a run takes no more bytes per call than the first; all is read back."""
    done = run_script(MANY, keys, steps, way, patience_s=3000, env={"RUNFOLIO_MAP": "0"})
    assert done.code == 0, done.err
    _calls, first, last, grown_mib = map(float, done.out.split())
    assert last <= 1.1 * first, done.out
    assert grown_mib <= 300
    with runfolio.open_store() as store:
        run = store.run("latest")
        assert len(run.metrics) == keys
        name = "loss" if keys == 1 else f"layer/{keys - 1}/weight"
        series = run.series(name)
        assert (series.steps == np.arange(steps)).all() and len(series) == steps
        assert run.metrics[name].count == steps
        assert run.lost_points == 0
    figure = f"{keys} keys x {steps} steps: {first:.1f} B per call in the first tenth, {last:.1f} in the last, {grown_mib:.0f} MiB more memory"
    record_property("F46", figure)


# ------------------------------------------------------------------------------------------------------ F47: nothing


def test_F47_a_run_without_any_data(tmp_path):
    """A run that logged nothing, an empty file, an empty folder and empty texts leave no junk rows, live, ended and sealed."""
    (tmp_path / "nothing.bin").touch()
    (tmp_path / "folder").mkdir()
    run = runfolio.start(params={}, tags=[], notes="")
    run.log({})
    run.log({}, step=5)
    run.set_params({})
    run.add_tags()
    run.summary.update({})
    looks(run.id, "running", 0)
    run.add_artifact(tmp_path / "nothing.bin")
    run.add_artifact(b"", "empty")
    run.add_artifact(tmp_path / "folder")
    run.finish()
    looks(run.id, "finished", 2)
    runfolio_says("seal")
    looks(run.id, "finished", 2)
    runfolio_says("get", run.id, "artifacts", str(tmp_path / "out"))
    assert {path.name: path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file()} == {
        "nothing.bin": 0,
        "empty": 0,
    }
    for words in (["verify"], ["list"], ["show", run.id], ["compare", run.id], ["list", "--csv"]):
        runfolio_says(*words)


def looks(run_id, status, artifacts):
    """Check what every reader says of a run that holds no data."""
    with runfolio.open_store() as store:
        run = store.run(run_id)
        assert (run.status, dict(run.metrics), run.params, run.tags, run.summary) == (status, {}, {}, {}, {})
        assert len(run.table()) == 0 and run.table().columns == [] and len(run.table().to_pandas()) == 0
        assert [(one.name, one.size_bytes) for one in run.artifacts if one.size_bytes] == []
        assert len(run.artifacts) == artifacts
        assert store.series("loss") == {} and store.best("loss", "min") is None
        with pytest.raises(runfolio.MetricNotFound):
            run.series("loss")
    (listed,) = json.loads(runfolio_says("list", "--json"))
    assert (listed["metrics"], listed["params"], listed["tags"]) == ({}, {}, {})
    shown = json.loads(runfolio_says("show", run_id, "--json"))
    assert shown["rows"] == [] and shown["records"] == [] and shown["steps_total"] == 0


def test_F47_an_empty_store():
    """A store without any run answers every question, and says what to do next."""
    runfolio_says("init")
    assert json.loads(runfolio_says("list", "--json")) == []
    with runfolio.open_store(Path.cwd() if (Path.cwd() / ".runfolio").exists() else None) as store:
        assert store.runs() == [] and store.experiments() == [] and store.best("loss", "min") is None
        with pytest.raises(runfolio.RunNotFound):
            store.run("latest")


# ------------------------------------------------------------------------------------------------------ F16: names and file systems

MARK = "zq9"
ODD = [
    f"{MARK}/../x",
    f"{MARK} CON",
    f"{MARK}:a*b?",
    f"{MARK}é",
    f"../{MARK}",
    f"{MARK}.jnl",
    f"{MARK.upper()}",
    f"{MARK}\\x",
]


def test_F16_no_users_text_names_a_file(tmp_path, record_property):
    """Names of experiments, runs, metrics, params, tags and artifacts appear in no path that any call is given: not written, sealed, or read."""
    body = f"""
    import runfolio
    for name in {ODD!r}:
        with runfolio.start(experiment=name, name=name, params={{"p" + name.replace(".", "_"): name}}, tags=[name], notes=name) as run:
            run.log({{name: 1.0}}, step=0)
            run.log_record({{name: name}}, step=0)
            run.summary["s" + name.replace(".", "_")] = 1
            run.add_artifact(b"bytes of " + name.encode(), name if ".." not in name else {MARK!r} + "-up")
    """
    traces = [tmp_path / f"trace{n}" for n in range(4)]
    traced = [
        strace("-s", "4096", "-e", "trace=%file,mkdirat,renameat2,linkat,symlinkat", output=trace) for trace in traces
    ]
    done = run_script(body, before=traced[0])
    assert done.code == 0, done.err
    for words, before in ((["seal"], traced[1]), (["list", "--json"], traced[2]), (["verify"], traced[3])):
        runfolio_says(*words, before=before)
    with runfolio.open_store() as store:
        runs = store.runs()
        assert sorted(run.name for run in runs) == sorted(ODD) == sorted(run.experiment for run in runs)
        assert all(list(run.metrics) == [run.name] for run in runs)
        assert all(len(run.artifacts) == 1 for run in runs)
    calls = 0
    for trace in traces:
        text = trace.read_text(errors="replace")
        calls += text.count("\n")
        assert "openat(" in text and MARK not in text.lower()
    left = [path for path in Path(find().root).rglob("*") if MARK in path.name.lower() or not path.name.isascii()]
    assert left == []
    record_property("F16", f"{len(ODD)} odd names in 7 places: in none of the paths of {calls} calls")


def test_F16_names_that_a_file_system_would_merge():
    """Loss, loss, LOSS, and é composed and decomposed are series, experiments, tags and params of their own, live and sealed."""
    composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    names = ["Loss", "loss", "LOSS", composed, decomposed]
    assert len(set(names)) == 5
    for n, name in enumerate(names):
        with runfolio.start(experiment=name, params=dict.fromkeys(names, n), tags=names) as run:
            run.log({name: float(n) for n, name in enumerate(names)}, step=0)
            for other, key in enumerate(names):
                run.log({key: 10.0 * other}, step=1)
                run.add_artifact(key.encode(), key)
    for sealed in (False, True):
        if sealed:
            runfolio_says("seal")
        with runfolio.open_store() as store:
            assert {one.name for one in store.experiments()} == set(names)
            for read in store.runs():
                assert set(read.metrics) == set(names) == set(read.tags) == set(read.params)
                for n, name in enumerate(names):
                    assert read.series(name).values.tolist() == [float(n), 10.0 * n]
                assert len({one.name for one in read.artifacts}) == 5
            assert sorted(store.runs()[0].table().columns) == sorted(names)
    assert len({past(run.id).state.experiment_id for run in runfolio.open_store().runs()}) == 5
