"""A tensor network that is trained node by node, and knows nothing of tracking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Scores = dict[str, float]
CallbackInit = Callable[[Scores, dict[str, Any]], None]
CallbackEpoch = Callable[[int, Scores, dict[str, Any]], None]

JITTER_START, JITTER_DECAY = 0.05, 0.9


class NTN:
    """A regressor whose output is linear in each of its nodes: a sweep solves one ridge regression after the other.

    Subclasses give `predict` and `jacobian`.

    Shape: x (N, P), with a column of ones for the lower orders; y (N,).
    """

    def __init__(self, nodes: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> None:
        self.nodes, self.x, self.y = nodes, x, y

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Contract the network with the inputs."""
        raise NotImplementedError

    def jacobian(self, number: int) -> np.ndarray:
        """Give the derivative of the predictions of the training data by one node. Shape: (N, size of the node)."""
        raise NotImplementedError

    def evaluate(self, x: np.ndarray | None = None, y: np.ndarray | None = None) -> Scores:
        """Give the mean squared error and R², by default on the training data."""
        x, y = (self.x, self.y) if x is None or y is None else (x, y)
        loss = float(np.mean((y - self.predict(x)) ** 2))
        return {"loss": loss, "r2": 1.0 - loss / float(np.var(y))}

    @property
    def weight_norm_sq(self) -> float:
        """The squared Frobenius norm of all nodes together."""
        return float(sum(np.sum(node**2) for node in self.nodes))

    def fit(
        self,
        n_epochs: int = 10,
        callback_init: CallbackInit | None = None,
        callback_epoch: CallbackEpoch | None = None,
        jitter_schedule: Sequence[float] | None = None,
        regularize: bool = True,
    ) -> Scores:
        """Sweep over the nodes, forth and back, once an epoch; keep the weights of the lowest regularized loss.

        Args:
            callback_init: called once, after the evaluation before training, with the scores and the settings.
            callback_epoch: called after each epoch, counted from 0, with the scores and how the epoch went.
            jitter_schedule: the weight of ‖w‖² in each epoch.
        """
        schedule = list(jitter_schedule) if jitter_schedule is not None else jitter_of(n_epochs)
        if len(schedule) != n_epochs:
            raise ValueError(f"the jitter schedule has {len(schedule)} values for {n_epochs} epochs; give one for each")
        scores = self.evaluate()
        if callback_init is not None:
            callback_init(scores, {"n_epochs": n_epochs, "jitter_schedule": schedule, "regularize": regularize})
        best_reg_loss, best = np.inf, self.nodes
        for epoch, jitter in enumerate(schedule if regularize else [0.0] * n_epochs):
            self._sweep(jitter)
            scores, norm = self.evaluate(), self.weight_norm_sq
            reg_loss = scores["loss"] + jitter * norm
            is_best = reg_loss < best_reg_loss
            if is_best:
                best_reg_loss, best = reg_loss, [node.copy() for node in self.nodes]
            if callback_epoch is not None:
                info = {"epoch": epoch, "jitter": jitter, "reg_loss": reg_loss, "weight_norm_sq": norm}
                callback_epoch(epoch, scores, {**info, "best_reg_loss": best_reg_loss, "is_best": is_best})
        self.nodes = best
        return self.evaluate()

    def _sweep(self, jitter: float) -> None:
        forth = list(range(len(self.nodes)))
        for number in forth + forth[-2::-1]:
            self._solve(number, jitter)

    def _solve(self, number: int, jitter: float) -> None:
        """Set one node to where the regularized loss is lowest, the others held."""
        jacobian, count = self.jacobian(number), len(self.y)
        curvature = jacobian.T @ jacobian / count + (jitter + 1e-10) * np.eye(jacobian.shape[1])
        solved = np.linalg.solve(curvature, jacobian.T @ self.y / count)
        self.nodes[number] = solved.reshape(self.nodes[number].shape)


def jitter_of(n_epochs: int) -> list[float]:
    """Let the jitter fall by a tenth each epoch: 0.05, 0.045, …"""
    return [round(JITTER_START * JITTER_DECAY**epoch, 12) for epoch in range(n_epochs)]
