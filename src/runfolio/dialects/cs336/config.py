"""The hyperparameters of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass
class ExperimentConfig:
    """What an experiment was run with. Further attributes are kept too, in the run and in the file.

    Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": Data Structures.
    """

    experiment_name: str

    d_model: int = 512
    num_heads: int = 8
    num_layers: int = 6
    d_ff: int = 2048
    vocab_size: int = 10000
    context_length: int = 256
    rope_theta: float = 10000.0

    batch_size: int = 64
    max_iters: int = 100000
    max_learning_rate: float = 6e-4
    min_learning_rate: float = 6e-5
    warmup_iters: int = 2000

    weight_decay: float = 0.1
    grad_clip: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-8

    seed: int = 42
    device: str = "cuda"

    @classmethod
    def from_fields(cls, told: Mapping[str, Any]) -> ExperimentConfig:
        """Make one of what a file says: unknown fields are kept as attributes, missing ones take their defaults."""
        made: ExperimentConfig = keeping_all(cls, told)
        return made


def keeping_all(noun: type[Any], told: Mapping[str, Any]) -> Any:
    """Make a dataclass of a mapping; what it has no field for becomes an attribute."""
    known = {field.name for field in fields(noun)}
    made = noun(**{name: value for name, value in told.items() if name in known})
    for name, value in told.items():
        if name not in known:
            setattr(made, name, value)
    return made
