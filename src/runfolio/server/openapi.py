"""The API's description for programs, made from what the routes declare: /api/openapi.json.

Source: OpenAPI 3.1.0; JSON Schema 2020-12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from runfolio._version import __version__
from runfolio.server.answers import JSON, Answer
from runfolio.server.asked import Asked
from runfolio.server.routing import Call, Route

PATH = "/api/openapi.json"
_REF = "#/components/schemas/{name}"
_PART = re.compile(r"\{(\w+)\}")
Schema = dict[str, Any]


class Trouble(Struct, frozen=True):
    """What went wrong: a word for programs, and a sentence for people. FilterError tells the column, from 1."""

    kind: str
    message: str
    column: int | None = None
    near: list[str] | None = None


class ErrorAnswer(Struct, frozen=True):
    """The answer where a request is not answered."""

    error: Trouble


def route_of(routes: Sequence[Route]) -> Route:
    """Make the route that describes these, and itself."""

    async def describe(call: Call[Asked, None]) -> Answer:
        return as_json_plain(document([*routes, route], sorted(call.all)))

    route = Route("GET", PATH, describe, "this description", gives=dict[str, Any])
    return route


def as_json_plain(value: object) -> Answer:
    """Answer with a value as it stands: keys of a description begin with `$` rightly."""
    return Answer(msgspec.json.encode(value))


def document(routes: Iterable[Route], stores: list[str]) -> Schema:
    """Describe routes.

    Args:
        stores: the names of those that are served.
    """
    routes = list(routes)
    kinds = [ErrorAnswer, *(kind for route in routes for kind in (route.body, route.gives) if kind is not None)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    by_kind = dict(zip(map(str, kinds), schemas, strict=True))
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_kind, stores)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "runfolio",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(route: Route, schemas: dict[str, Schema], stores: list[str]) -> Schema:
    answers = {"200": _content(route, schemas)}
    answers |= {
        str(status): {"description": _ALSO.get(status, "as asked"), **_bytes(route.type)} for status in route.also
    }
    answers["default"] = {"description": "not answered", "content": {JSON: {"schema": schemas[str(ErrorAnswer)]}}}
    found: Schema = {
        "summary": route.words,
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}_{route.path.removeprefix('/api/v1/')}").strip("_"),
        "parameters": [*_path_parameters(route, stores), *_query_parameters(route)],
        "responses": answers,
    }
    if route.body is not None:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas[str(route.body)]}}}
    return found


_ALSO = {206: "a part of it", 304: "as before", 416: "no such part"}


def _content(route: Route, schemas: dict[str, Schema]) -> Schema:
    if route.gives is None:
        return {"description": route.words, **_bytes(route.type)}
    return {"description": route.words, "content": {JSON: {"schema": schemas[str(route.gives)]}}}


def _bytes(type_: str) -> Schema:
    schema = {"type": "string"} if type_.startswith("text/") else {"type": "string", "format": "binary"}
    return {"content": {type_: {"schema": schema}}}


def _path_parameters(route: Route, stores: list[str]) -> list[Schema]:
    schemas: dict[str, Schema] = {
        "store": {"type": "string", **({"enum": stores} if stores else {})},
        "run": {"type": "string", "pattern": "^[0-9a-f]{8,32}$"},
    }
    return [
        {"name": name, "in": "path", "required": True, "schema": schemas.get(name, {"type": "string"})}
        for name in _PART.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[Schema]:
    _, components = msgspec.json.schema_components([route.asked], ref_template=_REF)
    schema = components[route.asked.__name__]
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(one)}
        for name, one in schema["properties"].items()
    ]


def _without_null(schema: Schema) -> Schema:
    """Describe a parameter that may be left out: there is no text for None."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and not (key == "default" and value is None)}
    return {**rest, **kinds[0]} if len(kinds) == 1 else {**rest, **({"anyOf": kinds} if kinds else {})}
