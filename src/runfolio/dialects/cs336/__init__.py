"""cs336's ExperimentTracker and ExperimentAnalyzer: `cs336_basics.` becomes `runfolio.dialects.cs336.` in an import."""
