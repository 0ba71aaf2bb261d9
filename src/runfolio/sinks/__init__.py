"""Other trackers, fed live: one per file, each behind the protocol of `sink`."""
