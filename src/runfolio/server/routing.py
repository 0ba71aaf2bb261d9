"""Find the route of a request. A path is split first and decoded once, so that no escape can change its shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from runfolio.server import limits
from runfolio.server.answers import JSON, Answer
from runfolio.server.asked import Asked, decoded
from runfolio.server.errors import Refused, nonsense, nothing_there
from runfolio.server.served import Desk, Served

if TYPE_CHECKING:
    from runfolio.query.store import Store

A = TypeVar("A", bound=Asked)
B = TypeVar("B")
T = TypeVar("T")
STORE = "/api/v1/stores/{store}"
_HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Call(Generic[A, B]):
    """A request on its way through its route.

    Args:
        asked: its parameters. body: its body, of a POST; else None.
        path: the parts of the path that the route names, decoded.
        headers: the first value of each header, by its name in small letters.
        served: the store that the path names; None where it names none.
        all: every store.
    """

    asked: A
    body: B
    path: Mapping[str, str]
    headers: Mapping[str, str]
    all: Mapping[str, Served]
    desk: Desk

    @property
    def served(self) -> Served:
        """The store that the path names."""
        found = self.all.get(self.path["store"])
        if found is None:
            raise nothing_there("no store of this name is served here; the first page lists them")
        return found

    async def known_turn(self) -> str:
        """Give up to which turn of the live stream an answer that is made from now on knows, at least."""
        from runfolio.server.live.poller import poller_of  # the store's room: not before the server listens

        return await poller_of(self.served).known_turn()

    async def ask(self, act: Callable[[Store], T]) -> T:
        """Ask the store, off the event loop."""
        return await self.served.ask(act)


Act = Callable[[Call[Any, Any]], Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """A route, with what is needed to read a request for it and to tell of it in openapi.json.

    Args:
        path: below `/`, with `{store}`, `{run}` and the like for parts that vary; `{run}` takes 8 to 32 hex digits.
        words: what it gives, in a line.
        asked: its parameters. body: of a POST.
        gives: the struct of its answer, where that is JSON. type: of its answer, where that is not JSON.
        also: the other statuses that it may have, beside those that all have.
    """

    method: str
    path: str
    act: Act
    words: str
    asked: type[Asked] = Asked
    body: type[Any] | None = None
    gives: type[Any] | None = None
    type: str = JSON
    also: tuple[int, ...] = ()


@dataclass
class _Node:
    """A place in the tree of paths."""

    fixed: dict[str, _Node] = field(default_factory=dict)
    varied: tuple[str, _Node] | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Table:
    """All routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = list(routes)
        self._root = _Node()
        for route in self.routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for part in route.path.strip("/").split("/"):
            if not part.startswith("{"):
                node = node.fixed.setdefault(part, _Node())
                continue
            if node.varied is None:
                node.varied = (part[1:-1], _Node())
            assert node.varied[0] == part[1:-1], f"{route.path}: two names for one part"
            node = node.varied[1]
        assert route.method not in node.routes, f"{route.method} {route.path} stands twice"
        node.routes[route.method] = route

    def find(self, method: str, parts: list[str]) -> tuple[Route, dict[str, str]]:
        """Find the route of a path.

        Raises:
            Refused: 404 or 405.
        """
        node, found = self._root, {}
        for part in parts:
            if part in node.fixed:
                node = node.fixed[part]
            elif node.varied is not None:
                name, node = node.varied
                found[name] = part
                if name == "run":
                    check_run(part)
            else:
                raise nothing_there("there is no such address in the API; /api/openapi.json lists them")
        if not node.routes:
            raise nothing_there("there is no such address in the API; /api/openapi.json lists them")
        route = node.routes.get("GET" if method == "HEAD" else method)
        if route is None:
            raise not_allowed(node.routes)
        return route, found


def not_allowed(there: Iterable[str]) -> Refused:
    """Refuse a method: 405."""
    allowed = ", ".join(sorted(there))
    return Refused(405, "MethodNotAllowed", f"this address takes {allowed} only", [("Allow", allowed)])


def check_run(ref: str) -> None:
    """Refuse what is no id of a run, and no 8 digits or more of one: 404."""
    if not 8 <= len(ref) <= 32 or ref.strip(_HEX):
        raise nothing_there("a run is named by its id, or 8 digits or more of it")


def split(raw_path: bytes) -> list[str]:
    """Split a path into its decoded parts; `/` has none.

    Raises:
        Refused: 400, 404 or 414. A part that is empty, a dot or two, or holds a slash of either kind is none of ours.
    """
    if not raw_path.startswith(b"/"):
        raise nonsense("the address begins with /")
    if len(raw_path) > limits.TARGET_BYTES_MAX:
        raise Refused(414, "TooLong", f"an address has at most {limits.TARGET_BYTES_MAX:,} bytes")
    if raw_path == b"/":
        return []
    parts = [decoded(part) for part in raw_path[1:].split(b"/")]
    for part in parts:
        if part in ("", ".", "..") or "/" in part or "\\" in part or not part.isprintable():
            raise nothing_there("there is no such address here")
    return parts
