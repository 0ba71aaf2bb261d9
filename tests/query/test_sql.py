"""SQL over the runs: what the tables hold, that only what is needed is read, and that a query can touch nothing else."""

from __future__ import annotations

import math
import os

import polars as pl
import pytest

import runfolio
from query.runs import end_run, make_run, make_store
from runfolio.errors import FilterError, RunfolioError, UsageError
from runfolio.query import sql
from runfolio.query.sql_scope import Scope


@pytest.fixture
def store():
    """Two runs with params, metrics, NaN and an artifact."""
    for name, lr, seed in (("a", 0.1, 1), ("b", 0.01, 2)):
        with runfolio.start(
            "digits", name, {"lr": lr, "seed": seed, "net": {"act": "relu"}}, {"team": "ml"}, capture=False
        ) as run:
            run.define("loss", goal="min")
            for step, loss in enumerate([3.0, math.nan, 1.0 + seed]):
                run.log({"loss": loss, "epoch": step}, step=step)
            run.log({"test": 0.5}, step=runfolio.FINAL)
            run.summary["acc"] = 0.9
            if name == "a":
                run.add_artifact(b"bytes", "model.bin")
    return runfolio.open_store()


def rows(store, query, **more):
    return [tuple(row) for row in store.sql(query, **more)]


def test_the_five_tables_hold_what_the_runs_hold(store):
    """runs, params, metrics, points and artifacts answer as their documentation says."""
    a = store.runs(name="a")[0]
    assert rows(store, "select name, experiment, status, tags->>'team', summary->>'acc' from runs order by name") == [
        ("a", "digits", "finished", "ml", "0.9"),
        ("b", "digits", "finished", "ml", "0.9"),
    ]
    assert rows(
        store, "select param, value, number, kind from params join runs using (run) where name = 'a' order by 1"
    ) == [
        ("lr", "0.1", 0.1, "float"),
        ("net.act", "relu", None, "text"),
        ("seed", "1", 1.0, "int"),
    ]
    found = "select goal, count, nan_count, first, last, min, max, mean, step_of_min from metrics where metric = 'loss' and run = '"
    assert rows(store, f"{found}{a.id}'") == [("min", 2, 1, 3.0, 2.0, 2.0, 3.0, 2.5, 2)]
    assert rows(store, "select step, value, kind from points where metric = 'epoch' and name = 'b' order by step") == [
        (0, 0.0, "int"),
        (1, 1.0, "int"),
        (2, 2.0, "int"),
    ]
    assert rows(store, "select artifact, version, size_bytes from artifacts") == [("model.bin", 1, 5)]
    assert rows(store, "select step, rank from points where metric = 'test' and name = 'a'") == [(None, None)]


def test_times_are_exact_and_in_utc(store):
    """A point's time keeps its nanoseconds; that of a run is a datetime in UTC."""
    want = store.runs(name="a")[0].series("epoch").times.view("int64").tolist()
    query = "select epoch_ns(time), time from points where metric = 'epoch' and name = 'a' order by step"
    assert [row[0] for row in rows(store, query)] == want
    plain = list(store.sql(query).plain())
    assert all(text.endswith(f"{ns % 10**9:09d}Z") for (ns, text) in plain)
    ((created,),) = rows(store, "select created from runs where name = 'a'")
    assert created == store.runs(name="a")[0].created


def test_nan_is_a_value_and_sorts_highest(store):
    """DuckDB's max of a series with NaN is NaN; nullif and the metrics table leave it out."""
    ((high, low, without),) = rows(
        store,
        "select max(value), min(value), max(nullif(value, 'nan')) from points where metric = 'loss' and name = 'a'",
    )
    assert math.isnan(high) and low == 2.0 and without == 3.0
    assert rows(store, "select max from metrics join runs using (run) where metric = 'loss' and name = 'a'") == [(3.0,)]


def test_an_answer_is_a_frame(store):
    """An answer goes into Arrow, polars and pandas with its types; a name that stands twice is numbered."""
    found = store.sql(
        "select name, 1 as x, created, count(*) n, true t, [1, 2] l, 2::hugeint h from runs group by all order by 1"
    )
    assert found.columns == ["name", "x", "created", "n", "t", "l", "h"]
    assert found.kinds == ["text", "int", "us", "int", "bool", "json", "int"]
    table = pl.DataFrame(found)
    assert table["name"].to_list() == ["a", "b"] and table["l"].to_list() == ["[1,2]"] * 2
    assert table.schema["created"] == pl.Datetime("us", "UTC")
    assert next(iter(found))[5] == [1, 2]
    assert found.to_pandas()["n"].tolist() == [1, 1]
    assert len(store.sql("select * from runs where false").to_pandas()) == 0


