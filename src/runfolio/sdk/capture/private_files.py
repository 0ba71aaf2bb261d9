"""Tell by its name whether a file may hold secrets, and so stays out of what is kept."""

from __future__ import annotations

from fnmatch import fnmatchcase

_FOLDERS = frozenset((".aws", ".azure", ".docker", ".gcloud", ".gnupg", ".kube", ".secrets", ".ssh", "secrets"))
_NAMES = (
    *(".env*", "*.env", "*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.gpg"),
    *(
        "id_rsa*",
        "id_dsa*",
        "id_ecdsa*",
        "id_ed25519*",
        "*credentials*",
        "secret.*",
        "secrets.*",
        "*service*account*.json",
    ),
    *(".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass", ".my.cnf", ".htpasswd", ".dockercfg", ".s3cfg", ".boto"),
    *("kaggle.json", "token", "token.*", "*.tfvars", "*.tfstate"),
)


def is_private_file(path: str) -> bool:
    """Say whether the file at this path may hold secrets."""
    *folders, name = path.lower().split("/")
    return not _FOLDERS.isdisjoint(folders) or any(fnmatchcase(name, pattern) for pattern in _NAMES)
