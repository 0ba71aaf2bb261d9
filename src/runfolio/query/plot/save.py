"""Write a figure into a file."""

from __future__ import annotations

import io
import os
from html import escape
from typing import TYPE_CHECKING

from runfolio.errors import UsageError
from runfolio.query.need import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMS = ("png", "svg", "pdf", "html")
_SALT = "runfolio"  # the same figure gives the same bytes
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; background: #fff }}
svg {{ width: 100%; height: auto }}
</style>
<figure role="img" aria-label="{label}">
{svg}
</figure>
</html>
"""


def check_out(path: str | os.PathLike[str]) -> str:
    """Give the form that the end of a file's name asks for.

    Raises:
        UsageError: none of ours.
    """
    form = os.path.splitext(os.fspath(path))[1][1:].lower()
    if form not in FORMS:
        raise UsageError(f"a plot is written as {', '.join(f'.{one}' for one in FORMS)}; not as {os.fspath(path)!r}")
    return form


def save(figure: Figure, path: str | os.PathLike[str], title: str, caption: str) -> None:
    """Write a figure: whole, or not at all."""
    form = check_out(path)
    content = _page(figure, title, caption) if form == "html" else _bytes(figure, form)
    folder = os.path.dirname(os.fspath(path))
    if folder and not os.path.isdir(folder):
        raise UsageError(f"there is no folder {folder!r}: make it, or choose another file than {os.fspath(path)!r}")
    beside = f"{os.fspath(path)}.{os.getpid()}.part"
    try:
        with open(beside, "wb") as file:
            file.write(content)
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise


def _bytes(figure: Figure, form: str, words_as: str = "path") -> bytes:
    rc_context = need("matplotlib", "plot").rc_context
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
    with rc_context({"svg.hashsalt": _SALT, "svg.fonttype": words_as, "pdf.fonttype": 42, "text.usetex": False}):
        made = io.BytesIO()
        figure.savefig(made, format=form, metadata=undated)
    return made.getvalue()


def _page(figure: Figure, title: str, caption: str) -> bytes:
    """Make one page that needs nothing else: the picture stands in it as SVG, its words as text."""
    svg = _bytes(figure, "svg", words_as="none").decode()
    svg = svg[svg.index("<svg") :]
    return _PAGE.format(title=escape(title), label=escape(caption), svg=svg).encode()
