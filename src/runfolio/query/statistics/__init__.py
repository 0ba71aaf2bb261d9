"""Statistics over arrays of numbers: no store, no run. The formulas and where they come from: docs/guide/statistics.md."""
