"""Why did it change? What is not the same in two runs, from what was set to where their curves part."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from runfolio.errors import UsageError
from runfolio.model.ids import short
from runfolio.model.params import same
from runfolio.model.states import RUNNING
from runfolio.query.circumstances import SECTIONS, Facts, Sections, circumstances, git_of
from runfolio.query.code_diff import CodeDiff, code_diff
from runfolio.query.parting import MetricDiff, metric_diffs
from runfolio.query.run import Run

if TYPE_CHECKING:
    from runfolio.query.group_diff import GroupDiff

ADDED, REMOVED, CHANGED, MOVED, UNKNOWN = "added", "removed", "changed", "moved", "unknown"
_NAMED = 3


class Change(NamedTuple):
    """One fact that is not the same in A and B."""

    key: str
    kind: str
    """"added": only B has it; "removed": only A; "changed"; of data also "moved": the same bytes at another path, and
    "unknown": without a hash."""
    a: Any = None
    b: Any = None


@dataclass
class Diff:
    """What is not the same in run A and run B."""

    a: Run
    b: Run
    changes: dict[str, list[Change]] = field(default_factory=dict)
    """By section: params, seed, code, packages, machine, command, data; only what differs."""
    same: dict[str, int] = field(default_factory=dict)
    """How many facts of each section are the same in both."""
    unknown: dict[str, list[str]] = field(default_factory=dict)
    """The sections that cannot be compared: which of "A" and "B" has captured nothing of them."""
    code: CodeDiff = field(default_factory=CodeDiff)
    metrics: list[MetricDiff] = field(default_factory=list)
    """Those that are not equal at every step."""
    equal_metrics: list[MetricDiff] = field(default_factory=list)

    @property
    def is_same_run(self) -> bool:
        return self.a.id == self.b.id

    @property
    def parting(self) -> MetricDiff | None:
        """The metric whose curves part first."""
        parted = [one for one in self.metrics if one.parting and one.parting.step is not None]
        return min(parted, key=lambda one: one.parting.step, default=None)  # type: ignore[union-attr, arg-type, return-value]

    def words(self) -> list[str]:
        """Say in sentences what came out."""
        if self.is_same_run:
            return [f"A and B are the same run, {short(self.a.id)}."]
        return [*_differs(self), *_unknown(self), *_curves(self), *_standing(self)]

    def __str__(self) -> str:
        return " ".join(self.words())

    def __repr__(self) -> str:
        return f"<Diff of {short(self.a.id)} and {short(self.b.id)}: {self}>"


@overload
def diff(a: Run, b: Run) -> Diff: ...
@overload
def diff(a: Sequence[Run], b: Sequence[Run]) -> GroupDiff: ...
@overload
def diff(a: Run | Sequence[Run], b: Run | Sequence[Run]) -> Diff | GroupDiff: ...
def diff(a: Run | Sequence[Run], b: Run | Sequence[Run]) -> Diff | GroupDiff:
    """Say what is not the same in two runs, or between all of one list of runs and all of another.

    Raises:
        UsageError: a run and a list, or a list without runs.
    """
    if isinstance(a, Run) and isinstance(b, Run):
        return _of_two(a, b)
    if isinstance(a, Run) or isinstance(b, Run):
        raise UsageError("compare two runs, or two lists of runs; put a single run into a list: [run]")
    from runfolio.query.group_diff import group_diff  # scipy

    return group_diff(a, b)


def _of_two(a: Run, b: Run) -> Diff:
    found = Diff(a, b)
    if found.is_same_run:
        return found
    of_a, of_b = circumstances(a), circumstances(b)
    for section in SECTIONS:
        _compare(found, section, of_a, of_b)
    if found.changes.get("code"):
        found.code = code_diff(git_of(a), git_of(b))
        found.changes["code"] = [one for one in found.changes["code"] if one.key != "patch" or not found.code.files]
    for one in metric_diffs(a, b):
        (found.equal_metrics if one.is_equal else found.metrics).append(one)
    return found


def _compare(found: Diff, section: str, of_a: Sections, of_b: Sections) -> None:
    a, b = of_a[section], of_b[section]
    if a is None or b is None:
        found.unknown[section] = [name for name, facts in (("A", a), ("B", b)) if facts is None]
        return
    changes = list(_data_changes(a, b) if section == "data" else _changes(a, b))
    if changes:
        found.changes[section] = changes
    found.same[section] = len(a.keys() & b.keys() - {one.key for one in changes})


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys((*a, *b)):
        if key not in a:
            yield Change(key, ADDED, None, b[key])
        elif key not in b:
            yield Change(key, REMOVED, a[key], None)
        elif not same(a[key], b[key]):
            yield Change(key, CHANGED, a[key], b[key])


def _data_changes(a: Facts, b: Facts) -> Iterator[Change]:
    """Compare declared data: by path, then by content, then by the name of the file."""
    left_a, left_b = dict(a), dict(b)
    for path in [path for path in a if path in b]:
        one, other = left_a.pop(path), left_b.pop(path)
        if one["sha256"] is None or other["sha256"] is None:
            yield Change(path, CHANGED if one["size_bytes"] != other["size_bytes"] else UNKNOWN, one, other)
        elif one["sha256"] != other["sha256"]:
            yield Change(path, CHANGED, one, other)
    for kind, told in ((MOVED, _content), (CHANGED, _file_name)):
        for path in list(left_a):
            mate = next((at for at in left_b if told(path, left_a[path]) == told(at, left_b[at]) is not None), None)
            if mate is not None:
                yield Change(path, kind, {"path": path, **left_a.pop(path)}, {"path": mate, **left_b.pop(mate)})
    yield from _changes(left_a, left_b)


def _content(path: str, facts: Facts) -> str | None:
    digest: str | None = facts["sha256"]
    return digest


def _file_name(path: str, facts: Facts) -> str | None:
    return os.path.basename(path)


# ---------------------------------------------------------------------------------------------------------- in words


def _differs(found: Diff) -> Iterator[str]:
    if found.changes:
        told = [_section_words(section, found.changes[section]) for section in SECTIONS if section in found.changes]
        yield f"Nothing differs but {_listed(told)}."
    elif not found.unknown:
        yield "Nothing differs in params, code, packages, machine, command and data."
    else:
        yield f"Nothing that is known differs: {_listed([_NOUNS[one] for one in SECTIONS if one in found.same])}."


_NOUNS = {"params": "params", "seed": "the seed", "code": "the code", "packages": "packages", "machine": "the machine"}
_NOUNS |= {"command": "the command", "data": "the data"}


def _section_words(section: str, changes: list[Change]) -> str:
    noun = _NOUNS[section]
    if section in ("params", "packages"):
        keys = [one.key for one in changes]
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        one = noun[:-1] if len(keys) == 1 else noun
        return f"the {one} {', '.join(keys[:_NAMED])}{more}"
    return noun


def _listed(words: Sequence[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _unknown(found: Diff) -> Iterator[str]:
    for who, phrase in (("A", "A has"), ("B", "B has"), ("AB", "both have")):
        sections = [section for section, names in found.unknown.items() if "".join(names) == who]
        if sections:
            what = _listed([_NOUNS[section] for section in sections])
            yield f"Not known: {what}, of which {phrase} captured nothing."


def _curves(found: Diff) -> Iterator[str]:
    first = found.parting
    if first is not None and first.parting is not None:
        begin = ", where they begin" if first.parting.step == first.first_common else ""
        yield f"The curves part at step {first.parting.step:,}{begin}; {first.name} first."
        if not found.changes and not found.unknown:
            yield "What made them part was not captured: a seed that is no param, the order of threads, the hardware, the clock."
        return
    shared = [one for one in found.metrics if not one.in_one_only]
    if any(one.differing for one in shared):
        yield "The curves are equal at every step; points without a step differ."
    elif any(one.common for one in shared):
        yield "The curves are equal as far as both go."
    elif shared:
        yield "The curves have no step in common."
    elif found.equal_metrics and not found.metrics:
        yield "All metrics are equal at every step."


def _standing(found: Diff) -> Iterator[str]:
    for name, run in (("A", found.a), ("B", found.b)):
        if run.status == RUNNING:
            yield f"{name} is still running: this is how it stands now."
        if not len(run.metrics):
            yield f"{name} has logged no metric."
