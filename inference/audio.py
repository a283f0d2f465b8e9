"""The platform's audio units; importable without numpy, since the web side counts in them too."""

from __future__ import annotations

SAMPLE_RATE = 24_000
"""Samples per second of every engine's output, mono."""
FRAME_RATE = 25
"""Frames per second; one frame is one completion token."""
SAMPLES_PER_FRAME = SAMPLE_RATE // FRAME_RATE
"""960 samples, 40 ms."""
FRAME_MS = 1000 // FRAME_RATE
SAMPLES_PER_MS = SAMPLE_RATE // 1000
