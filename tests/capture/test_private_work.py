"""A40: the uncommitted work is kept without the secrets that lie in it."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from capture.real_git import Repo
from runfolio.sdk.capture.git import capture_git
from runfolio.sdk.capture.private_files import is_private_file

CANARY = "Zq7canary9Xw0123456789abcdef"

PRIVATE = [".env", ".env.local", "prod.env", "server.pem", "tls.key", "id_rsa", "deploy/id_ed25519.pub", "credentials"]
PRIVATE += [
    "aws/credentials.json",
    "a.p12",
    ".netrc",
    ".npmrc",
    ".pypirc",
    "secrets.yaml",
    "Secrets.TOML",
    "secrets/a.txt",
]
PRIVATE += [".ssh/config", ".aws/config", "kaggle.json", "my-service-account-1.json", "prod.tfvars"]


def captured(repo: Repo) -> dict[str, Any]:
    """Capture a repository that makes no trouble."""
    facts = capture_git(str(repo.folder))
    assert facts is not None
    assert "error" not in facts
    return facts


@pytest.mark.parametrize("name", PRIVATE)
def test_A40_private_files_stay_out(repo: Repo, name: str) -> None:
    """A file that may hold secrets is named in the patch, with the reason, and nothing of it is in it."""
    repo.write(name, f"old {CANARY}\n")
    repo.git("add", "--force", "--all")
    repo.git("commit", "--quiet", "--message", "c")
    repo.write(name, f"new {CANARY}\n")
    repo.write("train.py", "lr = 0.2\n")
    facts = captured(repo)
    assert CANARY not in json.dumps(facts)
    assert facts["left_out"] == [{"path": name, "why": "may hold secrets"}]
    assert f"# left out: {name} (may hold secrets)\n" in facts["patch"]
    assert "+lr = 0.2" in facts["patch"]
    assert not facts["patch_exact"]


@pytest.mark.parametrize("name", ["train.py", "environment.yml", "keys.py", "tokenizer.json", "src/secret_santa.py"])
def test_A40_other_files_stay_in(name: str) -> None:
    """Files with harmless names are no private files."""
    assert not is_private_file(name)


def test_A40_untracked_private_files_are_only_named(repo: Repo) -> None:
    """An uncommitted `.env` is told by its name alone, as every file that git does not track."""
    repo.write(".env", f"API_KEY={CANARY}\n")
    facts = captured(repo)
    assert facts["untracked"] == [".env"]
    assert CANARY not in json.dumps(facts)


def test_A40_notebooks_stay_out(repo: Repo) -> None:
    """A notebook, whose outputs may show anything, is named and no line of it is kept."""
    repo.commit(a_ipynb='{"outputs": []}\n')
    repo.write("a.ipynb", json.dumps({"outputs": [f"the answer {CANARY}"]}))
    repo.write("deep/B.IPYNB", json.dumps({"outputs": [f"the answer {CANARY}" * 100_000]}))
    repo.git("add", "deep")
    facts = captured(repo)
    assert CANARY not in json.dumps(facts)
    assert facts["left_out"] == [{"path": "a.ipynb", "why": "notebook"}, {"path": "deep/B.IPYNB", "why": "notebook"}]


def test_A40_secrets_in_the_patch(repo: Repo) -> None:
    """Secrets in changed, removed and neighbouring lines are hidden and counted, and the other lines are kept."""
    repo.write("conf.yaml", f"lr: 1\npassword: {CANARY}\n")
    repo.commit(train_py=f'key = "hf_{CANARY}"\na = 1\nb = 2\n')
    repo.write("train.py", f'a = 2\nb = 2\napi_key = "{CANARY}"\n')
    repo.write("conf.yaml", f"lr: 2\npassword: {CANARY}\n")
    facts = captured(repo)
    assert CANARY not in json.dumps(facts)
    assert '-key = "***"\n' in facts["patch"]
    assert '+api_key = "***"\n' in facts["patch"]
    assert "+lr: 2\n password: ***\n" in facts["patch"]
    assert facts["redacted_lines"] == 3
    assert not facts["patch_exact"]


def test_A40_a_private_key_in_a_patch(repo: Repo) -> None:
    """Of a private key pasted into code no line is kept, of what follows it all are."""
    key = "".join(f"{CANARY}{number}\n" for number in range(9))
    begin, end = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"
    repo.write("train.py", f'KEY = """{begin}\n{key}{end}"""\nlr = 0.2\n')
    facts = captured(repo)
    assert CANARY not in facts["patch"]
    assert "+lr = 0.2" in facts["patch"]
    assert facts["redacted_lines"] == 11


def test_A40_a_redacted_patch_still_applies(repo: Repo) -> None:
    """Stars and notes leave the patch one that git can apply, where the hidden lines are new."""
    repo.commit(_env="A=1\n")
    repo.write(".env", f"A={CANARY}\n")
    repo.write("train.py", f'lr = 0.2\ntoken = "{CANARY}"\n')
    facts = captured(repo)
    repo.git("checkout", "--quiet", ".")
    subprocess.run(["git", "apply", "-"], cwd=repo.folder, input=facts["patch"].encode(), check=True)
    assert (repo.folder / "train.py").read_text() == 'lr = 0.2\ntoken = "***"\n'


REMOTES = [
    (f"https://user:{CANARY}@example.org/r.git", "https://***@example.org/r.git"),
    (f"https://{CANARY}@example.org/r.git", "https://***@example.org/r.git"),
    (f"https://example.org/r.git?private_token={CANARY}", "https://example.org/r.git?private_token=***"),
    ("git@example.org:o/r.git", "git@example.org:o/r.git"),
    ("ssh://git@example.org/r.git", "ssh://git@example.org/r.git"),
]


@pytest.mark.parametrize(("address", "kept"), REMOTES)
def test_A40_remotes(repo: Repo, address: str, kept: str) -> None:
    """User, password and token in the address of a remote are hidden."""
    repo.git("remote", "add", "origin", address)
    assert captured(repo)["remote"] == kept


def test_A40_names_are_redacted(repo: Repo) -> None:
    """A token in the name of a branch or file is hidden too."""
    repo.git("checkout", "--quiet", "-b", f"ghp_{CANARY}")
    repo.write(f"hf_{CANARY}", "x")
    facts = captured(repo)
    assert (facts["branch"], facts["untracked"]) == ("***", ["***"])


def test_A40_the_list_of_private_files_is_documented(request: pytest.FixtureRequest) -> None:
    """docs/captured.md names every pattern by which a file is left out."""
    from runfolio.sdk.capture import private_files

    text = (request.config.rootpath / "docs" / "captured.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([^`]+)`", text))
    assert told >= {*private_files._NAMES, *(f"{folder}/" for folder in private_files._FOLDERS)}
