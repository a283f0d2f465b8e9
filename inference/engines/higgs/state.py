"""What the device holds of every slot, and the step that moves a batch of slots one row on.

A step asks the device for nothing and has fixed shapes, so that the same code runs plainly on the CPU and
captured in a CUDA graph. What the host must know of it comes as one small packed tensor.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.higgs.alignment import spoken_tokens
from inference.higgs.config import RasConfig
from inference.higgs.model import HiggsModel, Prompt
from inference.higgs.sampler import SamplerState, sample

ENDED, BROKEN = 1, 2
"""Flags of a packed row: the frame holds the end of the audio; the model gave something else than numbers."""


class BatchState:
    """Caches, sampler and positions of S slots, and one more, `scratch`, that takes what padding rows do."""

    def __init__(self, model: HiggsModel, *, slots: int, length: int, ras: RasConfig) -> None:
        self.model, self.slots, self.length, self.ras = model, slots, length, ras
        self.cache = model.new_cache(slots=slots, length=length)
        self.sampler = SamplerState(
            model.config,
            slots=slots,
            device=model.device,
            ras_window=ras.window,
            repeats=length if self.cache.follower is not None else 0,
        )
        self.position = torch.zeros(slots + 1, dtype=torch.int64, device=model.device)
        """Where the next row to be fed stands in its slot, [S + 1]."""

    @property
    def scratch(self) -> int:
        return self.slots

    @torch.inference_mode()
    def admit(
        self,
        slot: int,
        *,
        position: int,
        rows: Tensor,
        repeated: Tensor,
        tokens: slice,
        temperature: float,
        top_p: float,
        top_k: int,
        seed: int,
    ) -> None:
        """Let `slot` go on after `rows` [R, N], the last of which is to be fed at `position`.

        Args:
            repeated: rows that it draws next whatever is likely.
            tokens: the positions of the sentence's tokens.
        """
        self.sampler.admit(
            slot,
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            seed=seed,
            ras_repeats=self.ras.repeats,
            rows=rows,
        )
        self.position[slot] = position
        if self.cache.follower is not None:
            self.cache.follower.begin(slot, tokens)
            self.sampler.repeat(slot, repeated)

    @torch.inference_mode()
    def clear(self, slot: int) -> None:
        """Wipe what may be no number: attention reads a masked value, too, if only to multiply it by nought."""
        self.cache.kv[:, slot] = 0

    def prefill(self, pieces: list[Prompt], slots: list[int], starts: list[int]) -> None:
        self.model.prefill(pieces, slots, self.cache, starts)

    def spoken_tokens(self, slot: int, tokens: slice, rows: slice, *, whole: bool) -> NDArray[np.int64]:
        """Which of the slot's tokens each of its rows says, for a checkpoint with an alignment head.

        Args: whole: they are said to the last one.
        """
        certainty = self.model.alignment(self.cache, slot, tokens, rows).cpu().numpy()
        return spoken_tokens(certainty, whole=whole)

    @torch.inference_mode()
    def step(self, slots: Tensor, *, window: int, candidates: int) -> Tensor:
        """Sample the next row of `slots` [B].

        Args:
            window: more than every slot's position.
            candidates: no slot's top_k is greater; 0 where one has none.

        Returns:
            [B, N + 1] int16: the frame that this row completed, then the flags. N rows make the first frame;
            what comes before means nothing.
        """
        config, sampler = self.model.config, self.sampler
        position = self.position[slots]
        logits = self.model.decode(sampler.history[slots, -1], slots, position, self.cache, window)
        broken = ~logits.flatten(1).sum(dim=1).isfinite()  # one value that is no number makes the sum none
        sample(logits.masked_fill(broken[:, None, None], 0.0), sampler, slots, candidates=candidates)
        self.position[slots] = (position + 1).clamp_max(self.length - 1)
        self.position[self.scratch :].zero_()  # padding has nothing to read
        frame = sampler.history[slots, -config.num_codebooks :].diagonal(dim1=1, dim2=2)  # [B, N]
        ended = (frame == config.eos_code).any(dim=1)
        flags = ended * ENDED + broken * BROKEN
        return torch.cat([frame, flags[:, None]], dim=1).to(torch.int16)
