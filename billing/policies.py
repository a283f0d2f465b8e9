"""What is billed of what was spoken: nobody pays for nothing or twice, and nobody gets audio for nothing.

A job that was spoken to its end, or until `max_completion_tokens`, is billed whole, by the statement that finishes
it: the longer of what was generated and of its audio. Each other way for a request to end is one function here,
from milliseconds to those that are billed. `gateway.speech.settlement` applies them; a request that never became a
job of its own (`replayed`) has no record, and the price that its answer and its log row show is of these
milliseconds.
"""

from __future__ import annotations


def ended_midway(delivered_ms: int) -> int:
    """Cancelled, failed, or too late, for whatever reason: what was delivered before; nothing before any audio."""
    return delivered_ms


def replayed(generated_ms: int) -> int:
    """Answered again under its idempotency key: nothing, the first answer was billed."""
    return 0
