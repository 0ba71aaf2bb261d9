"""The process model: forks, spawned workers, threads, ranks, exits, signals, stops, and calls from odd places."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import runfolio
from runfolio.journal.scan import opening, rows
from runfolio.testing.clock import ManualClock
from sdk.told import past, points

from .scale import times
from .scripted import SOURCE, Script, all_runs, only_run, roles_of, run_script, steps_of
from .tools import need_failing_allocations, shim, strace

UNHEARD = "plain Python lets nobody hear of a SystemExit that is raised without sys.exit"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setenv("RUNFOLIO_CAPTURE", "none")


MAPS = pytest.mark.parametrize("mapped", ["1", "0"], ids=["mapped", "write"])


# ------------------------------------------------------------------------------------------------------ F18: fork

FORKS = """
    import os, sys, threading, runfolio
    run, forks, permits = runfolio.start(), int(sys.argv[1]), threading.Semaphore(0)
    counts, stop = [0, 0], False
    def work(i):
        while permits.acquire() and not stop:
            for _ in range(50):
                run.log({f"parent{i}": counts[i]}, step=counts[i])
                counts[i] += 1
    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    sys.setswitchinterval(1e-5)
    for thread in threads: thread.start()
    for n in range(forks):
        permits.release(2)
        pid = os.fork()
        if not pid:
            run.log({"child": n}, step=2 * n)
            run.log({"child": n}, step=2 * n + 1)
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    stop = True
    permits.release(2)
    for thread in threads: thread.join()
    print(*counts)
"""


@pytest.mark.parametrize("forks", times(short=100, long=1000, soak=10_000))
@MAPS
def test_F18_a_thousand_forks(forks, mapped, record_property):
    """Forks while other threads log: no child hangs, each writes a journal of its own, and no byte of the parent's is written twice."""
    done = run_script(FORKS, forks, patience_s=240, env={"RUNFOLIO_MAP": mapped})
    assert done.code == 0, done.err
    found, counts = steps_of(only_run()), list(map(int, done.out.split()))
    assert sorted(found.pop("child")) == list(range(2 * forks))
    assert found == {f"parent{i}": list(range(counts[i])) for i in range(2)}
    assert roles_of(only_run()) == {"start": 1, "fork": forks}
    assert {child_keys(one) for one in past(only_run()).scans} == {"child", "parent0 parent1"}
    with runfolio.open_store() as store:
        assert store.run(only_run()).status == "finished"
    record_property("F18", f"{forks} forks, {sum(counts)} points of 2 threads beside: 0 hung, 0 lost, 0 doubled")


def child_keys(found):
    """Give the metrics of one journal."""
    return " ".join(sorted({key for row in rows(found) for key in row.columns.keys}))


LIMIT = """
    import os, resource, threading, warnings, runfolio
    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
"""


def test_F18_fork_while_the_lock_is_held():
    """A fork while another thread is inside of log(), and one by the very thread that is: the child logs, and the parent goes on."""
    done = run_script(
        LIMIT
        + """
    inside, go_on, children = threading.Event(), threading.Event(), []
    def fork(value):
        pid = os.fork()
        if not pid:
            run.log({"child": value}, step=value)
            os._exit(0)
        children.append(pid)
    def hook(*_):  # called in the middle of a log(), which holds the lock
        limit(resource.RLIM_INFINITY)
        fork(1)
        inside.set()
        assert go_on.wait(30)
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of forks beside threads
    warnings.showwarning = hook
    run = runfolio.start()
    run.log({"parent": 0}, step=0)
    thread = threading.Thread(target=run.log, args=({"parent": 1}, 1))
    limit(1)
    thread.start()
    assert inside.wait(30)
    fork(2)
    go_on.set()
    thread.join()
    run.log({"parent": 2}, step=2)
    print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children])
    """,
        env={"RUNFOLIO_MAP": "0"},
    )
    assert (done.code, done.out) == (0, "[0, 0]\n"), done.err
    assert {metric: sorted(steps) for metric, steps in steps_of(only_run()).items()} == {
        "parent": [0, 1, 2],
        "child": [1, 2],
    }
    assert roles_of(only_run())["fork"] == 2


@MAPS
def test_F18_workers_that_log(mapped, record_property):
    """A pool of 8 forked workers and 8 more that leave by os._exit: every point is there, in journals of the role fork, and the run goes on."""
    done = run_script(
        """
        import multiprocessing, os, runfolio
        run = runfolio.start()
        def work(i):
            for n in range(250):
                run.log({f"pool{i}": i + n}, step=n)
            return os.getpid()
        def leave(i):
            for n in range(250):
                run.log({f"left{i}": i + n}, step=n)
            os._exit(0)
        run.log({"parent": 1.0}, step=0)
        context = multiprocessing.get_context("fork")
        pool = context.Pool(8)
        pids = set(pool.map(work, range(32), chunksize=1))
        pool.close()
        pool.join()
        workers = [context.Process(target=leave, args=(i,)) for i in range(8)]
        for worker in workers: worker.start()
        for worker in workers: worker.join()
        assert [worker.exitcode for worker in workers] == [0] * 8
        assert run.status == "running"
        run.log({"parent": 2.0}, step=1)
        print(len(pids))
        """,
        env={"RUNFOLIO_MAP": mapped},
    )
    assert done.code == 0, done.err
    expected = {f"pool{i}": list(range(250)) for i in range(32)} | {f"left{i}": list(range(250)) for i in range(8)}
    assert steps_of(only_run()) == expected | {"parent": [0, 1]}
    assert roles_of(only_run()) == {"start": 1, "fork": int(done.out) + 8}
    assert past(only_run()).state.status_declared == "finished"
    record_property("F18", f"{int(done.out)} pool workers and 8 that left by os._exit: {40 * 250} points, 0 lost")


