"""Remember, beside the run, who it is in another tracker and how much of it is there already.

A file `sinks/<kind>-<hash of the target>.json` in the run's folder. It is a cache: without it, the next attempt is a new run over there.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any


class Memory:
    """What is known of one run in one place.

    Contract: for one process at a time. Each `set` is on disk, whole, when it returns; a file that cannot be read is
    as none, one that cannot be written is told by the OSError.
    """

    def __init__(self, folder: str, kind: str, target: str) -> None:
        digest = hashlib.sha256(target.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        self.path = os.path.join(folder, "sinks", f"{kind}-{digest}.json")

    def get(self, key: str) -> Any:
        """Return what was set, or None."""
        return self._read().get(key)

    def set(self, **facts: Any) -> None:
        """Keep these facts beside the others."""
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        draft = f"{self.path}.{os.getpid()}.tmp"
        with open(draft, "w", encoding="utf-8") as file:
            json.dump({**self._read(), **facts}, file)
        os.replace(draft, self.path)

    def _read(self) -> dict[str, Any]:
        try:
            with open(self.path, encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
