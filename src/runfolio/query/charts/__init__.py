"""Curves of many runs for a screen: read a few at a time, on one axis, in buckets that keep peaks, with bands over all of them."""
