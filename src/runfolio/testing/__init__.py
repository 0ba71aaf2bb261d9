"""Contract kits, faulty files and a manual clock, for tests of runfolio and of what is built on it."""
