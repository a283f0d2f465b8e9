"""Requests for speech as bytes or JSON, and what a refusal says."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.conftest import Customer
from tests.gateway.speaking import body
from tests.live import Service

CHAT, SPEECH = "/v1/chat/completions", "/v1/audio/speech"


def post(service: Service, customer: Customer, request: Any, *, path: str = CHAT) -> httpx.Response:
    content = request if isinstance(request, bytes) else json.dumps(request).encode()
    headers = {**customer.headers, "content-type": "application/json"}
    return httpx.post(service.url + path, content=content, headers=headers, timeout=30)


def refusal(service: Service, customer: Customer, request: Any, *, path: str = CHAT) -> tuple[int, str, str]:
    answer = post(service, customer, request, path=path)
    error = answer.json()["error"]
    return answer.status_code, error["param"], error["code"]


def system(*texts: str) -> dict[str, Any]:
    styles = [{"role": "system", "content": text} for text in texts]
    return body(messages=[*styles, {"role": "user", "content": "Hi."}])
