"""The lab's ExperimentTracker: `runfolio.dialects.lab.tracking.experiment_tracker` and `python -m runfolio.dialects.lab.compare_experiments`."""
