"""The folder that a tracker was given: whose numbers are in it, and what an original tracker left there."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator

from runfolio.convert import lab_folder
from runfolio.errors import UsageError
from runfolio.model.names import shown
from runfolio.sdk import trouble
from runfolio.store.layout import Layout, find

_looked_at: set[tuple[str, str]] = set()
_looking = threading.RLock()


class BaseDir:
    """A base_dir and the store that its runs are kept in.

    Contract: looking reads; `take_in` alone writes, into the store.
    """

    def __init__(self, base_dir: str | os.PathLike[str]) -> None:
        self.named = os.fspath(base_dir)
        """As the user has named it: run_dir begins so."""
        if not isinstance(self.named, str) or not self.named:
            raise UsageError(f"base_dir must be the path of a folder, not {shown(base_dir)}")
        self.path = os.path.abspath(self.named)
        if os.path.exists(self.path) and not os.path.isdir(self.path):
            raise UsageError(f"base_dir is a file, not a folder: {self.named}")
        self.scope = lab_folder.scope_of(self.path)
        self.layout: Layout = find()

    def run_id(self, text: str) -> str | None:
        """Give the store's id of the run that has this number here; None where none has."""
        self.take_in()
        number = lab_folder.number_of(text) if isinstance(text, str) else None
        return None if number is None else lab_folder.owner(self.layout, self.scope, number)

    def run_dir(self, text: str) -> str:
        """Give a run's folder, as the user would name it."""
        return os.path.join(self.named, "runs", text)

    def take_in(self) -> None:
        """Take in what an original tracker left here: once in a process, so that numbers go on behind its last."""
        key = (self.layout.root, self.scope)
        with _looking:
            if key in _looked_at:
                return
            try:
                self._take_in(set(self._numbers()))
            except OSError as full:
                trouble.tell(f"the runs that are in {self.named} cannot be taken into the store: {full}")
            _looked_at.add(key)

    def _take_in(self, numbers: set[int]) -> None:
        if lab_folder.unclaimed(self.layout, self.scope, numbers):
            from runfolio.dialects.lab.tracking import old_runs  # loads numpy, which a new folder does not need

            for told in old_runs.take_in(self.layout, self.path, self.scope, self.named):
                trouble.tell(told)
        lab_folder.close_gaps(self.layout, self.scope, max(numbers, default=0))

    def _numbers(self) -> Iterator[int]:
        """Give the numbers that are in use by what lies here."""
        for text in (*self._in_index(), *self._in_runs()):
            number = lab_folder.number_of(text)
            if number is not None:
                yield number

    def _in_index(self) -> list[str]:
        try:
            with open(os.path.join(self.path, "metadata.json"), encoding="utf-8-sig") as file:
                entries = json.load(file)
        except (OSError, ValueError, RecursionError):
            return []  # there is none, or a torn one: the folders tell
        found = (
            [entry.get("run_id") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        )
        return [text for text in found if isinstance(text, str)]

    def _in_runs(self) -> list[str]:
        try:
            return os.listdir(os.path.join(self.path, "runs"))
        except OSError:
            return []
