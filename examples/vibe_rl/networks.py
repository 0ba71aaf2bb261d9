"""A small network with its derivative written out, and the optimiser that turns gradients into steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Array = np.ndarray


class Mlp:
    """Fully connected layers with tanh between them.

    Shape: B samples, I inputs, O outputs. `forward`: (B, I) to (B, O); `backward`: (B, O) to one gradient for each of `params`.
    """

    def __init__(self, sizes: Sequence[int], rng: np.random.Generator, last_scale: float = 1.0) -> None:
        self.params: list[Array] = []
        for place, (inputs, outputs) in enumerate(pairwise(sizes)):
            scale = last_scale if place == len(sizes) - 2 else 1.0
            self.params.append((rng.standard_normal((inputs, outputs)) * scale / np.sqrt(inputs)).astype(np.float32))
            self.params.append(np.zeros(outputs, np.float32))

    def forward(self, x: Array) -> tuple[Array, list[Array]]:
        """Give the outputs, and what `backward` needs: the inputs of each layer."""
        layers = len(self.params) // 2
        inputs: list[Array] = []
        for layer in range(layers):
            inputs.append(x)
            x = x @ self.params[2 * layer] + self.params[2 * layer + 1]
            if layer < layers - 1:
                x = np.tanh(x)
        return x, inputs

    def __call__(self, x: Array) -> Array:
        return self.forward(x)[0]

    def backward(self, inputs: list[Array], slope: Array) -> list[Array]:
        """Give the gradient of a loss whose slope at the outputs is known."""
        gradients: list[Array] = []
        for layer in reversed(range(len(inputs))):
            gradients += [slope.sum(axis=0), inputs[layer].T @ slope]
            if layer:
                slope = (slope @ self.params[2 * layer].T) * (1 - inputs[layer] ** 2)
        return gradients[::-1]

    def copy(self) -> Mlp:
        """Give a network of its own with the same params."""
        twin = object.__new__(Mlp)
        twin.params = [param.copy() for param in self.params]
        return twin

    def move_to(self, other: Mlp, share: float) -> None:
        """Move this share of the way to another network; 1 copies it."""
        for mine, theirs in zip(self.params, other.params, strict=True):
            mine += share * (theirs - mine)


class Adam:
    """Adam with its gradients clipped to a norm. Source: Kingma and Ba, 2014."""

    def __init__(self, network: Mlp, lr: float, norm_max: float = 10.0) -> None:
        self._network, self._lr, self._norm_max = network, lr, norm_max
        self._mean = [np.zeros_like(param) for param in network.params]
        self._square = [np.zeros_like(param) for param in network.params]
        self._count = 0

    def step(self, gradients: Sequence[Array]) -> None:
        """Change the network's params a little against the gradients."""
        norm = np.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
        clip = min(1.0, self._norm_max / (norm + 1e-8))
        self._count += 1
        lr = self._lr * np.sqrt(1 - 0.999**self._count) / (1 - 0.9**self._count)
        for param, gradient, mean, square in zip(
            self._network.params, gradients, self._mean, self._square, strict=True
        ):
            gradient = gradient * clip
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            param -= (lr * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)


def log_softmax(logits: Array) -> Array:
    """Give the logarithms of the probabilities. Shape: (B, A) to (B, A)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs
