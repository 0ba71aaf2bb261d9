"""Making a sink: its kind and options are checked at the call, its package when it is needed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import MissingExtra, UsageError
from runfolio.sinks import make as module
from runfolio.sinks.make import KINDS, check, make, missing, settled

NEEDED: dict[str, dict[str, Any]] = {"tensorboard": {"log_dir": "logs"}}


def test_an_unknown_kind_names_the_choices() -> None:
    """A kind that does not exist is refused, with those that do."""
    for call in (lambda: make("neptune", {}), lambda: missing("neptune"), lambda: check("neptune", {})):
        with pytest.raises(UsageError, match="'neptune'; there are aim, mlflow, tensorboard, wandb"):
            call()


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_option_names_the_choices(kind: str) -> None:
    """An option that the kind does not have is refused, with those that it has."""
    with pytest.raises(UsageError, match=f"{kind} has no option 'colour'; it has "):
        check(kind, {**NEEDED.get(kind, {}), "colour": "red"})


def test_a_needed_option_is_named() -> None:
    """An option that must be given and is not is named."""
    with pytest.raises(UsageError, match="tensorboard needs the option log_dir"):
        check("tensorboard", {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_package_gives_the_install_line(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its package the error is an ImportError that says what to install; with it there is none."""
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert missing(kind) == f"pip install 'runfolio[{kind}]'"
    with pytest.raises(ImportError, match=f"pip install 'runfolio\\[{kind}\\]'") as caught:
        make(kind, NEEDED.get(kind, {}))
    assert isinstance(caught.value, MissingExtra)
    check(kind, NEEDED.get(kind, {}))  # what the options say is no matter of the package


def test_places_are_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative place, or none, is taken from the working directory of the call; an address stays."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert settled("aim", {}) == {"repo": str(tmp_path / ".aim")}
    assert settled("aim", {"repo": "aim://host:1", "name": "x"}) == {"repo": "aim://host:1", "name": "x"}
    assert settled("tensorboard", {"log_dir": Path("logs")}) == {"log_dir": str(tmp_path / "logs")}
    assert settled("wandb", {"dir": None}) == {"dir": str(tmp_path)}
    assert settled("mlflow", {}) == {"tracking_uri": f"sqlite:///{tmp_path}/mlflow.db"}
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host")
    assert settled("mlflow", {}) == {}
    with pytest.raises(UsageError):
        settled("neptune", {})


def test_nothing_of_theirs_is_imported_before_open() -> None:
    """Making sinks loads none of the other trackers, which take seconds to import."""
    program = """
import sys
from runfolio.sinks.make import KINDS, check, missing
check("tensorboard", {"log_dir": "x"})
for kind in KINDS:
    missing(kind)
heavy = {"aim", "wandb", "mlflow", "tensorboard", "tensorboardX", "torch", "numpy", "requests"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_hosted_needs_the_standard_library_only() -> None:
    """What dialects import of this room is light: no sink, no numpy."""
    program = "import sys, runfolio.sinks.hosted; print([n for n in sys.modules if n.startswith('runfolio')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "runfolio.sinks.make" not in done.stdout
    assert "runfolio.store" not in done.stdout


def test_the_packages_of_the_tests_are_there() -> None:
    """On this interpreter every sink is tested against the real package: none is skipped for want of it."""
    wanted = {"wandb", "mlflow", "tensorboardX", "tensorboard"} | ({"aim"} if sys.version_info < (3, 13) else set())
    assert {name for name in wanted if find_spec(name) is None} == set()
