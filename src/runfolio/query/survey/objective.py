"""The metric that matters most: the one to draw first, and to explain the others by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from runfolio.query.survey.census import Columns

MIN, MAX = "min", "max"
_WORDS = (
    ("val_loss", MIN),
    ("val_acc", MAX),
    ("val_accuracy", MAX),
    ("valid_loss", MIN),
    ("eval_loss", MIN),
    ("test_loss", MIN),
    ("eval_accuracy", MAX),
    ("test_accuracy", MAX),
    ("test_acc", MAX),
    ("accuracy", MAX),
    ("acc", MAX),
    ("reward", MAX),
    ("episode_return", MAX),
    ("return", MAX),
    ("loss", MIN),
    ("train_loss", MIN),
)
"""What a metric of no declared goal is often called, with `/`, `.` and `-` read as `_` and in small letters: the sooner named is preferred."""
_BETTER_HIGH = ("acc", "accuracy", "f1", "auc", "reward", "return", "score", "bleu", "precision", "recall")
_HELD_OUT = ("val", "valid", "validation", "eval", "dev", "test")
_TRAINED_ON = ("train", "training", "trn")
_BETTER_LOW = ("loss", "error", "perplexity", "mse", "mae", "rmse", "nll")


class Objective(NamedTuple):
    """A metric, and whether it is better low ("min") or high ("max"); None where nobody can tell."""

    metric: str
    goal: str | None


def objective_of(columns: Columns) -> Objective | None:
    """Choose the objective of runs: declared by most of them, else well known by its name, else what most of them have."""
    have = {name: int(one.present.sum()) for name, one in columns.metrics.items()}
    have = {name: count for name, count in have.items() if count}
    if not have:
        return None
    declared = _declared(columns)
    counts = Counter({name: told.total() for name, told in declared.items() if name in have})
    if counts:
        most = max(counts.values())
        metric = foremost(name for name in have if counts.get(name) == most)
        return Objective(metric, _agreed(declared[metric]))
    found = well_known(have)
    if found is not None:
        return found
    most = max(have.values())
    metric = next(name for name in have if have[name] == most)
    return Objective(metric, goal_by_name(metric))


def foremost(metrics: Iterable[str]) -> str:
    """Choose among metrics that all have a declared goal: what is measured on other data than was trained on, and a score before a loss."""
    return min(metrics, key=_stand)  # the first of several that stand alike


def _stand(metric: str) -> tuple[int, bool]:
    words = _plain(metric).split("_")
    data = 0 if any(word in _HELD_OUT for word in words) else 2 if any(word in _TRAINED_ON for word in words) else 1
    return data, not any(word in _BETTER_HIGH for word in words)


def well_known(metrics: Iterable[str]) -> Objective | None:
    """Choose a metric by its name; None where none is well known."""
    plain = {_plain(name): name for name in reversed(list(metrics))}
    return next((Objective(plain[word], goal) for word, goal in _WORDS if word in plain), None)


def told_objective(columns: Columns, metric: str) -> Objective:
    """Take a metric as the objective; its goal is the declared one, else told by its name."""
    return Objective(metric, goals_of(columns).get(metric) or goal_by_name(metric))


def goals_of(columns: Columns) -> dict[str, str]:
    """Give the goals that runs declare and agree about."""
    agreed = {name: _agreed(told) for name, told in _declared(columns).items()}
    return {name: goal for name, goal in agreed.items() if goal is not None}


def _declared(columns: Columns) -> dict[str, Counter[str]]:
    declared: dict[str, Counter[str]] = {}
    for code, runs in sorted(Counter(columns.goals.codes[columns.goals.codes >= 0].tolist()).items()):
        for name, goal in columns.goals.values[code].items():
            declared.setdefault(name, Counter())[goal] += runs
    return declared


def _agreed(told: Counter[str]) -> str | None:
    return next(iter(told)) if len(told) == 1 else None


def goal_by_name(metric: str) -> str | None:
    """Guess from its name whether a metric is better low or high."""
    words = _plain(metric).split("_")
    if any(word in _BETTER_LOW for word in words):
        return MIN
    return MAX if any(word in _BETTER_HIGH for word in words) else None


def _plain(name: str) -> str:
    return name.lower().replace("/", "_").replace(".", "_").replace("-", "_")
