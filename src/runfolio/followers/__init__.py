"""The process beside a script that keeps its views and feeds its sinks: `python -m runfolio.followers`."""
