"""A question to the index: which runs, in which order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from runfolio.errors import UsageError
from runfolio.model.states import ALL

if TYPE_CHECKING:
    from runfolio.query.filter import Slow


class Selection(NamedTuple):
    """A question to the index."""

    where: str = ""
    values: tuple[object, ...] = ()
    order: str = ""
    order_values: tuple[object, ...] = ()
    slow: tuple[Slow, ...] = ()


def plain_selection(
    experiment: str | None, status: str | Iterable[str] | None, deleted: bool | None, archived: bool | None
) -> Selection:
    """Select by fields alone."""
    parts: list[str] = []
    values: list[object] = []
    for column, value in (("experiment", experiment), ("deleted", deleted), ("archived", archived)):
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    if status is not None:
        wanted = [status] if isinstance(status, str) else list(status)
        unknown = [one for one in wanted if one not in ALL]
        if unknown:
            raise UsageError(f"no status {unknown[0]!r}; there are {', '.join(ALL)}")
        parts.append(f"status IN ({', '.join('?' * len(wanted))})")
        values += wanted
    return Selection(" AND ".join(parts), tuple(values))