def test_F18_a_forked_child_has_no_handler_of_ours():
    """In a forked child the signals have their default again: a pool that is terminated ends its workers, wherever they wait."""
    done = run_script(
        """
        import os, signal, runfolio
        run = runfolio.start()
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        if not os.fork():
            print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, flush=True)
            os._exit(0)
        os.wait()
        """
    )
    assert (done.code, done.out) == (0, "True\n"), done.err


@pytest.mark.parametrize(
    "end", ["sys.exit(3)", "1 / 0", "run.finish('failed')", "os.kill(os.getpid(), 15)", "os._exit(0)"]
)
def test_F18_a_child_does_not_end_the_run(end):
    """However a forked child ends, the run is still its parent's; a fork of a fork, before anything was logged, writes too."""
    done = run_script(
        f"""
        import os, sys, runfolio
        run = runfolio.start()
        if not os.fork():
            if not os.fork():
                run.log({{"grandchild": 1}}, step=0)
                os._exit(0)
            os.wait()
            run.log({{"child": 1}}, step=0)
            {end}
            os._exit(0)
        os.wait()
        assert run.status == "running"
        run.log({{"parent": 1}}, step=0)
        """
    )
    assert done.code == 0, done.err
    assert steps_of(only_run()) == {"parent": [0], "child": [0], "grandchild": [0]}
    assert roles_of(only_run()) == {"start": 1, "fork": 2}
    assert past(only_run()).state.status_declared == "finished"
    with runfolio.open_store() as store:
        assert store.run(only_run()).status == "finished"


# ------------------------------------------------------------------------------------------------------ F19: spawn


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_F19_spawned_workers_get_the_handle(method, record_property, monkeypatch):
    """A handle that is pickled into a spawned worker attaches there, and brings no descriptor and no lock along."""
    monkeypatch.setenv("TMPDIR", "/tmp")  # the fork server's socket has no room for a long path
    done = run_script(
        f"""
        import multiprocessing, os, pickle, runfolio
        def work(run, i):
            assert run.owner is False and run.rank == 5
            for n in range(200):
                run.log({{f"worker{{i}}": n}}, step=n)
        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            run = runfolio.start(rank=5)
            run.log({{"parent": 1}}, step=0)
            assert len(pickle.dumps(run)) < 1000
            workers = [context.Process(target=work, args=(run, i)) for i in range(4)]
            for worker in workers: worker.start()
            for worker in workers: worker.join()
            assert [worker.exitcode for worker in workers] == [0] * 4
            run.log({{"parent": 1}}, step=1)
        """
    )
    assert done.code == 0, done.err
    assert steps_of(only_run()) == {f"worker{i}": list(range(200)) for i in range(4)} | {"parent": [0, 1]}
    assert roles_of(only_run()) == {"start": 1, "attach": 4}
    assert {opening(found)["rank"] for found in past(only_run()).scans} == {5}
    assert past(only_run()).state.status_declared == "finished"
    record_property("F19", f"{method}: 4 workers, 800 points, 0 lost")


# ------------------------------------------------------------------------------------------------------ F20: threads


