"""A classifier for tables: a multilayer perceptron with dropout, in numpy, trained by Adam."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


class TabularClassifier:
    """Tells the probability of a click from the features of an impression.

    Shape: features (N, F) in, probabilities (N,) out.
    """

    def __init__(
        self, n_features: int, hidden_dims: Iterable[int], dropout: float = 0.0, seed: int = 0, **training: object
    ) -> None:
        """Make a network with random weights; `training` takes the params of a run that are not the model's."""
        self.dropout = dropout
        self._random = np.random.default_rng(seed)
        sizes = [n_features, *hidden_dims, 1]
        self.weights: dict[str, Array] = {}
        for layer, (into, out) in enumerate(pairwise(sizes)):
            self.weights[f"w{layer}"] = self._random.normal(0, np.sqrt(2 / into), (into, out))
            self.weights[f"b{layer}"] = np.zeros(out)
        self._layers = len(sizes) - 1
        self._moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in self.weights.items()}
        self._updates = 0

    def predict(self, features: Array) -> Array:
        """Give the probability of a click for each row."""
        return self._forward(features, training=False)[0]

    def fit_batch(self, features: Array, clicks: Array, learning_rate: float, weight_decay: float) -> float:
        """Take one step; return the loss before it."""
        chances, hidden, masks = self._forward(features, training=True)
        gradient = ((chances - clicks) / len(clicks))[:, None]
        gradients: dict[str, Array] = {}
        for layer in reversed(range(self._layers)):
            gradients[f"w{layer}"] = hidden[layer].T @ gradient + weight_decay * self.weights[f"w{layer}"]
            gradients[f"b{layer}"] = gradient.sum(0)
            if layer:
                gradient = (gradient @ self.weights[f"w{layer}"].T) * masks[layer - 1]
        self._adam(gradients, learning_rate)
        return log_loss(clicks, chances)

    def state_dict(self) -> dict[str, Array]:
        """Give the weights by name, as copies."""
        return {name: value.copy() for name, value in self.weights.items()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take other weights of the same shapes."""
        for name, value in self.weights.items():
            value[...] = state[name]

    def _forward(self, features: Array, training: bool) -> tuple[Array, list[Array], list[Array]]:
        hidden, masks = [features], []
        for layer in range(self._layers - 1):
            before = hidden[-1] @ self.weights[f"w{layer}"] + self.weights[f"b{layer}"]
            mask = (before > 0).astype(float)
            if training and self.dropout:
                mask *= (self._random.random(before.shape) >= self.dropout) / (1 - self.dropout)
            masks.append(mask)
            hidden.append(before * mask)
        last = self._layers - 1
        scores = (hidden[-1] @ self.weights[f"w{last}"] + self.weights[f"b{last}"])[:, 0]
        return 1 / (1 + np.exp(-np.clip(scores, -30, 30))), hidden, masks

    def _adam(self, gradients: Mapping[str, Array], learning_rate: float) -> None:
        self._updates += 1
        for name, gradient in gradients.items():
            first, second = self._moments[name]
            first[...] = 0.9 * first + 0.1 * gradient
            second[...] = 0.999 * second + 0.001 * gradient**2
            mean, spread = first / (1 - 0.9**self._updates), second / (1 - 0.999**self._updates)
            self.weights[name] -= learning_rate * mean / (np.sqrt(spread) + 1e-8)


def log_loss(clicks: Array, chances: Array) -> float:
    """Give the mean negative log likelihood."""
    safe = np.clip(chances, 1e-12, 1 - 1e-12)
    return float(-np.mean(clicks * np.log(safe) + (1 - clicks) * np.log(1 - safe)))


def auc(clicks: Array, chances: Array) -> float:
    """Give the area under the ROC curve: how often a click is ranked above none; ties count half."""
    _, place, counts = np.unique(chances, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positive = clicks == 1
    n_positive, n_negative = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))
