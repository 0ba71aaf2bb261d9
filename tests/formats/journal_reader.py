"""Read a runfolio journal, by docs/formats/journal.md alone: rows(path) yields each point and event, in order."""

import json
import os
from struct import unpack_from
from zlib import crc32


def frames(data, seed, sets, at=32):
    while at + 16 <= len(data):
        crc, tag = unpack_from("<IH", data, at)
        size = 16 + 8 * len(sets[tag][3]) if tag in sets else 0
        if tag > 0xFF00 and at + 24 <= len(data):
            size = 24 + (unpack_from("<I", data, at + 8)[0] + 7) // 8 * 8
        frame = data[at : at + size]
        if len(frame) < max(size, 16) or crc32(frame[4:], seed ^ (at & 0xFFFFFFFF)) != crc:
            at += 8
            continue
        if tag == 0xFF02:
            id_, flags, n, step, time = unpack_from("<HHIqq", frame, 24)
            kinds = 48 + (8 * n if flags & 2 else 0)
            names = frame[kinds + n : 24 + unpack_from("<I", frame, 8)[0]].decode().split("\0")
            sets[id_] = (None if flags & 1 else step, time, frame[kinds : kinds + n].decode(), names)
            tag, frame = (id_, bytes(16) + frame[48:kinds]) if flags & 2 else (tag, frame)
        yield tag, frame
        at += size


def rows(path):
    data, sets = open(path, "rb").read(), {}
    sound = len(data) > 31 and unpack_from("<I", data, 12)[0] == crc32(data[16:32], crc32(data[:12]))
    seed = crc32(data[16:32] if sound else bytes.fromhex(os.path.basename(path)[:32]))
    list(frames(data, seed, sets))  # a declaration may stand behind its frames, after damage
    for tag, frame in frames(data, seed, sets):
        if tag in sets:
            (step, ticks), (base, time, kinds, names) = unpack_from("<iI", frame, 8), sets[tag]
            for point in zip(names, kinds, unpack_from(f"<{len(names)}d", frame, 16), strict=True):
                yield "point", time + 1024 * ticks, None if base is None else base + step, *point
        elif tag == 0xFF03:  # in JSON, what begins with $ is escaped: see the document
            yield "event", unpack_from("<q", frame, 16)[0], json.loads(frame[24 : 24 + unpack_from("<I", frame, 8)[0]])
