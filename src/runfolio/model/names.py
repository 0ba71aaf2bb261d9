"""Names: what a key or a name may be, and how a terminal shows it.

The rule, for metrics, params, tags, summary values, runs and experiments alike: any text of 1 to 16,384 bytes of UTF-8
without NUL. NUL parts the keys in a journal, and a lone surrogate has no UTF-8. Everything else comes back as it was
given: nothing is trimmed, folded or normalised, so `Loss`, `loss` and `loss ` are three names, and so are the two
spellings of `é`.
"""

from __future__ import annotations

from runfolio.errors import InvalidValue

NAME_BYTES_MAX = 16_384

# Joiners inside emoji and in Persian or Indic words: invisible by nature, harmless, and needed to read the text.
_KEPT = frozenset("\u200c\u200d")
_MARKS_MAX = 8
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def check_key(key: object, what: str = "key") -> str:
    """Return `key` as a plain str, or raise `InvalidValue` that names it."""
    if not isinstance(key, str):
        raise InvalidValue(f"{what} {shown(key)} is a {type(key).__name__}; use text", shown(key))
    key = str.__str__(key)  # the characters themselves; an enum of text would answer str() with its own name
    if not key:
        raise InvalidValue(f"{what} is empty text; give it at least one character", key)
    if "\0" in key:
        raise InvalidValue(f"{what} {shown(key)} contains a NUL character; leave it out", key)
    try:
        size_bytes = len(key) if key.isascii() else len(key.encode())
    except UnicodeEncodeError as error:
        raise InvalidValue(
            f"{what} {shown(key)} contains half a surrogate pair at character {error.start}, which UTF-8 cannot carry",
            key,
        ) from None
    if size_bytes > NAME_BYTES_MAX:
        raise InvalidValue(f"{what} {shown(key)} has {size_bytes:,} bytes; at most {NAME_BYTES_MAX:,} are kept", key)
    return key


def check_name(name: object, what: str = "name") -> str:
    """Return the name of a run, experiment or alias as a plain str, or raise `InvalidValue` that names it."""
    return check_key(name, what)


def shown(value: object, limit: int = 60) -> str:
    """Render `value` for an error message: its repr, cut in the middle, in one line."""
    if isinstance(value, str):
        value = value[: 4 * limit]  # the repr of 100 MB of text takes a while
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[: limit - half - 1]}…{text[-half:]}"


def printable(text: str, limit: int | None = None) -> str:
    """Render `text` for a terminal: nothing in it moves the cursor, turns the direction or hides.

    Control characters, newlines, bidirectional marks, other invisible characters and lone surrogates are shown escaped
    (`\\x1b`, `\\n`, `\\u202e`), and so is each combining mark after the eighth on one character. With `limit` the
    result has at most that many characters, the last one `…` where something was cut.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit + 1]  # escapes only make it longer, so the rest would be cut anyway
    if not (text.isascii() and text.isprintable()):
        text = _escaped(text)
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"[:limit]
    return text


def _escaped(text: str) -> str:
    from unicodedata import combining  # 1 MB, and only needed by a terminal that meets such a name

    parts = []
    marks = 0
    for char in text:
        marks = marks + 1 if combining(char) else 0
        plain = char.isprintable() or char in _KEPT
        parts.append(char if plain and marks <= _MARKS_MAX else _escape(char))
    return "".join(parts)


def _escape(char: str) -> str:
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
