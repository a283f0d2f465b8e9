"""JSON around audio: the base64 is put between two pieces of it and never passes through a JSON encoder."""

from __future__ import annotations

import base64
import secrets

HERE = secrets.token_hex(16)
"""Marks the place of the audio; no customer's text contains it."""


class Spliced:
    """Encoded JSON that has `HERE` where the audio goes."""

    def __init__(self, text: bytes) -> None:
        self._before, self._after = text.split(HERE.encode())

    def with_audio(self, audio: bytes) -> bytes:
        return b"".join((self._before, base64.b64encode(audio), self._after))
