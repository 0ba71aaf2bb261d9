"""What the yanex document promises about running, command by command."""

from __future__ import annotations

import subprocess
import sys

from launch.launching import only_run, output, past, run, state, write_script

TRAIN = """
import runfolio

epochs = runfolio.get_param("epochs", 10)
learning_rate = runfolio.get_param("learning_rate", 0.01)
batch_size = runfolio.get_param("batch_size", 32)
val_frequency = runfolio.get_param("val_frequency", 2)
print(f"Training model for {epochs} epochs (lr={learning_rate}, batch_size={batch_size})...")
print(f"Validation every {val_frequency} epoch(s)")
for epoch in range(1, epochs + 1):
    print(f"Epoch {epoch}/{epochs}:")
    runfolio.log_metrics({"train_loss": 2 / epoch, "train_accuracy": 1 - 1 / (epoch + 1)}, step=epoch)
    if epoch % val_frequency == 0:
        runfolio.log_metrics({"val_loss": 2.5 / epoch}, step=epoch)
runfolio.log_metrics({"final_train_accuracy": 0.92})
print("Training complete!")
"""


def test_S0_21_script_runs_as_a_tracked_run() -> None:
    """`runfolio run train_model.py` runs the script as a tracked run, with its own defaults."""
    ran = run(write_script(TRAIN, "train_model.py"))
    assert ran.code == 0
    assert state().status_declared == "finished"
    assert past().high() == 11  # ten epochs from 1, the summary behind them


def test_S0_22_typed_params_reach_the_script() -> None:
    """`-p epochs=3 -p learning_rate=0.005` behind the script are an int and a float in it."""
    ran = run(
        write_script(TRAIN, "train_model.py"), "-p", "epochs=3", "-p", "learning_rate=0.005", "-p", "val_frequency=3"
    )
    assert b"Training model for 3 epochs (lr=0.005, batch_size=32)...\n" in ran.out
    assert state().params == {"epochs": 3, "learning_rate": 0.005, "val_frequency": 3}
    assert past().high() == 4


def test_S0_23_name_of_the_run() -> None:
    """`--name "lr 0.001"` names the run."""
    run(write_script(TRAIN, "train_model.py"), "-p", "learning_rate=0.001", "--name", "lr 0.001")
    assert state().name == "lr 0.001"


def test_S0_24_whole_output_then_the_line() -> None:
    """The script's output is shown whole, then the line with the 8 characters of the id; the file has the output only."""
    ran = run(write_script(TRAIN, "train_model.py"))
    *shown, complete, line = ran.out.decode().splitlines()
    assert len(shown) == 12
    assert complete == "Training complete!"
    assert line == f"✓ Experiment completed successfully: {only_run()[:8]}"
    assert output().decode().splitlines() == [*shown, complete]


def test_S0_25_defaults_stand_where_nothing_is_told() -> None:
    """A param that nobody told has the script's default, and is not made up in the run."""
    ran = run(write_script(TRAIN, "train_model.py"), "-p", "epochs=2")
    assert b"Training model for 2 epochs (lr=0.01, batch_size=32)...\nValidation every 2 epoch(s)\n" in ran.out
    assert state().params == {"epochs": 2}


def test_S0_26_continued_lines_of_the_shell() -> None:
    """The document's multi-line command, with its backslashes, works in a shell."""
    write_script(TRAIN, "train_model.py")
    command = f"{sys.executable} -m runfolio run train_model.py \\\n  -p epochs=2 \\\n  -p learning_rate=0.005 \\\n  -p val_frequency=3\n"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert b"for 2 epochs (lr=0.005" in done.stdout
    assert state().params == {"epochs": 2, "learning_rate": 0.005, "val_frequency": 3}
