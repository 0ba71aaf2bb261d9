"""Tell names of secrets from other names: options, variables, settings.

`--api-key`, `WANDB_API_KEY`, `dbPassword` and `model.hub_token` name secrets; `--max-tokens`, `eos_token`, `sort_key`
and `--secret-file` do not. Where it is unsure it says yes: a value hidden for nothing costs less than one told.
"""

from __future__ import annotations

HIDDEN = "***"

_ANYWHERE = frozenset("password passwords passwd passphrase secret secrets".split())
_LAST = frozenset("token pwd auth authorization credential credentials bearer cookie cookies pat jwt".split())
_GLUED = tuple("password passwd secret apikey accesskey secretkey privatekey authtoken accesstoken".split())
_TEXT_TOKENS = frozenset("pad eos bos unk mask sep cls image special stop per next".split())
_KEY_KINDS = frozenset(
    "access account anthropic api app auth aws azure client deploy encryption hf"
    " license licence master openai private secret service shared signing ssh wandb".split()
)
_PASS_OF = frozenset("admin basic db ftp http mail mysql pg proxy redis root smtp user".split())
_ABOUT = frozenset("file files path dir len length min max size policy count type".split())


def is_secret_name(name: str) -> bool:
    """Say whether a value under this name is to be hidden."""
    words = _words(name)
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _ABOUT:
        return False
    if last in _LAST or last.endswith(_GLUED) or not _ANYWHERE.isdisjoint(words):
        return not (last == "token" and before in _TEXT_TOKENS)
    if last == "key":
        return before in _KEY_KINDS or (bool(before) and name.isupper())
    if last == "pass":
        return not before or before in _PASS_OF
    return last == "base" and before == "key" and name.isupper()  # SECRET_KEY_BASE and its kin


def _words(name: str) -> list[str]:
    """Split a name at its signs and humps, in lower case, without digits at the end: `dbPassword2` is db, password."""
    if not name.isupper() and not name.islower():
        name = "".join(map(_with_hump, name, f"_{name}", f"{name[1:]}_"))
    words = "".join(sign if sign.isalnum() else " " for sign in name.lower()).split()
    return [trimmed for word in words if (trimmed := word.rstrip("0123456789"))]


def _with_hump(sign: str, before: str, after: str) -> str:
    """Return a sign, with a border before it where a word begins: `wandbAPIKey` is wandb, API, Key."""
    begins = sign.isupper() and (before.islower() or before.isdigit() or after.islower())
    return f"_{sign}" if begins else sign
