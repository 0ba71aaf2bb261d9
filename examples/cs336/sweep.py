"""Sweep the learning rate and the batch size, then compare all experiments of the folder.

python examples/cs336/sweep.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from training_together import SHORT, parse, train

from runfolio.dialects.cs336.experiment_analysis import ExperimentAnalyzer

ITERS = [] if SHORT else ["--max_iters", "150", "--warmup_iters", "15"]


def main() -> None:
    words = [*ITERS, *sys.argv[1:]]
    for lr in [1e-3, 3e-3, 1e-2, 3e-2]:
        name = f"lr_{lr:.0e}"
        train(parse(["--wandb_run_name", name, "--max_learning_rate", str(lr), "--notes", "learning rate", *words]))
    for bs in [4, 8, 16]:
        train(parse(["--wandb_run_name", f"batch_{bs}", "--batch_size", str(bs), "--notes", "batch size", *words]))
    compare(parse(words).log_dir)


def compare(log_dir: str) -> None:
    """Print what the analyzer makes of a folder, and write the best experiment as CSV."""
    analyzer = ExperimentAnalyzer(log_dir)
    analyzer.load_all()
    print(analyzer.get_comparison_table())
    best = analyzer.get_best_experiment("val_loss")
    if best is None:
        return
    best_name, best_loss = best
    print(f"Best: {best_name} ({best_loss:.6f})")
    iterations, train_losses, val_losses = analyzer.get_loss_trajectories(best_name)
    for iteration, train_loss, val_loss in zip(iterations, train_losses, val_losses, strict=True):
        if val_loss is not None:
            print(f"  iteration {iteration}: train {train_loss:.4f}, val {val_loss:.4f}")
    analyzer.export_csv(best_name, Path(log_dir) / "results.csv")


if __name__ == "__main__":
    main()
