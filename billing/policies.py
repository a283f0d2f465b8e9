"""What is billed of what was generated: nobody pays for nothing, and nobody pays twice.

Each way for a request to end is one function from the milliseconds that were generated to those that are billed.
`gateway.settlement` chooses; a request that never became a job of its own (`replayed`) has no record, and the
price that its answer and its log row show is that of these milliseconds.
"""

from __future__ import annotations


def completed(generated_ms: int) -> int:
    """Spoken to the end: all of it."""
    return generated_ms


def cut_at_limit(generated_ms: int) -> int:
    """`finish_reason` length, cut by `max_completion_tokens`: what was generated until then."""
    return generated_ms


def cut_midway(generated_ms: int) -> int:
    """The client left midway: what was generated before that was noticed, never more; nothing before audio."""
    return generated_ms


def failed(generated_ms: int) -> int:
    """Failed, or not ready in time: nothing, whatever was generated."""
    return 0


def replayed(generated_ms: int) -> int:
    """Answered again under its idempotency key: nothing, the first answer was billed."""
    return 0
