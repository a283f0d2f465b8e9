"""The engine that the settings describe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from django.conf import settings

from inference.engine.engine import HiggsEngine, Options
from inference.engine.scheduler import Policy


def load() -> HiggsEngine:
    """Load the checkpoint that HIGGS_CHECKPOINT names. Raises ConfigError or CheckpointError."""
    higgs: dict[str, Any] = settings.HIGGS
    if higgs["threads"]:
        torch.set_num_threads(higgs["threads"])
    device = higgs["device"]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    options = Options(
        device=device,
        slots=higgs["slots"],
        context=higgs["context"],
        policy=Policy(prefill_tokens=higgs["prefill_tokens"], pace_seconds=higgs["pace_seconds"]),
    )
    return HiggsEngine(Path(higgs["checkpoint"]), options)
