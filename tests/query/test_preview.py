"""Previews: what an artifact is by its bytes and name, and the beginning of it; nothing in it is executed, and no number bent."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from query.opened import opened
from runfolio.query.previews.preview import HEAD_BYTES, Preview, preview
from runfolio.query.previews.table import CELL_CHARS_MAX, COLUMNS_MAX, ROWS_MAX

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


def look(content: bytes, name: str) -> Preview:
    with opened(content) as file:
        return preview(file, name)


@pytest.mark.parametrize(
    ("name", "content", "kind", "type_"),
    [
        ("a.png", PNG, "image", "image/png"),
        ("a.txt", PNG, "image", "image/png"),
        ("a", b"\xff\xd8\xff\xe0" + bytes(9), "image", "image/jpeg"),
        ("a", b"GIF89a" + bytes(9), "image", "image/gif"),
        ("a", b"RIFF\0\0\0\0WEBPVP8 ", "image", "image/webp"),
        ("a", b"RIFF\0\0\0\0WAVEfmt ", "audio", "audio/wav"),
        ("a.mp3", b"\xff\xfb\x90" + bytes(9), "audio", "audio/mpeg"),
        ("a", b"ID3\4" + bytes(9), "audio", "audio/mpeg"),
        ("a", b"fLaC" + bytes(9), "audio", "audio/flac"),
        ("a.ogg", b"OggS" + bytes(9), "audio", "audio/ogg"),
        ("a.ogv", b"OggS" + bytes(9), "video", "video/ogg"),
        ("a", b"\0\0\0\x20ftypisom" + bytes(9), "video", "video/mp4"),
        ("a", b"\x1aE\xdf\xa3" + bytes(9), "video", "video/webm"),
        ("a.svg", b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "image", "image/svg+xml"),
        ("a.html", b"<!doctype html><p>hi", "html", "text/html"),
        ("a.txt", b"<!doctype html><p>hi", "text", "text/plain; charset=utf-8"),
        ("cat.png", b"<script>alert(1)</script>", "text", "text/plain; charset=utf-8"),
        ("a.svg", b"<p>no picture", "text", "text/plain; charset=utf-8"),
        ("a.html", b"<p>\0", "none", "application/octet-stream"),
        ("a.json", b"no json", "text", "text/plain; charset=utf-8"),
        ("a", b"", "text", "text/plain; charset=utf-8"),
        ("a", bytes(range(256)), "none", "application/octet-stream"),
        ("a.log", b"\x1b[31mred\x1b[0m\n", "text", "text/plain; charset=utf-8"),
    ],
)  # fmt: skip
def test_kinds(name: str, content: bytes, kind: str, type_: str) -> None:
    """Bytes say what it is where they are sure; a name only chooses among what they allow."""
    found = look(content, name)
    assert (found.kind, found.type, found.size_bytes) == (kind, type_, len(content))


class _Pwn:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return open, ("pwned",)


def test_A17_nothing_is_unpickled() -> None:
    """A17: what a program would load is `none` with a size, and stays unloaded."""
    np.save("object.npy", np.array([_Pwn()], dtype=object), allow_pickle=True)
    text = b"cbuiltins\nopen\n(S'pwned'\nS'w'\ntR."
    for name, content in (
        ("a.pkl", text), ("a.pt", text), ("a.joblib", text), ("a.npy", text), ("a.PKL", text), ("a.ckpt", pickle.dumps(_Pwn())),
        ("a.bin", pickle.dumps(_Pwn())), ("a.npy", Path("object.npy").read_bytes()), ("a", pickle.dumps(_Pwn())), ("a.pth", PNG),
    ):  # fmt: skip
        found = look(content, name)
        assert found == Preview("none", len(content), "application/octet-stream"), name
    assert not Path("pwned").exists()


def test_text_is_cut() -> None:
    """Of a long text the beginning comes, without half a character, and it says so; no more than that is read."""
    content = ("ä" * HEAD_BYTES).encode()[1:]
    content = b"x" + content[1:]
    with opened(content) as file:
        found = preview(file, "a.txt")
        assert file.read_bytes == HEAD_BYTES
    assert found.cut and found.text is not None and "\ufffd" not in found.text
    assert look(b"\xef\xbb\xbfab", "a.txt")[3:5] == ("ab", False)


# ---------------------------------------------------------------- JSON


def test_json_in_lines() -> None:
    """JSON is set as Python's own module sets it, where that can read it."""
    value = {"a": [1, 2.5, {"b": 'x,y: {["\\'}], "c": {}, "d": [], "e": None, "": [[], {}]}
    assert look(json.dumps(value).encode(), "a.json").text == json.dumps(value, indent=2)


