"""Deep Q-learning: learn what each action is worth, and take the best. Source: Mnih et al., 2015; van Hasselt et al., 2016."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cartpole import ACTIONS, OBSERVATIONS, Array, Episodes, Memory, worth
from networks import Adam, Mlp
from progress import writing

from runfolio.dialects.vibe_rl.run_dir import RunDir


@dataclass(frozen=True)
class DqnConfig:
    """What one training run is made of."""

    algo: str = "dqn"
    seed: int = 0
    total_steps: int = 50_000
    log_interval: int = 1000
    hidden: tuple[int, ...] = (64, 64)
    lr: float = 1e-3
    gamma: float = 0.99
    batch_size: int = 128
    memory_size: int = 20_000
    learning_starts: int = 1000
    train_every: int = 2
    target_every: int = 250
    epsilon_end: float = 0.04
    epsilon_share: float = 0.3  # of the steps, in which epsilon falls from 1

    @classmethod
    def short(cls) -> DqnConfig:
        """A run of a second or two, which learns little."""
        return cls(total_steps=1500, log_interval=250, learning_starts=200)


@dataclass
class DqnState:
    """What has been learned: the network that did best when it was tried."""

    q: Mlp
    mean_return: float

    def act(self, observation: Array) -> int:
        """Take the action that is worth most."""
        return int(self.q(observation[None]).argmax())


def train_dqn(config: DqnConfig, run_dir: RunDir | None = None) -> tuple[DqnState, dict[str, float]]:
    """Train; give the best network, and the metrics that were logged last."""
    rng = np.random.default_rng(config.seed)
    q = Mlp((OBSERVATIONS, *config.hidden, ACTIONS), rng)
    target, optimiser = q.copy(), Adam(q, config.lr)
    episodes, memory = Episodes(config.seed), Memory(config.memory_size, rng)
    best = DqnState(q.copy(), float("-inf"))
    metrics: dict[str, float] = {}
    losses, values = [0.0], [0.0]
    with writing(run_dir, config.total_steps) as write:
        for step in range(1, config.total_steps + 1):
            epsilon = _epsilon(config, step)
            before = episodes.observation
            action = int(rng.integers(ACTIONS)) if rng.random() < epsilon else int(q(before[None]).argmax())
            after, reward, fell, _ = episodes.step(action)
            memory.add(before, action, reward, after, fell)
            if step >= config.learning_starts and step % config.train_every == 0:
                loss, value = _learn(q, target, optimiser, memory, config)
                losses.append(loss)
                values.append(value)
            if step % config.target_every == 0:
                target.move_to(q, 1.0)
            if step % config.log_interval == 0:
                best = _better(best, q)
                metrics = {"loss": float(np.mean(losses)), "q_mean": float(np.mean(values)), "epsilon": epsilon}
                write(step, {**metrics, "episode_return": episodes.mean_return, "eval_return": best.mean_return})
                losses, values = [losses[-1]], [values[-1]]
    return best, metrics


def _epsilon(config: DqnConfig, step: int) -> float:
    """Give how often to act at random: less and less."""
    share = min(1.0, step / (config.epsilon_share * config.total_steps))
    return 1.0 + share * (config.epsilon_end - 1.0)


def _better(best: DqnState, q: Mlp) -> DqnState:
    """Try the network as it is; keep it where it does at least as well as the best so far."""
    tried = DqnState(q.copy(), 0.0)
    tried.mean_return = worth(tried.act, episodes=5)
    return tried if tried.mean_return >= best.mean_return else best


def _learn(q: Mlp, target: Mlp, optimiser: Adam, memory: Memory, config: DqnConfig) -> tuple[float, float]:
    """Move the worth of what was done towards the reward and the worth of what can be done next."""
    before, actions, rewards, after, fell = memory.sample(config.batch_size)
    rows = np.arange(len(actions))
    following = target(after)[rows, q(after).argmax(axis=1)]
    goal = rewards + config.gamma * (1 - fell) * following
    values, inputs = q.forward(before)
    error = values[rows, actions] - goal
    slope = np.zeros_like(values)
    slope[rows, actions] = np.clip(error, -1, 1) / len(error)  # of the Huber loss
    optimiser.step(q.backward(inputs, slope))
    size = np.abs(error)
    loss = np.where(size < 1, error**2 / 2, size - 0.5).mean()
    return float(loss), float(values[rows, actions].mean())
