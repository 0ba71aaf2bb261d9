"""Write values as strict JSON: NaN and the infinities as text, and where they stood under `nonfinite`."""

from __future__ import annotations

from typing import Any

from runfolio.cli.render.screen import write
from runfolio.model.strict_json import dumps_view, view


def strict(facts: dict[str, Any]) -> dict[str, Any]:
    """Make an object ready for strict JSON; its last field `nonfinite` has the paths of what is NaN or infinite."""
    ready, paths = view(facts)
    return {**ready, "nonfinite": paths}


def write_json(value: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Write one object, or a list of them with an object on each line."""
    if isinstance(value, dict):
        write(dumps_view(strict(value), indent=2))
    elif value:
        write("[\n" + ",\n".join(dumps_view(strict(one)) for one in value) + "\n]")
    else:
        write("[]")
