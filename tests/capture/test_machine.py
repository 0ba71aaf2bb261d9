"""What is captured of processor, memory and GPUs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runfolio.sdk.capture.gpu import capture_gpu
from runfolio.sdk.capture.machine import capture_cpu

INFORMATION = """Model: \t\t NVIDIA A100-SXM4-40GB
IRQ:   \t\t 33
GPU UUID: \t GPU-0c1d
Video BIOS: \t 92.00
Bus Location: \t 0000:{bus}:00.0
"""
ROW = "00000000:{bus}:00.0, {index}, NVIDIA A100-SXM4-40GB, GPU-0c1d, 40960, 535.104.05"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Return a stand-in for /proc with two GPUs."""
    for bus in ("3b", "af"):
        folder = tmp_path / "proc" / "driver" / "nvidia" / "gpus" / f"0000:{bus}:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(INFORMATION.format(bus=bus))
    return tmp_path / "proc"


def install_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put an `nvidia-smi` on the PATH."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def test_gpus_of_the_driver(proc: Path) -> None:
    """The driver's files tell model, id and place of each GPU."""
    gpus = capture_gpu(str(proc))
    assert isinstance(gpus, list)
    assert gpus[0] == {"bus": "0000:3b:00.0", "name": "NVIDIA A100-SXM4-40GB", "uuid": "GPU-0c1d"}
    assert [gpu["bus"] for gpu in gpus] == ["0000:3b:00.0", "0000:af:00.0"]


def test_gpus_of_nvidia_smi(proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nvidia-smi` adds memory, driver and the number by which CUDA knows a GPU, which gives the order."""
    rows = "\n".join(ROW.format(bus=bus, index=index) for index, bus in enumerate(("AF", "3B")))
    install_smi(tmp_path, monkeypatch, f"cat <<END\n{rows}\nEND")
    gpus = capture_gpu(str(proc))
    assert isinstance(gpus, list)
    assert [(gpu["index"], gpu["bus"]) for gpu in gpus] == [(0, "0000:af:00.0"), (1, "0000:3b:00.0")]
    assert gpus[0]["memory_bytes"] == 40960 << 20
    assert gpus[0]["driver"] == "535.104.05"


@pytest.mark.parametrize("script", ["exit 9", "echo rubbish", "echo", "echo N/A, N/A", "kill -9 $$"])
def test_nvidia_smi_that_fails(proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Where `nvidia-smi` fails or says something else, the driver's files are what is told."""
    install_smi(tmp_path, monkeypatch, script)
    gpus = capture_gpu(str(proc))
    assert isinstance(gpus, list)
    assert len(gpus) == 2


def test_no_gpu(tmp_path: Path) -> None:
    """A machine without GPUs has an empty list of them."""
    assert capture_gpu(str(tmp_path)) == []


def test_processor_and_memory(tmp_path: Path) -> None:
    """Model and memory come from the kernel's files, the counts as the script told them."""
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel\t\t: 79\nmodel name\t: Imaginary 9000\n\nprocessor\t: 1\n")
    (tmp_path / "meminfo").write_text("MemTotal:       16384 kB\nMemFree:  1 kB\n")
    facts = capture_cpu(str(tmp_path))
    assert facts == {
        "count": os.cpu_count(),
        "usable": len(os.sched_getaffinity(0)),
        "model": "Imaginary 9000",
        "memory_bytes": 16384 * 1024,
    }


def test_a_system_that_tells_little(tmp_path: Path) -> None:
    """Without the kernel's files the counts and the memory are told nevertheless."""
    facts = capture_cpu(str(tmp_path))
    assert "model" not in facts
    assert facts["count"] == os.cpu_count()
    assert facts["memory_bytes"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
