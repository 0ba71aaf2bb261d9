"""Views: a run rendered as another tracker's files. One format per file, each with `render(snapshot, path, options)`."""
