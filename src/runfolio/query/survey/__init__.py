"""What many runs have in common and where they differ, from the columns of the index alone."""
