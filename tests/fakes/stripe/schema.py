"""Which members a request may have: those of the typed parameters of the installed `stripe` package."""

from __future__ import annotations

import re
import sys
import types
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl

from stripe import RequestOptions
from typing_extensions import get_type_hints, is_typeddict

NOT_PARAMETERS = frozenset(RequestOptions.__annotations__)


class Refused(Exception):
    """A 4xx: its status, its code, and the parameter that is wrong."""

    def __init__(
        self, message: str, *, code: str = "", param: str = "", status: int = 400, kind: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "error": {
                "type": kind or ("card_error" if status == 402 else "invalid_request_error"),
                "message": message,
                **({"code": code} if code else {}),
                **({"param": param} if param else {}),
            }
        }


def decode_form(text: str) -> dict[str, Any]:
    """`a[b][0][c]=v` as {"a": {"b": [{"c": "v"}]}}."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        node, key = tree, first
        for part in rest:
            node = node.setdefault(key, {})
            key = part or str(len(node))
        node[key] = value
    return {name: _lists(value) for name, value in tree.items()}


def check(value: Any, typed: type, where: str = "") -> dict[str, Any]:
    """A request's members in their types. Raises Refused for one that Stripe's own package does not know."""
    hints, checked = _hints(typed), {}
    for name, member in value.items():
        path = f"{where}[{name}]" if where else name
        if name not in hints:
            raise Refused(f"Received unknown parameter: {path}", code="parameter_unknown", param=path)
        checked[name] = _convert(member, hints[name], path)
    for name in getattr(typed, "__required_keys__", ()):
        if name in hints and name not in value:
            raise Refused(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return checked


@cache
def _hints(typed: type) -> dict[str, Any]:
    # All but those of RequestOptions, which are no members of a request.
    members = {name: hint for name, hint in typed.__annotations__.items() if name not in NOT_PARAMETERS}
    own = type(typed.__name__, (), {"__annotations__": members})
    return dict(get_type_hints(own, globalns=vars(sys.modules[typed.__module__])))


def _convert(value: Any, hint: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _convert_any(value, get_args(hint), path)
    if origin is list and isinstance(value, list):
        (of,) = get_args(hint)
        return [_convert(part, of, f"{path}[{index}]") for index, part in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return value
    if is_typeddict(hint) and isinstance(value, dict):
        return check(value, hint, path)
    if isinstance(value, str):
        return _scalar(value, hint, origin, path)
    raise Refused(f"Invalid {path}", param=path)


def _convert_any(value: Any, arms: tuple[Any, ...], path: str) -> Any:
    refusal = Refused(f"Invalid {path}", param=path)
    for arm in arms:
        try:
            return _convert(value, arm, path)
        except Refused as error:
            # Of a member with a shape of its own, the complaint about what is inside says most.
            refusal = error if is_typeddict(arm) or get_origin(arm) is list else refusal
    raise refusal


def _scalar(value: str, hint: Any, origin: Any, path: str) -> Any:
    if hint is bool and value in ("true", "false"):
        return value == "true"
    if hint is int and re.fullmatch(r"-?\d+", value):
        return int(value)
    if hint in (Decimal, float):
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise Refused(f"Invalid decimal: {value}", param=path) from None
        if -int(number.as_tuple().exponent) > 12:
            raise Refused("At most 12 decimal places are supported", param=path)
        return number
    if hint is str or (origin is Literal and value in get_args(hint)):
        return value
    raise Refused(f"Invalid {path}: {value}", param=path)


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(member) for key, member in value.items()}
