"""Read the params of a configuration file: YAML, JSON or TOML, by its name.

Such files come with foreign repositories. Nothing in them is run, and none of them eats time or memory out of proportion: size, depth, and
what its aliases stand for together are bounded.
"""

from __future__ import annotations

import os
from typing import Any

from runfolio.errors import Unreadable, UsageError
from runfolio.model.names import shown
from runfolio.model.params import DEPTH_MAX, Value, flatten

SIZE_BYTES_MAX = 1 << 20
NODES_MAX = 100_000


def read_config(path: str) -> dict[str, Value]:
    """Read a configuration file as flat params.

    Raises:
        UsageError: it is missing, too large, malformed, or no mapping.
    """
    reader = _READERS.get(os.path.splitext(path)[1].lower())
    if reader is None:
        raise UsageError(f"{shown(path)}: a configuration is a file that ends in {', '.join(_READERS)}")
    text = _text(path)
    try:
        found = reader(text)
    except (ValueError, Unreadable, RecursionError) as wrong:
        raise UsageError(f"{shown(path)} cannot be read: {_why(wrong)}") from wrong
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise UsageError(f"{shown(path)} must hold a mapping of params; it holds {shown(found)}")
    return flatten(found)


def _text(path: str) -> str:
    try:
        if os.path.isdir(path):
            raise UsageError(f"{shown(path)} is a folder; name a file")
        with open(path, "rb") as file:
            data = file.read(SIZE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no configuration {shown(path)}") from None
    except OSError as trouble:
        raise UsageError(f"{shown(path)} cannot be read: {trouble.strerror}") from trouble
    if len(data) > SIZE_BYTES_MAX:
        raise UsageError(f"{shown(path)} has more than {SIZE_BYTES_MAX >> 20} MiB; that is no configuration")
    try:
        return str(data, "utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise UsageError(f"{shown(path)} cannot be read: it is not UTF-8") from wrong


def _json(text: str) -> Any:
    from runfolio.model.strict_json import loads

    return loads(text)


def _toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text)


def _yaml(text: str) -> Any:
    """Read YAML as `yaml.safe_load` does, but 1e-3 is a float, as in YAML 1.2 and in -p; in YAML 1.1 it is text."""
    import re

    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
    )
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_nodes(node)
        return loader.construct_document(node)
    except yaml.YAMLError as wrong:
        raise ValueError(_yaml_words(wrong)) from wrong
    finally:
        loader.dispose()


def _yaml_words(wrong: Exception) -> str:
    """Say what is wrong with YAML, and where, as an editor counts lines and columns."""
    mark = getattr(wrong, "problem_mark", None)
    if mark is None:
        return " ".join(str(wrong).split())
    context, problem = getattr(wrong, "context", None), getattr(wrong, "problem", None)
    said = ", ".join(part for part in (context, problem) if part)
    return f"line {mark.line + 1}, column {mark.column + 1}: {' '.join(said.split())}"


_READERS = {".yaml": _yaml, ".yml": _yaml, ".json": _json, ".toml": _toml}


def _check_nodes(root: Any) -> None:
    """Refuse what stands for more than it should: aliases that multiply, or lead back to themselves; and keys given twice."""
    counted: dict[int, int] = {}

    def count(node: Any, depth: int, above: frozenset[int]) -> int:
        if id(node) in above:
            raise ValueError("an alias leads back to itself")
        if depth > DEPTH_MAX:
            raise ValueError(f"more than {DEPTH_MAX} levels")
        if id(node) not in counted:
            inside = above | {id(node)}
            counted[id(node)] = total = 1 + sum(count(child, depth + 1, inside) for child in _children(node))
            if total > NODES_MAX:
                raise ValueError(f"with its aliases written out it has more than {NODES_MAX:,} values")
        return counted[id(node)]

    count(root, 0, frozenset())


def _children(node: Any) -> list[Any]:
    if node.id == "mapping":
        _check_keys(node)
        return [part for pair in node.value for part in pair]
    return list(node.value) if node.id == "sequence" else []


def _check_keys(mapping: Any) -> None:
    seen = set()
    for key, _ in mapping.value:
        if key.id == "scalar" and key.value != "<<":
            if key.value in seen:
                raise ValueError(f"the key {shown(key.value)} stands twice, again in line {key.start_mark.line + 1}")
            seen.add(key.value)


def _why(wrong: BaseException) -> str:
    return "it is nested too deep" if isinstance(wrong, RecursionError) else str(wrong)
