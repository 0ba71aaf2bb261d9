"""The configuration of a run as a file.

Source: vibe-rl, "Metrics & Logging", Integration with training runners.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from runfolio.convert.strict import dumps
from runfolio.dialects.vibe_rl.values import readable
from runfolio.errors import InvalidValue
from runfolio.model.ids import new_id


def readable_config(config: object) -> dict[str, Any]:
    """Give a configuration, a dict or dataclass, as nested plain values.

    Raises:
        InvalidValue: it is neither.
    """
    plain = readable(config)
    if not isinstance(plain, dict):
        raise InvalidValue(f"a config is a dict or a dataclass, not {type(config).__name__}: {config!r:.60}")
    return plain


def write_config(path: Path, config: dict[str, Any]) -> None:
    """Write it as strict JSON, whole or not at all. A user who saves a configuration means the file to hold this one."""
    draft = path.with_name(f"{path.name}.{new_id()[:8]}.tmp")
    try:
        draft.write_text(dumps(config, indent=2) + "\n", encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
