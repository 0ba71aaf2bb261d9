"""The active run and its verbs."""
