"""The codes of silence, of which pauses that a text asks for are made: a checkpoint says them or has none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.higgs.config import ConfigError, HiggsConfig, read_json

SILENCE_FIELD = "silence_codes"
"""Of `generation_config.json`: one frame's codes, which any number of times decode to nothing that is heard."""


def load_silence(folder: Path, config: HiggsConfig) -> npt.NDArray[np.int16] | None:
    """Read `folder/generation_config.json`: codes [N], or None where it has none. Raises ConfigError."""
    path = folder / "generation_config.json"
    codes = read_json(path).get(SILENCE_FIELD) if path.exists() else None
    if codes is None:
        return None
    if not (
        isinstance(codes, list)
        and len(codes) == config.num_codebooks
        and all(isinstance(code, int) and 0 <= code < config.codebook_size - 2 for code in codes)
    ):
        raise ConfigError(
            f"{path.name}: {SILENCE_FIELD}={codes!r} is not a code of each of {config.num_codebooks} codebooks"
        )
    return np.array(codes, np.int16)
