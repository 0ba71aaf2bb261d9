"""Importers: what another tracker wrote, read as foreign runs. One format per file, each with `find(path)`."""
