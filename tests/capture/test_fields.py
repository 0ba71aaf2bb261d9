"""Which fields are captured is the user's choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from runfolio.errors import UsageError
from runfolio.sdk.capture import FIELDS, SLOW, wanted

ALL = frozenset(FIELDS)

SETTINGS: list[tuple[object, frozenset[str]]] = [
    (None, ALL),
    (True, ALL),
    ("all", ALL),
    (False, frozenset()),
    ("none", frozenset()),
    ("", frozenset()),
    ([], frozenset()),
    ("git", frozenset({"git"})),
    ("git, cpu", frozenset({"git", "cpu"})),
    (("git", "cpu"), frozenset({"git", "cpu"})),
    ({"git"}, frozenset({"git"})),
    ("-packages", ALL - {"packages"}),
    (["-packages", "-git"], ALL - {"packages", "git"}),
    ("all,-host", ALL - {"host"}),
    ("git,cpu,-git", frozenset({"cpu"})),
    ("-all", frozenset()),
]


@pytest.mark.parametrize(("setting", "fields"), SETTINGS)
def test_settings(setting: object, fields: frozenset[str]) -> None:
    """True, False, names and names taken away choose the fields."""
    assert wanted(setting) == fields


@pytest.mark.parametrize("text", ["none", "0", "false", "None"])
def test_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """RUNFOLIO_CAPTURE says what holds where the call says nothing."""
    monkeypatch.setenv("RUNFOLIO_CAPTURE", text)
    assert wanted(None) == frozenset()
    assert wanted(True) == ALL
    assert wanted("git") == {"git"}
    monkeypatch.setenv("RUNFOLIO_CAPTURE", "")
    assert wanted() == ALL
    monkeypatch.setenv("RUNFOLIO_CAPTURE", "-gpu,-packages")
    assert wanted() == ALL - {"gpu", "packages"}


@pytest.mark.parametrize("setting", ["gti", "-gti", ["git", "gti"], [3], 3, b"git"])
def test_an_unknown_field_is_told(setting: object) -> None:
    """A name that is no field is an error that lists the fields."""
    with pytest.raises(UsageError) as told:
        wanted(setting)
    assert all(field in str(told.value) for field in FIELDS)


def test_slow_fields_are_fields() -> None:
    """What the companion looks for can be switched like all else."""
    assert ALL.issuperset(SLOW)


def test_every_field_is_documented(request: pytest.FixtureRequest) -> None:
    """docs/captured.md has a row for each field (A40)."""
    text = Path(request.config.rootpath / "docs" / "captured.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| `")]
    assert set(rows) >= {f"`{field}`" for field in FIELDS}
