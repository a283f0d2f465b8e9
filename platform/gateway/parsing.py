"""From bytes to a typed request: whatever a client can send that is not one is a 400 that names the member."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json
from starlette.requests import Request

from gateway.chat_schemas import PART_TYPES
from gateway.errors import ApiError, body_too_large, invalid, unsupported_type
from gateway.large_bodies import LargeBody

Body = TypeVar("Body", bound=BaseModel)

MAX_BRACKETS = 50_000
"""Opening ones, in texts too: of all that a body can hold, lists and objects take longest to read."""


SMALL_BODY_BYTES = 65_536
"""Of a request that carries no text to speak."""
RECORDING = b'"input_audio"'
"""The name of the part that carries a recording."""


async def read_body(request: Request, *, limit: int, large: LargeBody | None = None) -> bytes:
    """The body of a request that says it is JSON.

    Above `limit` bytes it must hold a recording by then; it arrives on the disk, and comes into memory whole.

    Raises:
        ApiError: 415 for another content type or a compressed body, 413 above `limit` bytes, 503 and 429 where
            there are too many large bodies.
    """
    if (encoding := request.headers.get("content-encoding", "identity").strip().lower()) != "identity":
        raise ApiError(
            415,
            f"Unsupported content encoding {encoding[:100]!r}: send the body as it is, without compression.",
            code="unsupported_content_encoding",
            headers={"accept-encoding": "identity"},
        )
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise unsupported_type(media_type, send="application/json")
    body, pieces = bytearray(), request.stream()
    async for piece in pieces:
        body += piece
        if len(body) > limit:
            if large is None or RECORDING not in body:
                raise body_too_large(limit, recordings=large is not None)
            return await large.receive(bytes(body), pieces)
    return bytes(body)


async def read_request(request: Request, schema: type[Body], *, limit: int) -> Body:
    """A JSON body of at most `limit` bytes, typed. Raises ApiError: 400, 413 or 415, it is none."""
    return parse(schema, read_json(await read_body(request, limit=limit)))


def read_json(body: bytes) -> Any:
    """The body as JSON, strictly: UTF-8, no NaN, no lone surrogates.

    Raises:
        ApiError: 400 for what is not JSON, or is little but lists and objects.
    """
    if body.count(b"[") + body.count(b"{") > MAX_BRACKETS:
        raise invalid(f"The JSON body of your request has more than {MAX_BRACKETS} brackets.", code="invalid_json")
    try:
        # RFC 8259 lets a reader skip a byte-order mark, which some writers put in front.
        return from_json(body.removeprefix(BOM_UTF8), allow_inf_nan=False)
    except ValueError as error:
        raise invalid(f"We could not parse the JSON body of your request: {error}.", code="invalid_json") from None


def parse(schema: type[Body], data: Any) -> Body:
    """`data` as `schema`.

    Raises:
        ApiError: 400 whose `param` is the path of the first member that is wrong.
    """
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise _explain(error.errors(include_url=False, include_input=False)) from None


_CODES = {
    "missing": "missing_required_parameter",
    "extra_forbidden": "unknown_parameter",
    "literal_error": "unsupported_value",
    "string_type": "invalid_type",
    "int_type": "invalid_type",
    "float_type": "invalid_type",
    "list_type": "invalid_type",
    "dict_type": "invalid_type",
    "model_type": "invalid_type",
}


def _explain(problems: list[ErrorDetails]) -> ApiError:
    """A refusal that names the first member that is wrong, and what would be right."""
    problem = _first(problems)
    path = _path(problem["loc"])
    code = _CODES.get(problem["type"], "invalid_value")
    match code:
        case "missing_required_parameter":
            message = f"Missing required parameter: {path!r}."
        case "unknown_parameter":
            message = f"Unknown parameter: {path!r}."
        case _ if not path:
            message = f"The body must be a JSON object ({_expected(problem)})."
        case _:
            message = f"Invalid value for {path!r}: expected {_expected(problem)}."
    return invalid(message, param=path or None, code=code)


def _first(problems: list[ErrorDetails]) -> ErrorDetails:
    """The first problem; of a union's, the one that tells most.

    Where a value fits no branch of a union, pydantic reports what is wrong with it in each branch. These problems
    lie at the first one's place or within it. The deepest is of the branch that came furthest, most likely the one
    that the client meant.
    """
    place = _path(problems[0]["loc"])
    within = [problem for problem in problems if _path(problem["loc"]).startswith(place)]
    return max(within, key=lambda problem: len(_path(problem["loc"])))


def _expected(problem: ErrorDetails) -> str:
    most = problem.get("ctx", {}).get("max_length")
    match problem["type"]:
        case "string_too_long":
            return f"at most {most} characters"
        case "too_long" if "field_type" in problem["ctx"]:
            return f"at most {most} items"
    return problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")


def _path(location: tuple[int | str, ...]) -> str:
    """Where in the client's JSON: `messages[0].content`.

    Steps through a union name the branch that was tried, which is no place in the JSON.
    """
    path, before = "", None
    for step in location:
        is_tag = isinstance(before, int) and step in PART_TYPES
        before = step
        if isinstance(step, int):
            path += f"[{step}]"
        elif not is_tag and step not in _BRANCHES and "[" not in step:
            path += f".{step}" if path else step
    return path


_BRANCHES = frozenset({"str", "constrained-str", "VoiceById"})
