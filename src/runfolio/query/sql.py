"""Answer SQL over the runs of a store."""
