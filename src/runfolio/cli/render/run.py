"""Render what is known of a run, but for its metrics."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from runfolio.cli.facts import Facts
from runfolio.cli.render import values
from runfolio.cli.render.chosen import tags_text
from runfolio.cli.render.screen import BOLD, RED, YELLOW, Screen, status_mark, status_style
from runfolio.cli.render.text import pad, shorten, width, wrap
from runfolio.model.ids import short
from runfolio.model.names import printable
from runfolio.model.params import flatten

_LABEL = 11
_LINES_MAX = 40
_NOTES_MAX = 10
_TRACEBACK_MAX = 12
_KEY_MAX = 32
_WHOLE = 1_000_000


class Page:
    """The lines about a run as they gather, each with its label; cut to the screen unless all is asked for."""

    def __init__(self, to: Screen, everything: bool) -> None:
        self.to = to
        self.everything = everything
        self.lines: list[str] = []
        self._room = _WHOLE if everything else to.columns

    def say(self, label: str, text: str, style: str = "") -> None:
        """Add one line."""
        shown = shorten(text, max(self._room - _LABEL - 1, 20))
        self.lines.append(f"{self.to.paint(pad(label, _LABEL), BOLD)} {self.to.paint(shown, style)}".rstrip())

    def say_whole(self, label: str, text: str, style: str = "") -> None:
        """Add one text, in as many lines as it takes."""
        for number, line in enumerate(wrap(printable(text, None).split(" "), max(self._room - _LABEL - 1, 20))):
            self.say(label if number == 0 else "", line, style)

    def block(self, label: str, texts: Iterable[str], more: str, lines_max: int = _LINES_MAX) -> None:
        """Add lines under one label; beyond `lines_max` it says how many are left out and how to see them."""
        texts = list(texts)
        shown = texts if self.everything or len(texts) <= lines_max else texts[: lines_max - 1]
        for number, text in enumerate(shown):
            self.say(label if number == 0 else "", text)
        if len(shown) < len(texts):
            self.say("", f"… {len(texts) - len(shown):,} more: {more}")

    def pairs(self, label: str, named: dict[str, Any], more: str) -> None:
        """Add names with their values, aligned."""
        names = [shorten(name, _KEY_MAX) for name in named]
        wide = max(map(width, names[:_LINES_MAX]), default=0)
        texts = (
            f"{pad(name, max(wide, width(name)))}  {values.param(value)}"
            for name, value in zip(names, named.values(), strict=True)
        )
        self.block(label, texts, more)


def run_lines(facts: Facts, to: Screen, everything: bool = False) -> list[str]:
    """Render who the run is, how it stands, what was set, where it ran and what it left."""
    page = Page(to, everything)
    _standing(page, facts)
    _what_was_set(page, facts)
    _surroundings(page, facts["capture"])
    _what_it_left(page, facts)
    return page.lines


# ------------------------------------------------------------------------------------------------------ how it stands


def _standing(page: Page, facts: Facts) -> None:
    page.say("run", facts["name"] or short(facts["id"]), BOLD)
    page.say("id", facts["id"])
    if facts["experiment"]:
        page.say("experiment", facts["experiment"])
    page.say_whole("status", _status(facts), status_style(facts["status"]))
    page.say("created", f"{_local(facts['created'])}, took {values.span(facts['duration_s'])}")
    if facts["attempts"] > 1:
        page.say("attempts", ", ".join(map(_attempt, facts["history"])))
    if progress := _progress(facts["progress"]):
        page.say("progress", progress)
    if facts["aliases"]:
        page.say("also", ", ".join(facts["aliases"]))
    for mark in ("deleted", "archived"):
        if facts[mark]:
            page.say(mark, f"yes: runfolio restore {short(facts['id'])} brings it back" if mark == "deleted" else "yes")


def _status(facts: Facts) -> str:
    since = f" since {_local(facts['since'])}" if facts["since"] else ""
    reason = f": {facts['reason']}" if facts["reason"] else ""
    told = f"exit code {facts['exit_code']}"
    code = f" ({told})" if facts["exit_code"] and told not in reason else ""
    return f"{status_mark(facts['status'])}{since}{reason}{code}"


def _attempt(attempt: Facts) -> str:
    rewound = f" from step {attempt['rewind_to']:,}" if attempt["rewind_to"] is not None else ""
    return f"{attempt['number']} {attempt['status'] or 'without an end'}{rewound}"


def _progress(progress: Facts) -> str:
    if not progress["total_steps"] or progress["step"] is None:
        return ""
    left = f", {values.span(progress['left_s'])} left" if progress["left_s"] is not None else ""
    return f"step {progress['step']:,} of {progress['total_steps']:,} ({progress['fraction']:.0%}){left}"


def _local(utc: str | None) -> str:
    return values.moment(values.parse_utc(utc)) if utc else "-"


# ------------------------------------------------------------------------------------------------------- what was set


def _what_was_set(page: Page, facts: Facts) -> None:
    more = f"--all, or runfolio get {short(facts['id'])}"
    page.pairs("params", facts["params"], f"{more} params")
    for key, by in facts["params_by_attempt"].items():
        told = ", ".join(f"{values.param(value)} from attempt {attempt}" for attempt, value in by.items())
        page.say("", f"{shorten(key, _KEY_MAX)} was {told}")
    if facts["tags"]:
        page.say("tags", tags_text(facts["tags"]))
    if facts["notes"]:
        page.block("notes", facts["notes"].splitlines(), f"{more} notes", _NOTES_MAX)
    page.pairs("summary", flatten(facts["summary"]), f"{more} summary")


# ------------------------------------------------------------------------------------------------------ where it ran


def _surroundings(page: Page, capture: Facts) -> None:
    command = capture.get("command")
    if isinstance(command, list):
        page.say("command", shlex.join(map(str, command)))
    elif command is not None:
        page.say("command", values.param(command))
    for label, text in (
        ("in", _text(capture, "cwd")),
        ("git", _git(capture.get("git"))),
        ("python", _python(capture)),
        ("on", _machine(capture)),
    ):
        if text:
            page.say(label, text)


def _text(facts: Any, *names: str) -> str:
    """Give a value that stands in nested facts as text; empty where they are of another shape."""
    for name in names:
        facts = facts.get(name) if isinstance(facts, dict) else None
    return "" if facts is None or isinstance(facts, dict | list) else values.param(facts)


def _git(git: Any) -> str:
    commit, branch, remote = _text(git, "commit")[:12], _text(git, "branch"), _text(git, "remote")
    parts = [f"{branch} {commit}".strip()]
    if isinstance(git, dict) and git.get("dirty"):
        parts.append("with uncommitted changes" + (" (the field patch)" if git.get("patch") else ""))
    parts += [remote, _text(git, "error")]
    return ", ".join(part for part in parts if part)


def _python(capture: Facts) -> str:
    packages = capture.get("packages")
    many = values.count(len(packages), "package") if isinstance(packages, dict) and packages else ""
    parts = [_text(capture, "python", "version"), many, _text(capture, "python", "executable")]
    return ", ".join(part for part in parts if part)


def _machine(capture: Facts) -> str:
    memory = capture.get("cpu", {}).get("memory_bytes") if isinstance(capture.get("cpu"), dict) else None
    cores, gpus = _text(capture, "cpu", "usable") or _text(capture, "cpu", "count"), capture.get("gpu")
    processor = " × ".join(part for part in (cores, _text(capture, "cpu", "model")) if part)
    names = [_text(gpu, "name") for gpu in gpus] if isinstance(gpus, list) else []
    system = " ".join(
        part for part in (_text(capture, "platform", "system"), _text(capture, "platform", "release")) if part
    )
    parts = [_text(capture, "host"), system, processor, values.size(memory) if isinstance(memory, int) else "", *names]
    return ", ".join(part for part in parts if part)


# -------------------------------------------------------------------------------------------------------- what it left


def _what_it_left(page: Page, facts: Facts) -> None:
    get = f"runfolio get {short(facts['id'])}"
    page.block("data", map(_data, facts["data"]), f"{get} data")
    page.block("artifacts", _artifacts(facts["artifacts"]), f"{get} artifacts")
    if facts["records"]:
        page.say("records", f"{values.count(len(facts['records']), 'record')}: {get} records")
    page.block("files", (f"{one['path']}  as {one['format']}" for one in facts["views"]), f"{get} views")
    page.block("fed to", _sinks(facts), f"{get} sinks")
    if facts["output"].get("size_bytes"):
        cut = facts["output"].get("cut_bytes")
        page.say(
            "output",
            f"{values.size(facts['output']['size_bytes'])}{f', {values.size(cut)} cut' if cut else ''}: {get} output",
        )


def _sinks(facts: Facts) -> list[str]:
    """Render each sink, with what it has taken where that was told."""
    sent = {one["sink"]: one for one in facts["sent"]}
    return [one["kind"] + _taken(sent[one["kind"]] if one["kind"] in sent else None) for one in facts["sinks"]]


def _taken(sent: Facts | None) -> str:
    if sent is None:
        return "  not told yet what it has taken"
    dropped = f", {sent['dropped']:,} dropped" if sent["dropped"] else ""
    error = f": {sent['error']}" if sent["error"] else ""
    return f"  {values.count(sent['sent'], 'entry', 'entries')} taken{dropped}{error}"


def _data(data: Facts) -> str:
    digest = data["sha256"][:8] if data["sha256"] else "no hash"
    return f"{data['path']}  {data['kind'] or ''}  {values.size(data['size_bytes'])}  {digest}"


def _artifacts(versions: list[Facts]) -> list[str]:
    """Render the latest version of each artifact."""
    latest = {one["name"]: one for one in versions}
    return [_artifact(one) for one in latest.values()]


def _artifact(one: Facts) -> str:
    version = f"  version {one['version']}" if one["version"] > 1 else ""
    step = f"  step {one['step']:,}" if one["step"] is not None else ""
    return f"{shorten(one['name'], _LINES_MAX)}  {values.size(one['size_bytes'])}{version}{step}"


# ------------------------------------------------------------------------------------------------------ what went wrong


def warning_lines(warnings: list[str], to: Screen) -> list[str]:
    """Render what a reader should know."""
    return [to.paint(f"! {printable(one, None)}", YELLOW) for one in warnings]


def error_lines(facts: Facts, to: Screen, everything: bool = False) -> list[str]:
    """Render the end of the traceback of a failed run; the whole one where all is asked for."""
    error = facts["error"]
    if not error:
        return []
    trace = [printable(line) for line in error["traceback"].rstrip().splitlines()]
    cut = 0 if everything else max(len(trace) - _TRACEBACK_MAX, 0)
    told = [f"… {values.count(cut, 'line')} before: --all shows them"] if cut else []
    last = f"{error['kind']}: {error['message']}"
    body = [*told, *trace[cut:]] or [printable(last)]
    return ["", to.paint("error", RED), *(f"  {line}" for line in body)]
