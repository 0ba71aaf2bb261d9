"""Feed an Aim repository, a local folder or a server.

Source: the aim package, 3.29; names of the authentication variables: the NTN document.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from runfolio.errors import UsageError
from runfolio.sinks.final_steps import FinalSteps
from runfolio.sinks.memory import Memory
from runfolio.sinks.sink import About

if TYPE_CHECKING:
    from runfolio.store.follow import Call

REMOTE = "aim://"


class AimSink:
    """An Aim run: params under `hparams`, summary under `summary`, who and how under `runfolio`.

    Points keep their step and time. A rank is the context `{"rank": 1}`, a point without a step the context
    `{"final": True}`. Aim keeps one point for each step of a series, the last; so feeding it twice does no harm.

    Args:
        repo: the folder that holds `.aim`, or `.aim` itself, or `aim://host:port`.
        experiment: instead of the run's own.
        name: instead of the run's own.
    """

    def __init__(
        self, repo: str | os.PathLike[str] = ".aim", experiment: str | None = None, name: str | None = None
    ) -> None:
        place = os.fspath(repo)
        self._repo = place if place.startswith(REMOTE) else os.path.abspath(place)
        self._experiment, self._name = experiment, name
        self._run: Any = None

    @property
    def target(self) -> str:
        """The repository."""
        return self._repo

    def open(self, about: About) -> None:
        """Begin the Aim run, or open the one that an earlier attempt began."""
        os.environ.setdefault("AIM_UI_TELEMETRY_ENABLED", "0")
        memory = Memory(about.folder, "aim", self.target)
        headers = auth_headers(os.environ) if self._repo.startswith(REMOTE) else {}
        if self._run is None:  # what comes after it may fail, and all of this be tried again
            with _sending(headers):
                self._run = self._open_run(memory.get("hash"))
        memory.set(hash=self._run.hash)
        self._finals = FinalSteps(memory)
        self._summary: dict[str, Any] = dict(self._run.get("summary") or {})
        self._facts: dict[str, Any] = {"run_id": about.run_id, "attempt": about.attempt, "status": "running"}
        self._tell()
        experiment = self._experiment or about.experiment
        if experiment:
            self._run.experiment = experiment
        self.describe(about)
        self.params(about.params)

    def _open_run(self, known: str | None) -> Any:
        from aim import Run
        from aim.sdk.errors import MissingRunError

        # Nothing but what it is told: runfolio itself captures the surroundings, and better.
        how = {"repo": self._repo, "system_tracking_interval": None, "capture_terminal_logs": False}
        if known:
            try:
                # A killed feed leaves its lock; a run has one feed at a time, so the lock is nobody's.
                return Run(known, force_resume=True, **how)
            except MissingRunError:  # the repository was cleaned
                pass
        return Run(**how)

    def params(self, nested: Mapping[str, Any]) -> None:
        """Replace `hparams`."""
        self._run["hparams"] = dict(nested)

    def describe(self, about: About) -> None:
        """Set name, description and tags; a tag with a value is `key=value`."""
        name = self._name or about.name
        if name:
            self._run.name = name
        if about.notes is not None:
            self._run.description = about.notes
        wanted = [f"{key}={value}" if value else key for key, value in about.tags.items()]
        there = list(self._run.tags)
        for tag in wanted:
            if tag not in there:
                self._run.add_tag(tag)
        for tag in there:
            if tag not in wanted:
                self._run.remove_tag(tag)

    def log(self, calls: Sequence[Call]) -> None:
        """Track each value at its step and time."""
        # `Run.track` stamps its own time and, in Aim's safe mode, swallows what goes wrong; its tracker does neither.
        track = self._run._tracker._track
        self._finals.begin()
        for call in calls:
            time_s = call.time_ns / 1e9
            context = {} if call.rank is None else {"rank": call.rank}
            if call.step is None:
                context["final"] = True
            for name, value in call.values.items():
                step = self._finals.of(f"{call.rank}:{name}") if call.step is None else call.step
                track(value, time_s, name, step, None, context=context)
        self._finals.keep()

    def record(self, step: int | None, value: Any, time_ns: int) -> None:
        """Keep it as text."""
        from aim import Text

        self._finals.begin()
        at = self._finals.of("record") if step is None else step
        context = {"final": True} if step is None else {}
        text = Text(json.dumps(value, ensure_ascii=False))
        self._run._tracker._track(text, time_ns / 1e9, "record", at, None, context=context)
        self._finals.keep()

    def summary(self, values: Mapping[str, Any]) -> None:
        """Set each key of `summary`; the dots of a key stay."""
        self._summary.update(values)
        self._run["summary"] = dict(self._summary)

    def rewind(self, step: int) -> None:
        """Do nothing: Aim forgets no point; the new attempt's take the place of those at the same steps."""

    def close(self, status: str, reason: str | None) -> None:
        """Set the status, wait for a server to have all, and end the run."""
        self._facts.update(status=status, reason=reason)
        self._tell()
        if status == "finished":
            self._run.report_successful_finish()
        self._run.close()
        self._run = None
        if self._repo.startswith(REMOTE):
            # What Aim holds of its server it gives back when it is collected, by requests: now, while the server is there.
            gc.collect()

    def _tell(self) -> None:
        self._run["runfolio"] = dict(self._facts)


def auth_headers(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the HTTP headers that the environment asks for; an empty variable counts as unset.

    Raises:
        UsageError: AIM_CUSTOM_HEADERS is not a JSON object of texts. Its content is not shown: it may be secret.
    """
    headers: dict[str, str] = {}
    identity, secret = environ.get("CF_ACCESS_CLIENT_ID"), environ.get("CF_ACCESS_CLIENT_SECRET")
    if identity and secret:
        headers |= {"CF-Access-Client-Id": identity, "CF-Access-Client-Secret": secret}
    if token := environ.get("AIM_AUTH_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    if custom := environ.get("AIM_CUSTOM_HEADERS"):
        headers |= _custom_headers(custom)
    return headers


def _custom_headers(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise UsageError('AIM_CUSTOM_HEADERS must be a JSON object of texts, such as {"X-Token": "…"}')
    return found


@contextmanager
def _sending(headers: Mapping[str, str]) -> Iterator[None]:
    """Let the Aim client that is made in this block send these headers with each request.

    Aim has no setting for it: its client begins with an empty `request_headers` and asks the server before it is
    handed out. So the class that `aim.sdk.repo` makes it of is another one while it does.
    """
    if not headers:
        yield
        return
    from aim.ext.transport.client import Client
    from aim.sdk import repo

    class ClientWithHeaders(Client):  # type: ignore[misc]
        @property
        def request_headers(self) -> dict[str, str]:
            return dict(headers)

        @request_headers.setter
        def request_headers(self, given: dict[str, str]) -> None:
            """Keep ours: the client sets its own, which are none."""

        def refresh_ws(self) -> None:
            """Open the socket anew with headers: the client's own method, after a lost connection, leaves them out."""
            self._ws = None
            _ = self.ws

    made_of, repo.Client = repo.Client, ClientWithHeaders
    try:
        yield
    finally:
        repo.Client = made_of
