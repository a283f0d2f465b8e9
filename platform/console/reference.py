"""The API's reference, read out of its OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.reference.document import document

METHODS = ("get", "post", "delete")


@dataclass(frozen=True, slots=True)
class Member:
    """A parameter, or a member of a body. `place` is "path", "query", "header" or "body"."""

    name: str
    place: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Outcome:
    status: str
    media_types: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    about: str
    members: tuple[Member, ...]
    outcomes: tuple[Outcome, ...]
    curl: str

    @property
    def successes(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status < "400"]

    @property
    def failures(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status >= "400"]


def operations(base_url: str) -> dict[str, list[Operation]]:
    """What there is, by subject; `base_url` is where the examples ask."""
    by_tag: dict[str, list[Operation]] = {}
    for path, item in document()["paths"].items():
        for method in METHODS:
            if described := item.get(method):
                made = _operation(method.upper(), path, described, base_url)
                by_tag.setdefault(described["tags"][0], []).append(made)
    return {tag: by_tag[tag] for tag in ("Speech", "Audio", "Models", "Account")}


def _operation(method: str, path: str, described: dict[str, Any], base_url: str) -> Operation:
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        id=described["operationId"],
        method=method,
        path=path,
        summary=described["summary"],
        about=described.get("description", ""),
        members=(*map(_parameter, described.get("parameters", ())), *_body(content)),
        outcomes=tuple(
            Outcome(status, tuple(response.get("content", {})), response.get("description", ""))
            for status, response in described["responses"].items()
        ),
        curl=_curl(method, base_url + path.removeprefix("/v1"), content),
    )


def _parameter(parameter: dict[str, Any]) -> Member:
    schema, required = parameter["schema"], parameter.get("required", False)
    return Member(parameter["name"], parameter["in"], _kind(schema), required, parameter.get("description", ""))


def _body(content: dict[str, Any]) -> Iterator[Member]:
    return _members(_resolved(content.get("schema", {})))


def _members(schema: dict[str, Any], prefix: str = "") -> Iterator[Member]:
    """The members, and those of the objects among them; what is let pass and means nothing is left out."""
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        if not member:
            continue
        yield Member(prefix + name, "body", _kind(member), name in required, member.get("description", ""))
        for branch in (member, *_branches(member)):
            inside = _resolved(branch)
            items = _resolved(inside.get("items", {}))
            yield from _members(items, f"{prefix}{name}[].") if items else _members(inside, f"{prefix}{name}.")


def _branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = (each for name in ("anyOf", "oneOf", "allOf") for each in schema.get(name, ()))
    return [each for each in kinds if each != {"type": "null"}]


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document()["components"]["schemas"][name] if name else schema
    return found


def _kind(schema: dict[str, Any]) -> str:
    """What may stand there: "integer, 1 to 1024", "wav or mp3"."""
    schema = _resolved(schema)
    if branches := _branches(schema):
        return " or ".join(dict.fromkeys(map(_kind, branches)))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    return ", ".join([schema.get("type", "anything"), *_bounds(schema)])


def _bounds(schema: dict[str, Any]) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    if "exclusiveMinimum" in schema and high is not None:
        yield f"above {schema['exclusiveMinimum']}, to {high}"
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']} characters"


def _curl(method: str, url: str, content: dict[str, Any]) -> str:
    lines = [f"curl {url}", '-H "Authorization: Bearer $OPENAI_API_KEY"']
    if method != "GET":
        lines[0] += f" -X {method}"
    for example in list(content.get("examples", {}).values())[:1]:
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(example['value'])}'"]
    return " \\\n  ".join(lines)
