"""GET /v1/openapi.json: the API as OpenAPI 3.1, made of the route table (`gateway.routes`) and of the pydantic
models that requests are parsed with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from gateway import catalog
from gateway.chat_schemas import ChatRequest
from gateway.errors import ApiError
from gateway.mounting import V1Route
from gateway.reference import answers, failures
from gateway.reference.operation import Answer, Operation, Parameter
from gateway.schemas import SpeechBody
from inference.speech.voices import VOICES

ABOUT = """\
Text to speech, compatible with OpenAI's API: point an OpenAI client's `base_url` here.

**Authentication.** Send your API key as `Authorization: Bearer sk-…`.

**Errors.** Every error is `{"error": {"message", "type", "param", "code"}}`, with all four members. Every answer \
has an `x-request-id`; include it when you contact support.

**Limits.** `x-ratelimit-*` headers state the limits per minute and what remains of them. A 429 answer has \
`retry-after` if waiting helps, and `x-should-retry: false` if it does not.

**Price.** Audio is billed by the millisecond, at the exact `cost_usd` in `usage`. Errors without audio are free.
"""
RESPONSE_HEADERS = {"x-request-id": "The request's id, `req_…`."}
EVENTS = "text/event-stream"
BINARY = {"type": "string", "format": "binary"}
REF = "#/components/schemas/{model}"


def describe(routes: Sequence[V1Route]) -> dict[str, Any]:
    """The document of these routes, with the standard voices; the same for every caller."""
    operations = [operation for route in routes for operation in route.operations.values()]
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:  # two may share a path: each answers other methods
        methods = paths.setdefault(f"/v1{route.path_format}", {})
        methods |= {method.lower(): _operation(operation) for method, operation in route.operations.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Speech API", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(_models(operations)),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key, `sk-…`."}},
        },
    }


def with_voices(node: Any, voices: Sequence[str]) -> Any:
    """A copy with these voices wherever the standard ones are listed."""
    if isinstance(node, dict):
        return {name: with_voices(value, voices) for name, value in node.items()}
    if isinstance(node, list):
        return [*voices] if node == [*VOICES] else [with_voices(value, voices) for value in node]
    return node


def _operation(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [] if operation.public else [{"key": []}],
    }
    if operation.description:
        made["description"] = operation.description
    if parameters := list(_parameters(operation)):
        made["parameters"] = parameters
    if operation.body:
        examples = {_name(title): {"summary": title, "value": body} for title, body in operation.requests.items()}
        content = {"schema": _ref(operation.body), "examples": examples}
        made["requestBody"] = {"required": True, "content": {operation.body_type: content}}
    made["responses"] = _answers(operation.answers) | _errors(operation)
    return made


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, parameter in operation.path.items():
        yield _parameter(name, parameter, "path") | {"required": True}
    if operation.query:
        schema = _schemas([operation.query])[operation.query.__name__]
        for name, member in schema["properties"].items():
            described = {"description": member.pop("description", "")}
            required = {"required": True} if name in schema.get("required", ()) else {}
            yield {"in": "query", "name": name, **described, **required, "schema": _never_null(member)}
    for name, parameter in operation.headers.items():
        yield _parameter(name, parameter, "header")


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an optional member as that of a query parameter, which can be absent but not null."""
    branches = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    return {**schema, **branches[0]} if len(branches) == 1 else schema | ({"anyOf": branches} if branches else {})


def _parameter(name: str, parameter: Parameter, place: str) -> dict[str, Any]:
    return {
        "in": place,
        "name": name,
        "description": parameter.description,
        "schema": dict(parameter.schema),
        "example": parameter.example,
    }


def _answers(several: Sequence[Answer]) -> dict[str, Any]:
    """By status; a route that answers in several media types has several answers of one status."""
    made: dict[str, Any] = {}
    for answer in several:
        response = made.setdefault(str(answer.status), {"description": answer.description, "headers": {}})
        for name, about in (RESPONSE_HEADERS | dict(answer.headers)).items():
            response["headers"][name] = {"description": about, "schema": {"type": "string"}}
        for media_type in answer.media_types:
            response.setdefault("content", {})[media_type] = _content(answer)
    return made


def _content(answer: Answer) -> dict[str, Any]:
    match answer.sample:
        case BaseModel() as sample:
            return {"schema": _ref(type(sample)), "example": sample.model_dump(mode="json", exclude_unset=True)}
        case str() as sample:
            # For events, validators and generators disagree whether the schema is that of one event or of all.
            schema = {} if EVENTS in answer.media_types else {"type": "string"}
            return {"schema": schema, "example": sample}
    return {"schema": {"type": "object"} if answer.media_types == ("application/json",) else BINARY}


def _errors(operation: Operation) -> dict[str, Any]:
    everywhere = failures.ANYWHERE if operation.public else (*failures.WITH_KEY, *failures.ANYWHERE)
    errors = sorted((*operation.errors, *everywhere), key=lambda error: error.status)
    return {
        str(int(status)): {
            "description": failures.STATUSES[status],
            "headers": {
                name: {"description": about, "schema": {"type": "string"}}
                for name, about in RESPONSE_HEADERS.items()
            },
            "content": {"application/json": {"schema": _ref(answers.Error), "examples": _examples(same)}},
        }
        for status, same in groupby(errors, key=lambda error: error.status)
    }


def _examples(errors: Iterable[ApiError]) -> dict[str, Any]:
    return {error.code: {"summary": error.code, "value": {"error": error.members()}} for error in errors}


def _models(operations: Iterable[Operation]) -> list[type[BaseModel]]:
    """Every model that an operation names, once."""
    named: list[type[BaseModel]] = [answers.Error]
    for operation in operations:
        named += [operation.body] if operation.body else []
        named += [type(answer.sample) for answer in operation.answers if isinstance(answer.sample, BaseModel)]
    return list(dict.fromkeys(named))


class _Untitled(GenerateJsonSchema):
    """Without a title for each member, which repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _schemas(models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    _, made = models_json_schema(
        [(model, "validation") for model in models], ref_template=REF, schema_generator=_Untitled
    )
    schemas: dict[str, Any] = _tidied(made["$defs"])
    for schema in schemas.values():
        if schema["title"] in (ChatRequest.__name__, SpeechBody.__name__):
            schema["properties"]["model"]["enum"] = catalog.names()
    return schemas


def _tidied(node: Any) -> Any:
    """Without `"default": null`, which says no more than that a member is optional, and without the line breaks of
    docstrings.
    """
    if isinstance(node, dict):
        return {
            name: " ".join(value.split()) if name == "description" and isinstance(value, str) else _tidied(value)
            for name, value in node.items()
            if not (name == "default" and value is None)
        }
    return [_tidied(value) for value in node] if isinstance(node, list) else node


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}


def _name(title: str) -> str:
    """A key for an example: OpenAPI allows letters, digits and `._-`."""
    return re.sub(r"\W+", "-", title).strip("-").lower()
