"""A run with artifacts and output, and secrets around the store that no answer may ever hold."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from query.runs import end_run, make_run
from runfolio.store.layout import Layout
from server.filling import store_path
from server.serving import Heard

STORE = "/api/v1/stores/store"
CONTENT = b"own bytes of the artifact, as long as a secret\n"
SECRET = b"CANARY-5d0f0f0a-not for anybody who only asks..\n"[: len(CONTENT)].ljust(len(CONTENT), b"!")
OUTPUT = b"one\ntwo\nthree\n"


class Target(NamedTuple):
    """A run of the test's own store."""

    id: str
    folder: Path

    @property
    def digest(self) -> str:
        return sha256(CONTENT).hexdigest()

    @property
    def stored(self) -> Path:
        """Where the bytes of the artifact `own.txt` lie."""
        return self.folder / "artifacts" / self.digest

    def artifact(self, name: str = "own.txt", *, raw: bool = False, more: str = "") -> str:
        """Give the address of an artifact; a raw name goes out as it is."""
        return f"{STORE}/runs/{self.id}/artifact?name={name if raw else quote(name, safe='')}{more}"


def make_target(artifacts: dict[str, bytes] | None = None) -> Target:
    """Make a run with the artifact `own.txt` and others, with output, and secrets beside, above and at home."""
    layout = Layout(str(store_path()))
    layout.create()
    run_id, writer = make_run(layout, "target")
    folder = Path(layout.artifacts(run_id))
    folder.mkdir(parents=True)
    for name, content in {"own.txt": CONTENT, **(artifacts or {})}.items():
        digest = sha256(content).hexdigest()
        (folder / digest).write_bytes(content)
        writer.event(told(name, digest, len(content)))
    end_run(writer)
    target = Target(run_id, Path(layout.run(run_id)))
    (target.folder / "output.log").write_bytes(OUTPUT)
    _plant(target, layout)
    return target


def told(name: str, digest: str, size_bytes: int) -> dict[str, object]:
    """Write the event of an artifact."""
    return {"type": "artifact", "name": name, "sha256": digest, "size_bytes": size_bytes, "step": None, "media": None}


def _plant(target: Target, layout: Layout) -> None:
    """Put secrets where an attack would look for them."""
    above = Path(layout.root).parent
    for place in (
        above / "secret",
        above / "passwd",
        above / "pyproject.toml",
        above / "store-evil" / "c",
        Path(os.environ["HOME"]) / ".ssh" / "id_rsa",
        Path(layout.root) / "secret",
        Path(layout.runs) / "secret",
        target.folder / "secret",
        target.folder / "artifacts-evil" / "c",
        target.folder / "artifacts" / "secret",
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(SECRET)


def is_safe(heard: Heard) -> bool:
    """Say whether an answer holds none of the secrets, of this machine's files, or of its paths."""
    parts = (SECRET[:20], b"root:", b"CANARY", os.fsencode(store_path().parent), b"Traceback")
    return not any(part in heard.body for part in parts)