@pytest.mark.parametrize("each", times(short=1_500, long=20_000, soak=100_000))
@MAPS
def test_F20_threads_exact_count(each, mapped, record_property):
    """32 threads log at once: every point is there once, those of a thread in its order, and a step is given out once."""
    done = run_script(
        """
        import sys, threading, runfolio
        run, each, barrier = runfolio.start(), int(sys.argv[1]), threading.Barrier(32)
        sys.setswitchinterval(1e-5)
        def work(i):
            barrier.wait()
            for n in range(each):
                run.log({f"own{i}": n}, step=n)
                if n % 10 == 0:
                    run.log({"shared": i})
                if n % 100 == 0:
                    run.log({f"new{i}.{n}": 1.0, "x": i}, step=n)
        threads = [threading.Thread(target=work, args=(i,)) for i in range(32)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """,
        each,
        patience_s=600,
        env={"RUNFOLIO_MAP": mapped},
    )
    assert done.code == 0, done.err
    found = steps_of(only_run())
    for i in range(32):
        assert found[f"own{i}"] == list(range(each))
        assert all(found[f"new{i}.{n}"] == [n] for n in range(0, each, 100))
    assert len(set(found["shared"])) == len(found["shared"]) == 32 * (each // 10)
    assert found["shared"] == sorted(found["shared"])
    assert sorted(found["x"]) == sorted(list(range(0, each, 100)) * 32)
    with runfolio.open_store() as store:
        run = store.run("latest")
        assert [run.metrics[f"own{i}"].count for i in range(32)] == [each] * 32
        assert run.series("own31").values.tolist() == list(range(each))
    record_property(
        "F20", f"32 threads x {each}: {sum(map(len, found.values()))} points, 0 lost, 0 doubled, 0 reordered"
    )


# ------------------------------------------------------------------------------------------------------ F21: ranks

RANKS = """
    import sys, runfolio
    rank, each = int(sys.argv[1]), int(sys.argv[2])
    run = runfolio.attach(rank=rank)
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(each):
        run.log({"loss": rank * 1e6 + n}, step=n)
"""


@pytest.mark.parametrize("each", times(short=3_000, long=30_000, soak=100_000))
def test_F21_eight_ranks_exact_count(each, record_property):
    """8 processes write one run by RUNFOLIO_RUN_ID, each under its rank: every point is there, under its rank, once."""
    run = runfolio.start()
    ranks = [Script(RANKS, rank, each, env={"RUNFOLIO_RUN_ID": run.id}) for rank in range(8)]
    for script in ranks:
        script.wait_for("ready")
    for script in ranks:
        script.tell()
    for script in ranks:
        done = script.end(600)
        assert done.code == 0, done.err
    run.finish()
    with runfolio.open_store() as store:
        read = store.run(run.id)
        for rank in range(8):
            series = read.series("loss", rank=rank)
            assert series.steps.tolist() == list(range(each))
            assert series.values.tolist() == [rank * 1e6 + n for n in range(each)]
        assert len(read.series("loss", rank="all")) == 8 * each
        assert read.status == "finished"
    assert len(points(run.id)) == 8 * each
    assert roles_of(run.id) == {"start": 1, "attach": 8}
    record_property("F21", f"8 ranks x {each}: {8 * each} points, 0 lost, 0 doubled, no lock taken")


def test_F21_no_lock_is_taken(tmp_path):
    """Writers of one run wait for each other nowhere: none of them locks a file."""
    run = runfolio.start()
    traces = [tmp_path / f"trace{rank}" for rank in range(2)]
    traced = [strace("-e", "trace=flock,fcntl,openat", output=trace) for trace in traces]
    scripts = [
        Script(RANKS, rank, 50, env={"RUNFOLIO_RUN_ID": run.id}, before=before) for rank, before in enumerate(traced)
    ]
    for script in scripts:
        assert script.tell().end().code == 0
    for trace in traces:
        text = trace.read_text(errors="replace")
        assert "openat" in text
        assert not [line for line in text.splitlines() if "LK" in line or "flock(" in line]


# ------------------------------------------------------------------------------------------------------ F22: first start


@pytest.mark.parametrize("rounds", times(short=2, long=20, soak=100))
def test_F22_sixteen_first_starts(rounds, monkeypatch, tmp_path, record_property):
    """16 processes make the first run of an empty store at once, of one experiment: one store, one experiment, 16 runs."""
    for number in range(rounds):
        monkeypatch.setenv("RUNFOLIO_DIR", str(tmp_path / f"store{number}"))
        scripts = [
            Script(
                """
                import sys, runfolio
                from runfolio.store.layout import Layout
                print("ready", flush=True)
                sys.stdin.readline()
                run = runfolio.start(experiment="first", name=sys.argv[1])
                print(Layout(run.store).store_id(), flush=True)
                run.log({"a": 1.0})
                """,
                f"run{i}",
            )
            for i in range(16)
        ]
        for script in scripts:
            script.wait_for("ready")
        for script in scripts:
            script.tell()
        done = [script.end() for script in scripts]
        assert [one.code for one in done] == [0] * 16, done
        assert not any(one.err for one in done), done
        assert len({one.out for one in done}) == 1
        runs = [past(run_id) for run_id in all_runs()]
        assert len(runs) == 16 and {one.state.experiment for one in runs} == {"first"}
        assert len({one.state.experiment_id for one in runs} - {None}) == 1
        with runfolio.open_store() as store:
            assert [(one.name, one.runs) for one in store.experiments()] == [("first", 16)]
            assert {run.name for run in store.runs(status="finished")} == {f"run{i}" for i in range(16)}
            assert store.id == done[0].out.split()[1]
    record_property("F22", f"{rounds} x 16 first starts: 1 store and 1 experiment each")


# ------------------------------------------------------------------------------------------------------ F23: exits

LOGS = """
    import atexit, os, sys, threading, time, runfolio
    run = runfolio.start()
    for n in range(100):
        run.log({"loss": n}, step=n)
    print("logged", flush=True)
"""

EXITS = {  # how a script ends: status, reason, and what the exit code must be
    "": ("finished", None, 0),
    "sys.exit()": ("finished", None, 0),
    "sys.exit(3)": ("failed", "exit code 3", 3),
    "sys.exit('no more')": ("failed", "exit code 1", 1),
    "raise SystemExit(3)": ("failed", "exit code 3", 3),
    "from sys import exit; exit(3)": ("failed", "exit code 3", 3),
    "exit(3)": ("failed", "exit code 3", 3),
    "quit()": ("finished", None, 0),
    "os._exit(4)": ("killed", None, 4),
    "1 / 0": ("failed", "ZeroDivisionError: division by zero", 1),
    "raise KeyboardInterrupt": ("killed", "KeyboardInterrupt", -signal.SIGINT),
    "os.kill(os.getpid(), 2); time.sleep(30)": ("killed", "KeyboardInterrupt", -signal.SIGINT),
    "threading.Thread(target=sys.exit, args=(5,)).start()": ("finished", None, 0),
    "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()": ("finished", None, 0),
    "os.kill(os.getpid(), 9)": ("killed", None, -signal.SIGKILL),
    "os.abort()": ("killed", None, -signal.SIGABRT),
    "with run: sys.exit(3)": ("failed", "SystemExit: 3", 3),
    "with run: raise KeyboardInterrupt": ("killed", "KeyboardInterrupt", -signal.SIGINT),
    "sys.excepthook = lambda *_: print('mine'); 1 / 0": ("failed", None, 1),
    "atexit.register(print, 'bye'); 1 / 0": ("failed", None, 1),
}


NOT_YET = {
    "raise SystemExit(3)": UNHEARD,
}


def known(values, why):
    """Mark those of the values whose test is known to fail."""
    return [
        pytest.param(value, marks=pytest.mark.xfail(strict=True, reason=why[value])) if value in why else value
        for value in values
    ]


@pytest.mark.parametrize("end", known(EXITS, NOT_YET))
def test_F23_exits(end):
    """However a script ends without finish(): all is there, the status is right, and its exit code and output are what they are without us."""
    status, reason, code = EXITS[end]
    done = run_script(LOGS + "    " + end)
    plain = run_script(LOGS + "    " + end, env={"RUNFOLIO_MODE": "disabled"})
    assert (done.code, done.out) == (plain.code, plain.out) and done.code == code, done.err
    assert done.err.replace("script2", "script1").splitlines()[-1:] == plain.err.splitlines()[-1:]
    assert steps_of(only_run()) == {"loss": list(range(100))}
    with runfolio.open_store() as store:
        run = store.run("latest")
        assert run.status == status
        assert reason is None or run.status_reason == reason
        assert len(run.series("loss")) == 100


def test_F23_a_daemon_thread_that_logs_to_the_end():
    """A daemon thread that logs until the interpreter is gone neither hangs nor harms it: what it was told is kept, is kept."""
    done = run_script(
        """
        import os, threading, runfolio
        run, begun = runfolio.start(), threading.Event()
        def work():
            n = 0
            try:
                while True:
                    run.log({"loss": n}, step=n)
                    os.write(1, b"%d\\n" % n)
                    n += 1
                    if n > 50: begun.set()
            except runfolio.RunIsClosed:
                pass
        threading.Thread(target=work, daemon=True).start()
        begun.wait()
        """
    )
    assert (done.code, done.err) == (0, "")
    told, found = len(done.out.split()), steps_of(only_run())["loss"]
    assert found == list(range(len(found))) and told <= len(found) <= told + 1
    assert past(only_run()).state.status_declared == "finished"


def test_F23_order_of_exit_handlers():
    """Exit handlers of the user's stand on both sides of ours: one that comes before logs still, one that comes after may not, and both run."""
    done = run_script(
        """
        import atexit, logging, runfolio
        def late():
            try:
                run.log({"late": 1.0}, step=0)
            except runfolio.RunIsClosed:
                print("closed")
        atexit.register(late)
        run = runfolio.start()
        atexit.register(lambda: run.log({"early": 1.0}, step=0))
        logging.basicConfig()
        atexit.register(logging.warning, "logged last")
        """
    )
    assert (done.code, done.out) == (0, "closed\n"), done.err
    assert "logged last" in done.err
    assert steps_of(only_run()) == {"early": [0]}
    assert past(only_run()).state.status_declared == "finished"


HOT = """
    import os, sys, runfolio
    run = runfolio.start()
    for n in range(10**9):
        run.log({"loss": n, "acc": n}, step=n)
        os.write(1, b"%d\\n" % n)
"""


@pytest.mark.parametrize("rounds", times(short=8, long=100, soak=500))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_F23_F24_a_signal_in_the_middle_of_log(rounds, number, tmp_path, monkeypatch, record_property):
    """Ctrl-C and SIGTERM in a loop that does nothing but log: all that was acknowledged is there, and the run is killed by name."""
    acked = 0
    for i in range(rounds):
        monkeypatch.setenv("RUNFOLIO_DIR", str(tmp_path / f"hot{i}"))
        script = Script(HOT, env={"RUNFOLIO_MAP": str(i % 2)}).wait_for(f"\n{i * 37 + 10}\n")
        done = script.send(number).end()
        assert done.code == -number, done.err
        told, found = len(done.out.split()), steps_of(only_run())
        for metric in ("loss", "acc"):
            assert found[metric] == list(range(len(found[metric]))) and told <= len(found[metric]) <= told + 1
        state = past(only_run()).state
        name = "KeyboardInterrupt" if number == signal.SIGINT else "SIGTERM"
        assert (state.status_declared, state.reason) == ("killed", name)
        acked += told
    record_property("F24", f"{rounds} x {signal.Signals(number).name} in a loop of log(): {acked} acknowledged, 0 lost")


def interrupt_twice(folder):
    """Ctrl-C in a slow flush, and again in the one that ends the run."""
    script = Script(LOGS + "    run.flush()", env={**shim("slow_sync", folder), "SYNC_LOG": "/dev/stdout"})
    script.wait_for("logged\nfsync").send(signal.SIGINT)
    return script.wait_for(script.out.decode() + "f").send(signal.SIGINT).end()


def test_F23_two_interrupts_in_a_flush(tmp_path):
    """After a second Ctrl-C, in the flush that ends the run, every point is there, and the run is killed."""
    done = interrupt_twice(tmp_path)
    assert done.code and "KeyboardInterrupt" in done.err
    assert steps_of(only_run()) == {"loss": list(range(100))}
    with runfolio.open_store() as store:
        assert store.run("latest").status == "killed"


def test_F23_two_interrupts_say_one(tmp_path):
    """A second Ctrl-C while the run is ended changes nothing of how the script dies: by SIGINT, with one traceback."""
    done = interrupt_twice(tmp_path)
    assert (done.code, done.err.count("Traceback")) == (-signal.SIGINT, 1)


# ------------------------------------------------------------------------------------------------------ F24: signals

WAITS = """
    import os, signal, sys, runfolio
    {before}
    run = runfolio.start() if len(sys.argv) == 1 else runfolio.resume(sys.argv[1])
    {after}
    for _ in range(50):
        run.log({{"loss": 1.0}})
    print("ready", flush=True)
    if len(sys.argv) == 1:
        while True:
            signal.sigtimedwait([], 0.01)  # returns often: signal.pause() would miss one that comes just before it
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGINT"])
def test_F24_default_disposition_and_resume(name, record_property):
    """A signal that nobody handles ends the script by that very signal; the run is killed with it as the reason, and a resume goes on."""
    number = signal.Signals[name]
    waits = WAITS.format(before="", after="")
    done = Script(waits).wait_for("ready").send(number).end()
    assert done.code == -number
    reason = "KeyboardInterrupt" if name == "SIGINT" else name
    state = past(only_run()).state
    assert (state.status_declared, state.reason) == ("killed", reason)
    assert run_script(waits, only_run()).code == 0
    with runfolio.open_store() as store:
        run = store.run(only_run())
        assert run.series("loss").steps.tolist() == list(range(100))
        assert [(one.number, one.status) for one in run.attempts] == [(1, "killed"), (2, "finished")]
        assert run.status == "finished"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGINT"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_F24_the_users_handlers_are_kept(name, place):
    """A handler of the user's, set before the start or after it, is called, and the run goes on until the script says otherwise."""
    setting = f"signal.signal(signal.{name}, lambda number, frame: (run.log({{'heard': number}}), sys.exit(9)))"
    words = {"before": "", "after": "", place: setting}
    done = Script(WAITS.format(**words)).wait_for("ready").send(signal.Signals[name]).end()
    assert done.code == 9, done.err
    state = past(only_run()).state
    assert (state.status_declared, state.reason, state.exit_code) == ("failed", "exit code 9", 9)
    assert steps_of(only_run()) == {"loss": list(range(50)), "heard": [50]}


def test_F24_a_signal_that_comes_inside_of_log():
    """SIGTERM at the very moment that log() holds its lock: the call is finished first, then the script dies by the signal."""
    done = run_script(
        """
        import os, signal, sys, zlib, runfolio
        run = runfolio.start()
        for n in range(10):
            run.log({"loss": n}, step=n)
        def interrupt(frame, event, called):
            if event == "c_call" and called is zlib.crc32:
                sys.setprofile(None)
                os.kill(os.getpid(), signal.SIGTERM)
        sys.setprofile(interrupt)
        run.log({"loss": 10}, step=10)
        while True:
            signal.sigtimedwait([], 0.01)
        """
    )
    assert done.code == -signal.SIGTERM, done.err
    assert steps_of(only_run()) == {"loss": list(range(11))}
    assert past(only_run()).state.reason == "SIGTERM"


def test_F24_ignored_stays_ignored():
    """A signal that the script ignores is ignored, as under nohup."""
    script = Script(WAITS.format(before="signal.signal(signal.SIGHUP, signal.SIG_IGN)", after="")).wait_for("ready")
    done = script.send(signal.SIGHUP).send(signal.SIGTERM).end()
    assert done.code == -signal.SIGTERM
    assert past(only_run()).state.reason == "SIGTERM"


def test_F24_preempted_as_by_slurm():
    """SIGTERM that the script takes as a hint, then SIGKILL: all is there, the run reads as killed at once, and a resume goes on."""
    script = Script(
        WAITS.format(before="signal.signal(signal.SIGTERM, lambda *_: print('heard', flush=True))", after="")
    ).wait_for("ready")
    assert script.send(signal.SIGTERM).wait_for("heard").kill().code == -signal.SIGKILL
    with runfolio.open_store() as store:
        assert store.run(only_run()).status == "killed"
    assert run_script(WAITS.format(before="", after=""), only_run()).code == 0
    with runfolio.open_store() as store:
        assert store.run(only_run()).series("loss").steps.tolist() == list(range(100))


def test_F24_while_eight_threads_log():
    """SIGTERM while 8 threads log without a pause ends the script, loses nothing, and names the signal."""
    done = (
        Script(
            """
            import os, threading, runfolio
            run = runfolio.start()
            def work(i):
                for n in range(10**9):
                    run.log({f"loss{i}": n}, step=n)
                    os.write(1, b"%d %d\\n" % (i, n))
            for i in range(8): threading.Thread(target=work, args=(i,)).start()
            """
        )
        .wait_for("7 50\n")
        .send(signal.SIGTERM)
        .end()
    )
    assert done.code == -signal.SIGTERM, done.err
    found = steps_of(only_run())
    told = [tuple(map(int, line.split())) for line in done.out.splitlines() if line.count(" ") == 1]
    for i in range(8):
        last = max(n for thread, n in told if thread == i)
        assert (
            found[f"loss{i}"] == list(range(len(found[f"loss{i}"]))) and last + 1 <= len(found[f"loss{i}"]) <= last + 2
        )
    assert past(only_run()).state.reason == "SIGTERM"


# ------------------------------------------------------------------------------------------------------ F25: stops

ON_ORDER = """
    import sys, runfolio
    run = runfolio.start()
    print("id", run.id, flush=True)
    for line in sys.stdin:
        run.log({"loss": 1.0})
        print("logged", line, flush=True)
"""


def in_own_mounts(command, *flags):
    """Begin a script's command line in a mount namespace of its own, after this shell command."""
    if subprocess.run(["unshare", "-m", *flags, "true"], capture_output=True, check=False).returncode:
        pytest.skip("cannot mount")
    return ["unshare", "-m", *flags, "sh", "-c", f'{command} && exec "$@"', "sh"]


def stopped(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def stop(script):
    """Stop it, and wait until it stands."""
    script.send(signal.SIGSTOP)
    os.waitid(os.P_PID, script.process.pid, os.WSTOPPED | os.WNOWAIT)
    assert stopped(script.process.pid)


def test_F25_stopped_here():
    """A script of this machine that is stopped for a minute is not called lost: its process is there. It goes on, and nothing is doubled."""
    script, clock = Script(ON_ORDER).wait_for("\n").tell("1").wait_for("logged 1"), ManualClock()
    stop(script)
    with runfolio.open_store(clock=clock) as store:
        assert store.run(only_run()).status == "running"
        clock.pass_s(60)
        assert store.run(only_run()).status == "running"
        script.send(signal.SIGCONT).tell("2").wait_for("logged 2")
        script.process.stdin.close()
        script.process.stdin = None
        assert script.end().code == 0
        clock.pass_s(1)
        assert store.run(only_run()).status == "finished"
        assert store.run(only_run()).series("loss").steps.tolist() == [0, 1]
    assert steps_of(only_run()) == {"loss": [0, 1]}


@pytest.mark.root
def test_F25_lost_and_found_again(tmp_path, record_property):
    """A script on another machine that is stopped for a minute reads as lost, and as running again as soon as it moves."""
    other = tmp_path / "boot_id"
    other.write_text("11111111-2222-3333-4444-555555555555\n")
    mount = (
        f'echo other >/proc/sys/kernel/hostname && mount --bind {other} /proc/sys/kernel/random/boot_id && exec "$@"'
    )
    script, clock = Script(ON_ORDER, before=in_own_mounts(mount, "-u")), ManualClock()
    script.wait_for("\n").tell("1").wait_for("logged 1")
    seen = []
    with runfolio.open_store(clock=clock) as store:

        def look(passed_s):
            clock.pass_s(passed_s)
            seen.append(store.run(only_run()).status)

        look(0)
        assert "not yet confirmed" in store.run(only_run()).status_reason
        script.tell("2").wait_for("logged 2")
        look(10)
        stop(script)
        look(40)
        look(6)
        script.send(signal.SIGCONT).tell("3").wait_for("logged 3")
        look(1)
        assert seen == ["running", "running", "running", "lost", "running"]
        script.process.stdin.close()
        script.process.stdin = None
        assert script.end().code == 0
        look(1)
        assert seen[-1] == "finished"
        assert store.run(only_run()).series("loss").steps.tolist() == [0, 1, 2]
    record_property("F25", "stopped for 46 s on another machine: running, lost, running again, finished; 0 doubled")


# ------------------------------------------------------------------------------------------------------ F26: recursion

HEARS = {
    "warnings": "warnings.showwarning = lambda *_: hear()",
    "logging": "logging.captureWarnings(True); logging.getLogger('py.warnings').addHandler(Hears())",
    "stderr": "sys.stderr = Hears()",
}


@pytest.mark.parametrize("how", HEARS)
def test_F26_what_hears_of_trouble_logs(how):
    """A warning hook, a logging handler, a standard error that logs when we warn: no deadlock, no endless loop, each value kept or counted."""
    done = run_script(
        LIMIT
        + f"""
    import logging, sys
    heard = []
    def hear():
        heard.append(1)
        run.log({{"heard": len(heard)}})
        run.summary["heard"] = len(heard)
        run.flush()
    class Hears(logging.Handler):
        def emit(self, record): hear()
        def write(self, text): hear()
    {HEARS[how]}
    run = runfolio.start()
    limit(1)
    for n in range(50):
        run.log({{"loss": n}}, step=n)
    limit(resource.RLIM_INFINITY)
    run.log_record("the end")
    run.finish()
    print(len(heard), run.lost_points)
    """,
        env={"RUNFOLIO_MAP": "0"},
    )
    assert done.code == 0, done.err
    heard, lost = map(int, done.out.split())
    assert 1 <= heard <= 10
    assert (
        len(points(only_run())) + lost >= 50 + heard - 2
    )  # what standard error hears at the very end comes after finish()
    with runfolio.open_store() as store:
        run = store.run("latest")
        assert (run.status, run.lost_points) == ("finished", lost)


@MAPS
def test_F26_collected_garbage_that_logs(mapped, record_property):
    """Objects whose __del__ logs, collected at any moment and in the middle of log(): no deadlock, and nothing is lost or doubled."""
    done = run_script(
        """
        import gc, runfolio
        run, died = runfolio.start(), [0]
        class Dies:
            def __init__(self): self.me = self
            def __del__(self):
                run.log({"died": died[0]}, step=died[0])
                died[0] += 1
        gc.set_threshold(3, 1, 1)
        for n in range(3000):
            Dies()
            run.log({"loss": n, f"k{n % 7}": [n][0]}, step=n)
            run.log_record({"n": [n]}) if n % 50 == 0 else None
        gc.collect()
        gc.disable()
        print(died[0])
        """,
        env={"RUNFOLIO_MAP": mapped},
    )
    assert done.code == 0, done.err
    found, died = steps_of(only_run()), int(done.out)
    assert died == 3000 and found["died"] == list(range(died)) and found["loss"] == list(range(3000))
    record_property("F26", f"{died} __del__ that log, in the middle of 3000 log(): 0 lost, 0 doubled")


# ------------------------------------------------------------------------------------------------------ F27: embedding

TEN = """
    import runfolio
    with runfolio.start() as run:
        for n in range(10):
            run.log({"loss": n}, step=n)
    print(run.store, flush=True)
"""
NOBODY = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
NOBODY += [
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
]  # it may read the interpreter, wherever it lies


def ten_kept(done, warnings=0):
    """Check that the script above went well, and what it kept."""
    assert (done.code, done.warnings) == (0, warnings), done
    with runfolio.open_store(done.out.split()[-1] if done.out else None) as store:
        assert store.run("latest").series("loss").values.tolist() == list(range(10))
        assert store.run("latest").status == "finished"


def test_F27_no_home(tmp_path):
    """Without $HOME and told of no store, the account's own home is taken."""
    account = f"""
    import pwd
    class Account: pw_dir = {str(tmp_path / "home")!r}
    pwd.getpwuid = lambda uid: Account
    """
    done = run_script(account + TEN, env={"HOME": None, "RUNFOLIO_DIR": None})
    assert done.out.strip() == str(tmp_path / "home" / ".runfolio")
    ten_kept(done)


@pytest.mark.root
@pytest.mark.parametrize("home", [None, "/nonexistent"])
def test_F27_a_user_without_an_account(tmp_path, home):
    """A user id without passwd entry, as in many containers, with no home or one that is not there: the run is kept, with one warning at most."""
    places = {"TMPDIR": tmp_path / "tmp54321", "RUNFOLIO_SPOOL": tmp_path / "spool54321"}
    for folder in places.values():
        folder.mkdir(mode=0o700)
        os.chown(folder, 54321, 54321)
    told = {name: str(folder) for name, folder in places.items()}
    done = run_script(TEN, before=NOBODY, env={"HOME": home, "RUNFOLIO_DIR": None, "XDG_CACHE_HOME": None, **told})
    assert done.code == 0 and done.warnings == (home is not None), done
    (journal,) = [path for folder in places.values() for path in folder.rglob("*.jnl")]
    assert journal.stat().st_uid == 54321
    assert (places["RUNFOLIO_SPOOL"] in journal.parents) == (home is not None)


@pytest.mark.root
def test_F27_read_only_installation(tmp_path):
    """An installation that nobody may write to, without compiled files, works as any other."""
    place = tmp_path / "site"
    shutil.copytree(Path(runfolio.__file__).parent, place / "runfolio", ignore=shutil.ignore_patterns("__pycache__"))
    read_only = f"mount --bind {place} {place} && mount -o remount,bind,ro {place} && ! touch {place}/x 2>/dev/null"
    done = run_script(TEN, before=in_own_mounts(read_only), env={"PYTHONPATH": str(place)})
    ten_kept(done)
    assert not list(place.rglob("__pycache__"))


@pytest.mark.parametrize(
    "flags", [["-S", "-E", "-P"], ["-I"], ["-OO"], ["-X", "dev", "-W", "error"], ["-X", "utf8=0"]], ids=" ".join
)
def test_F27_flags_of_the_interpreter(flags):
    """The interpreter's switches that hide site-packages, strip docstrings or turn warnings into errors do no harm."""
    body = f"    import sys; sys.path.insert(0, {SOURCE!r})\n" + TEN.lstrip("\n")
    ten_kept(run_script(body, flags=flags, env={"PYTHONPATH": None, "LC_ALL": "C"}))


def test_F27_asyncio():
    """Coroutines log from a running event loop, beside threads of its executor, and the loop is not held up by a thread of ours."""
    done = run_script(
        """
        import asyncio, runfolio
        async def work(run, i):
            for n in range(100):
                run.log({f"task{i}": n}, step=n)
                await asyncio.sleep(0)
            await asyncio.get_running_loop().run_in_executor(None, run.log, {f"thread{i}": 1.0}, 0)
        async def main():
            with runfolio.start() as run:
                await asyncio.gather(*(work(run, i) for i in range(20)))
        asyncio.run(main())
        """
    )
    assert (done.code, done.err) == (0, "")
    assert steps_of(only_run()) == {f"task{i}": list(range(100)) for i in range(20)} | {
        f"thread{i}": [0] for i in range(20)
    }


def test_F27_cells_of_a_notebook():
    """Code that is exec()-ed without a file, as in Jupyter: a cell that is run again begins another run, an error in one ends none."""
    done = run_script(
        """
        import sys, types
        sys.argv = ["/x/ipykernel_launcher.py", "-f", "/x/kernel.json"]
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        def cell(text):
            try:
                exec(compile(text, "<ipython-input-1>", "exec"), main.__dict__)
            except Exception as error:
                print("cell:", repr(error))
        cell("import runfolio")
        for again in range(2):
            cell("run = runfolio.start(name='cell')")
            cell("for n in range(10): run.log({'loss': n}, step=n)")
            cell("runfolio.log({'ambient': 1.0}, step=0); 1 / 0")
        cell("print(run.status)")
        """
    )
    assert (done.code, done.out.splitlines()[-1], done.err) == (0, "running", "")
    assert len(all_runs()) == 2
    for run_id in all_runs():
        assert steps_of(run_id) == {"loss": list(range(10)), "ambient": [0]}
        assert past(run_id).state.status_declared == "finished"


def test_F27_no_working_directory():
    """A working directory that was removed under the script does no harm."""
    ten_kept(run_script("    import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')" + TEN))


@pytest.mark.parametrize("where", ["path", "argv", "executable"])
def test_F27_frozen(where):
    """An application that is frozen, or has no arguments, no name and no interpreter of its own, tracks itself."""
    sets = {
        "path": "sys.frozen = True; sys.path[:] = sys.path[1:]",
        "argv": "sys.argv = []",
        "executable": "sys.executable = ''",
    }
    ten_kept(run_script(f"    import sys; {sets[where]}" + TEN, env={"RUNFOLIO_CAPTURE": None}))


def test_F27_subinterpreter():
    """A subinterpreter has a run of its own beside the main one's."""
    done = run_script(
        """
        import sys, runfolio
        try:
            import _interpreters as interpreters  # since Python 3.13
        except ImportError:
            import _xxsubinterpreters as interpreters
        run, other = runfolio.start(name="outer"), interpreters.create()
        inner = "import sys; sys.path[:] = %r; import runfolio; run = runfolio.start(name='inner')" % sys.path
        interpreters.run_string(other, inner + "; run.log({'loss': 1}); run.finish()")
        interpreters.destroy(other)
        run.log({"loss": 2})
        """
    )
    assert (done.code, done.err) == (0, "")
    with runfolio.open_store() as store:
        assert {run.name: (run.status, run.metrics["loss"].last) for run in store.runs()} == {
            "outer": ("finished", 2),
            "inner": ("finished", 1),
        }


@pytest.mark.parametrize("closed", ["0", "0, 1, 2"])
def test_F27_closed_standard_streams(closed):
    """Without standard input, output or error the run is kept as ever."""
    run_script(f"    import os; [os.close(fd) for fd in ({closed},)]" + TEN)
    found = steps_of(only_run())
    assert found == {"loss": list(range(10))} and past(only_run()).state.status_declared == "finished"


@pytest.mark.parametrize("closed", [1, 2])
def test_F27_what_is_printed_never_meets_the_journal(closed):
    """Where standard output or error is closed, no journal takes its number: what the script or a library prints does not land in it."""
    run_script(
        f"""
        import os
        os.close({closed})
        import runfolio
        run = runfolio.start()
        for n in range(100):
            run.log({{"loss": n}}, step=n)
            try:
                os.write({closed}, b"printed by a library")
            except OSError:
                pass
        """,
        env={"RUNFOLIO_MAP": "0"},
    )
    assert steps_of(only_run()) == {"loss": list(range(100))}


# ------------------------------------------------------------------------------------------------------ F8: no memory


@MAPS
def test_F08_out_of_memory(mapped, record_property):
    """A script that runs into its memory limit and survives goes on; so does its run, with one warning at most and every loss counted."""
    done = run_script(
        """
        import resource, runfolio
        run = runfolio.start()
        run.log({"loss": 0}, step=0)
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (48 << 20), resource.RLIM_INFINITY))
        hoard, refused, logged = [], 0, 1
        for block in (1 << 20, 1 << 16, 1 << 12, 1 << 10):
            try:
                while True:
                    hoard.append(bytearray(block))
            except MemoryError:
                refused += 1
        for n in range(4_000):
            run.log({"loss": logged, "more": n, f"k{n % 50}": n}, step=n)
            logged += 3
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        hoard.clear()
        while not run.flush(): pass
        print(logged, refused, run.lost_points)
        """,
        env={"RUNFOLIO_MAP": mapped},
    )
    assert done.code == 0 and done.warnings <= 1, done.err
    logged, refused, lost = map(int, done.out.split())
    assert refused == 4
    assert sum(map(len, steps_of(only_run()).values())) + lost == logged
    assert past(only_run()).state.status_declared == "finished"
    with runfolio.open_store() as store:
        assert store.run("latest").lost_points == lost
    record_property(
        "F8",
        f"at the limit of memory {logged} values were logged: {logged - lost} kept, {lost} counted as lost, nothing raised",
    )


@pytest.mark.parametrize("metrics", ["{'loss': 1.0}", "{'loss': 1.0, 'new': 2.0}"], ids=["warm", "new"])
def test_F08_no_memory_at_the_nth_allocation(metrics, record_property):
    """Memory that runs out at any one allocation inside of log(): the values are kept or counted, or all refused; the next call is sound."""
    need_failing_allocations()
    done = run_script(
        f"""
        import _testcapi, runfolio
        for nth in range(1, 80):
            run = runfolio.start()
            run.log({{"loss": 0.0}}, step=0)
            run.log({{"loss": 0.0}}, step=1)
            raised, metrics = 0, {metrics}
            _testcapi.set_nomemory(nth, nth + 1)
            try:
                run.log(metrics, 2)
            except MemoryError:
                raised = 1
            finally:
                _testcapi.remove_mem_hooks()
            run.log({{"end": 0.0}}, step=3)
            run.finish()
            print(run.id, raised, run.lost_points)
        """
    )
    assert done.code == 0, done.err
    each = metrics.count(":")
    told = [(run_id, int(raised), int(lost)) for run_id, raised, lost in map(str.split, done.out.splitlines())]
    for run_id, raised, lost in told:
        kept = len(points(run_id))
        assert kept + lost == 3 + each or (raised and kept + lost == 3), (run_id, kept, raised, lost)
        assert past(run_id).state.status_declared == "finished"
    figures = f"{sum(raised for _, raised, _ in told)} raised, {sum(lost for *_, lost in told)} values counted as lost"
    record_property("F8", f"{len(told)} calls, each with one failing allocation: {figures}, 0 doubled")
