"""The API's description: complete, and no call that fits it, nor one that nearly does, makes the desk fail."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from .conftest import Served

HEAVY = ("what_ifs", "without_llm", "dropped_constraint", "other_limits", "agents", "/session", "tail_risk", "risk")
"""Questions that take seconds each are asked in their own tests; sign-ins cost a tenth of a second of hashing."""
EXAMPLES = 2


def test_every_route_says_what_it_does_and_how_it_fails(served: Served) -> None:
    document = served.client().get("/openapi.json").json()

    for path, methods in document["paths"].items():
        for method, found in methods.items():
            assert found.get("summary"), (method, path)
            assert {"401", "422", "429"} <= set(found["responses"]), (method, path)
    assert set(document["components"]["securitySchemes"]) == {"HTTPBearer", "APIKeyCookie"}


def test_each_question_shows_what_it_takes(served: Served) -> None:
    paths = served.client().get("/openapi.json").json()["paths"]

    taken = {item["name"] for item in paths["/api/v1/answers/order"]["get"]["parameters"]}

    assert {"order", "run"} <= taken


def test_no_call_of_the_description_makes_the_desk_fail(served: Served) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    client = served.client("ada", calls_per_s=1e6, calls_at_once=10**6)
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    statuses = list[int]()

    for found in schema.get_all_operations():
        operation = found.ok()
        if any(part in operation.path for part in HEAVY):
            continue

        @seed(8)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        )
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            statuses.append(_status(client, case))

        call()

    assert statuses.count(200) > len(statuses) / 5
    assert [status for status in statuses if status >= 500] == []


def _status(client: Any, case: Any) -> int:
    """The call as it was made up, but signed in: what it says of itself is dropped."""
    said = case.as_transport_kwargs(base_url="http://localhost")
    kept = {name: said[name] for name in ("method", "url", "params", "json", "data") if name in said}
    dropped = {"authorization", "cookie", "host"}
    headers = {name: value for name, value in (said.get("headers") or {}).items() if name.lower() not in dropped}
    return client.request(**kept, headers=headers).status_code
