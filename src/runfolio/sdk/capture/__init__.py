"""What is recorded of a script's surroundings: cheap facts by the script itself, slow ones by a companion process."""

from __future__ import annotations

from .companion import spawn
from .fields import FIELDS, SLOW, wanted
from .inline import cheap

__all__ = ["FIELDS", "SLOW", "cheap", "spawn", "wanted"]
