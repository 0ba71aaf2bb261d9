"""Write TensorBoard's event files.

Source: TensorBoard's `event.proto` and `summary.proto`, event file version 2.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from runfolio.sinks.final_steps import FinalSteps
from runfolio.sinks.memory import Memory
from runfolio.sinks.sink import About, shown_name

if TYPE_CHECKING:
    from runfolio.store.follow import Call


class TensorBoardSink:
    """Scalars, and params, summary and records as texts, in one event file for each attempt.

    Values are float32 there: that is what TensorBoard's scalars are. Steps and times are kept. By tensorboardX, or by
    the `tensorboard` package, which is what torch's writer uses too.

    Args:
        log_dir: the folder for the event files; with tensorboardX also `s3://…` and `gs://…`.
    """

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        folder = os.fspath(log_dir)
        self._log_dir = folder if "://" in folder else os.path.abspath(folder)

    @property
    def target(self) -> str:
        """The folder."""
        return self._log_dir

    def open(self, about: About) -> None:
        """Begin an event file."""
        self._proto = _Proto()
        now, host = time.time(), socket.gethostname()
        name = f"events.out.tfevents.{int(now):010d}.{host}.{os.getpid()}.{about.run_id[:8]}-{about.attempt}"
        self._writer = self._proto.writer(f"{self._log_dir}/{name}")
        self._writer.write(self._proto.event(wall_time=now, file_version="brain.Event:2").SerializeToString())
        self._finals = FinalSteps(Memory(about.folder, "tensorboard", self.target))
        self._summary: dict[str, Any] = {}
        self._status: dict[str, Any] = {"run_id": about.run_id, "attempt": about.attempt}
        if about.params:
            self.params(about.params)
        self.describe(about)
        self._writer.flush()

    def params(self, nested: Mapping[str, Any]) -> None:
        """Write them as a text."""
        self._text("params", nested)

    def describe(self, about: About) -> None:
        """Write who the run is as a text."""
        named = {"name": about.name, "experiment": about.experiment, "tags": dict(about.tags), "notes": about.notes}
        self._text("run", {**self._status, **named})

    def log(self, calls: Sequence[Call]) -> None:
        """Write one event for each call, at its own time."""
        self._finals.begin()
        for call in calls:
            names = {name: shown_name(name, call) for name in call.values}
            if call.step is not None:
                self._scalars({names[name]: value for name, value in call.values.items()}, call.step, call.time_ns)
                continue
            for name, value in call.values.items():
                self._scalars({names[name]: value}, self._finals.of(names[name]), call.time_ns)
        self._writer.flush()
        self._finals.keep()

    def record(self, step: int | None, value: Any, time_ns: int) -> None:
        """Write it as a text."""
        self._finals.begin()
        name, at = ("record", step) if step is not None else ("final/record", self._finals.of("final/record"))
        self._text(name, value, at, time_ns)
        self._finals.keep()

    def summary(self, values: Mapping[str, Any]) -> None:
        """Write the summary as a text, and its numbers as scalars below `summary/` at step 0."""
        self._summary.update(values)
        self._text("summary", self._summary)
        numbers = {f"summary/{key}": value for key, value in values.items() if isinstance(value, (int, float))}
        if numbers:
            self._scalars(numbers, 0, time.time_ns())

    def rewind(self, step: int) -> None:
        """Tell TensorBoard to forget the points from this step on."""
        self._add(time.time_ns(), step=step, session_log=self._proto.session_start())

    def close(self, status: str, reason: str | None) -> None:
        """Write the status as a text, and close the file."""
        self._text("status", {"status": status, "reason": reason})
        self._writer.close()

    def _scalars(self, values: Mapping[str, Any], step: int, time_ns: int) -> None:
        self._add(time_ns, step=step, summary=self._proto.scalars(values))

    def _text(self, name: str, value: Any, step: int = 0, time_ns: int | None = None) -> None:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
        self._add(time_ns or time.time_ns(), step=step, summary=self._proto.text(name, text))

    def _add(self, time_ns: int, **fields: Any) -> None:
        self._writer.write(self._proto.event(wall_time=time_ns / 1e9, **fields).SerializeToString())


class _Proto:
    """The messages and the writer of whichever package is there."""

    def __init__(self) -> None:
        # tensorboardX first: importing `tensorboard` may bring in TensorFlow.
        home = "tensorboardX.proto" if find_spec("tensorboardX") else "tensorboard.compat.proto"
        self._home = home
        event = importlib.import_module(f"{home}.event_pb2")
        self._summary = importlib.import_module(f"{home}.summary_pb2")
        self._tensor = importlib.import_module(f"{home}.tensor_pb2")
        self._shape = importlib.import_module(f"{home}.tensor_shape_pb2")
        self.event: Any = event.Event
        self._session_log: Any = event.SessionLog

    def writer(self, path: str) -> Any:
        """Open a file for records.

        Not the packages' own event writers: those write on a thread, which a full disk ends without a word.
        """
        if self._home.startswith("tensorboardX"):
            module = importlib.import_module("tensorboardX.record_writer")
            module.directory_check(os.path.dirname(path))
            return module.RecordWriter(path)
        module = importlib.import_module("tensorboard.summary.writer.record_writer")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return module.RecordWriter(open(path, "xb"))

    def session_start(self) -> Any:
        return self._session_log(status=self._session_log.START)

    def scalars(self, values: Mapping[str, Any]) -> Any:
        value_of = self._summary.Summary.Value
        return self._summary.Summary(value=[value_of(tag=tag, simple_value=float(v)) for tag, v in values.items()])

    def text(self, name: str, text: str) -> Any:
        plugin = self._summary.SummaryMetadata.PluginData(plugin_name="text")
        shape = self._shape.TensorShapeProto(dim=[self._shape.TensorShapeProto.Dim(size=1)])
        tensor = self._tensor.TensorProto(dtype="DT_STRING", string_val=[text.encode()], tensor_shape=shape)
        metadata = self._summary.SummaryMetadata(plugin_data=plugin)
        value = self._summary.Summary.Value(tag=f"{name}/text_summary", metadata=metadata, tensor=tensor)
        return self._summary.Summary(value=[value])
