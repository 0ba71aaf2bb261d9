"""Find secrets in text by their shape, or by the name that stands before them.

Each pattern leaves the text around the secret as it is. Quantifiers are bounded or exclude what follows them, so that
a hostile line costs time in proportion to its length.

Source: the formats that the issuers of tokens document, mostly a fixed beginning made for scanners like this.
"""

from __future__ import annotations

import re

from .names import HIDDEN, is_secret_name

_SHAPES = re.compile(
    r"""(?<![A-Za-z0-9])(?:
      gh[opusr]_[A-Za-z0-9]{16,} | github_pat_\w{20,} | glpat-[\w-]{16,}      # GitHub, GitLab
    | sk-(?=[\w-]{0,200}\d)[\w-]{16,} | [sr]k_(?:live|test)_\w{16,}            # OpenAI, Anthropic and others; Stripe
    | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[\w-]{30,} | ya29\.[\w-]{20,}            # AWS, Google
    | xox[a-z]-[\w-]{10,} | xapp-[\w-]{10,} | SG\.[\w-]{16,99}\.[\w-]{16,}      # Slack, SendGrid
    | hf_[A-Za-z0-9]{16,} | gsk_\w{20,} | r8_\w{20,} | nvapi-[\w-]{20,}        # Hugging Face, Groq, Replicate, NVIDIA
    | npm_\w{30,} | pypi-[\w-]{16,} | dop_v1_\w{16,}                           # package registries, DigitalOcean
    | eyJ[\w-]{8,999}\.[\w-]{8,}(?:\.[\w-]+)?                                   # JSON web tokens
    )""",
    re.VERBOSE,
)
_WEBHOOK = re.compile(r"(hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/)[\w/-]+")
_USER_OF_URL = re.compile(r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}://)([^\s/?#\"'<>]*)@")
_SLASH_IN_PASSWORD = re.compile(
    r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}://)[^\s/:@\[]{1,99}:(?!\d+(?:[/?#]|$))[^\s\"'@]{0,500}@"
)
_BEARER = re.compile(
    r"""(?ix)\b(bearer\s{1,9} | authorization["']?\s{0,9}:\s{0,9}["']?\w{1,20}\s{1,9}) ([\w.~+/=-]{8,})"""
)
_QUERY = re.compile(r"([?&;]([\w.-]{1,60})=)([^&\s\"'#;]+)")
_QUOTED = re.compile(
    r"""(?<![\w-])
    (([A-Za-z_][\w.-]{0,80})["']?\]?
     (?:\s{0,9}:\s{0,9}[A-Za-z_][\w.\[\],\ |]{0,60})?  # a type
     \s{0,9}(?:=>|:=|[=:])\s{0,9}[rbuRBU]{0,2})
    (?:"([^"\n]+)"|'([^'\n]+)')""",
    re.VERBOSE,
)
_LISTED = re.compile(  # ["--token", "abc"] and setdefault("API_KEY", "abc"), but not ["token", "text"]
    r"""(?<![\w-])((--[A-Za-z][\w-]{0,80}|[A-Z][A-Z0-9_]{1,60})["']\s{0,9},\s{0,9})(?:"([^"\n]+)"|'([^'\n]+)')"""
)
_OPTION = re.compile(r"(?<![\w-])(--([A-Za-z][\w-]{0,80})(?:=|\s{1,9}))([^\s\"']+)")
_VARIABLE = re.compile(r"(?<![\w-])(([A-Z][A-Z0-9_]{1,60})=)([^\s\"'()\[\]{}$<>,;`]{4,})([(\[{$<]?)")
_SETTING = re.compile(
    r"""(?mx)^([+\- ]?\s{0,80}(?:export\s{1,9}|set\s{1,9}|-\s{1,9})?["']?([A-Za-z_][\w.-]{0,80})["']?\s{0,9}[:=]\s{0,9})
    ([^\s{\[].*)$"""
)
_PAIR = re.compile(r"(?<![\w-])(([A-Za-z_][\w.-]{0,80})[\"']?\s{0,9}[=:]\s{0,9}[\"']?)([^\s\"',;&]+)")
_PLACEHOLDER = re.compile(r"\$\w+|\$?\{.*\}|\$\(.*\)|<.*>|%\(?\w+\)?s?|\*+")
_SIGNED = frozenset(("sig", "signature", "x-amz-signature", "x-amz-credential", "x-amz-security-token", "key"))


def redact(text: str, *, loose: bool = False) -> str:
    """Return a text with its secrets hidden; `loose` where it is made of settings and not of code."""
    text = _SHAPES.sub(HIDDEN, text)
    text = _WEBHOOK.sub(rf"\1{HIDDEN}", text)
    text = _USER_OF_URL.sub(_user_hidden, text)
    text = _SLASH_IN_PASSWORD.sub(_user_hidden, text)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    text = _QUERY.sub(_query_hidden, text)
    text = _QUOTED.sub(_quoted_hidden, text)
    text = _LISTED.sub(_quoted_hidden, text)
    text = _VARIABLE.sub(_variable_hidden, text)
    for pattern in (_OPTION, _SETTING, _PAIR) if loose else (_OPTION,):
        text = pattern.sub(_value_hidden, text)
    return text


def _user_hidden(found: re.Match[str]) -> str:
    """Hide the user and password of a URL; `ssh://git@host` is no secret, nor is a placeholder."""
    scheme, user = found[1], found[0][len(found[1]) : -1]
    if scheme.lower() in ("ssh://", "git+ssh://", "sftp://") and ":" not in user:
        return found[0]
    return found[0] if _is_placeholder(user.rpartition(":")[2]) else f"{scheme}{HIDDEN}@"


def _query_hidden(found: re.Match[str]) -> str:
    """Hide a value in the query of a URL."""
    is_secret = found[2].lower() in _SIGNED or is_secret_name(found[2])
    return found[1] + HIDDEN if is_secret else found[0]


def _quoted_hidden(found: re.Match[str]) -> str:
    """Hide a literal behind the name of a secret; the next option of a list is no value."""
    head, name, double, single = found.groups()
    value, quote = (double, '"') if double else (single, "'")
    if value.startswith("-") or _is_placeholder(value) or _is_word(name, value) or not is_secret_name(name):
        return found[0]
    return f"{head}{quote}{HIDDEN}{quote}"


def _variable_hidden(found: re.Match[str]) -> str:
    """Hide what a variable of the shell is set to; `API_KEY=load(` is code."""
    head, name, _value, code = found.groups()
    return found[0] if code or not is_secret_name(name) else head + HIDDEN


def _value_hidden(found: re.Match[str]) -> str:
    """Hide an unquoted value behind the name of a secret."""
    head, name, value = found.groups()
    is_option = head.startswith("--") and value.startswith("-")
    return found[0] if is_option or _is_placeholder(value) or not is_secret_name(name) else head + HIDDEN


def _is_placeholder(value: str) -> bool:
    """Say whether a value only says where the secret comes from, or is hidden already."""
    return _PLACEHOLDER.fullmatch(value) is not None


def _is_word(name: str, value: str) -> bool:
    """Say whether `token = "the"` is about text: what an issuer calls a token is longer and has no space."""
    return name.lower().endswith("token") and (len(value) < 8 or " " in value)
