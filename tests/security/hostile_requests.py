"""Requests that nobody means well by: bodies and headers that are wrong, odd or as large as can be, by a seed."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MEGABYTE = 1_048_576
ROUTES = ("/v1/chat/completions", "/v1/audio/speech")


@dataclass(frozen=True, slots=True)
class Hostile:
    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, port: int, key: str) -> tuple[int, bytes]:
        """The answer's status and body; 0 where the connection was closed on a body above the limit."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json", **self.headers}
        try:
            connection.request("POST", self.path, self.body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except ConnectionError:
            if len(self.body) <= MEGABYTE:
                raise
            return 0, b""
        finally:
            connection.close()


def hostile_requests(seed: int) -> Iterator[Hostile]:
    """Without end; the same ones for the same seed."""
    chosen = random.Random(seed)
    while True:
        path = chosen.choice(ROUTES)
        yield Hostile(path, chosen.choice(_BODIES)(chosen, path), chosen.choice(_HEADERS)(chosen))


def _honest(path: str) -> dict[str, Any]:
    if path.endswith("speech"):
        return {"model": "tts-1", "input": "Hi.", "voice": "alloy", "max_completion_tokens": 1}
    return {
        "model": "tts-1",
        "modalities": ["text", "audio"],
        "messages": [{"role": "system", "content": "Calm."}, {"role": "user", "content": "Hi."}],
        "audio": {"voice": "alloy", "format": "wav"},
        "max_completion_tokens": 1,
    }


def _text(chosen: random.Random, most: int = 4096) -> str:
    unit = "".join(chosen.choices(" \n\t1a.,;\"'()[]@-/=$#!?…é。\u0301\u202e\0😀", k=chosen.randint(1, 4)))
    return (unit * most)[: chosen.choice((1, 100, most))]


def _value(chosen: random.Random, depth: int = 0) -> Any:
    kinds = [
        lambda: None, lambda: True, lambda: -1, lambda: 10**chosen.randint(1, 4000), lambda: 1e308,
        lambda: "", lambda: _text(chosen), lambda: _text(chosen, 100_000),
    ]  # fmt: skip
    if depth < 4:
        kinds += [
            lambda: [_value(chosen, depth + 1) for _ in range(chosen.randint(0, 4))],
            lambda: {_text(chosen, 8): _value(chosen, depth + 1) for _ in range(chosen.randint(0, 4))},
            lambda: [_value(chosen, 4)] * chosen.choice((5, 2000)),
        ]
    return chosen.choice(kinds)()


def _garbage(chosen: random.Random, path: str) -> bytes:
    return chosen.randbytes(chosen.choice((0, 1, 100, 100_000)))


def _spoken(chosen: random.Random, path: str) -> bytes:
    body = _honest(path)
    text = "[SPEAKER0] a " + _text(chosen, 4000)
    if "input" in body:
        body |= {"input": text, "instructions": _text(chosen)}
    else:
        body["messages"] = [{"role": "system", "content": _text(chosen)}, {"role": "user", "content": text}]
    return json.dumps(body).encode()


def _mutated(chosen: random.Random, path: str) -> bytes:
    body = _honest(path)
    names = [*body, "stop", "user", "metadata", "seed", "n", "extra_body", "voices", "stream", "speed", "?"]
    for name in chosen.sample(names, k=chosen.randint(1, 4)):
        body[name] = _value(chosen)
    return json.dumps(body).encode()


def _many(chosen: random.Random, path: str) -> bytes:
    """As many as a body may hold of something small."""
    one = chosen.choice(('{"role":"owl"}', '{"role":"user","content":"a"}', "7", "[]", '""', '{"x":[{}]}'))
    member = chosen.choice(("messages", "modalities", "stop", "voices", "input", "extra_body"))
    listed = ",".join([one] * (chosen.choice((1_000, MEGABYTE - 200)) // (len(one) + 1)))
    return f'{{"model":"tts-1","{member}":[{listed}]}}'.encode()


def _named(chosen: random.Random, path: str) -> bytes:
    members = ",".join(f'"{chosen.choice("xyz")}{n}":{n}' for n in range(chosen.choice((100, 60_000))))
    return f'{{"{chosen.choice(("metadata", "audio", "voices", "extra_body", "z"))}":{{{members}}}}}'.encode()


def _deep(chosen: random.Random, path: str) -> bytes:
    start, end = chosen.choice(((b"[", b"]"), (b'{"a":', b"}")))
    depth = chosen.choice((100, 300, 100_000))
    return b'{"messages":' + start * depth + b"1" + end * depth + b"}"


def _too_large(chosen: random.Random, path: str) -> bytes:
    return b'{"input": "' + b"a" * chosen.choice((MEGABYTE // 2, MEGABYTE + 100)) + b'"}'


_BODIES = (_garbage, _spoken, _spoken, _mutated, _mutated, _mutated, _many, _named, _deep, _too_large)
_HEADERS = (
    lambda chosen: {},
    lambda chosen: {},
    lambda chosen: {
        "content-type": chosen.choice(("", "text/plain", "application/json; charset=\xff", "a" * 5000))
    },
    lambda chosen: {"idempotency-key": chosen.choice(("", "k" * 256, "\xe9", "same", "same"))},
    lambda chosen: {"x-stainless-retry-count": chosen.choice(("1", "-1", "9" * 5000, "\xb2"))},
    lambda chosen: {
        "authorization": chosen.choice(("", "Bearer", "Bearer sk-", "Bearer " + "a" * 8000, "Basic x"))
    },
    lambda chosen: {f"x-{n}": "v" * 50 for n in range(chosen.choice((1, 60)))},
    lambda chosen: {"accept-encoding": "gzip", "range": "bytes=0-0," * 500, "user-agent": "\xff" * 500},
)
