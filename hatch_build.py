"""Put the app into the wheel and the source package.

What is built is packed. Else it is built, where Node.js is to be had. Else the package is made without it: its server then
answers with a plain page that says so, and everything else works. The source package carries the built app, so that an
installation from it needs no Node.js.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def load_tool(root: Path) -> ModuleType:
    """Load `tools/ui.py`, which is no package."""
    spec = importlib.util.spec_from_file_location("runfolio_ui_tool", root / "tools" / "ui.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class AppBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Build the app before it is packed; an editable installation takes what `make ui` makes."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build where needed and possible; never stop the installation for it."""
        root = Path(self.root)
        if version == "editable" or not (root / "tools" / "ui.py").exists():
            return
        ui = load_tool(root)
        if ui.is_built(root):
            return
        lack = ui.missing()
        if lack is None and ui.main("build", root) == 0:
            return
        print(
            f"runfolio: packed without its app ({lack or 'the build failed'}): `runfolio ui` will say so.",
            file=sys.stderr,
        )
