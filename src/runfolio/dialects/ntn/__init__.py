"""The NTN call form: `from runfolio.dialects.ntn.trackers import create_tracker`, then log as ever."""
