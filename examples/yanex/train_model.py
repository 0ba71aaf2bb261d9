"""Train a small network on scikit-learn's handwritten digits, epoch by epoch, with a validation every few epochs.

runfolio run train_model.py -p epochs=15 -p learning_rate=0.005 -p val_frequency=3
python train_model.py                       # the same without the launcher, with the default params
EXAMPLE_SHORT=1 runfolio run train_model.py # on fewer images
"""

from __future__ import annotations

import os
import time
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from runfolio.dialects import yanex

IMAGES = 300 if os.environ.get("EXAMPLE_SHORT") else 1797


def evaluate(model: MLPClassifier, images: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return loss and accuracy of the model on these images."""
    guess = model.predict_proba(images)
    return log_loss(labels, guess, labels=range(10)), float((guess.argmax(axis=1) == labels).mean())


def main() -> None:
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    epochs = yanex.get_param("epochs", 10)
    learning_rate = yanex.get_param("learning_rate", 0.01)
    batch_size = yanex.get_param("batch_size", 32)
    val_frequency = yanex.get_param("val_frequency", 2)
    print(f"Training model for {epochs} epochs (lr={learning_rate}, batch_size={batch_size})...")
    print(f"Validation every {val_frequency} epoch(s)\n")

    images, labels = load_digits(return_X_y=True)
    x_train, x_val, y_train, y_val = train_test_split(
        images[:IMAGES] / 16, labels[:IMAGES], test_size=0.3, random_state=0
    )
    model = MLPClassifier(
        (32,), solver="sgd", learning_rate_init=learning_rate, batch_size=min(batch_size, len(x_train)), random_state=0
    )
    started, train_accuracy = time.monotonic(), 0.0
    for epoch in range(1, epochs + 1):
        model.partial_fit(x_train, y_train, classes=range(10))
        train_loss, train_accuracy = evaluate(model, x_train, y_train)
        print(f"Epoch {epoch}/{epochs}:\n  Train Loss: {train_loss:.4f}, Train Acc: {train_accuracy:.2%}")
        yanex.log_metrics(
            {"train_loss": train_loss, "train_accuracy": train_accuracy, "learning_rate": learning_rate}, step=epoch
        )
        if epoch % val_frequency == 0:
            val_loss, val_accuracy = evaluate(model, x_val, y_val)
            print(f"  Val Loss:   {val_loss:.4f}, Val Acc:   {val_accuracy:.2%}")
            yanex.log_metrics({"val_loss": val_loss, "val_accuracy": val_accuracy}, step=epoch)  # the same record
        print()

    # no step: the next one after the last epoch
    yanex.log_metrics({"final_train_accuracy": train_accuracy, "total_time": time.monotonic() - started})
    print(f"Training complete!\nFinal train accuracy: {train_accuracy:.2%}")


if __name__ == "__main__":
    main()
