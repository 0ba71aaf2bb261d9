"""A transformer language model in numpy: RMSNorm, rotary positions, causal attention, SwiGLU; forward and backward by hand.

Each layer gives its value and a function that goes back: from the gradient of the value to that of its input. On its way that function adds the
gradients of the layer's own weights to `grads`.

Shape: B sequences, T tokens, C = d_model, H heads, D = C / H, V = vocab_size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Back = Callable[[Array], Array]
EPS = 1e-5


class TransformerLM:
    """Predicts each next token of sequences."""

    def __init__(
        self,
        vocab_size: int,
        context_length: int,
        d_model: int,
        num_layers: int,
        num_heads: int,
        d_ff: int,
        rope_theta: float,
        seed: int,
        dtype: str = "float32",
    ) -> None:
        if d_model % (2 * num_heads):
            raise ValueError(f"d_model {d_model} must be a multiple of 2 × num_heads, {2 * num_heads}")
        self.num_layers, self.num_heads = num_layers, num_heads
        rng = np.random.default_rng(seed)

        def weights(rows: int, columns: int) -> Array:
            return rng.normal(0.0, (2 / (rows + columns)) ** 0.5, (rows, columns)).astype(dtype)

        self.params: dict[str, Array] = {"embed": weights(vocab_size, d_model)}
        for layer in range(num_layers):
            for name in ("q", "k", "v", "out"):
                self.params[f"{layer}.{name}"] = weights(d_model, d_model)
            self.params[f"{layer}.gate"] = weights(d_model, d_ff)
            self.params[f"{layer}.up"] = weights(d_model, d_ff)
            self.params[f"{layer}.down"] = weights(d_ff, d_model)
            for name in ("norm1", "norm2"):
                self.params[f"{layer}.{name}"] = np.ones(d_model, dtype)
        self.params["norm"] = np.ones(d_model, dtype)
        self.params["head"] = weights(d_model, vocab_size)
        self.grads: dict[str, Array] = {}
        half = d_model // num_heads // 2
        angles = np.arange(context_length)[:, None] / rope_theta ** (np.arange(half) / half)
        self._cos, self._sin = np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)

    # ---------------------------------------------------------------- the whole

    def logits(self, tokens: Array) -> tuple[Array, Callable[[Array], None]]:
        """Give the score of each next token, (B, T, V), and the way back to all weights."""
        backs: list[Back] = []
        x = self.params["embed"][tokens]
        for layer in range(self.num_layers):
            for part in (self._attention, self._feed_forward):
                change, back = part(x, f"{layer}.")
                x = x + change
                backs.append(back)
        normed, back_norm = self._rms_norm(x, "norm")
        scores, back_head = self._linear(normed, "head")

        def back_all(grad: Array) -> None:
            grad = back_norm(back_head(grad))
            for back in reversed(backs):
                grad = grad + back(grad)
            embed = np.zeros_like(self.params["embed"])
            np.add.at(embed, tokens, grad)
            self.grads["embed"] = embed

        return scores, back_all

    def loss(self, tokens: Array, targets: Array) -> float:
        """Give the mean cross entropy of the targets. Units: nats per token."""
        return self._cross_entropy(self.logits(tokens)[0], targets)[0]

    def loss_and_grads(self, tokens: Array, targets: Array) -> tuple[float, dict[str, Array]]:
        """Give the loss, and its gradient for each of `params`."""
        scores, back = self.logits(tokens)
        loss, grad = self._cross_entropy(scores, targets)
        back(grad)
        return loss, self.grads

    def _cross_entropy(self, scores: Array, targets: Array) -> tuple[float, Array]:
        shifted = scores - scores.max(-1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
        picked = np.take_along_axis(log_p, targets[..., None], -1)
        grad = np.exp(log_p)
        np.put_along_axis(grad, targets[..., None], np.exp(picked) - 1, -1)
        return float(-picked.mean()), grad / targets.size

    # ---------------------------------------------------------------- the parts

    def _attention(self, x: Array, at: str) -> tuple[Array, Back]:
        normed, back_norm = self._rms_norm(x, at + "norm1")
        (q, back_q), (k, back_k), (v, back_v) = (self._linear(normed, at + name) for name in "qkv")
        q, k, v = self._turned(self._split(q), 1), self._turned(self._split(k), 1), self._split(v)
        scale = q.shape[-1] ** -0.5
        scores = (q @ k.swapaxes(-1, -2)) * scale
        length = x.shape[1]
        scores[..., np.triu(np.ones((length, length), bool), 1)] = -np.inf
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        y, back_out = self._linear(self._joined(p @ v), at + "out")

        def back(grad: Array) -> Array:
            grad = self._split(back_out(grad))
            grad_v, grad_p = p.swapaxes(-1, -2) @ grad, grad @ v.swapaxes(-1, -2)
            grad_scores = p * (grad_p - (grad_p * p).sum(-1, keepdims=True)) * scale
            grad_q = self._turned(grad_scores @ k, -1)
            grad_k = self._turned(grad_scores.swapaxes(-1, -2) @ q, -1)
            joined = (self._joined(each) for each in (grad_q, grad_k, grad_v))
            return back_norm(sum(go(each) for go, each in zip((back_q, back_k, back_v), joined, strict=True)))

        return y, back

    def _feed_forward(self, x: Array, at: str) -> tuple[Array, Back]:
        normed, back_norm = self._rms_norm(x, at + "norm2")
        gate, back_gate = self._linear(normed, at + "gate")
        up, back_up = self._linear(normed, at + "up")
        sigmoid = 1 / (1 + np.exp(-gate))
        y, back_down = self._linear(gate * sigmoid * up, at + "down")

        def back(grad: Array) -> Array:
            grad = back_down(grad)
            grad_gate = grad * up * sigmoid * (1 + gate * (1 - sigmoid))
            return back_norm(back_gate(grad_gate) + back_up(grad * gate * sigmoid))

        return y, back

    def _linear(self, x: Array, name: str) -> tuple[Array, Back]:
        weight = self.params[name]

        def back(grad: Array) -> Array:
            self.grads[name] = x.reshape(-1, x.shape[-1]).T @ grad.reshape(-1, grad.shape[-1])
            return grad @ weight.T

        return x @ weight, back

    def _rms_norm(self, x: Array, name: str) -> tuple[Array, Back]:
        gain = self.params[name]
        scale = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + EPS)
        normed = x * scale

        def back(grad: Array) -> Array:
            self.grads[name] = (grad * normed).sum((0, 1))
            grad = grad * gain
            return scale * (grad - normed * (grad * normed).mean(-1, keepdims=True))

        return normed * gain, back

    def _turned(self, x: Array, direction: int) -> Array:
        """Turn pairs of channels by an angle that grows with the position; with -1 back again."""
        cos, sin = self._cos[: x.shape[-2]], direction * self._sin[: x.shape[-2]]
        even, odd = x[..., ::2], x[..., 1::2]
        turned = np.empty_like(x)
        turned[..., ::2], turned[..., 1::2] = even * cos - odd * sin, even * sin + odd * cos
        return turned

    def _split(self, x: Array) -> Array:
        """(B, T, C) to (B, H, T, D)."""
        return x.reshape(*x.shape[:2], self.num_heads, -1).swapaxes(1, 2)

    def _joined(self, x: Array) -> Array:
        """(B, H, T, D) to (B, T, C)."""
        return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)
