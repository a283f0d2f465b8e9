"""The OpenAPI document against the service: every route is in it, and every answer is as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from django.urls import resolve
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from pydantic import BaseModel
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, WebSocketRoute

from accounts.keys import Reach
from config.asgi import application
from gateway.chat_schemas import AudioOptions, ChatRequest
from gateway.door.bodies import BodyLimit
from gateway.recorder import RequestRecorder
from gateway.reference import samples
from gateway.routes import V1_ROUTES, document
from gateway.schemas import SpeechBody
from gateway.usage_api import UsageQuery
from tests.conftest import Customer
from tests.live import Service
from usage.models import RequestLog

PUBLIC = {"/v1/openapi.json", "/v1/audio/voices", "/v1/audio/models"}


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def valid(schema: dict[str, Any], instance: Any) -> None:
    """Raises jsonschema_rs.ValidationError."""
    whole = {**schema, "components": document()["components"]}
    jsonschema_rs.Draft202012Validator(whole).validate(instance)


def test_it_is_served_to_anybody_and_is_valid(service: Service) -> None:
    answer = httpx.get(f"{service.url}/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(answer.json()).validate()


def running_routes() -> list[BaseRoute]:
    """The route table of the application that the server runs, under its middleware."""
    app: Any = application
    assert isinstance(app, CORSMiddleware)
    recorder: Any = app.app
    assert isinstance(recorder, RequestRecorder)
    limit: Any = recorder._app
    assert isinstance(limit, BodyLimit)
    router: Any = limit._app
    routes: list[BaseRoute] = router.routes
    return routes


def test_every_route_of_the_running_gateway_is_described_and_no_other(service: Service) -> None:
    described = httpx.get(f"{service.url}/v1/openapi.json").json()
    named = {(path, method) for path, method, _ in operations(described)}
    [v1, *others] = running_routes()
    served = set()
    for route in v1.routes:  # type: ignore[attr-defined]
        if isinstance(route, WebSocketRoute):
            continue  # OpenAPI knows no sockets: docs/streaming.md describes it
        path = "/v1" + route.path_format
        # A route without methods is Django's, which refuses the others itself.
        methods = route.methods or resolve(path).func.view_class().allowed_methods
        served |= {(path, method.lower()) for method in methods if method not in ("HEAD", "OPTIONS")}
    assert named == served
    # The operator's own; all else is Django's.
    assert [getattr(route, "path", None) for route in others] == ["/healthz", "/readyz", "/metrics", ""]


def test_each_operation_has_a_summary_its_errors_and_its_security() -> None:
    for path, method, operation in operations(document()):
        assert operation["summary"], (method, path)
        assert {"500", "503"} <= operation["responses"].keys(), (method, path)
        if path not in PUBLIC:
            assert operation["security"] == [{"key": []}], (method, path)
            assert {"401", "403"} <= operation["responses"].keys(), (method, path)
        in_path = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert in_path == {*re.findall(r"{(\w+)}", path)}
        assert all(each["description"] for each in operation.get("parameters", ()))


def test_every_route_fits_the_request_log() -> None:
    room = RequestLog._meta.get_field("route").max_length
    assert [route.path_format for route in V1_ROUTES if len(f"/v1{route.path_format}") > room] == []


def test_every_member_of_a_body_is_explained() -> None:
    for name in (ChatRequest.__name__, SpeechBody.__name__, AudioOptions.__name__):
        members = document()["components"]["schemas"][name]["properties"]
        assert [member for member, schema in members.items() if not schema.get("description")] == []


def test_every_sample_fits_its_schema() -> None:
    seen = set()
    for path, method, operation in operations(document()):
        body = operation.get("requestBody", {}).get("content", {})
        for status, response in {"request": {"content": body}, **operation["responses"]}.items():
            for media_type, content in response.get("content", {}).items():
                samples = [each["value"] for each in content.get("examples", {}).values()]
                samples += [content["example"]] if "example" in content else []
                for sample in samples:
                    valid(content["schema"], sample)
                    seen.add((method, path, status))
                silent = media_type.startswith(("audio/", "application/x-tar", "application/zip"))
                assert samples or silent or path == "/v1/openapi.json"
    assert {("post", "/v1/chat/completions", status) for status in ("request", "200", "400", "429")} <= seen
    with pytest.raises(jsonschema_rs.ValidationError):
        valid({"$ref": "#/components/schemas/Deleted"}, {"id": "audio_1", "object": "audio"})


@pytest.mark.parametrize("model", [ChatRequest, SpeechBody, AudioOptions])
def test_the_defaults_of_a_body_are_those_of_the_code(model: type[BaseModel]) -> None:
    members = document()["components"]["schemas"][model.__name__]["properties"]
    for name, field in model.model_fields.items():
        assert members[name].get("default") == (None if field.is_required() else field.default), name
    assert {name for name in members if "default" in members[name]} <= model.model_fields.keys()


def parameters(path: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in document()["paths"][path]["get"]["parameters"]}


def test_the_defaults_of_a_query_are_what_the_service_does(service: Service, customer: Customer) -> None:
    described = parameters("/v1/usage")
    assert described.keys() == UsageQuery.model_fields.keys()
    assert not any(each.get("required") for each in described.values())
    defaults = {name: each["schema"]["default"] for name, each in described.items() if "default" in each["schema"]}
    assert defaults.keys() == described.keys() - {"start", "end"}
    answers = [
        httpx.get(f"{service.url}/v1/usage", params=params, headers=customer.headers).json()
        for params in ({}, defaults)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["bucket"] == defaults["bucket"]
    assert answers[0]["group_by"] == defaults["group_by"]


def test_the_defaults_of_speech_are_what_the_service_does(service: Service, customer: Customer) -> None:
    defaults = {
        name: member["default"]
        for name, member in document()["components"]["schemas"]["SpeechBody"]["properties"].items()
        if "default" in member
    }
    assert defaults.keys() == {"voice", "response_format", "speed", "stream_format"}
    required = {"model": "tts-1", "input": "Hello there."}
    answers = [
        httpx.post(f"{service.url}/v1/audio/speech", json=body, headers=customer.headers, timeout=30)
        for body in (required, required | defaults)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["content-type"] == answers[1].headers["content-type"] == "audio/mpeg"
    assert answers[0].content == answers[1].content


def shape(value: Any) -> Any:
    """The members of a JSON value, all the way down, and the kinds of what is in them."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "number" if isinstance(value, int | float) else type(value).__name__


