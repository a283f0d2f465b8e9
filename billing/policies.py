"""What is billed of what was spoken: nobody pays for nothing or twice, and nobody gets audio for nothing.

Each way for a request to end is one function from the milliseconds of its job to those that are billed. The job's
milliseconds are the longer of what was generated and of its audio where it succeeded, and what was delivered where
it did not (`inference.delivery`).
`gateway.speech.settlement` chooses; a request that never became a job of its own (`replayed`) has no record, and
the price that its answer and its log row show is that of these milliseconds.
"""

from __future__ import annotations


def completed(generated_ms: int) -> int:
    """Spoken to the end: all of it."""
    return generated_ms


def cut_at_limit(generated_ms: int) -> int:
    """`finish_reason` length, cut by `max_completion_tokens`: what was generated until then."""
    return generated_ms


def ended_midway(delivered_ms: int) -> int:
    """Cancelled, failed, or too late, for whatever reason: what was delivered before; nothing before any audio."""
    return delivered_ms


def replayed(generated_ms: int) -> int:
    """Answered again under its idempotency key: nothing, the first answer was billed."""
    return 0
