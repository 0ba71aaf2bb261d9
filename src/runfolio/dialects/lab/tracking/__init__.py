"""The tracker itself: `from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker`."""
