"""The timing of a request, as pieces of a bar."""

from __future__ import annotations

from dataclasses import dataclass

from usage.models import RequestLog

WIDTH = 1000
COLOURS = {"Queue": 4, "To first audio": 1, "Speaking": 0, "Gateway": 5}
"""Of the charts' series."""


@dataclass(frozen=True, slots=True)
class Piece:
    name: str
    ms: int
    x: int
    width: int
    explained: str
    colour: int


def timings_of(row: RequestLog) -> list[Piece]:
    """The pieces of the whole, left to right; a request that reached no worker has one.

    The log has the time in the queue, from the claim to the first audio, and from the claim to the end of the
    encoding; the rest is ours: checking, admission, settlement and sending.
    """
    if row.synthesis_ms is None:
        parts = [("Gateway", row.total_ms, "Checking and answering")]
    else:
        first = min(row.first_audio_ms or 0, row.synthesis_ms)
        queue = row.queue_ms or 0
        rest = max(0, row.total_ms - queue - row.synthesis_ms)
        parts = [
            ("Queue", queue, "Waiting for a worker"),
            ("To first audio", first, "From the worker's start to the first sound"),
            ("Speaking", row.synthesis_ms - first, "Generating and encoding the rest"),
            ("Gateway", rest, "Checking, admission, settlement and sending"),
        ]
    whole = max(sum(ms for _, ms, _ in parts), 1)
    pieces, so_far = [], 0
    for name, ms, explained in parts:
        x = so_far * WIDTH // whole
        so_far += ms
        pieces.append(Piece(name, ms, x, so_far * WIDTH // whole - x, explained, COLOURS[name]))
    return pieces
