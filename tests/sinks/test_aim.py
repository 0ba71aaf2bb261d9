"""An Aim repository, a folder and a server, read back by Aim."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.sinks.aim import AimSink, auth_headers
from sinks.aim_repo import needs_aim, only_run, series
from sinks.entries import RUN_ID, START_NS, WAIT_S, Journal, about, feed_of

AUTH = ("CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET", "AIM_AUTH_TOKEN", "AIM_CUSTOM_HEADERS")


@pytest.fixture(autouse=True)
def _no_auth(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AUTH:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(empty_repo: Path, tmp_path: Path) -> Path:
    """Give a folder with an empty repository."""
    shutil.copytree(empty_repo, tmp_path / "repo" / ".aim")
    return tmp_path / "repo"


def open_sink(folder: Path, repo: str | None = None, **given: Any) -> AimSink:
    options = {key: given.pop(key) for key in ("experiment", "name") if key in given}
    sink = AimSink(repo=repo or str(folder), **options)
    sink.open(about(folder, **given))
    return sink


@needs_aim
def test_S2_20_a_run_as_aim_shows_it(folder: Path) -> None:
    """Name, experiment, params, tags, notes, metrics with step and time, summary and status arrive."""
    journal, sink = Journal(), open_sink(folder)
    calls = [journal.call(-1, loss=0.5), journal.call(7, loss=0.1 + 0.2, epoch=3, best=True), journal.call(0, loss=1.0)]
    sink.log(calls)
    sink.record(2, {"sample": "the cat"}, START_NS)
    sink.summary({"r2": 0.5})
    sink.summary({"success": True, "error": None, "auc": math.inf})
    sink.close("failed", "ValueError: x")
    run = only_run(folder)
    assert (run.name, run.experiment, run.description) == ("mlp-64", "digits", "a note")
    assert sorted(run.tags) == ["baseline", "team=ml"]
    assert run["hparams"] == {"lr": 0.1, "model": {"width": 64}}
    assert run["summary"] == {"r2": 0.5, "success": True, "error": None, "auc": math.inf}
    assert run["runfolio"] == {"run_id": RUN_ID, "attempt": 1, "status": "failed", "reason": "ValueError: x"}
    assert run.end_time is not None
    times = [call.time_ns / 1e9 for call in calls]
    assert series(run) == {
        ("loss", "{}"): [(-1, 0.5, times[0]), (0, 1.0, times[2]), (7, 0.1 + 0.2, times[1])],
        ("epoch", "{}"): [(7, 3.0, times[1])],
        ("best", "{}"): [(7, 1.0, times[1])],
    }
    from aim.storage.context import Context

    (record,) = run.get_text_sequence("record", Context({})).data.view("val").values_list()[0]
    assert json.loads(record.data) == {"sample": "the cat"}


@needs_aim
def test_nan_the_infinities_odd_names_and_only_negative_steps(folder: Path) -> None:
    """Aim carries every float, any name, and series that have no step from 0 on."""
    journal, sink = Journal(), open_sink(folder)
    sink.log([journal.call(1, a=math.nan, b=-math.inf), journal.call_of(-3, {"wéird name:/x.y": 1.0})])
    sink.log([journal.call(2**62, a=1.0), journal.call_of(-2, {"wéird name:/x.y": 2.0})])
    sink.close("finished", None)
    found = {name: [point[:2] for point in points] for (name, _), points in series(only_run(folder)).items()}
    assert math.isnan(found["a"][0][1])
    assert found["a"][1] == (2**62, 1.0)
    assert found["b"] == [(1, -math.inf)]
    assert found["wéird name:/x.y"] == [(-3, 1.0), (-2, 2.0)]


@needs_aim
def test_points_without_a_step_and_of_ranks_have_contexts(folder: Path) -> None:
    """A final point lies in the context `final`, counted over the attempts, a rank's in the context `rank`."""
    journal, sink = Journal(), open_sink(folder)
    sink.log([journal.call(None, auc=0.9), journal.call(None, auc=0.8), journal.call_of(3, {"loss": 1.0}, 2)])
    sink.close("finished", None)
    sink = open_sink(folder, attempt=2)
    sink.log([journal.call(None, auc=0.7)])
    sink.close("finished", None)
    found = {key: [point[:2] for point in points] for key, points in series(only_run(folder)).items()}
    assert found == {
        ("auc", '{"final": true}'): [(0, 0.9), (1, 0.8), (2, 0.7)],
        ("loss", '{"rank": 2}'): [(3, 1.0)],
    }


@needs_aim
def test_a_later_attempt_continues_the_run(folder: Path) -> None:
    """Another attempt goes on in the same Aim run, also after a feed that was killed; points again do no harm."""
    calls = list(Journal().calls(10))
    sink = open_sink(folder)
    sink.log(calls)
    sink.summary({"early": 1})
    sink.close("killed", "SIGKILL")
    sink = open_sink(folder, attempt=2, tags={"new": ""}, name="renamed")
    sink.log([*calls, Journal("e" * 32, 2).call(10, loss=10.0)])
    sink.summary({"late": 2})
    sink.close("finished", None)
    run = only_run(folder)
    ((_, points),) = series(run).items()
    assert [point[:2] for point in points] == [(step, float(step)) for step in range(11)]
    assert run["summary"] == {"early": 1, "late": 2}
    assert run.tags == ["new"]
    assert run.name == "renamed"


@needs_aim
def test_a_repository_is_made_where_there_is_none(tmp_path: Path) -> None:
    """The default `.aim` and any other folder become a repository when they are first fed."""
    sink = AimSink()
    sink.open(about(tmp_path))
    sink.log([Journal().call(0, loss=1.0)])
    sink.close("finished", None)
    assert (tmp_path / ".aim").is_dir()
    assert len(series(only_run(tmp_path))) == 1


