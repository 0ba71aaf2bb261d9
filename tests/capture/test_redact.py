"""A40: what is a secret is hidden before anything is kept, and what is none is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.sdk.capture.names import is_secret_name
from runfolio.sdk.capture.redact import ARGUMENT_MAX, ARGUMENTS_MAX, redact_command, redact_text

CANARY = "Zq7canary9Xw"
LONG = f"{CANARY}0123456789abcdefABCDEF0123456789"

TOKENS = [
    f"ghp_{LONG}",
    f"gho_{LONG}",
    f"github_pat_{LONG}",
    f"glpat-{LONG}",
    f"sk-{LONG}",
    f"sk-ant-api03-{LONG}",
    f"sk_live_{LONG}",
    "AKIAIOSFODNN7EXAMPLE",
    f"AIza{LONG}",
    f"ya29.{LONG}",
    f"xoxb-123-{LONG}",
    f"SG.{LONG}.{LONG}",
    f"hf_{LONG}",
    f"gsk_{LONG}",
    f"nvapi-{LONG}",
    f"npm_{LONG}",
    f"pypi-{LONG}",
    f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{LONG}.{LONG}",
]

COMMANDS = [
    ["--api-key", CANARY],
    ["--api_key", CANARY],
    [f"--api-key={CANARY}"],
    ["--token", CANARY],
    ["--hub-token", CANARY],
    ["-token", CANARY],
    ["--password", f"-{CANARY}"],
    ["--secret", CANARY],
    ["--dbPassword", CANARY],
    ["--client-secret", f"a=b {CANARY}"],
    [f"WANDB_API_KEY={CANARY}"],
    [f"MY_KEY={CANARY}"],
    ["-p", f"api_key={CANARY}"],
    [f"model.hub.token={CANARY}"],
    [f"+logger.api_key={CANARY}"],
    ["--set", f"lr=0.1,password={CANARY},seed=1"],
    ["--env", f"AWS_SECRET_ACCESS_KEY={CANARY}"],
    ["-H", f"Authorization: Bearer {CANARY}"],
    ["-H", f"X-Api-Key: {CANARY}"],
    [f"--header=Authorization: Basic {CANARY}"],
    ["--json", f'{{"lr": 0.1, "password": "{CANARY} {CANARY}"}}'],
    ["-c", f"import wandb; wandb.login(key=1, api_key='{CANARY}')"],
    ["--url", f"https://user:{CANARY}@example.org/x"],
    ["--url", f"https://{CANARY}@example.org/x"],
    ["--url", f"https://user:{CANARY}/with@slash@example.org/x"],
    [f"--storage=postgresql://user:{CANARY}@db/optuna"],
    ["--url", f"https://example.org/x?a=b&token={CANARY}"],
    ["--url", f"https://bucket.example.org/x?X-Amz-Signature={CANARY}&b=c"],
    ["--hook", f"https://hooks.slack.com/services/T0/B0/{CANARY}"],
    *([token] for token in TOKENS),
    *([f"--anything={token}"] for token in TOKENS),
]


@pytest.mark.parametrize("secret", COMMANDS, ids=" ".join)
def test_A40_command_line(secret: list[str]) -> None:
    """A secret in an argument is hidden, and the arguments around it are not."""
    kept = redact_command(["python", "train.py", "--lr", "0.1", *secret, "--seed", "1"])
    assert CANARY not in repr(kept)
    assert "AKIA" not in repr(kept)
    assert "***" in repr(kept)
    assert kept[:4] == ["python", "train.py", "--lr", "0.1"]
    assert kept[-2:] == ["--seed", "1"]
    assert len(kept) == 6 + len(secret)


HARMLESS = [
    ["--max-tokens", "512", "--tokenizer", "gpt2", "--eos-token", "</s>", "--token-dim=64"],
    ["--sort-key", "loss", "--keys", "a,b", "--key=a"],
    ["--secret-file", "/run/x", "--password-length=12"],
    ["--author", "A. U. Thor", "--patch-size", "16", "--compass", "north"],
    ["git@github.com:org/repo.git", "ssh://git@example.org/repo", "https://example.org:8080/a@v2"],
    ["s3://bucket/path", "runs/ab12cd34ef56ab12cd34ef56ab12cd34ef56ab12", "-x", "--", "-"],
    ["--use-auth-token", "--seed", "1"],
    ["", "=", "--", "a=", "--=b", "é"],
]


@pytest.mark.parametrize("arguments", HARMLESS, ids=" ".join)
def test_A40_harmless_arguments_stay(arguments: list[str]) -> None:
    """Arguments that only look a little like secrets are kept as they are."""
    assert redact_command(arguments) == arguments


def test_A40_the_form_of_urls() -> None:
    """User and password of a URL become three stars, all else of it stays."""
    assert redact_text("https://user:tok@host/p?q=1#f") == "https://***@host/p?q=1#f"
    assert redact_text("https://tok@host") == "https://***@host"


CODE = [
    f'api_key = "{CANARY}"',
    f"    password: str = '{CANARY}'",
    f'os.environ["WANDB_API_KEY"] = "{CANARY}"',
    f'os.environ.setdefault("HF_TOKEN", "{CANARY}")',
    f'{{"token": "{CANARY}", "lr": 1}}',
    f'run(["wandb", "--token", "{CANARY}"])',
    f"client = Client(secret=b'{CANARY}')",
    f"export API_TOKEN={CANARY}",
    f"docker run -e PGPASSWORD={CANARY} image",
    f"curl --password {CANARY} https://example.org",
    f"# Authorization: Bearer {CANARY}",
    f'url = "https://user:{CANARY}@example.org"',
    *(f'x = "{token}"' for token in TOKENS),
]


@pytest.mark.parametrize("line", CODE)
def test_A40_code(line: str) -> None:
    """A secret written into code is hidden."""
    redacted = redact_text(f"+{line}")
    assert CANARY not in redacted
    assert "AKIA" not in redacted
    assert redacted.startswith("+" + line[:3])


HARMLESS_CODE = [
    "token: str",
    "login(token=token, password=args.password)",
    "api_key = os.environ['API_KEY']",
    'token = "the"',
    'fields = ["token", "text"]',
    'parser.add_argument("--token", "-t", help="a token")',
    'url = f"https://{user}:{password}@host"',
    "for key, value in tokens.items():",
    "curl --password $PASSWORD --token ${TOKEN}",
    "@property",
    "risk-averse-agents-12 desk-research-2024",
    "API_KEY=load(path)",
]


@pytest.mark.parametrize("line", HARMLESS_CODE)
def test_A40_harmless_code_stays(line: str) -> None:
    """Code that names a secret without holding it is kept as it is."""
    assert redact_text(line) == line


SETTINGS = [
    f"password: {CANARY} {CANARY}",
    f"  - api_key: {CANARY}",
    f"token={CANARY}",
    f"hub_token = {CANARY}  # mine",
]


@pytest.mark.parametrize("line", SETTINGS)
def test_A40_settings(line: str) -> None:
    """In a file of settings a value without quotes is a value."""
    assert CANARY not in redact_text(f"+{line}", loose=True)


@pytest.mark.parametrize(
    "name", ["API_KEY", "apiKey", "wandbAPIKey", "db_password2", "SECRET_KEY_BASE", "X-Auth-Token"]
)
def test_A40_names_of_secrets(name: str) -> None:
    """A name is told by its words, however they are joined."""
    assert is_secret_name(name)


@given(st.lists(st.text(), max_size=8))
def test_redaction_is_settled(arguments: list[str]) -> None:
    """What is redacted once is not changed by a second time, and keeps its number of arguments."""
    once = redact_command(arguments)
    assert redact_command(once) == once
    assert len(once) == len(arguments)


def test_long_command_lines_are_cut() -> None:
    """Very many or very long arguments are cut, and the cut is counted; no half of a secret shows."""
    kept = redact_command(["x"] * (ARGUMENTS_MAX + 5))
    assert kept[-1] == "… 5 more arguments"
    token = f"ghp_{LONG}"
    (kept_one,) = redact_command(["x" * (ARGUMENT_MAX - 14) + " " + token + "y" * 100])
    assert kept_one.endswith(" ***")
    assert redact_command(["z" * (ARGUMENT_MAX + 9)])[0].endswith("… 9 more characters")


def test_arguments_that_are_no_utf8() -> None:
    """An argument of arbitrary bytes is kept as text that UTF-8 can carry."""
    assert redact_command(["caf\udce9", "\ud800"]) == ["caf\\xe9", "\\ud800"]
