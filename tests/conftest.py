"""What every test stands on: a world of its own, skips that are counted, figures that are printed."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ALLOWED_SKIPS = Path(__file__).with_name("skips.txt")
KEPT = {"RUNFOLIO_SOAK"}  # asked of the tests themselves, not of runfolio

settings.register_profile(
    "house",
    deadline=None,  # a busy machine is no counterexample
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


# A shell that starts the tests in the background, or nohup, lets them ignore these signals, and what they start too.
for _name, _usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL), ("SIGQUIT", signal.SIG_DFL)):
    _number = getattr(signal, _name, None)  # Windows has but the first
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)


# A world of its own ---------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test its own home, store, cache, spool, temporary folder and working directory, all below tmp_path."""
    for name in list(os.environ):
        if name.startswith(("RUNFOLIO_", "XDG_")) and name not in KEPT:
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("RUNFOLIO_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("RUNFOLIO_SPOOL", str(tmp_path / "spool"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _end_runs() -> Iterator[None]:
    """End what a test began and left: the next one starts without an active run."""
    yield
    exits = sys.modules.get("runfolio.sdk.exits")
    for run in list(exits._active) if exits else []:
        run.finish()
    following = sys.modules.get("runfolio.sdk.following")
    if following:
        following.let_go()  # its companion has the environment of this test


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip by name what needs root where we are not root."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason="needs root"))


# Skips are counted, figures printed -----------------------------------------------------------------------------------


def skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a test or file was skipped."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ").strip()


def count_skips(config: pytest.Config) -> Counter[str]:
    """Count the skips of this session by reason."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return Counter(skip_reason(report) for report in reporter.stats.get("skipped", ())) if reporter else Counter()


def allowed_skips() -> tuple[str, ...]:
    """Read the beginnings of the reasons that a skip may have where CI is set."""
    lines = (line.partition("#")[0].strip() for line in ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line)


def foreign_skips(config: pytest.Config) -> list[str]:
    """Return the reasons that tests/skips.txt does not know, where CI is set."""
    if not os.environ.get("CI"):
        return []
    return sorted(reason for reason in count_skips(config) if not reason.startswith(allowed_skips()))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a session in CI that skipped a test for a reason nobody agreed to."""
    if exitstatus == pytest.ExitCode.OK and foreign_skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures that tests recorded and count the skips.

    A test tells a figure by `record_property("F1", "50 kills, 0 points lost")`.
    """
    passed = terminalreporter.stats.get("passed", ())
    figures = [f"{name}: {value}" for report in passed for name, value in report.user_properties]
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write("\n".join(figures) + "\n")
    skips = count_skips(config)
    terminalreporter.section(f"{skips.total()} skipped")
    for reason, count in skips.most_common():
        terminalreporter.write_line(f"{count:5} {reason}")
    for reason in foreign_skips(config):
        terminalreporter.write_line(f"skip not listed in tests/skips.txt: {reason}", red=True)
