"""Dialects: the call forms of five other trackers over our own runs. Each translates, and keeps nothing of its own."""
