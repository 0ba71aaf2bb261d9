"""Numbers come back bit for bit, in whatever form they are asked for (F40)."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.runs import end_run, make_run, make_store
from runfolio.journal.writer import FINAL
from runfolio.model.strict_json import dumps_view, unview, view
from runfolio.query.store import Store
from runfolio.store import packed_points
from runfolio.testing.clock import ManualClock

ODD = [0x7FF8DEAD00000001, 0xFFF8000000000000, 0x8000000000000000, 0x7FF0000000000000, 0xFFF0000000000000, 1]
FLOATS = st.one_of(
    st.floats(),
    st.sampled_from([5e-324, 1.7976931348623157e308, -0.0]),
    st.sampled_from(ODD).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]),
)
VALUES = st.one_of(FLOATS, st.integers(-(2**53), 2**53), st.booleans())


def bits(value: Any) -> bytes:
    return struct.pack(">d", value)


def kind_of(value: Any) -> str:
    return "b" if isinstance(value, bool) else "i" if isinstance(value, int) else "f"


@given(values=st.lists(VALUES, min_size=1, max_size=20), sealed=st.booleans())
def test_F40_every_number_round_trips(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], sealed: bool
) -> None:
    """NaN with its payload, -0.0, the infinities, 5e-324, ints and bools come out of series, table, pandas, polars, Arrow, DuckDB and
    the reader's cache as they went in; in strict JSON NaN loses its payload only, and is told from the text "NaN"."""
    pandas, polars, duckdb = (pytest.importorskip(name) for name in ("pandas", "polars", "duckdb"))
    root = tmp_path_factory.mktemp("bits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNFOLIO_DIR", str(root / "store"))
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        layout = make_store()
        run_id, writer = make_run(layout)
        for step, value in enumerate(values[:-1]):
            writer.log({"m": value}, step)
        writer.log({"m": values[-1]}, FINAL)
        if sealed:
            end_run(writer)
        with Store(layout, ManualClock()) as store:
            run = store.run(run_id)
            series, table = run.series("m"), run.table()
        expected = [bits(value) for value in values]
        kinds = [kind_of(value) for value in values]

        assert [bits(value) for value in series.values] == expected
        assert list(series.kinds) == list(table.kinds("m")) == kinds
        assert [(bits(value), kind_of(value)) for _, value in series] == list(zip(expected, kinds, strict=True))
        assert [bits(row["metrics"]["m"]) for row in table.rows()] == expected
        assert [bits(value) for value in table.values("m")] == expected
        assert [bits(value) for value in packed_points.unpack(packed_points.pack(series._points)).values] == expected

        for column in (series.to_pandas()["value"], table.to_pandas()["m"]):
            assert [bits(value) for value in column.to_numpy()] == expected
        for column in (series.to_polars()["value"], table.to_polars()["m"], polars.DataFrame(series)["value"]):
            assert column.null_count() == 0
            assert [bits(value) for value in column.to_numpy()] == expected
        assert isinstance(series.to_pandas(), pandas.DataFrame)
        found = duckdb.sql("SELECT value FROM series").fetchall()
        assert [bits(value) for (value,) in found] == expected

        ready, paths = view({"values": [value for _, value in series], "text": "NaN"})
        again = unview(json.loads(dumps_view(ready), parse_constant=pytest.fail), paths)
        assert again["text"] == "NaN"
        assert [kind_of(value) for value in again["values"]] == kinds
        for value, back in zip(values, again["values"], strict=True):
            assert bits(value) == bits(back) or (math.isnan(value) and math.isnan(back))

        summary = run.metrics["m"]
        assert (bits(summary.first), bits(summary.last)) == (expected[0], expected[-1])


def test_F41_a_missing_value_is_null_and_not_nan() -> None:
    """In a table NaN that was logged and a value that was not are told apart: Arrow has null for the latter only."""
    polars = pytest.importorskip("polars")
    layout = make_store()
    run_id, writer = make_run(layout)
    writer.log({"a": math.nan}, 0)
    writer.log({"b": 1}, 1)
    with Store(layout) as store:
        table = store.run(run_id).table()
    frame = polars.DataFrame(table)
    assert frame["a"].is_null().to_list() == [False, True]
    assert frame["b"].is_null().to_list() == [True, False]
    assert list(table.present("a")) == [True, False]
    assert np.isnan(table.values("a")).all()
    assert [row["metrics"].keys() for row in table.rows()] == [{"a"}, {"b"}]
