"""The engine that the settings describe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from django.conf import settings

from inference.engines.higgs.engine import CODEC_FOLDER, HiggsEngine, Options
from inference.engines.higgs.scheduler import Policy
from inference.engines.higgs.speakers import NAME, RECORDED, Speaker, speakers_of
from inference.higgs.voice_samples import VoiceError, VoiceSamples


def load() -> HiggsEngine:
    """Load the checkpoint that HIGGS_CHECKPOINT names. Raises ConfigError or CheckpointError."""
    higgs: dict[str, Any] = settings.HIGGS
    device = higgs["device"]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    options = Options(
        device=device,
        slots=higgs["slots"],
        context=higgs["context"],
        dtype=higgs["dtype"],
        threads=higgs["threads"],
        policy=Policy(prefill_tokens=higgs["prefill_tokens"], pace_seconds=higgs["pace_seconds"]),
    )
    folder = Path(higgs["checkpoint"])
    return HiggsEngine(folder, options, speakers=_speakers(folder, higgs["voices"]))


def _speakers(checkpoint: Path, folder: Path | None) -> dict[str, Speaker]:
    """The checkpoint's speakers and those of the voice samples in `folder`, encoded before any request waits.

    Encoding stays on the CPU, where it is exact: TF32 on a GPU may change codes. Raises ConfigError or VoiceError.
    """
    speakers = speakers_of(checkpoint)
    if folder is None:
        return speakers
    samples = VoiceSamples(folder, codec=checkpoint / CODEC_FOLDER, cache=settings.VAR_DIR / "voice-samples")
    for name in samples.voices():
        if not NAME.fullmatch(name):
            raise VoiceError(f"{name!r} cannot be a voice's name: letters, digits, '-' and '_', 64 at most")
        if (found := samples.of(name)) is not None:
            speakers[name] = replace(speakers.get(name, RECORDED), sample=found.turn)
    return speakers
