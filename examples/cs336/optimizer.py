"""AdamW, the clipping of gradients, and a learning rate that warms up and then falls as a cosine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray[Any, Any]]


class AdamW:
    """Adam with decay of the weights beside the gradient's step."""

    def __init__(self, params: Arrays, beta1: float, beta2: float, eps: float, weight_decay: float) -> None:
        self.params = params
        self.betas, self.eps, self.weight_decay = (beta1, beta2), eps, weight_decay
        self._means = {name: np.zeros_like(value) for name, value in params.items()}
        self._squares = {name: np.zeros_like(value) for name, value in params.items()}
        self._count = 0

    def step(self, grads: Arrays, lr: float) -> None:
        """Move all params against their gradients."""
        self._count += 1
        beta1, beta2 = self.betas
        rate = lr * math.sqrt(1 - beta2**self._count) / (1 - beta1**self._count)
        for name, value in self.params.items():
            mean, square, grad = self._means[name], self._squares[name], grads[name]
            mean += (1 - beta1) * (grad - mean)
            square += (1 - beta2) * (grad * grad - square)
            value -= rate * mean / (np.sqrt(square) + self.eps)
            if value.ndim > 1:  # gains are not pulled to 0
                value -= lr * self.weight_decay * value


def clip_gradients(grads: Arrays, norm_max: float) -> float:
    """Scale all gradients so that their common norm is at most `norm_max`; give the norm that they had."""
    norm = math.sqrt(sum(float((grad * grad).sum()) for grad in grads.values()))
    if norm > norm_max:
        for grad in grads.values():
            grad *= norm_max / norm
    return norm


def cosine_lr(iteration: int, lr_max: float, lr_min: float, warmup_iters: int, max_iters: int) -> float:
    """Rise to `lr_max` over the warmup, then fall to `lr_min` as half a cosine."""
    if iteration < warmup_iters:
        return lr_max * (iteration + 1) / warmup_iters
    part = min(1.0, (iteration - warmup_iters) / max(1, max_iters - warmup_iters))
    return lr_min + (lr_max - lr_min) * (1 + math.cos(math.pi * part)) / 2
