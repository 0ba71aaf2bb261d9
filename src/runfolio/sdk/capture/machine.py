"""Capture which processor and how much memory the machine has."""

from __future__ import annotations

import os

from .inline import cheap
from .redact import readable
from .repository import open_regular

_MODEL_NAMES = ("model name", "cpu model", "hardware", "model")  # x86, MIPS, ARM boards; PowerPC and s390 say "cpu"
_READ_MAX = 65_536


def capture_cpu(proc: str = "/proc") -> dict[str, object]:
    """Return model, counts and memory, as far as the system tells them; it never raises."""
    try:
        counts = cheap(wanted=("cpu",)).get("cpu")
        facts: dict[str, object] = dict(counts) if isinstance(counts, dict) else {}
        if model := _model(os.path.join(proc, "cpuinfo")):
            facts["model"] = model
        if memory := _memory_bytes(os.path.join(proc, "meminfo")):
            facts["memory_bytes"] = memory
        return facts
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def _model(path: str) -> str | None:
    """Return the name of the processor's model."""
    lines = (line.partition(":") for line in _read(path).splitlines())
    facts = {name.strip().lower(): value.strip() for name, _, value in lines}
    named = (facts.get(name) for name in _MODEL_NAMES)
    return next((name for name in named if name and not name.isdigit()), None)


def _memory_bytes(path: str) -> int | None:
    """Return the size of the machine's memory."""
    for line in _read(path).splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal" and value.split()[1:] == ["kB"]:
            return int(value.split()[0]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _read(path: str) -> str:
    """Return the beginning of a file of the system's."""
    file = open_regular(path)
    if file is None:
        return ""
    with file:
        return readable(os.fsdecode(file.read(_READ_MAX)))
