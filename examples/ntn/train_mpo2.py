"""Train MPO2 with five seeds: see README.md."""

from __future__ import annotations

from training import main

if __name__ == "__main__":
    main("mpo2")