def test_a_limit_cuts_and_says_so(store):
    """With a limit at most so many rows come, and `more` tells that there are others."""
    found = store.sql("select step from points order by step nulls last", limit=2)
    assert (len(found), found.more) == (2, True)
    found = store.sql("select name from runs", limit=2)
    assert (len(found), found.more) == (2, False)


@pytest.mark.parametrize(
    "query",
    [
        "select 1 as one;",
        "select 1 as one -- a comment",
        "/* c */ select 1 as one; -- ; 'é",
        "with x as (select 1 one) from x",
        "values (1)",
    ],
)
def test_a_semicolon_and_comments_do_no_harm(store, query):
    """One statement may end in a semicolon and have comments."""
    assert rows(store, query) == [(1,)]


def test_describe_and_show_read_no_run(store, monkeypatch):
    """To ask for the columns costs no reading of runs."""
    monkeypatch.setattr(type(store), "runs", lambda *_, **__: pytest.fail("runs were read"))
    assert ("value", "DOUBLE") in [row[:2] for row in rows(store, "describe points")]
    assert {row[0] for row in rows(store, "show tables")} >= {"runs", "params", "metrics", "points", "artifacts"}


# ------------------------------------------------------------------------------------------------------- what is read


def scope(query):
    import duckdb

    db = duckdb.connect()
    try:
        return sql._asked(db, query).scope
    finally:
        db.close()


@pytest.mark.parametrize(
    ("query", "metrics"),
    [
        ("select * from points where metric = 'a'", {"a"}),
        ("select * from POINTS p where 'a' = p.metric and step > 3", {"a"}),
        ("select * from points where metric in ('a', 'b') and (step > 3 or value < 1)", {"a", "b"}),
        ("select * from points p join runs r using (run) where metric = 'a' and r.name = 'x'", {"a"}),
        ("select * from points p, points q where p.metric = 'a' and q.metric = 'b'", {"a", "b"}),
        ("select * from (select * from points where metric = 'a') where value > 1", {"a"}),
        ("with c as (select * from points where metric = 'a') select * from c join points d on true where d.metric = 'b'", {"a", "b"}),
        ("select (select max(value) from points where metric = 'a')", {"a"}),
        ("select * from points", None),
        ("select * from points where metric = 'a' or step = 1", None),
        ("select * from points where metric <> 'a'", None),
        ("select * from points where not metric = 'a'", None),
        ("select * from points where metric = lower('A')", None),
        ("select * from points p, points q where p.metric = 'a'", None),
        ("select * from points p, points q where p.metric = 'a' and q.step = p.step", None),
        ("select * from points p join metrics m using (run) where m.metric = 'a'", None),
        ("select * from points tablesample 10% where metric = 'a'", None),
        ("select * from runs asof join points p on p.time >= runs.created where p.metric = 'a'", None),
        ("select * from points positional join runs where metric = 'a'", None),
        ("select * from points p(metric) where metric = 'a'", None),
        ("select * from points where metric = 'a' union all select * from points", None),
        ("select metric from points group by metric having metric = 'a'", None),
        ("pivot_wider", None),
    ],
)  # fmt: skip
def test_the_scope_of_a_query(query, metrics):
    """A WHERE that demands metrics restricts what is read; whatever could see others does not."""
    if query == "pivot_wider":
        query = "select * from (pivot points on metric in ('a') using max(value))"
    assert scope(query).metrics == (None if metrics is None else frozenset(metrics))


def test_the_scope_of_runs():
    """A run that is named by its id restricts the runs that are read."""
    assert scope("select * from points where run = 'x' and metric = 'a'") == Scope(frozenset("a"), frozenset("x"))
    assert scope("select * from points p join runs using (run) where p.run in ('x', 'y')").runs == {"x", "y"}
    assert scope("select * from points p join runs using (run) where run = 'x'").runs is None


def test_a_restricted_reading_gives_the_same_answer(store):
    """What a query answers does not depend on whether its points could be restricted."""
    plain = "select name, step, value from points where metric = 'epoch' order by all"
    hidden = "select name, step, value from points where metric || '' = 'epoch' order by all"
    assert scope(plain).metrics and scope(hidden).metrics is None
    assert rows(store, plain) == rows(store, hidden)


def test_only_the_tables_that_are_named_are_built(store, monkeypatch):
    """A question about runs reads neither points nor artifacts."""
    monkeypatch.setitem(sql.FRAMES, "artifacts", lambda runs: pytest.fail("artifacts were read"))
    monkeypatch.setattr(sql, "read_parts", lambda *_: pytest.fail("points were read"))
    assert len(rows(store, "select 'points', artifacts from (select name as artifacts from runs)")) == 2