def events(text: str) -> list[Any]:
    """The different shapes of the events, in order."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    shapes = [each if each == "[DONE]" else shape(json.loads(each)) for each in data]
    return [each for number, each in enumerate(shapes) if each not in shapes[:number]]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/audio/speech"])
def test_the_sample_streams_are_as_the_real_ones(service: Service, customer: Customer, path: str) -> None:
    operation = document()["paths"][path]["post"]
    sample = operation["responses"]["200"]["content"]["text/event-stream"]["example"]
    bodies = [
        each["value"] for each in operation["requestBody"]["content"]["application/json"]["examples"].values()
    ]
    [body] = [each for each in bodies if each.get("stream") or each.get("stream_format") == "sse"]
    answer = httpx.post(service.url + path, json=body, headers=customer.headers, timeout=30)
    assert answer.status_code == 200
    assert events(answer.text) == events(sample)


REFUSED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "missing_required_parameter": ("POST", "/v1/chat/completions", {"json": {}}),
    "invalid_value": ("POST", "/v1/audio/speech", {"json": {"model": "tts-1", "input": "Hi.", "temperature": 3}}),
    "model_not_found": ("GET", "/v1/models/gpt-4o", {}),
    "unsupported_media_type": (
        "POST",
        "/v1/audio/speech",
        {"content": "Hi.", "headers": {"content-type": "text/plain"}},
    ),
    "request_too_large": ("POST", "/v1/audio/speech", {"json": {"input": "." * 2_000_000}}),
    "completion_not_found": ("DELETE", f"/v1/chat/completions/{samples.COMPLETION_ID}", {}),
    "audio_not_found": ("DELETE", "/v1/audio/audio_01980000000070008000000000000000", {}),
    "missing_api_key": ("GET", "/v1/models", {"headers": {"authorization": ""}}),
    "invalid_api_key": ("GET", "/v1/models", {"headers": {"authorization": "Bearer sk-wrong"}}),
    "unsupported_value": ("GET", "/v1/audio/{audio}", {"params": {"format": "xml"}}),
    "range_not_satisfiable": ("GET", "/v1/audio/{audio}", {"headers": {"range": "bytes=99999999-"}}),
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_sample_error_is_the_real_one(service: Service, customer: Customer, code: str) -> None:
    method, path, asked = REFUSED[code]
    if "{audio}" in path:
        body = {"model": "tts-1", "input": "Hello there."}
        spoken = httpx.post(f"{service.url}/v1/audio/speech", json=body, headers=customer.headers, timeout=30)
        path = path.format(audio=spoken.headers["x-audio-id"])
    headers = customer.headers | asked.get("headers", {})
    answer = httpx.request(method, service.url + path, **{**asked, "headers": headers})
    error = answer.json()["error"]
    documented = [
        content["examples"][code]["value"]["error"]
        for _, _, operation in operations(document())
        for content in operation["responses"].get(str(answer.status_code), {}).get("content", {}).values()
        if code in content["examples"]
    ]
    assert without_bytes(error) in map(without_bytes, documented)


def without_bytes(error: dict[str, Any]) -> dict[str, Any]:
    """The error with any size in its message."""
    return {**error, "message": re.sub(r"\d+ bytes", "n bytes", error["message"])}


LABELS = sorted(f"{method.upper()} {path}" for path, method, _ in operations(document()))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("label", LABELS)
def test_whatever_is_asked_the_answer_is_as_described(
    service: Service, new_customer: Callable[..., Customer], label: str, mode: GenerationMode
) -> None:
    """Requests made up from the document: none is a 500, and every answer matches its schema."""
    customer = new_customer(reach=Reach(scopes=("speech", "usage", "admin")))
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
