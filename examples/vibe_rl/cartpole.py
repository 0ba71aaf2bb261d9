"""CartPole, played: one endless sequence of episodes, a memory of what happened, and what a policy is worth."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import gymnasium
import numpy as np

Array = np.ndarray

ENVIRONMENT = "CartPole-v1"
OBSERVATIONS, ACTIONS = 4, 2
SCALE = np.array([2.4, 2.0, 0.2, 2.0], np.float32)  # about how far each observation goes


class Episodes:
    """Episodes one after another. `observation` is what the policy sees now."""

    def __init__(self, seed: int) -> None:
        self._environment = gymnasium.make(ENVIRONMENT)
        self.observation = self._begin(seed)
        self.returns: deque[float] = deque(maxlen=20)
        """What the latest episodes brought."""
        self._return = 0.0

    def _begin(self, seed: int | None = None) -> Array:
        return np.asarray(self._environment.reset(seed=seed)[0], np.float32) / SCALE

    def step(self, action: int) -> tuple[Array, float, bool, bool]:
        """Act; give the next observation, the reward, whether the pole fell, and whether another episode has begun."""
        seen, reward, fell, timeout, _ = self._environment.step(action)
        following = np.asarray(seen, np.float32) / SCALE
        self._return += float(reward)
        self.observation = following
        if fell or timeout:
            self.returns.append(self._return)
            self._return = 0.0
            self.observation = self._begin()
        return following, float(reward), fell, fell or timeout

    @property
    def mean_return(self) -> float:
        """The mean of the latest episodes; NaN before the first has ended."""
        return float(np.mean(self.returns)) if self.returns else float("nan")


class Memory:
    """The latest steps, to learn from in any order."""

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self._rng = rng
        self._before = np.zeros((size, OBSERVATIONS), np.float32)
        self._after = np.zeros((size, OBSERVATIONS), np.float32)
        self._actions = np.zeros(size, np.int64)
        self._rewards = np.zeros(size, np.float32)
        self._fell = np.zeros(size, np.float32)
        self._count = 0

    def add(self, before: Array, action: int, reward: float, after: Array, fell: bool) -> None:
        at = self._count % len(self._actions)
        self._before[at], self._after[at] = before, after
        self._actions[at], self._rewards[at], self._fell[at] = action, reward, fell
        self._count += 1

    def sample(self, size: int) -> tuple[Array, Array, Array, Array, Array]:
        """Give so many steps: before, action, reward, after, fell."""
        at = self._rng.integers(0, min(self._count, len(self._actions)), size)
        return self._before[at], self._actions[at], self._rewards[at], self._after[at], self._fell[at]


def worth(act: Callable[[Array], int], episodes: int = 10, seed: int = 10_000) -> float:
    """Play whole episodes by a policy; give their mean return. The most there is is 500."""
    environment = gymnasium.make(ENVIRONMENT)
    total = 0.0
    for episode in range(episodes):
        seen, ended = environment.reset(seed=seed + episode)[0], False
        while not ended:
            seen, reward, fell, timeout, _ = environment.step(act(np.asarray(seen, np.float32) / SCALE))
            total += float(reward)
            ended = fell or timeout
    environment.close()
    return total / episodes