def test_too_many_points_are_refused_with_what_to_do():
    """A query that would read more points than its memory allows says so, and how many MB would do."""
    layout = make_store()
    _, writer = make_run(layout)
    for step in range(1000):
        writer.log({f"m{number}": 0.0 for number in range(1000)}, step)
    end_run(writer)
    store = runfolio.open_store()
    with pytest.raises(UsageError, match=r"1,000,000 points.*metric = 'loss'.*58 MB"):
        store.sql("select count(*) from points", memory_mb=50)
    assert rows(store, "select count(*) from points where metric = 'm1'", memory_mb=50) == [(1000,)]


# ------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("query", "column", "word"),
    [
        ("select * frm runs", 13, "runs"),
        ("select 'é', nope from runs", 12, "nope"),
        ("select sume(1)", 7, "sum"),
        ("select * from nope", 14, "nope"),
        ("", None, "nothing"),
        ("   ", None, "nothing"),
    ],
)
def test_an_error_points_at_its_place(store, query, column, word):
    """What cannot be understood is told with its column, and with the nearest name."""
    with pytest.raises(UsageError, match=word) as told:
        store.sql(query)
    assert getattr(told.value, "column", None) == column
    assert isinstance(told.value, FilterError) == (column is not None)


# ------------------------------------------------------------------------------------------------------------ attacks


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO 'stolen.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "PRAGMA threads = 8",
        "CALL pragma_version()",
        "CREATE TABLE x AS SELECT 1",
        "CREATE MACRO m() AS 1",
        "INSERT INTO runs VALUES (1)",
        "UPDATE runs SET name = 'x'",
        "DELETE FROM runs",
        "DROP VIEW runs",
        "EXPORT DATABASE 'stolen'",
        "EXPLAIN ANALYZE SELECT 1",
        "PREPARE p AS SELECT 1",
        "SELECT 1; DROP VIEW runs",
        "SELECT 1) ; DROP VIEW runs; SELECT * FROM (SELECT 1",
        "BEGIN",
        "CHECKPOINT",
        "USE memory",
    ],
)
def test_A16_nothing_but_one_select_is_answered(store, query):
    """Whatever writes, sets, loads or comes as a second statement is refused."""
    before = set(os.listdir("."))
    with pytest.raises(UsageError):
        store.sql(query)
    assert set(os.listdir(".")) == before


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM 'https://example.org/x.parquet'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''stolen.csv''')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT getenv('HOME')",
        "SELECT * FROM store",
        "SELECT * FROM sqlite_scan('x.db', 't')",
    ],
)
def test_A16_a_select_reaches_no_file_no_network_no_variable(store, query):
    """No function reads a file, lists a folder, asks the network, the environment or the caller's variables."""
    before = set(os.listdir("."))
    with pytest.raises(RunfolioError):
        store.sql(query)
    assert set(os.listdir(".")) == before


@pytest.mark.parametrize(
    "query",
    [
        "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t",
        "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t WHERE x < 0 OR true) SELECT count(*) FROM t",
        "SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000) b",
    ],
)
def test_A16_an_endless_query_is_stopped_on_time(store, query):
    """A query that does not end is interrupted, and the store answers the next one."""
    with pytest.raises(UsageError, match=r"longer than 0\.2 s|MB"):
        store.sql(query, time_limit_s=0.2)
    assert rows(store, "select count(*) from runs") == [(2,)]


@pytest.mark.parametrize(
    "query",
    ["SELECT list(range) FROM range(100000000)", "SELECT range FROM range(100000000)",
     "SELECT string_agg(repeat('x', 1000), '') FROM range(900000)"],
)  # fmt: skip
def test_A16_memory_is_bounded(store, query):
    """A query whose work or answer grows beyond its memory is refused."""
    with pytest.raises(UsageError, match="100 MB"):
        store.sql(query, memory_mb=100)


def test_A16_settings_cannot_be_changed_by_functions(store):
    """The configuration is locked, and its limits are what was asked for."""
    asked = "select current_setting('enable_external_access'), current_setting('lock_configuration'), current_setting('threads')"
    assert rows(store, asked) == [(False, True, 2)]


@pytest.mark.parametrize("more", [{"limit": -1}, {"time_limit_s": 0}, {"memory_mb": 1}])
def test_limits_that_make_no_sense_are_refused(store, more):
    """A negative limit, no time or no memory is the caller's mistake."""
    with pytest.raises(UsageError):
        store.sql("select 1", **more)
