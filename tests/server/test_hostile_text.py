"""Attacks by text: filters that would be code, names that would be commands, templates or SQL. All of it is read as what it is: text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.asking import client_of
from server.filling import add_run, fill, store_path

STORE = "/api/v1/stores/store"


@pytest.fixture
def client() -> Iterator[TestClient]:
    fill(2)
    with client_of(store_path()) as one:
        yield one


PROGRAMS = [
    "().__class__.__base__.__subclasses__()",
    '"{0.__class__.__init__.__globals__}".format(run)',
    "run.__dict__",
    "[c for c in (1,) if exec('import os')]",
    "__import__('os').system('touch pwned')",
    "eval('1')",
    "lambda: 1",
    "lr == 0.1; import os",
    "metrics.loss.last.__class__ == 1",
]


def test_A15_filters_are_no_code(client: TestClient, tmp_path: Path) -> None:
    """A15: a filter that would be Python is refused, and the column says where; nothing of it runs."""
    for asked in PROGRAMS:
        for place in ("q", "sort"):
            answer = client.get(f"{STORE}/runs", params={place: asked})
            assert answer.status_code == 400, asked
            assert answer.json()["error"]["column"] >= 1, asked
    assert not (tmp_path / "pwned").exists()


QUERIES = [
    "metrics.a > 1; DROP TABLE runs--",
    'metrics.`a" OR 1=1--` > 0',
    'params.k like "%\\\' OR \'1\'=\'1"',
    'name == "x" OR 1=1--',
    "lr == 1 UNION SELECT * FROM runs",
    "load_extension('x')",
    'name in (SELECT name FROM runs)',
    'name == "\'; DROP TABLE runs; --"',
]  # fmt: skip
ORDERS = ["metrics.x DESC, (SELECT 1)", "name; DROP TABLE runs", "1", "-(SELECT 1)", "random()", "name COLLATE NOCASE"]


def test_A16_no_sql_comes_through(client: TestClient) -> None:
    """A16: a filter or an order that would be SQL is refused or fits no run; all runs are there afterwards."""
    for query in QUERIES:
        answer = client.get(f"{STORE}/runs", params={"q": query})
        assert answer.status_code == 400 or answer.json()["total"] == 0, query
        assert "SELECT" not in answer.text or "SELECT" in query, query
    for order in ORDERS:
        assert client.get(f"{STORE}/runs", params={"sort": order}).status_code == 400, order
    for column in ("params.lr FROM runs--", "metrics.loss.last') OR 1=1"):
        answer = client.get(f"{STORE}/runs", params={"column": column})
        assert answer.status_code == 400 or set(answer.json()["columns"][column]) == {None}, column
    assert client.get(f"{STORE}/runs").json()["total"] == 2


def test_A16_names_are_bound() -> None:
    """A16: a param whose name is SQL is asked for and sorted by as any other."""
    name = "a\") OR 1=1--' \\ x"
    fill(2)
    add_run("odd", {name: 7})
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    with client_of(store_path()) as client:
        told = client.get(f"{STORE}/runs", params={"q": f'params["{quoted}"] == 7', "column": f"params.{name}"}).json()
        assert told["columns"][f"params.{name}"] == [7]
        for sign, place in (("-", 0), ("", 0)):
            ordered = client.get(f"{STORE}/runs", params={"sort": f"{sign}params.{name}", "column": "name"}).json()
            assert ordered["columns"]["name"][place] == "odd"


def test_A18_only_json_is_read(client: TestClient, tmp_path: Path) -> None:
    """A18: YAML, TOML and XML are no bodies, also where they say that they are JSON; nothing in them is made an object."""
    bodies = [
        b"!!python/object/apply:os.system ['touch pwned']",
        b"a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"[table]\nkey = 1",
        b"[" * 1_000_000,
    ]
    for body in bodies:
        for kind in ("application/yaml", "application/toml", "text/xml", "application/json"):
            answer = client.post(f"{STORE}/edits", content=body, headers={"Content-Type": kind})
            assert answer.status_code == (400 if kind == "application/json" else 415)
    assert not (tmp_path / "pwned").exists()


COMMANDS = [
    "$(touch pwned)",
    "`touch pwned`",
    ";touch pwned",
    "-oProxyCommand=touch pwned",
    "--upload-pack=touch pwned",
    "| touch pwned",
]


def test_A19_names_are_no_commands(client: TestClient, tmp_path: Path) -> None:
    """A19: a run named like a command is shown, compared and edited as any other; no process sees its name."""
    ids = [add_run(command, {"p": command}) for command in COMMANDS]
    for run, command in zip(ids, COMMANDS, strict=True):
        told = client.get(f"{STORE}/runs/{run}").json()
        assert (told["name"], told["params"]["p"]) == (command, command)
    body = json.dumps({"runs": ids, "add_tags": {"$(touch pwned)": "`touch pwned`"}})
    assert client.post(f"{STORE}/edits", content=body, headers={"Content-Type": "application/json"}).status_code == 200
    assert not (tmp_path / "pwned").exists()


TEMPLATES = ["{{7*7}}", "${HOME}", "$AWS_SECRET_ACCESS_KEY", "%(x)s", "{0.__class__}", "#{7*7}", "<%= 7*7 %>", "%s%n"]


def test_A21_templates_stay_as_they_are(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A21: names that would be templates come back verbatim, in answers and in errors; nothing of the surroundings is put in."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY")
    for text in TEMPLATES:
        run = add_run(text, {text: text}, {text: [1.0]}, notes=text, tags={text: text})
        told = client.get(f"{STORE}/runs/{run}")
        assert "CANARY" not in told.text
        facts = told.json()
        key = f"${text}" if text.startswith("$") else text
        assert (facts["name"], facts["notes"], facts["params"], facts["tags"]) == (text, text, {key: text}, {key: text})
        assert list(facts["metrics"]) == [key]
        error = client.get(f"{STORE}/runs", params={"column": f"nope.{text}"}).json()["error"]
        assert text in error["message"]
