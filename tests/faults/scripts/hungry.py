"""Log at the limit of the address space, where large allocations fail; print calls, lost points and MemoryErrors of its own."""

from __future__ import annotations

import resource

from child import value

import runfolio

run = runfolio.start(capture=False)
run.log({"m0": value(0, 0)}, step=0)
with open("/proc/self/statm", encoding="ascii") as file:
    pages = int(file.read().split()[0])
limit = pages * resource.getpagesize() + (1 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
own = 0
for seq in range(1, 60_000):
    try:
        if seq % 100 == 0:
            bytearray(256 << 20)  # more than an arena that a thread had for a moment leaves free
    except MemoryError:
        own += 1
    run.log({"m0": value(0, seq)}, step=seq)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
run.finish()
print(60_000, run.lost_points, own)