@needs_aim
def test_experiment_and_name_may_be_given(folder: Path) -> None:
    """The options win over the run's own."""
    sink = open_sink(folder, experiment="mpo2_experiment", name="seed 0")
    sink.close("finished", None)
    run = only_run(folder)
    assert (run.experiment, run.name) == ("mpo2_experiment", "seed 0")


@needs_aim
def test_a_big_batch(folder: Path) -> None:
    """5,000 calls at once all come back."""
    sink = open_sink(folder)
    sink.log(list(Journal().calls(5_000)))
    sink.close("finished", None)
    ((_, points),) = series(only_run(folder)).items()
    assert [point[:2] for point in points] == [(step, float(step)) for step in range(5_000)]


# A server -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def serve(tmp_path: Path, folder: Path) -> Iterator[Callable[..., str]]:
    """Give a function that begins a server which expects headers, and returns its address."""
    servers: list[subprocess.Popen[str]] = []

    def begin(**expected: str) -> str:
        program = [sys.executable, str(Path(__file__).with_name("aim_server.py"))]
        server = subprocess.Popen(
            [*program, str(folder), str(tmp_path / "seen.jsonl")],
            env={**os.environ, "EXPECTED": json.dumps(expected)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it complains of the client's probe for TLS
            text=True,
        )
        servers.append(server)
        assert server.stdout is not None
        return f"aim://127.0.0.1:{int(server.stdout.readline())}"

    yield begin
    for server in servers:
        server.kill()
        server.communicate(timeout=WAIT_S)


def requests(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines()]


@needs_aim
def test_S2_03_a_remote_address(tmp_path: Path, folder: Path, serve: Callable[..., str]) -> None:
    """`aim://host:port` feeds a server: its repository has the run, without a header of ours."""
    sink = open_sink(folder, serve())
    sink.log(list(Journal().calls(100)))
    sink.close("finished", None)
    run = only_run(folder)
    ((_, points),) = series(run).items()
    assert [point[:2] for point in points] == [(step, float(step)) for step in range(100)]
    assert (run.name, run["hparams"]) == ("mlp-64", {"lr": 0.1, "model": {"width": 64}})
    assert not any("cf-access" in name for request in requests(tmp_path) for name in request["headers"])


CASES = {
    "Cloudflare": (
        {"CF_ACCESS_CLIENT_ID": "xxx", "CF_ACCESS_CLIENT_SECRET": "yyy"},
        {"CF-Access-Client-Id": "xxx", "CF-Access-Client-Secret": "yyy"},
    ),
    "token": ({"AIM_AUTH_TOKEN": "s3cret"}, {"Authorization": "Bearer s3cret"}),
    "custom": ({"AIM_CUSTOM_HEADERS": '{"X-Team": "a", "X-Key": "b"}'}, {"X-Team": "a", "X-Key": "b"}),
}


@needs_aim
@pytest.mark.parametrize("case", CASES)
def test_S2_06_the_authentication_variables_reach_the_server(
    case: str, tmp_path: Path, folder: Path, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server behind a gate that wants the headers has the run: every request and the socket carried them."""
    environment, headers = CASES[case]
    address = serve(**headers)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    sink = open_sink(folder, address)
    sink.log(list(Journal().calls(10)))
    sink.close("finished", None)
    ((_, points),) = series(only_run(folder)).items()
    assert len(points) == 10
    seen = requests(tmp_path)
    assert {request["kind"] for request in seen} == {"http", "websocket"}
    for request in seen:
        assert {name: request["headers"].get(name.lower()) for name in headers} == headers, request


@needs_aim
def test_a_gate_that_refuses_is_told_and_touches_nothing(tmp_path: Path, serve: Callable[..., str]) -> None:
    """Without the headers the feed tells that it could not send, in its time, and raises nothing."""
    troubles: list[str] = []
    feed = feed_of(AimSink(repo=serve(Authorization="Bearer s3cret")), tmp_path, troubles)
    for call in Journal().calls(10):
        feed.put(call)
    told = feed.close("finished", None, 2.0)
    assert (told.sent, told.dropped) == (0, 10)
    assert told.error is not None
    assert len(troubles) == 1


def test_the_headers_of_each_variable() -> None:
    """Both halves of the Cloudflare pair are needed, an empty variable counts as unset, custom keys stand as they are."""
    assert auth_headers({}) == {}
    assert auth_headers(dict.fromkeys(AUTH, "")) == {}
    assert auth_headers({"CF_ACCESS_CLIENT_ID": "xxx"}) == {}
    for environment, headers in CASES.values():
        assert auth_headers(environment) == headers
    together = {name: value for environment, _ in CASES.values() for name, value in environment.items()}
    assert auth_headers(together) == {name: value for _, headers in CASES.values() for name, value in headers.items()}


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "s3cret"])
def test_custom_headers_that_are_none_are_refused_without_showing_them(text: str) -> None:
    """A variable that is no JSON object of texts raises, and its content, a secret perhaps, is not in the message."""
    with pytest.raises(UsageError, match="AIM_CUSTOM_HEADERS must be a JSON object") as caught:
        auth_headers({"AIM_CUSTOM_HEADERS": text})
    assert "s3cret" not in str(caught.value)


@needs_aim
def test_open_that_failed_half_way_makes_no_second_run(folder: Path) -> None:
    """Where the run over there was made and could not be remembered, opening again goes on with it."""
    (folder / "run").write_text("in the way", encoding="utf-8")
    sink = AimSink(repo=str(folder))
    for _ in range(2):
        with pytest.raises(OSError):
            sink.open(about(folder))
    (folder / "run").unlink()
    sink.open(about(folder))
    sink.close("finished", None)
    assert only_run(folder).name == "mlp-64"
