"""The headers that every answer bears, errors among them.

Source: the app needs no inline script or style, no foreign host and no frame but the sandboxed preview of an artifact.
"""

from __future__ import annotations

from enum import Enum

_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "frame-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
_ALWAYS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    ),
    ("vary", "Origin, Accept-Encoding"),
)


class Policy(Enum):
    """What a browser may do with an answer."""

    PAGE = _PAGE
    SANDBOX = _SANDBOX
    """For bytes that a script of the user made: nothing runs, nothing is loaded; only our own pages may frame it. Styles and pictures that a
    report carries within itself are shown: they can send nothing, as no address may be asked.
    """


NO_STORE = "no-store"
FOR_EVER = "public, max-age=31536000, immutable"
"""For files whose name changes with what is in them."""

TURN = "Runfolio-Turn"
"""Of an answer about a store: up to which turn of its live stream it knows, at least. `/live?since=` tells what came later."""


def headers_of(policy: Policy, cache: str) -> list[tuple[bytes, bytes]]:
    """Give what an answer bears beside its own headers."""
    return [*_MADE[policy], (b"cache-control", cache.encode())]


def _made(policy: Policy) -> tuple[tuple[bytes, bytes], ...]:
    found = [*_ALWAYS, ("content-security-policy", policy.value)]
    if policy is Policy.PAGE:
        found.append(("x-frame-options", "DENY"))
    return tuple((name.encode(), value.encode()) for name, value in found)


_MADE = {policy: _made(policy) for policy in Policy}
