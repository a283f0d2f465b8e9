"""Which engine speaks, and which checkpoint: what the environment names, or the best that is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import inference

MODEL = "inference.engines.higgs.loading.load"
PREVIEW = "inference.engines.preview.engine.PreviewEngine"

OURS = Path(inference.__file__).parent / "checkpoints" / "heart-8m"
"""The voice that is trained here; it comes with the code, in a wheel as in the repository."""
NEEDED = ("torch", "numba", "safetensors", "tokenizers", "hibari")
"""What our checkpoint needs of the extra [voice]."""


def choose(engine: str | None, checkpoint: Path | None) -> tuple[str, Path | None]:
    """The engine's dotted path, and the checkpoint for the model's engine.

    ENGINE goes before HIGGS_CHECKPOINT, and both before what is installed. Nothing is imported to find that out:
    the web processes ask, too.
    """
    if checkpoint is None and OURS.is_dir() and all(map(find_spec, NEEDED)):
        checkpoint = OURS
    return engine or (MODEL if checkpoint else PREVIEW), checkpoint
