"""The OpenAPI document against the service: every route is in it, and every answer is as it says."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.app import MANAGED_PATHS, V1_ROUTES
from gateway.reference.document import document
from tests.conftest import Customer
from tests.live import Service

METHODS = {"get", "post", "delete"}
PUBLIC = {"/v1/openapi.json", "/v1/audio/voices", "/v1/audio/models"}


def test_it_is_served_to_anybody(service: Service) -> None:
    answer = httpx.get(f"{service.url}/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")


def test_every_route_is_described_and_no_other() -> None:
    described = {
        (path, method) for path, item in document()["paths"].items() for method in item if method in METHODS
    }
    served = {("/v1" + path, "get") for path in MANAGED_PATHS}
    for route in V1_ROUTES:
        path = "/v1" + route.path_format
        methods = route.methods or {name for name in METHODS if hasattr(route.endpoint, name)}
        served |= {(path, method.lower()) for method in methods if method != "HEAD"}
    assert described == served


def test_each_operation_has_a_summary_its_errors_and_its_security() -> None:
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            if path not in PUBLIC:
                assert operation["security"] == [{"key": []}], (method, path)
                assert {"401", "500", "503"} <= operation["responses"].keys(), (method, path)


LABELS = sorted(
    f"{method.upper()} {path}"
    for path, item in document()["paths"].items()
    for method in item
    if method in METHODS
)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("label", LABELS)
def test_whatever_is_asked_the_answer_is_as_described(
    service: Service, customer: Customer, label: str, mode: GenerationMode
) -> None:
    """Requests made up from the document: none is a 500, and every answer matches its schema."""
    schema = schemathesis.openapi.from_dict(document())
    schema.config.update(base_url=service.url)
    [operation] = [each for found in schema.get_all_operations() if (each := found.ok()).label == label]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
    )
    def ask(case: Any) -> None:
        answer = case.call_and_validate(checks=CHECKS, headers=customer.headers, timeout=30)
        answered.append(answer.status_code)

    answered: list[int] = []
    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "nothing can be wrong with a request that has no members"
    else:
        assert answered


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/audio/speech"])
def test_the_examples_are_spoken(service: Service, customer: Customer, path: str) -> None:
    [content] = document()["paths"][path]["post"]["requestBody"]["content"].values()
    for example in content["examples"].values():
        answer = httpx.post(service.url + path, json=example["value"], headers=customer.headers, timeout=30)
        assert answer.status_code == 200, answer.text
