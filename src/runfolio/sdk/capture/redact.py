"""Redact secrets in command lines and texts before anything is kept.

Two speeds: most arguments of a command line show by plain comparison that they hold no secret. The patterns, which
cost milliseconds to compile, are loaded when one of the signs below is met.
"""

from __future__ import annotations

from .names import HIDDEN, is_secret_name

ARGUMENTS_MAX = 1_000
ARGUMENT_MAX = 4_096

_SHAPE_SIGNS = tuple(
    "@ ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- sk- sk_ rk_ akia asia xox xapp- hf_ eyj aiza ya29. npm_ pypi-"
    " dop_v1_ sg. gsk_ r8_ nvapi- hooks".split()
)
_NAME_SIGNS = tuple("key token secret pass pwd auth cred bearer cookie jwt sig= pat= pat: pat\" pat'".split())
_SIGNS = (*_NAME_SIGNS, *_SHAPE_SIGNS, "signature", "pat ")


def redact_command(arguments: list[str]) -> list[str]:
    """Return a command line with its secrets hidden, its length bounded, and each argument fit for UTF-8."""
    kept = _hide(list(map(readable, arguments[:ARGUMENTS_MAX])))
    kept = [_cut(argument) for argument in kept]
    if len(arguments) > ARGUMENTS_MAX:
        kept.append(f"… {len(arguments) - ARGUMENTS_MAX:,} more arguments")
    return kept


def redact_text(text: str, *, loose: bool = False) -> str:
    """Return a text with its secrets hidden.

    Args:
        text: One line, or several.
        loose: Names and values are settings and not code, so that also unquoted values are values.
    """
    if not _has(text, _SIGNS):
        return text
    from .patterns import redact  # compiles the patterns

    return redact(text, loose=loose)


def readable(text: str) -> str:
    r"""Return a text of the system's fit for UTF-8: a byte that is none shows as `\xff`."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a surrogate pair, which no system hands out
        return text.encode("utf-8", "backslashreplace").decode()


def _hide(arguments: list[str]) -> list[str]:
    """Hide the secrets of a command line, those in the argument after an option too."""
    kept, is_value = [], False
    for argument in arguments:
        if is_value and not _is_option(argument):
            kept.append(HIDDEN)
            is_value = False
            continue
        name, equals, value = argument.partition("=")
        is_secret = (equals or name.startswith("-")) and _is_plain(name) and is_secret_name(name)
        is_value = bool(is_secret and not equals)
        if is_secret and equals:
            kept.append(f"{name}={HIDDEN}")
        elif _is_plain(name) and not _has(name, _SHAPE_SIGNS):
            kept.append(name + equals + redact_text(value, loose=True))
        else:
            kept.append(redact_text(argument, loose=True))
    return kept


def _is_option(argument: str) -> bool:
    """Say whether an argument is an option rather than the value of the one before; a token may begin with a dash."""
    return argument.startswith("--") or (argument.startswith("-") and len(argument) <= 3)


def _is_plain(name: str) -> bool:
    """Say whether this is a name alone, of an option, a variable or a setting, and no text with a value inside."""
    return name.replace("-", "").replace(".", "").replace("_", "").replace("/", "").replace("+", "").isalnum()


def _has(text: str, signs: tuple[str, ...]) -> bool:
    """Say whether one of the signs stands in a text."""
    text = text.lower()
    return any(sign in text for sign in signs)


def _cut(argument: str) -> str:
    """Cut an argument that is too long; it is redacted by now, so no half of a secret shows."""
    if len(argument) <= ARGUMENT_MAX:
        return argument
    return f"{argument[:ARGUMENT_MAX]}… {len(argument) - ARGUMENT_MAX:,} more characters"
