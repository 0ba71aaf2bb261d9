"""Runs in other forms: views that the documents of other trackers describe, and importers of what those trackers wrote."""
