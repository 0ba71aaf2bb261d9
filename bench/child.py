"""Run one function in this fresh process: `child.py MODULE FUNCTION OPTIONS RESULT`, options and result as JSON."""

from __future__ import annotations

import importlib
import json
import os
import sys


def main() -> None:
    """Import the function, call it with the options, write what it returned."""
    module, function, options, result = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    seen = getattr(importlib.import_module(module), function)(**json.loads(options))
    with open(result, "w") as file:
        json.dump(seen, file)


if __name__ == "__main__":
    main()
