"""Nouns, no I/O: ids, names, numbers, params, events, fold, clock."""
