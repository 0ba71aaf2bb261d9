"""What is captured of the installed packages."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

import pytest

from runfolio.sdk.capture.packages import capture_packages


def test_like_importlib() -> None:
    """For this environment it tells the versions that importlib.metadata tells by reading all the metadata."""
    found = capture_packages()
    names = {
        name.lower().replace("_", "-").replace(".", "-") for item in metadata.distributions() if (name := item.name)
    }
    assert names
    assert {name: metadata.version(name) for name in names} == found


def test_forms_of_metadata(tmp_path: Path) -> None:
    """Wheels and eggs are read in each of their forms; what is none, or has no sensible name, is passed over."""
    for name in (
        "Foo_Bar.baz-1.0+cu121.dist-info",
        "old-2.0-py3.11.egg-info",
        "~ip-1.0.dist-info",
        "no_version.dist-info",
    ):
        (tmp_path / name).mkdir()
    (tmp_path / "old-2.0-py3.11.egg-info" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: old\nVersion: 2.0\n")
    (tmp_path / "dev.egg-info").mkdir()
    (tmp_path / "dev.egg-info" / "PKG-INFO").write_text("Name: dev\nVersion: 3.0.dev1\n\nVersion: 9\n")
    (tmp_path / "flat.egg-info").write_text("Name: flat\nVersion: 4\n")
    (tmp_path / "empty.egg-info").mkdir()
    os.mkfifo(tmp_path / "fifo.egg-info")
    (tmp_path / "$(touch x);-1.dist-info").mkdir()
    found = capture_packages([str(tmp_path)])
    assert found == {"dev": "3.0.dev1", "flat": "4", "foo-bar-baz": "1.0+cu121", "old": "2.0"}


def test_the_first_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an import, the first folder on the script's path that has a package is the one that counts."""
    for folder, version in (("a", "1"), ("b", "2")):
        (tmp_path / folder / f"foo-{version}.dist-info").mkdir(parents=True)
    path = [str(tmp_path / "missing"), str(tmp_path / "b"), str(tmp_path / "a"), str(tmp_path / "a.zip")]
    monkeypatch.setenv("RUNFOLIO_CAPTURE_PATH", os.pathsep.join(path))
    assert capture_packages() == {"foo": "2"}
