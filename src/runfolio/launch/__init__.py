"""Scripts as runs: the child process, its output, its exit."""
