"""Soft actor-critic for a choice of actions: be worth much and stay undecided. Source: Haarnoja et al., 2018; Christodoulou, 2019."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cartpole import ACTIONS, OBSERVATIONS, Array, Episodes, Memory
from networks import Adam, Mlp, log_softmax
from progress import writing

from runfolio.dialects.vibe_rl.run_dir import RunDir


@dataclass(frozen=True)
class SacConfig:
    """What one training run is made of."""

    algo: str = "sac"
    seed: int = 0
    total_steps: int = 20_000
    log_interval: int = 1000
    hidden: tuple[int, ...] = (64, 64)
    lr: float = 1e-3
    alpha_lr: float = 1e-3
    gamma: float = 0.99
    batch_size: int = 64
    memory_size: int = 20_000
    learning_starts: int = 500
    train_every: int = 1
    target_share: float = 0.01
    entropy_share: float = 0.3  # of the most there is, which alpha aims at

    @classmethod
    def short(cls) -> SacConfig:
        """A run of a second or two, which learns little."""
        return cls(total_steps=1000, log_interval=250, learning_starts=200, train_every=2)


class SacState:
    """What is learned: an actor, two critics with their slow copies, and how much being undecided is worth."""

    def __init__(self, config: SacConfig, rng: np.random.Generator) -> None:
        sizes = (OBSERVATIONS, *config.hidden, ACTIONS)
        self.actor = Mlp(sizes, rng, last_scale=0.01)
        self.critics = [Mlp(sizes, rng), Mlp(sizes, rng)]
        self.targets = [critic.copy() for critic in self.critics]
        self.log_alpha = 0.0

    @property
    def alpha(self) -> float:
        return float(np.exp(self.log_alpha))

    def act(self, observation: Array) -> int:
        """Take the likeliest action."""
        return int(self.actor(observation[None]).argmax())


def train_sac(config: SacConfig, run_dir: RunDir | None = None) -> tuple[SacState, dict[str, float]]:
    """Train; give the networks, and the metrics that were logged last."""
    rng = np.random.default_rng(config.seed)
    state = SacState(config, rng)
    actor_step, critic_steps = Adam(state.actor, config.lr), [Adam(critic, config.lr) for critic in state.critics]
    episodes, memory = Episodes(config.seed), Memory(config.memory_size, rng)
    metrics: dict[str, float] = {}
    told: list[dict[str, float]] = []
    with writing(run_dir, config.total_steps) as write:
        for step in range(1, config.total_steps + 1):
            before = episodes.observation
            chance = np.exp(log_softmax(state.actor(before[None])))[0, 1]
            action = int(rng.random() < chance)
            after, reward, fell, _ = episodes.step(action)
            memory.add(before, action, reward, after, fell)
            if step >= config.learning_starts and step % config.train_every == 0:
                batch = memory.sample(config.batch_size)
                critic_loss = _step_critics(state, critic_steps, batch, config)
                told.append({"critic_loss": critic_loss, **_step_actor(state, actor_step, batch[0], config)})
                for target, critic in zip(state.targets, state.critics, strict=True):
                    target.move_to(critic, config.target_share)
            if step % config.log_interval == 0 and told:
                names = ("actor_loss", "critic_loss", "alpha", "entropy", "q_mean")
                metrics = {name: float(np.mean([each[name] for each in told])) for name in names}
                write(step, {**metrics, "episode_return": episodes.mean_return})
                told = []
    return state, metrics


def _step_critics(
    state: SacState, steps: list[Adam], batch: tuple[Array, Array, Array, Array, Array], config: SacConfig
) -> float:
    """Move the worth of what was done towards the reward and what the actor would get next."""
    before, actions, rewards, after, fell = batch
    rows = np.arange(len(actions))
    logs = log_softmax(state.actor(after))
    following = np.minimum(*[target(after) for target in state.targets]) - state.alpha * logs
    goal = rewards + config.gamma * (1 - fell) * (np.exp(logs) * following).sum(axis=1)
    loss = 0.0
    for critic, optimiser in zip(state.critics, steps, strict=True):
        values, inputs = critic.forward(before)
        error = values[rows, actions] - goal
        slope = np.zeros_like(values)
        slope[rows, actions] = error / len(error)
        optimiser.step(critic.backward(inputs, slope))
        loss += float((error**2).mean() / 2)
    return loss / len(steps)


def _step_actor(state: SacState, optimiser: Adam, before: Array, config: SacConfig) -> dict[str, float]:
    """Make worthy actions likelier, and move alpha to where the entropy comes to what is aimed at."""
    logits, inputs = state.actor.forward(before)
    logs = log_softmax(logits)
    chances = np.exp(logs)
    values = np.minimum(*[critic(before) for critic in state.critics])
    cost = state.alpha * logs - values
    loss = (chances * cost).sum(axis=1, keepdims=True)
    slope = chances * (cost - loss) / len(before)  # what the logarithm itself would add comes to 0
    optimiser.step(state.actor.backward(inputs, slope.astype(np.float32)))
    entropy = float(-(chances * logs).sum(axis=1).mean())
    state.log_alpha -= config.alpha_lr * state.alpha * (entropy - config.entropy_share * float(np.log(ACTIONS)))
    return {
        "actor_loss": float(loss.mean()),
        "alpha": state.alpha,
        "entropy": entropy,
        "q_mean": float(values.mean()),
    }
