"""A customer who may have everything, and what it asks for."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

from tests.benchmarks.load import request_bytes

NO_LIMITS = {
    "REQUESTS_PER_MINUTE": "1000000",
    "AUDIO_SECONDS_PER_MINUTE": "100000000",
    "CONCURRENT_JOBS": "100000",
    "MAX_CONNECTIONS": "100000",
    "MAX_CONNECTIONS_PER_ADDRESS": "100000",
}
TEXT = "The quick brown fox jumps over the lazy dog."


def new_key() -> str:
    """The key of an organization with a million dollars."""
    from accounts import keys, organizations
    from billing import ledger

    name = uuid4().hex
    organization = organizations.create(name="Bench", owner_email=f"{name}@bench.example.com")
    ledger.grant(organization=organization, amount=Decimal(1_000_000), cause=f"bench:{name}")
    _, key = keys.create(organization=organization, name="bench")
    return key


def chat(key: str, **members: Any) -> bytes:
    """A request for speech, as it stands on the wire."""
    body = {
        "model": "boson/higgs-audio-v2.5",
        "modalities": ["text", "audio"],
        "messages": [{"role": "user", "content": TEXT}],
        **members,
    }
    return request_bytes("/v1/chat/completions", key, json.dumps(body).encode())
