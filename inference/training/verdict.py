"""The verdict on one utterance, the same for every judge."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    words: int
    word_errors: int
    signs: int
    sign_errors: int
    mos: float
    log_probability: float
    """Of what the recogniser heard, its mean by token."""
