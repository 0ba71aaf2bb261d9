"""Write values as strict JSON: NaN and the infinities as text, and where they stood under `nonfinite`."""

from __future__ import annotations

import re
from typing import Any

from runfolio.cli.render.screen import write
from runfolio.model.strict_json import dumps_view, view

_ODD = "[^\n -~]"


def strict(facts: dict[str, Any]) -> dict[str, Any]:
    """Make an object ready for strict JSON; its last field `nonfinite` has the paths of what is NaN or infinite."""
    ready, paths = view(facts)
    return {**ready, "nonfinite": paths}


def write_json(value: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Write one object, or a list of them with an object on each line."""
    if isinstance(value, dict):
        write(_quiet(dumps_view(strict(value), indent=2)))
    elif value:
        write("[\n" + ",\n".join(_quiet(dumps_view(strict(one))) for one in value) + "\n]")
    else:
        write("[]")


def _quiet(text: str) -> str:
    """Escape what a terminal might not show as it is, or obey: JSON may, and means the same."""
    return re.sub(_ODD, _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if char.isprintable():
        return char
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
