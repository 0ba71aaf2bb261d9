"""The command itself: exit codes, help, bad input, odd names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.calling import Called, call, fine, spawn, start, store, write_run
from runfolio.cli.main import COMMANDS
from runfolio.errors import InvalidValue
from runfolio.model.names import check_key

READING = (
    ["list"],
    ["show", "latest"],
    ["compare"],
    ["get", "latest", "id"],
    ["verify"],
    ["seal"],
    ["delete", "latest"],
    ["gc"],
)


def quiet(called: Called) -> Called:
    """See that a call says what is wrong in one line, without a traceback."""
    assert "Traceback" not in called.err and called.err.startswith("runfolio: ") and called.err.count("\n") == 1, called
    return called


def test_help_lists_every_command() -> None:
    """`--help` lists the commands without loading them; each has a help of its own with options."""
    text = fine("--help").out
    assert [name for name in COMMANDS if f"\n  {name} " not in text] == []
    for name in COMMANDS:
        assert f"Usage: runfolio {name} [OPTIONS]" in fine(name, "--help").out


def test_help_loads_no_room() -> None:
    """`runfolio --help` and `--version` load neither the reading nor the writing side."""
    program = (
        "import sys\nfrom runfolio.cli.main import main\ntry:\n    main(sys.argv[1:])\nfinally:\n"
        "    heavy = ('runfolio.query', 'runfolio.store', 'runfolio.sdk', 'runfolio.journal', 'sqlite3', 'numpy', 'rich', 'json')\n"
        "    print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    for option in ("--help", "--version"):
        done = subprocess.run([sys.executable, "-c", program, option], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "[]\n")


def test_a_misspelt_command_is_guessed() -> None:
    """A command that is not there ends with 2 and names the nearest."""
    called = call("lst")
    assert called.code == 2 and "Did you mean 'list'?" in called.err


def test_an_unknown_run_ends_with_one() -> None:
    """A run that nobody knows ends with 1 everywhere, and tells those like it."""
    with start(name="mlp-64"):
        pass
    for command in ("show", "verify", "seal", "delete", "restore", "compare"):
        assert quiet(call(command, "mlp-65")).code == 1
    assert "'mlp-64'" in call("show", "mlp-65").err
    assert quiet(call("get", "nobody", "id")).code == 1


def test_an_ambiguous_prefix_lists_its_runs() -> None:
    """Digits that several ids begin with are told with those ids."""
    ids = ["abcd1234" + f"{n:024x}" for n in range(2)]
    for run_id in ids:
        write_run(run_id=run_id)
    called = quiet(call("show", "abcd"))
    assert called.code == 1 and called.err.count("abcd1234") == 2
    assert fine("get", ids[0], "id").out == f"{ids[0]}\n"


def test_two_equal_names_mean_the_latest() -> None:
    """A name of several runs means the latest of them."""
    ids = []
    for _ in range(2):
        with start(name="twin") as run:
            ids.append(run.id)
    assert fine("get", "twin", "id").out == f"{ids[1]}\n"


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_without_a_store(command: list[str]) -> None:
    """Where there is no store, listings are empty, questions for a run end with 1, the care of a store ends with 2: it found no damage."""
    called = call(*command)
    if command[0] in ("list", "compare"):
        assert called.code == 0
    else:
        assert quiet(called).code == (1 if command[0] in ("show", "get") else 2)
    assert not os.path.exists(store().root)


@pytest.mark.parametrize("content", [b'{"format": 99, "id": "%s"}' % (b"0" * 32), b"{}", b"not json"])
@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_a_newer_or_foreign_store_is_refused(command: list[str], content: bytes) -> None:
    """A store of a newer format and a folder that is none of ours end with 3, and nothing in them changes."""
    write_run()
    Path(store().store_json).write_bytes(content)
    before = sorted(map(str, Path(store().root).rglob("*")))
    called = call(*command)
    if command[0] == "verify":
        assert called.code == 1 and "store.json" in called.out
    else:
        assert quiet(called).code == 3
    assert sorted(map(str, Path(store().root).rglob("*"))) == before


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"garbage" * 100, b"\x89RFJ\r\n\x1a\n" + b"\xff" * 500])
def test_a_broken_journal_does_not_hide_the_others(content: bytes) -> None:
    """A journal of rubbish is told, and the other runs are listed and shown."""
    sound, broken = write_run(), write_run()
    (path,) = Path(store().run_journal(broken)).glob("*.jnl")
    path.write_bytes(content)
    assert sound[:8] in fine("list").out
    for command in (["show", sound], ["compare"], ["list", "--json"], ["seal"], ["gc", "-n"]):
        called = call(*command)
        assert called.code in (0, 1) and "Traceback" not in called.err
    for command in (["show", broken], ["get", broken, "id"], ["verify", broken]):
        assert "Traceback" not in call(*command).err


def test_strange_things_in_the_store_are_passed_over() -> None:
    """Files and folders that do not belong in a store do no harm."""
    run_id = write_run()
    root = Path(store().root)
    (root / "runs" / "notes.txt").write_text("x")
    (root / "runs" / ("f" * 32)).write_text("a file where a run should be")
    (root / "runs" / ("e" * 32) / "journal" / ("d" * 32 + ".jnl")).mkdir(parents=True)
    (root / "runs" / run_id / "journal" / "README").write_text("x")
    assert [one["id"] for one in fine("list", "--json").json] == [run_id]
    assert call("verify").code in (0, 1) and "Traceback" not in call("verify").err


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with 130 and without a traceback."""
    program = (
        "import os, signal, sys\nfrom runfolio.cli.main import main\nimport runfolio.query.store as s\n"
        "s.Store = lambda *_, **__: os.kill(os.getpid(), signal.SIGINT)\nmain(['list'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\n")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_mistake_of_ours_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw ends with 3 and one line; RUNFOLIO_DEBUG=1 shows where."""
    program = "from runfolio.cli.main import main\nimport runfolio.query.store as s\ns.Store = lambda *_, **__: 1 / 0\nmain(['list'])"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (
        done.returncode == 3
        and "a mistake of ours, ZeroDivisionError" in done.stderr
        and "Traceback" not in done.stderr
    )
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "RUNFOLIO_DEBUG": "1"}
    )
    assert "Traceback" in done.stderr


def test_completion_offers_commands_and_runs() -> None:
    """The shell completes commands, ids, names and "latest"."""
    with start(name="mlp-64") as run:
        pass

    def complete(words: str) -> list[str]:
        told = {"_RUNFOLIO_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return [line.partition(",")[2] for line in spawn(**told).lines]

    assert complete("runfolio res") == ["restore"]
    assert complete("runfolio show ") == ["latest", run.id[:8], "mlp-64"]
    assert complete("runfolio compare mlp-64 lat") == ["latest"]
    assert "complete" in spawn(_RUNFOLIO_COMPLETE="bash_source").out


# ------------------------------------------------------------------------------------------------------------ odd names

ODD = [
    ".", "..", "/", "a//b", "a/../b", " lead", "trail ", "\\", "line\nbreak", "\r", "\t", "%2f", "CON", "nul.txt", "a:b", "🧪👩‍🔬", "\u202eevil",
    "e\u0301", "é", "x" * 10_000, "Loss", "loss", "LOSS", "__proto__", "'; DROP TABLE runs; --", "<script>", "\x1b[2J", "\x1b]52;c;YQ==\x07",
    "\x7f", "\x9b2J", "a.b", "a.b.last", "=1+1", "@x", "-x", "--help", "*", "?", "a,b", '"', "$(id)", "`id`", "nan", "null", "0", "last", "\ufeff",
    "\u200d", "\u2028", "Z" + "\u0301" * 100, "損失",
]  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=40)


def test_F44_odd_names_are_safe_everywhere() -> None:
    """Names of every kind come back whole through JSON and get, and no table lets one of them out raw."""
    check_names(ODD)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.lists(TEXTS, min_size=1, max_size=12, unique=True))
def test_F44_any_names_are_safe_everywhere(names: list[str]) -> None:
    """The same for names that hypothesis thinks of."""
    check_names(names)


def check_names(names: list[str]) -> None:
    """Use names for everything that has one, and look at them in every way."""
    params = {name: place for place, name in enumerate(names) if "." not in name}
    with start(experiment=names[0], name=names[-1], params=params, tags=names, notes=names[0]) as run:
        metrics = [name for name in names if name != "step"]
        run.log({name: float(place) for place, name in enumerate(metrics)}, step=0)
        run.add_artifact(b"x", names[-1])
    for command in (["list", "--limit", "1", "--json"], ["show", run.id, "--json"]):
        found = fine(*command).json
        facts = found[0] if isinstance(found, list) else found
        assert (facts["experiment"], facts["name"], facts["notes"]) == (names[0], names[-1], names[0])
        assert facts["params"] == params and list(facts["tags"]) == names
        assert {name: metric["last"] for name, metric in facts["metrics"].items()} == {
            name: float(n) for n, name in enumerate(metrics)
        }
    for command in (
        ["list"],
        ["list", "--wide"],
        ["show", run.id, "--all", "--wide"],
        ["show", run.id],
        ["compare"],
        ["compare", "-w", run.id],
    ):
        for terminal in (False, True):
            safe(fine(*command, terminal=terminal).out)
    for command in (
        ["list", "--json"],
        ["list", "--csv"],
        ["get", run.id, "params"],
        ["get", run.id, "name"],
        ["show", run.id, "--csv"],
    ):
        safe(fine(*command, terminal=True).out)
    for name in metrics[:20]:
        assert fine("get", run.id, f"metrics.{name}.last").out == f"{float(metrics.index(name))!r}\n"


def safe(text: str) -> None:
    """See that only our own colours and line ends stand beside printable characters."""
    for colour in ("\x1b[0m", *(f"\x1b[{code}m" for code in (1, 2, 31, 32, 33, 34, 35, 36, 90))):
        text = text.replace(colour, "")
    odd = {char for char in text if not char.isprintable()} - {"\n", "\u200c", "\u200d"}
    assert not odd, odd


@pytest.mark.parametrize("name", ["", "nul\0", "\ud800", "x" * 20_000])
def test_F44_refused_names_are_refused_by_one_rule(name: str) -> None:
    """What no name may be is refused where it is given, and asking for it is no traceback."""
    with pytest.raises(InvalidValue):
        check_key(name)
    write_run()
    for command in (
        ["show", name],
        ["get", name, "id"],
        ["get", "latest", name],
        ["list", "-e", name],
        ["list", "--name", name],
    ):
        called = call(*command)
        assert called.code in (0, 1, 2) and "Traceback" not in called.err and "mistake of ours" not in called.err, (
            command[0],
            called,
        )
