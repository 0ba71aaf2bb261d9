"""Whether a request comes from here: by the host it names, the origin of the page that sent it, and what the browser says of it.

A page anywhere in the web can send requests to 127.0.0.1, and with DNS rebinding read the answers too. So exactly our own names are taken for
the host, exactly our own origin for a page; what a browser calls cross-site is refused unless it opens one of our pages in a tab.
Everything is judged by the raw scope of ASGI.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from runfolio.server.errors import Refused

Scope = dict[str, Any]
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_OWN_SITES = (b"same-origin", b"none")


class Address(NamedTuple):
    """Where the server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    def hosts(self) -> frozenset[bytes]:
        """Give the values that the header Host may have."""
        names = {f"{name}:{self.port}" for name in LOOPBACK}
        if self.port == 80:
            names |= set(LOOPBACK)
        return frozenset(name.encode() for name in names)


class Guard:
    """Refuses what does not come from here."""

    def __init__(self, address: Address) -> None:
        self._hosts = address.hosts()

    def check(self, scope: Scope, page: bool) -> None:
        """Let a request pass.

        Args:
            page: it is for a page of the app, which a link anywhere may open in a tab.

        Raises:
            Refused: 421 for a foreign host, 403 for a foreign page.
        """
        headers = scope["headers"]
        host = self._host(headers)
        origins = _all(headers, b"origin")
        if any(origin != b"http://" + host for origin in origins):
            raise Refused(403, "ForeignOrigin", "only the server's own pages may ask it; this came from another origin")
        sites = _all(headers, b"sec-fetch-site")
        if all(site in _OWN_SITES for site in sites):
            return
        if page and scope["method"] in ("GET", "HEAD") and _opens_a_tab(headers):
            return
        raise Refused(403, "ForeignOrigin", "only the server's own pages may ask it; this came from another site")

    def _host(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        hosts = _all(headers, b"host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            raise Refused(
                421, "ForeignHost", "this server answers to its own address only; open the one that it printed"
            )
        return hosts[0]


def _opens_a_tab(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    modes, targets = _all(headers, b"sec-fetch-mode"), _all(headers, b"sec-fetch-dest")
    return modes == [b"navigate"] and targets == [b"document"]


def _all(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]
