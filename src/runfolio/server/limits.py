"""All limits of the server in one place. What goes beyond one is refused with 400, 413, 414, 429, 431 or 503, before any work."""

from __future__ import annotations

# ---------------------------------------------------------------- what comes in

TARGET_BYTES_MAX = 32 << 10
"""Of the path and the query together: 414. A page's address is at most 2 kB; a question for many columns is longer."""
HEAD_BYTES_MAX = 64 << 10
"""Of the request line and all headers together: 431."""
HEADERS_MAX = 100
"""431."""
PARAMETERS_MAX = 1000
"""Of a query: 400."""
TEXT_MAX = 16_384
"""Characters of a name or a filter, as the store takes them."""
BODY_BYTES_MAX = 1 << 20
"""Of a POST: 413. It is read as it comes; nothing in it is ever unpacked."""
DEPTH_MAX = 16
"""Levels of lists and objects in a body: 400."""

# ---------------------------------------------------------------- how long one may take

HEAD_TIMEOUT_S = 10.0
"""From the first byte of a request to the end of its headers: 408."""
BODY_TIMEOUT_S = 20.0
"""For the whole body: 408."""
WRITE_TIMEOUT_S = 60.0
"""A client that takes nothing of an answer for so long is let go."""
IDLE_TIMEOUT_S = 60
"""A connection without a request is closed."""
OPENING_WAIT_S = 2.0
"""A question to a store that is still being read waits so long, then it is told to come back: 503."""

# ---------------------------------------------------------------- how many at once

CONNECTIONS_MAX = 200
"""503 beyond; streams among them."""
STREAMS_MAX = 50
"""Event streams at once: 503 beyond. A browser keeps six connections to a host, so these are many windows."""
THREADS = 4
"""That ask stores. A store answers one question at a time, so more would only wait."""
WAITING_MAX = 100
"""Questions that wait for a thread: 503 beyond."""

# ---------------------------------------------------------------- what goes out

ROWS_MAX = 1000
"""Of a table in one answer."""
COLUMNS_MAX = 500
"""Of a table in one answer."""
COMPARED_MAX = 100
"""Runs side by side."""
RUNS_MAX = 1000
"""Runs that are named one by one."""
BUCKETS_MAX = 10_000
"""Of a curve."""
CURVES_MAX = 5000
"""In one frame."""
POINTS_MAX = 20_000_000
"""That one question reads."""
NUMBERS_MAX = 2_000_000
"""That one answer gives."""
CHARTS_MAX = 16
"""Metrics whose curves are asked for at once."""
POINTS_TOGETHER_MAX = 2_000_000
"""That are read for several metrics at once: no more than makes a reader wait a moment, as the first is shown with the last."""
GZIP_LEAST_BYTES = 1000

# ---------------------------------------------------------------- output, edits, the live stream

OUTPUT_BYTES_MAX = 1 << 20
"""Of an output in one answer."""
SEARCHED_MAX = 200
"""Characters of what an output is searched for."""
MATCHES_MAX = 1000
"""Lines in one answer."""
EDITED_MAX = 10_000
"""Runs in one edit."""
NOTES_MAX = 200_000
"""Characters of the notes of a run."""
TAGS_MAX = 100
"""In one edit."""
LIVE_METRICS_MAX = 100
"""Whose last points one stream tells."""
LIVE_OUTPUTS_MAX = 8
"""Of which one stream tells that they have grown."""
