"""The API's reference, read out of its OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gateway.routes import document
from gateway.schemas import IGNORED

METHODS = ("get", "post", "delete")
TAGS = ("Speech", "Audio", "Voices", "Pronunciation", "Batches", "Models", "Account")
PYTHON = {
    "createChatCompletion": """\
answer = client.chat.completions.create(
{arguments}
)
audio = base64.b64decode(answer.choices[0].message.audio.data)
open("speech.{format}", "wb").write(audio)
print(answer.usage.cost_usd)""",
    "createSpeech": """\
with client.audio.speech.with_streaming_response.create(
{arguments}
) as answer:
    answer.stream_to_file("speech.{format}")
    print(answer.headers["x-audio-id"])""",
    "listModels": """\
for model in client.models.list():
    print(model.id)""",
}
"""Operation id -> how OpenAI's SDK makes the call."""
PYTHON_HEAD = """\
# pip install openai
import base64
from openai import OpenAI

client = OpenAI(base_url="{base_url}")  # reads OPENAI_API_KEY
"""


@dataclass(frozen=True, slots=True)
class Member:
    """A parameter, or a member of a body. `place` is "path", "query", "header" or "body"."""

    name: str
    place: str
    kind: str
    required: bool
    default: str
    """As JSON; empty where there is none."""
    about: str


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SampleAnswer:
    """What a status means. `samples` are a success's by media type, `failures` the errors of the status."""

    status: str
    media_types: tuple[str, ...]
    about: str
    samples: tuple[tuple[str, str], ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    about: str
    members: tuple[Member, ...]
    outcomes: tuple[SampleAnswer, ...]
    curl: str
    python: str
    """Empty where OpenAI's SDK has no call for it."""

    @property
    def successes(self) -> list[SampleAnswer]:
        return [outcome for outcome in self.outcomes if outcome.status < "400"]

    @property
    def failures(self) -> list[SampleAnswer]:
        return [outcome for outcome in self.outcomes if outcome.status >= "400"]


def operations(base_url: str) -> dict[str, list[Operation]]:
    """What there is, by subject; `base_url` is where the examples ask."""
    by_tag: dict[str, list[Operation]] = {}
    for path, item in document()["paths"].items():
        for method in METHODS:
            if described := item.get(method):
                made = _operation(method.upper(), path, described, base_url)
                by_tag.setdefault(described["tags"][0], []).append(made)
    return {tag: by_tag[tag] for tag in TAGS}


def errors() -> list[SampleAnswer]:
    """The errors of all operations, by status."""
    by_status: dict[str, SampleAnswer] = {}
    for tagged in operations("").values():
        for operation in tagged:
            for outcome in operation.failures:
                known = by_status.setdefault(outcome.status, outcome)
                codes = {failure.code for failure in known.failures}
                more = tuple(failure for failure in outcome.failures if failure.code not in codes)
                by_status[outcome.status] = replace(known, failures=known.failures + more)
    return [by_status[status] for status in sorted(by_status)]


def _operation(method: str, path: str, described: dict[str, Any], base_url: str) -> Operation:
    _, content = _request_body(described)
    return Operation(
        id=described["operationId"],
        method=method,
        path=path,
        summary=described["summary"],
        about=described.get("description", ""),
        members=(*map(_parameter, described.get("parameters", ())), *_body(content)),
        outcomes=tuple(_outcome(status, response) for status, response in described["responses"].items()),
        curl=_curl(method, base_url + path.removeprefix("/v1"), described),
        python=_python(base_url, described),
    )


def _outcome(status: str, response: dict[str, Any]) -> SampleAnswer:
    content: dict[str, dict[str, Any]] = response.get("content", {})
    return SampleAnswer(
        status,
        tuple(content),
        response["description"],
        samples=tuple((kind, _shown(each["example"])) for kind, each in content.items() if "example" in each),
        failures=tuple(
            Failure(code, each["value"]["error"]["message"])
            for inside in content.values()
            for code, each in inside.get("examples", {}).items()
        ),
    )


def _shown(sample: Any) -> str:
    return sample if isinstance(sample, str) else json.dumps(sample, indent=2, ensure_ascii=False)


def _parameter(parameter: dict[str, Any]) -> Member:
    schema = parameter["schema"]
    return Member(
        parameter["name"],
        parameter["in"],
        _kind(schema),
        parameter.get("required", False),
        _default(schema),
        parameter.get("description", ""),
    )


def _default(schema: dict[str, Any]) -> str:
    return json.dumps(schema["default"]) if schema.get("default") not in (None, []) else ""


def _body(content: dict[str, Any]) -> Iterator[Member]:
    return _members(_resolved(content.get("schema", {})))


def _members(schema: dict[str, Any], prefix: str = "", *, needed: bool = True) -> Iterator[Member]:
    """The members, the required ones first, and those of the objects among them; without those that are ignored.

    Required is what every request needs: not `voice.id`, where `voice` may be a text or be left out.
    """
    required = schema.get("required", ())
    for name, member in sorted(schema.get("properties", {}).items(), key=lambda each: each[0] not in required):
        if member == {"description": IGNORED}:
            continue
        needs = needed and name in required
        yield Member(prefix + name, "body", _kind(member), needs, _default(member), member.get("description", ""))
        branches = _branches(member)
        for branch in (member, *branches):
            inside = _resolved(branch)
            items = _resolved(inside.get("items", {}))
            below, path = (items, f"{prefix}{name}[].") if items else (inside, f"{prefix}{name}.")
            yield from _members(below, path, needed=needs and not branches)


def _branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = (each for name in ("anyOf", "oneOf", "allOf") for each in schema.get(name, ()))
    return [each for each in kinds if each != {"type": "null"}]


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document()["components"]["schemas"][name] if name else schema
    return found


def _kind(schema: dict[str, Any]) -> str:
    """What the value can be: "integer, 1 to 1024", "wav, mp3"."""
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


def _request_body(described: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The media type of a request's body, and what there is to say of it; empty where it has none."""
    content: dict[str, dict[str, Any]] = described.get("requestBody", {}).get("content", {})
    return next(iter(content.items()), ("", {}))


def _sample_body(described: dict[str, Any]) -> dict[str, Any] | None:
    """The first sample."""
    _, content = _request_body(described)
    body: dict[str, Any] | None = next((each["value"] for each in content.get("examples", {}).values()), None)
    return body


def _curl(method: str, url: str, described: dict[str, Any]) -> str:
    for parameter in described.get("parameters", ()):
        if parameter["in"] == "path":
            url = url.replace(f"{{{parameter['name']}}}", parameter["example"])
    lines = [f"curl {url}"]
    if described["security"]:
        lines.append('-H "Authorization: Bearer $OPENAI_API_KEY"')
    body, (media_type, _) = _sample_body(described), _request_body(described)
    if method == "DELETE" or (method == "POST" and not body):
        lines[0] += f" -X {method}"
    if body and media_type == "multipart/form-data":
        lines += [f'-F "{name}={"@input.jsonl" if name == "file" else value}"' for name, value in body.items()]
    elif body:
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(body)}'"]
    answer = described["responses"].get("200", {}).get("content", {})
    if any(kind.startswith("audio/") for kind in answer):
        lines.append("-o speech.mp3")
    return " \\\n  ".join(lines)


def _python(base_url: str, described: dict[str, Any]) -> str:
    call = PYTHON.get(described["operationId"])
    if call is None:
        return ""
    body = _sample_body(described) or {}
    arguments = "\n".join(f"    {name}={value!r}," for name, value in body.items())
    format = body.get("audio", {}).get("format", "mp3")
    return PYTHON_HEAD.format(base_url=base_url) + "\n" + call.format(arguments=arguments, format=format)
