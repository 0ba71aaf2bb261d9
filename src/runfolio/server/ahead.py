"""What the app will ask first: made ready while the browser starts, and told to it with the page, so that the answer comes while the app's code
is still being read.

Source: HTML Living Standard, "preload"; RFC 8288 for the header. The addresses must be, letter by letter, those that ui/src/api/client.ts makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

FIRST_ROWS = 40
"""Of the table: as many as the app takes at a time."""
_CHOSEN = frozenset((b"q", b"show", b"sort", b"by", b"cols"))
"""With any of these in its address the page of runs asks something else."""
_CHART_MAX = 2000
"""Letters: a metric of a very long name is asked for a little later, and no header is longer than others on the way take."""
_FEW, _GREY, _VERY_MANY, _BANDS_MAX = 30, 200, 2000, 8
_BUCKETS, _GREY_BUCKETS, _CURVES = 1000, 50, 1000
"""As in the app: its curves come exact up to so many runs, coarse above the second number, without bands above the third."""


def asked_ahead(parts: Sequence[str], query: bytes, charts: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Give the headers of a page.

    Args:
        parts: of its address; none for the first page, which shows the first store.
        charts: the stores by name, each with what its large chart asks, as `chart_asked` gives it, where that is known.
    """
    if not charts or (parts and (parts[0] not in charts or parts[1:] != ["runs"])):
        return []
    asked = [] if parts else ["stores"]
    if _CHOSEN.isdisjoint(part.partition(b"=")[0] for part in query.split(b"&")):
        name = parts[0] if parts else next(iter(charts))
        store = f"stores/{quote(name, safe='')}"
        asked.append(f"{store}/overview?rows={FIRST_ROWS}")
        chart = charts[name]
        if chart is not None and not query and len(chart) <= _CHART_MAX:
            asked.append(f"{store}/series?{chart}")
    return [("Link", f"</api/v1/{one}>; rel=preload; as=fetch; crossorigin") for one in asked]


def chart_asked(metric: str, runs: int, groups: int | None) -> str:
    """Give what the large chart asks by itself, letter by letter as ui/src/views/runs/first_charts.ts and ui/src/charts/wishes.ts write it.

    Args:
        groups: how many there are where rows are groups; else None.
    """
    if groups is not None and groups <= _BANDS_MAX:
        return _query(metric, buckets=_BUCKETS, curves=0, group="*", as_="f8")
    form = "f8" if runs <= _FEW else "u2"
    buckets = _BUCKETS if runs <= _GREY else _GREY_BUCKETS
    return _query(metric, buckets=buckets, curves=_CURVES, bands="false" if runs > _VERY_MANY else None, as_=form)


def _query(metric: str, **asked: object) -> str:
    told = {"metric": metric, **asked}
    return urlencode({name.rstrip("_"): value for name, value in told.items() if value is not None}, safe="*").replace(
        "~", "%7E"
    )
