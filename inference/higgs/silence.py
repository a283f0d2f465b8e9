"""Silence in a checkpoint's codes: what it is made of, and how much of it stands around each sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.higgs.config import ConfigError, HiggsConfig, read_json

SILENCE_FIELD = "silence_codes"
"""Of `generation_config.json`: one frame's codes, which any number of times decode to nothing that is heard."""
EDGES_FIELD = "silent_frames"
"""Of the same: how many silent frames every sentence begins and ends with at least, as its network was taught."""


@dataclass(frozen=True, slots=True)
class CodedSilence:
    codes: npt.NDArray[np.int16]
    """[N], of which pauses that a text asks for are made."""
    before: int = 0
    """Frames at the beginning of each sentence that nobody is to hear or pay for."""
    after: int = 0
    """The same at the end of a request."""


def load_silence(folder: Path, config: HiggsConfig) -> CodedSilence | None:
    """Read `folder/generation_config.json`; None where it has no codes of silence. Raises ConfigError."""
    path = folder / "generation_config.json"
    data = read_json(path) if path.exists() else {}
    codes, edges = data.get(SILENCE_FIELD), data.get(EDGES_FIELD, [0, 0])
    if codes is None:
        return None
    if not (_counts(codes, config.num_codebooks) and max(codes) < config.codebook_size - 2):
        raise ConfigError(
            f"{path.name}: {SILENCE_FIELD}={codes!r} is not a code of each of {config.num_codebooks} codebooks"
        )
    if not _counts(edges, 2):
        raise ConfigError(f"{path.name}: {EDGES_FIELD}={edges!r} is not two numbers of frames")
    if edges[0] and config.alignment_window is None:
        raise ConfigError(f"{path.name}: {EDGES_FIELD} needs an alignment_window, by which rows are drawn again")
    return CodedSilence(np.array(codes, np.int16), *edges)


def _counts(value: object, length: int) -> bool:
    return isinstance(value, list) and len(value) == length and all(isinstance(n, int) and n >= 0 for n in value)
