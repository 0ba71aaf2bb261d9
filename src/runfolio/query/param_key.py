"""Find a param by the name that somebody typed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from runfolio.errors import NotFound
from runfolio.model.names import shown

_NAMED = 5


def param_key(name: str, keys: Sequence[str]) -> str:
    """Find a param by its dotted key, with or without `params.` before it, or by the last part of it where that is unique.

    Args:
        keys: of all params there are.

    Raises:
        NotFound: none is called so, or several are.
    """
    bare = name.removeprefix("params.")
    for wanted in (name, bare):
        ending = [key for key in keys if key.endswith(f".{wanted}")]
        if wanted in keys or len(ending) == 1:
            return wanted if wanted in keys else ending[0]
    ending = [key for key in keys if key.endswith(f".{bare}")]
    near = ending or get_close_matches(bare[:200], keys[:2000], 3) or keys[:_NAMED]
    hint = f"; they have {', '.join(map(shown, near[:_NAMED]))}" if near else "; they have none"
    raise NotFound(f"none of these runs has the param {shown(bare)}{hint}")
