"""Runs in forms for other programs and people, one format per file."""