def test_json_numbers_stay() -> None:
    """Numbers, equal keys and what is no strict JSON stand as they were written."""
    found = look(b'{"a":1e400,"a":1.10,"b":NaN,"c":123456789012345678901234567890}', "a.json")
    assert found.text == '{\n  "a": 1e400,\n  "a": 1.10,\n  "b": NaN,\n  "c": 123456789012345678901234567890\n}'


@pytest.mark.parametrize(
    "content", [b"[" * 10**5, b'[{"a":' * 10**5, b'["' + b'\\"' * 10**6, b"[" + b'"\\' * 10**5, b"{" + b"}" * 10**5]
)
def test_A18_json_made_to_harm(content: bytes) -> None:
    """A18: deep, torn and endless JSON is shown within bounds."""
    found = look(content, "a.json")
    assert found.kind == "json" and found.text is not None and len(found.text) <= 256 << 10


# ---------------------------------------------------------------- tables


def test_csv() -> None:
    """The first row names the columns; quotes, newlines in cells and short rows are as csv has them."""
    found = look(b'a,b\n1,"x\ny"\n\n2\n', "a.csv")
    assert (found.kind, found.columns, found.rows) == ("table", ["a", "b"], [["1", "x\ny"], ["2", None]])
    assert (found.rows_total, found.cut) == (2, False)


def test_csv_numbers_stay() -> None:
    """Cells are text as it stands: no number is read."""
    assert look(b"x\n1e400\n0.10\nNaN\n=1+1\n", "a.csv").rows == [["1e400"], ["0.10"], ["NaN"], ["=1+1"]]


def test_other_separators() -> None:
    """Tabs by the name, semicolons by the first row."""
    assert look(b"a\tb\n1\t2\n", "a.tsv").rows == [["1", "2"]]
    assert look(b"a;b\n1,5;2\n", "a.csv").rows == [["1,5", "2"]]


def test_large_csv() -> None:
    """Of a large table so many rows, columns and characters of a cell come, and it says so."""
    wide = ",".join(f"c{at}" for at in range(COLUMNS_MAX + 50))
    row = ",".join(["v" * (CELL_CHARS_MAX + 5)] + ["1"] * (COLUMNS_MAX + 49))
    found = look("\n".join([wide, *[row] * (ROWS_MAX + 10)]).encode(), "a.csv")
    assert found.columns is not None and found.rows is not None
    assert (len(found.columns), len(found.rows), found.rows_total, found.cut) == (
        COLUMNS_MAX,
        ROWS_MAX,
        ROWS_MAX + 10,
        True,
    )
    assert found.rows[0][0] == "v" * (CELL_CHARS_MAX - 1) + "…"


def test_csv_made_to_harm() -> None:
    """A cell beyond all bounds makes it text."""
    assert look(b'a\n"' + b"x" * 200_000, "a.csv").kind == "text"


def test_parquet() -> None:
    """The first rows of Parquet come as text of their types, missing ones as null, names whatever they hold."""
    import duckdb

    query = """SELECT i, i * 1.5::DOUBLE AS x, 'n' || i AS "we""i,rd'", [1, 2] AS l, NULL::INT AS n, 'NaN'::DOUBLE AS f,
        repeat('z', 1000) AS long FROM range(1000) t(i)"""
    duckdb.sql(query).write_parquet("t.parquet")
    with opened(Path("t.parquet")) as file:
        found = preview(file, "whatever")
    assert found.columns == ["i", "x", "we\"i,rd'", "l", "n", "f", "long"]
    assert found.rows is not None and found.rows[1][:6] == ["1", "1.5", "n1", "[1, 2]", None, "nan"]
    assert len(found.rows[1][6] or "") == CELL_CHARS_MAX
    assert (len(found.rows), found.rows_total, found.cut) == (ROWS_MAX, 1000, True)


@pytest.mark.parametrize(
    "content", [b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"PAR1" + b"\xff" * 100 + b"\xff\xff\xff\x7fPAR1"]
)
def test_parquet_made_to_harm(content: bytes) -> None:
    """What only begins like Parquet is `none`."""
    assert look(content, "a.parquet").kind == "none"


def test_parquet_reads_one_file() -> None:
    """The DuckDB that looks into a file can neither read nor write another, nor be told otherwise."""
    import duckdb

    from runfolio.query.previews import table as preview_table

    Path("secret.csv").write_text("a\n1\n")
    duckdb.sql("SELECT 1 AS a").write_parquet("t.parquet")
    with opened(Path("t.parquet")) as file:
        db = preview_table._locked_to(f"/proc/self/fd/{file.fd}")
        for query in (
            "SELECT * FROM read_csv('secret.csv')",
            "COPY (SELECT 1) TO 'out.csv'",
            "ATTACH 'other.db'",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                db.execute(query)
        db.close()
