"""Read tags as users give them: a list of names, or a mapping of names to values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runfolio.errors import InvalidValue
from runfolio.model.names import check_key

Tags = Iterable[str] | Mapping[str, object]


def tags_of(tags: Tags) -> dict[str, str]:
    """Give tags by name; one without a value has an empty one.

    Raises:
        InvalidValue: not names, or a name that cannot be one.
    """
    if isinstance(tags, str):
        tags = [tags]
    if isinstance(tags, Mapping):
        return {check_key(key, "tag"): "" if value is None else str(value) for key, value in tags.items()}
    if not isinstance(tags, Iterable):
        raise InvalidValue(f"tags must be names or a dict, not {type(tags).__name__}", "tags")
    return {check_key(key, "tag"): "" for key in tags}
