"""Edits over the API: of named runs or of all that fit, told in words, taken back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from runfolio.query.editing import changes
from runfolio.query.store import Store
from runfolio.server import limits
from runfolio.store.edits import author
from runfolio.store.layout import Layout
from server.asking import client_of
from server.filling import fill, store_path

STORE = "/api/v1/stores/store"


@pytest.fixture
def ids() -> list[str]:
    return fill(4)


@pytest.fixture
def client(ids: list[str]) -> Iterator[TestClient]:
    with client_of(store_path()) as one:
        yield one


def edit(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{STORE}/edits", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def runs() -> dict[str, Any]:
    """Give all runs as a reader of their own sees them."""
    with Store(Layout(str(store_path()))) as store:
        return {run.id: run for run in store.runs(deleted=None, archived=None)}


def facts() -> dict[str, tuple[Any, ...]]:
    return {id_: (run.name, run.notes, run.tags, run.archived, run.deleted) for id_, run in runs().items()}


def test_named_runs(client: TestClient, ids: list[str]) -> None:
    """Runs that are named, by eight digits too, are changed; the change is told in words, under the user's name."""
    told = edit(client, runs=[ids[0], ids[1][:8]], name="new", notes="n", add_tags={"a": "1", "b": ""})
    assert (told["what"], told["runs"]) == ("renamed, noted, tagged", 2)
    found = runs()
    assert all(
        (found[id_].name, found[id_].notes, found[id_].tags) == ("new", "n", {"a": "1", "b": ""}) for id_ in ids[:2]
    )
    assert found[ids[2]].name == "r2"
    (change,) = changes(Layout(str(store_path())))
    assert (change.id, change.author) == (told["change"], author())


def test_a_filter(client: TestClient, ids: list[str]) -> None:
    """A filter means what the table shows: archived runs are only brought back by it, deleted ones only restored."""
    assert edit(client, q="params.seed == 0", archived=True)["runs"] == 2
    assert edit(client, q="", add_tags={"shown": ""})["runs"] == 2
    assert edit(client, q="", deleted=True)["runs"] == 2
    assert edit(client, q="", notes="none are left")["runs"] == 0
    assert edit(client, q="", archived=False) | {"change": 0} == {"change": 0, "what": "brought back", "runs": 2}
    assert edit(client, q="", deleted=False)["what"] == "restored"
    assert not any(run.archived or run.deleted for run in runs().values())


def test_undo(client: TestClient, ids: list[str]) -> None:
    """Undo takes back the last change, then the one before, then there is none."""
    first = edit(client, runs=ids, add_tags={"a": "1"})
    second = edit(client, runs=ids[:1], deleted=True)
    assert client.post(f"{STORE}/undo", json={}).json() == second
    assert client.post(f"{STORE}/undo", json={}).json() == first
    assert client.post(f"{STORE}/undo", json={}).json() == {"change": None, "what": "", "runs": 0}
    assert not any(run.deleted or run.tags for run in runs().values())


def test_undo_of_one_change(client: TestClient, ids: list[str]) -> None:
    """A change that is named is taken back though others came after it; not where a later one of the same run stands on it."""
    first = edit(client, runs=ids[:1], name="first")
    second = edit(client, runs=ids[1:2], name="second")
    again = edit(client, runs=ids[1:2], notes="more")

    def undo(change: str) -> Any:
        return client.post(f"{STORE}/undo", json={"change": change})

    refused = undo(second["change"])
    assert refused.status_code == 400 and "changed again since" in refused.json()["error"]["message"]
    assert undo(first["change"]).json() == first
    assert undo(first["change"]).json()["change"] is None
    assert undo(again["change"]).json() == again
    assert undo(second["change"]).json() == second
    assert [runs()[run].name for run in ids[:2]] == ["r0", "r1"]


def test_nothing_to_do(client: TestClient, ids: list[str]) -> None:
    """What is so already makes no change."""
    assert edit(client, runs=ids, archived=False) == {"change": None, "what": "", "runs": 0}
    assert changes(Layout(str(store_path()))) == []


@pytest.mark.parametrize(
    "body",
    [
        {}, {"runs": []}, {"name": "x"}, {"runs": ["0" * 7], "name": "x"}, {"runs": ["../../../x"], "name": "x"}, {"runs": ["*"], "name": "x"},
        {"runs": [""], "name": "x"}, {"q": "", "runs": ["0" * 32], "name": "x"}, {"q": ""}, {"q": "((", "name": "x"}, {"q": "", "name": ""},
        {"q": "", "name": "a\0b"}, {"q": "", "name": 1}, {"q": "", "deleted": "yes"}, {"q": "", "add_tags": {"": "x"}},
        {"q": "", "add_tags": {"k": 1}}, {"q": "", "remove_tags": "k"}, {"q": "", "author": "root", "name": "x"}, {"q": "", "metric": ["a", "b"]},
        {"q": "", "name": "x" * (limits.TEXT_MAX + 1)}, {"q": "", "notes": "x" * (limits.NOTES_MAX + 1)},
        {"q": "", "add_tags": {f"k{number}": "" for number in range(limits.TAGS_MAX + 1)}}, [], "x",
    ],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_nonsense(client: TestClient, body: Any) -> None:
    """What makes no sense is refused, and nothing is changed."""
    before = facts()
    assert client.post(f"{STORE}/edits", json=body).status_code == 400
    assert facts() == before and changes(Layout(str(store_path()))) == []


def test_one_run_that_is_not_there(client: TestClient, ids: list[str]) -> None:
    """Where one of the named runs is not there, none is changed."""
    assert client.post(f"{STORE}/edits", json={"runs": [ids[0], "0" * 32], "name": "x"}).status_code == 404
    assert runs()[ids[0]].name == "r0"


def test_undo_takes_nothing(client: TestClient) -> None:
    """Undo takes a change and nothing else: another field is refused, and what is no id."""
    assert client.post(f"{STORE}/undo", json={"anyone": True}).status_code == 400
    assert client.post(f"{STORE}/undo", json={"change": ""}).status_code == 400


def test_a_store_that_cannot_be_written(client: TestClient, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that takes nothing an edit is refused in words, without a path, and the runs are shown as before."""
    journal = Layout(str(store_path())).journal
    for name in os.listdir(journal):
        os.unlink(os.path.join(journal, name))
    os.rmdir(journal)
    with open(journal, "w"):  # root writes anywhere; into a file nobody makes a journal
        pass
    for target, body in (("edits", {"runs": ids, "name": "x"}),):
        answer = client.post(f"{STORE}/{target}", json=body)
        assert answer.status_code == 409
        told = answer.json()["error"]
        assert (
            told["kind"] == "NotWritten"
            and "cannot be written" in told["message"]
            and str(store_path()) not in told["message"]
        )
    assert client.get(f"{STORE}/runs").status_code == 200
    assert runs()[ids[0]].name == "r0"
