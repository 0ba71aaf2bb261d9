"""Two tensor networks for regression: polynomials of the inputs whose coefficients are a chain of small tensors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from ntn import NTN


class MPO2(NTN):
    """A chain of L tensors, each contracted with the whole input: a polynomial of degree L.

    Shape: node k (D, P, D), with D = 1 at both ends.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, bond_dim: int, length: int, rng: np.random.Generator) -> None:
        super().__init__(chain(length, bond_dim, x.shape[1], rng), x, y)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return contracted([np.einsum("np,lpr->nlr", x, node) for node in self.nodes])

    def jacobian(self, number: int) -> np.ndarray:
        left, right = around([np.einsum("np,lpr->nlr", self.x, node) for node in self.nodes], number)
        return np.einsum("nl,np,nr->nlpr", left, self.x, right).reshape(len(self.x), -1)


class LMPO2(NTN):
    """The same, with a linear layer before each tensor that brings the P inputs down to a few.

    Shape: node 2k (P, R), the layer; node 2k + 1 (D, R, D), the tensor.
    """

    def __init__(
        self, x: np.ndarray, y: np.ndarray, bond_dim: int, length: int, rng: np.random.Generator, reduced: int = 4
    ) -> None:
        tensors = chain(length, bond_dim, reduced, rng)
        layers = [rng.normal(0.0, x.shape[1] ** -0.5, (x.shape[1], reduced)) for _ in tensors]
        super().__init__([node for pair in zip(layers, tensors, strict=True) for node in pair], x, y)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return contracted(self._sites(x))

    def jacobian(self, number: int) -> np.ndarray:
        site, is_tensor = divmod(number, 2)
        left, right = around(self._sites(self.x), site)
        if is_tensor:
            found = np.einsum("nl,ns,nr->nlsr", left, self.x @ self.nodes[number - 1], right)
        else:
            found = np.einsum("np,nl,lsr,nr->nps", self.x, left, self.nodes[number + 1], right, optimize=True)
        return found.reshape(len(self.x), -1)

    def _sites(self, x: np.ndarray) -> list[np.ndarray]:
        pairs = zip(self.nodes[::2], self.nodes[1::2], strict=True)
        return [np.einsum("ns,lsr->nlr", x @ layer, tensor) for layer, tensor in pairs]


MODELS = {"mpo2": MPO2, "lmpo2": LMPO2}


def chain(length: int, bond_dim: int, inputs: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw the tensors of a chain so that its output begins at the size of one."""
    bonds = [1, *[bond_dim] * (length - 1), 1]
    return [rng.normal(0.0, (inputs * left) ** -0.5, (left, inputs, right)) for left, right in pairwise(bonds)]


def contracted(sites: list[np.ndarray]) -> np.ndarray:
    """Multiply the matrices of a chain. Shape: each (N, D, D); gives (N,)."""
    left = np.ones((len(sites[0]), 1))
    for site in sites:
        left = np.einsum("nl,nlr->nr", left, site)
    return left[:, 0]


def around(sites: list[np.ndarray], number: int) -> tuple[np.ndarray, np.ndarray]:
    """Multiply what stands to the left and to the right of one site. Shape: each (N, D)."""
    left = right = np.ones((len(sites[0]), 1))
    for site in sites[:number]:
        left = np.einsum("nl,nlr->nr", left, site)
    for site in reversed(sites[number + 1 :]):
        right = np.einsum("nlr,nr->nl", site, right)
    return left, right
