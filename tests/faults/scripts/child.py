"""What the scripts under test share: values that tell who made them, and acknowledgements to a pipe that the parent owns."""

from __future__ import annotations

import os
import struct

ACK = struct.Struct("<BBI")
FD = int(os.environ.get("ACK_FD", "-1"))
KEPT, SYNCED = 1, 2  # L1: log() has returned; L2: a flush() that came after it has said True


def value(writer: int, seq: int) -> float:
    """Give the value of one point: no other point has it."""
    return ((seq + 1) * 2654435761 + writer * 97) % (1 << 52) / 8192.0


def ack(level: int, writer: int, seq: int) -> None:
    """Tell the parent that this point, and all of this writer before it, is safe."""
    if FD >= 0:
        os.write(FD, ACK.pack(level, writer, seq))
