"""vibe-rl's own words: `metrics` and `run_dir`, as its document describes them, over runfolio's store.

Source: vibe-rl, "Metrics & Logging" (February 2026).
"""
