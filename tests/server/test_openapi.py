"""What /api/openapi.json says of the API is so: asked by generated questions, sound and unsound."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from runfolio.server.all_routes import ROUTES
from runfolio.server.openapi import PATH
from server.asking import client_of
from server.filling import fill, store_path
from server.serving import Serving, serving

EXAMPLES = 12
STREAM = "text/event-stream"
ASKABLE = sorted(f"{route.method} {route.path}" for route in ROUTES if not route.type.startswith(STREAM))
# A text that fits the schema may be no filter, and a run that is named may not be there: what is described may be refused.
RULES = {
    "positive_data_acceptance": {"enabled": False},
    "negative_data_rejection": {"expected-statuses": [400, 404, 405, 413, 414, 415, 431]},
}


def test_every_route_is_described() -> None:
    """The description has every route that answers, and no other."""
    fill(1)
    with client_of(store_path()) as client:
        paths = client.get(PATH).json()["paths"]
    told = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    assert told == {f"{route.method} {route.path}" for route in ROUTES} | {f"GET {PATH}"}


@pytest.mark.parametrize("operation", ASKABLE)
def test_answers_are_as_described(operation: str) -> None:
    """Whatever is asked, the status, the type and the shape of the answer are those described; what breaks the description is refused."""
    ids = fill(3)
    with serving(store_path()) as server:
        described = _described(server, ids)
        method, _, path = operation.partition(" ")
        asked = described[path][method]
        for mode in _modes(asked.definition.raw):

            @settings(
                max_examples=EXAMPLES,
                phases=[Phase.generate],
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=asked.as_strategy(generation_mode=mode))
            def check(case: schemathesis.Case) -> None:
                case.call_and_validate(base_url=server.address.url.rstrip("/"), timeout=30)

            check()


def _modes(definition: dict[str, Any]) -> list[GenerationMode]:
    """Say which questions there can be: an operation that takes nothing can be asked in one way only."""
    takes = definition["parameters"] or definition.get("requestBody")
    return [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if takes else [])]


def _described(server: Serving, ids: list[str]) -> Any:
    """Give the description, with runs and metrics that there are."""
    told = server.ask(PATH).json
    for operations in told["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["name"] == "run":
                    parameter["schema"]["enum"] = [*ids, "0" * 32]
                elif parameter["name"] == "metric" and parameter["schema"].get("type") == "string":
                    parameter["schema"]["enum"] = ["loss", "val/acc", "none"]
    return schemathesis.openapi.from_dict(told, config=SchemathesisConfig.from_dict({"checks": RULES}))
