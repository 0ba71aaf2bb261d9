"""Other trackers beside runfolio and bare `write(2)`, interleaved in one run."""
