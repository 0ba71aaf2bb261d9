"""Capture which GPUs the machine has: NVIDIA's, from the driver's files and from `nvidia-smi` where there is one.

Source: `/proc/driver/nvidia/gpus/<bus>/information` and `nvidia-smi --help-query-gpu`, driver 535.
"""

from __future__ import annotations

import os

from .output import find_program, read_output
from .redact import readable
from .repository import read_small

TIMEOUT_S = 5.0
GPUS_MAX = 256
_QUERY = ("pci.bus_id", "index", "name", "uuid", "memory.total", "driver_version")
_INFORMATION = {"Model": "name", "GPU UUID": "uuid", "Bus Location": "bus"}
Gpu = dict[str, object]


def capture_gpu(proc: str = "/proc") -> list[Gpu] | Gpu:
    """Return what is known of each GPU, in the order of the driver's numbers; it never raises."""
    try:
        gpus = _of_driver(os.path.join(proc, "driver", "nvidia"))
        for bus, facts in _of_smi().items():
            gpus[bus] = gpus.get(bus, {}) | facts
        return sorted(gpus.values(), key=lambda gpu: (str(gpu.get("index", "")).zfill(4), str(gpu.get("bus"))))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def _of_driver(folder: str) -> dict[str, Gpu]:
    """Read what the driver's files tell, by bus address."""
    gpus: dict[str, Gpu] = {}
    try:
        buses = sorted(os.listdir(os.path.join(folder, "gpus")))[:GPUS_MAX]
    except OSError:
        return gpus
    for bus in buses:
        text = readable(os.fsdecode(read_small(os.path.join(folder, "gpus", bus, "information"))))
        lines = (line.partition(":") for line in text.splitlines())
        facts: Gpu = {
            _INFORMATION[name.strip()]: value.strip() for name, _, value in lines if name.strip() in _INFORMATION
        }
        gpus[_short(bus)] = {"bus": _short(bus)} | facts | {"bus": _short(bus)}
    return gpus


def _of_smi() -> dict[str, Gpu]:
    """Ask `nvidia-smi`, by bus address; nothing where it is missing, hangs or fails."""
    program = find_program("nvidia-smi")
    if program is None:
        return {}
    command = (program, f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader,nounits")
    output = read_output(command, environment=os.environ, timeout_s=TIMEOUT_S, size_max=1 << 20)
    if output.failure:
        return {}
    lines = readable(os.fsdecode(output.text)).splitlines()[:GPUS_MAX]
    rows = [[value.strip() for value in line.split(",")] for line in lines]
    return {_short(row[0]): _of_row(row) for row in rows if len(row) == len(_QUERY)}


def _of_row(row: list[str]) -> Gpu:
    """Return what one line of `nvidia-smi` tells."""
    bus, index, name, uuid, memory_mib, driver = row
    gpu: Gpu = {"bus": _short(bus), "name": name, "uuid": uuid, "driver": driver}
    if index.isdigit():
        gpu["index"] = int(index)
    if memory_mib.isdigit():
        gpu["memory_bytes"] = int(memory_mib) << 20
    return gpu


def _short(bus: str) -> str:
    """Return a bus address as the kernel writes it: `00000000:3B:00.0` is `0000:3b:00.0`."""
    domain, colon, rest = bus.lower().partition(":")
    return f"{domain[-4:]}{colon}{rest}"
