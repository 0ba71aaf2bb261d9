"""Proximal policy optimisation: play a while, then make what went well more likely, but not by much. Source: Schulman et al., 2017."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cartpole import ACTIONS, OBSERVATIONS, Array, Episodes
from networks import Adam, Mlp, log_softmax
from progress import writing

from runfolio.dialects.vibe_rl.run_dir import RunDir


@dataclass(frozen=True)
class PpoConfig:
    """What one training run is made of."""

    algo: str = "ppo"
    seed: int = 0
    total_steps: int = 50_000
    log_interval: int = 1024  # steps; whole rollouts of all environments
    hidden: tuple[int, ...] = (64, 64)
    lr: float = 1e-3
    gamma: float = 0.99
    trace: float = 0.95
    environments: int = 8
    rollout: int = 128
    epochs: int = 4
    batch_size: int = 256
    clip: float = 0.2
    entropy_weight: float = 0.01

    @classmethod
    def short(cls) -> PpoConfig:
        """A run of a second or two, which learns little."""
        return cls(total_steps=2048, log_interval=512, rollout=64)


@dataclass
class PpoState:
    """What has been learned."""

    actor: Mlp
    critic: Mlp

    def act(self, observation: Array) -> int:
        """Take the likeliest action."""
        return int(self.actor(observation[None]).argmax())


@dataclass
class Rollout:
    """What was played. Shape: T steps of E environments, flattened to (T · E, …)."""

    seen: Array
    actions: Array
    logs: Array  # of the probabilities when they were taken
    advantages: Array
    returns: Array


def train_ppo(config: PpoConfig, run_dir: RunDir | None = None) -> tuple[PpoState, dict[str, float]]:
    """Train; give the networks, and the metrics that were logged last."""
    rng = np.random.default_rng(config.seed)
    actor = Mlp((OBSERVATIONS, *config.hidden, ACTIONS), rng, last_scale=0.01)
    critic = Mlp((OBSERVATIONS, *config.hidden, 1), rng)
    optimisers = Adam(actor, config.lr, 0.5), Adam(critic, config.lr, 0.5)
    players = [Episodes(config.seed + number) for number in range(config.environments)]
    metrics: dict[str, float] = {}
    steps = logged = 0
    with writing(run_dir, config.total_steps) as write:
        while steps < config.total_steps:
            rollout = _play(actor, critic, players, rng, config)
            steps += len(rollout.actions)
            metrics = _learn(actor, critic, optimisers, rollout, rng, config)
            if steps - logged >= config.log_interval:
                logged = steps
                brought = [one for player in players for one in player.returns]
                write(steps, {**metrics, "episode_return": float(np.mean(brought)) if brought else float("nan")})
    return PpoState(actor, critic), metrics


def _play(actor: Mlp, critic: Mlp, players: list[Episodes], rng: np.random.Generator, config: PpoConfig) -> Rollout:
    shape = config.rollout, len(players)
    seen = np.zeros((*shape, OBSERVATIONS), np.float32)
    actions, logs = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
    rewards, ends = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    values = np.zeros((config.rollout + 1, len(players)), np.float32)
    columns = np.arange(len(players))
    for t in range(config.rollout):
        seen[t] = [player.observation for player in players]
        chances = log_softmax(actor(seen[t]))
        actions[t] = rng.random(len(players)) < np.exp(chances[:, 1])
        logs[t], values[t] = chances[columns, actions[t]], critic(seen[t])[:, 0]
        for number, player in enumerate(players):
            after, rewards[t, number], fell, ended = player.step(int(actions[t, number]))
            ends[t, number] = ended
            if ended and not fell:  # only the time was up: what would have come is still worth something
                rewards[t, number] += config.gamma * float(critic(after[None])[0, 0])
    values[-1] = critic(np.array([player.observation for player in players], np.float32))[:, 0]
    advantages = np.zeros(shape, np.float32)
    last = np.zeros(len(players), np.float32)
    for t in reversed(range(config.rollout)):
        error = rewards[t] + config.gamma * (1 - ends[t]) * values[t + 1] - values[t]
        advantages[t] = last = error + config.gamma * config.trace * (1 - ends[t]) * last
    returns = advantages + values[:-1]
    flat = [array.reshape(-1) for array in (actions, logs, advantages, returns)]
    return Rollout(seen.reshape(-1, OBSERVATIONS), *flat)


def _learn(
    actor: Mlp,
    critic: Mlp,
    optimisers: tuple[Adam, Adam],
    rollout: Rollout,
    rng: np.random.Generator,
    config: PpoConfig,
) -> dict[str, float]:
    told: list[dict[str, float]] = []
    for _ in range(config.epochs):
        order = rng.permutation(len(rollout.actions))
        for begin in range(0, len(order), config.batch_size):
            at = order[begin : begin + config.batch_size]
            told.append(_step_actor(actor, optimisers[0], rollout, at, config))
            told[-1]["critic_loss"] = _step_critic(critic, optimisers[1], rollout, at)
    names = ("actor_loss", "critic_loss", "entropy", "approx_kl", "clip_fraction")
    return {name: float(np.mean([each[name] for each in told])) for name in names}


def _step_actor(actor: Mlp, optimiser: Adam, rollout: Rollout, at: Array, config: PpoConfig) -> dict[str, float]:
    """Make actions of more than the expected worth likelier, and a little less sure of all."""
    logits, inputs = actor.forward(rollout.seen[at])
    logs, rows, actions = log_softmax(logits), np.arange(len(at)), rollout.actions[at]
    chances = np.exp(logs)
    advantages = rollout.advantages[at]
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    change = logs[rows, actions] - rollout.logs[at]
    ratio = np.exp(change)
    clipped = np.clip(ratio, 1 - config.clip, 1 + config.clip)
    gain = np.minimum(ratio * advantages, clipped * advantages)
    entropy = -(chances * logs).sum(axis=1)

    free = ratio * advantages <= clipped * advantages  # where the clipped branch is lower, nothing changes
    at_log = -np.where(free, ratio * advantages, 0)[:, None] / len(at)
    taken = np.zeros_like(chances)
    taken[rows, actions] = 1
    slope = at_log * (taken - chances)
    slope += config.entropy_weight * chances * (logs + entropy[:, None]) / len(at)
    optimiser.step(actor.backward(inputs, slope.astype(np.float32)))
    return {
        "actor_loss": float(-gain.mean()),
        "entropy": float(entropy.mean()),
        "approx_kl": float((ratio - 1 - change).mean()),
        "clip_fraction": float((np.abs(ratio - 1) > config.clip).mean()),
    }


def _step_critic(critic: Mlp, optimiser: Adam, rollout: Rollout, at: Array) -> float:
    values, inputs = critic.forward(rollout.seen[at])
    error = values[:, 0] - rollout.returns[at]
    optimiser.step(critic.backward(inputs, error[:, None] / len(at)))
    return float((error**2).mean() / 2)
