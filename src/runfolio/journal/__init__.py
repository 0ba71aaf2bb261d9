"""The hot path and its reading: frames, files, writer, keeper, scan, columns, follow."""
