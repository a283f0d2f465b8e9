"""Codes alone, drawn by the product's own network and sampler but not decoded: for rewards that need no audio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from inference.engines.higgs.state import BatchState
from inference.higgs.checkpoint import load_checkpoint
from inference.higgs.config import HiggsConfig, load_ras_config
from inference.higgs.delay import undelay
from inference.higgs.model import Prompt
from inference.training.export import TOP_K, TOP_P

FRAMES_A_TOKEN, LEAST_FRAMES = 3.2, 30
"""What takes longer does not end: nobody speaks a phoneme for an eighth of a second on average."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One sentence that came to its end."""

    frames: Tensor
    """[F, N], without that of the end."""
    places: Tensor
    """[F + N], position in the prompt of the last token said before each row, delayed as they are drawn."""


@torch.inference_mode()
def draw(checkpoint: Path, prompts: Sequence[Tensor], *, temperature: float, seed: int) -> list[Drawn | None]:
    """Let the checkpoint's student speak every prompt once, all at once; None for one that does not end."""
    model = load_checkpoint(checkpoint).model
    config = model.config
    most = [int(LEAST_FRAMES + FRAMES_A_TOKEN * len(prompt)) for prompt in prompts]
    length = max(len(prompt) + count for prompt, count in zip(prompts, most, strict=True)) + 1
    state = BatchState(model, slots=len(prompts), length=length, ras=load_ras_config(checkpoint))
    follower = state.cache.follower
    nothing = torch.empty(0, config.num_codebooks, dtype=torch.int64)
    state.prefill([Prompt(prompt, nothing) for prompt in prompts], list(range(len(prompts))), [0] * len(prompts))
    for slot, prompt in enumerate(prompts):
        state.admit(
            slot,
            position=len(prompt),
            rows=torch.full((1, config.num_codebooks), config.bos_code),
            repeated=nothing,
            tokens=slice(0, len(prompt) - 1),
            temperature=temperature,
            top_p=TOP_P,
            top_k=TOP_K,
            seed=seed + slot,
        )
    rows: list[list[Tensor]] = [[] for _ in prompts]
    places: list[list[int]] = [[] for _ in prompts]
    speaking = list(range(len(prompts)))
    while speaking:
        slots = torch.tensor(speaking)
        at = follower.at[slots].tolist() if follower is not None else [0] * len(speaking)
        state.step(slots, window=int(state.position[slots].max()) + 1, candidates=0)
        for slot, place, row in zip(speaking, at, state.sampler.history[slots, -1].clone(), strict=True):
            rows[slot].append(row)
            places[slot].append(place)
        done = state.sampler.done[slots].tolist()
        speaking = [
            slot for slot, over in zip(speaking, done, strict=True) if not over and len(rows[slot]) < most[slot]
        ]
    ended = state.sampler.done.tolist()
    return [
        _drawn(torch.stack(rows[slot]), torch.tensor(places[slot]), config) if ended[slot] else None
        for slot in range(len(prompts))
    ]


def _drawn(rows: Tensor, places: Tensor, config: HiggsConfig) -> Drawn | None:
    """None where a code of the stream stands within the audio."""
    count = len(rows) - config.num_codebooks
    if count <= 0:
        return None
    frames = undelay(rows, count)
    return Drawn(frames, places) if bool((frames < config.bos_code).all()) else None
