"""Where each slot is in its sentence, so that a voice neither leaves out nor repeats a part of it.

An aligned head that may look anywhere now and then looks at a token like the one being said, further on or further
back, and the speech goes on from there. While it speaks it sees only the tokens around the last one said, which
never goes back; VALL-E R does much the same (arXiv:2406.07855).

Shapes: B rows, S slots, M positions of a slot, W tokens seen, D head size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


class Follower:
    """The sentence of every slot, and how far it is said. Fixed shapes, so that a CUDA graph can hold it.

    Args:
        window: how many tokens before the last one said are seen, and how many after it.
        slots: their number, padding's included.
    """

    def __init__(self, window: Sequence[int], *, slots: int, device: torch.device | str) -> None:
        behind, ahead = window
        self._offsets = torch.arange(-behind, ahead + 1, device=device)
        self.first = torch.zeros(slots, dtype=torch.int64, device=device)
        self.last = torch.zeros(slots, dtype=torch.int64, device=device)
        self.at = torch.zeros(slots, dtype=torch.int64, device=device)

    def begin(self, slot: int, tokens: slice) -> None:
        """Begin to say the tokens at these positions of the slot."""
        self.first[slot], self.last[slot] = tokens.start, tokens.stop - 1
        self.at[slot] = tokens.start

    def attend(self, q: Tensor, keys: Tensor, values: Tensor, slots: Tensor, *, move: bool) -> Tensor:
        """Attention [B, D] of one head to what it may see.

        Args:
            q: [B, D].
            keys, values: [S, M, D].
            slots: [B].
            move: go on to the token that it looks at most, if that comes later.
        """
        at = self.at[slots, None]
        places = at + self._offsets  # [B, W]
        first, last = self.first[slots, None], self.last[slots, None]
        hidden = (places < first) | (places > last)
        places = places.clamp(first, last)
        rows = slots[:, None]
        scores = (keys[rows, places] @ q[:, :, None]).squeeze(-1).float() / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(hidden, -torch.inf)
        if move:
            looked = places.gather(1, scores.argmax(dim=1, keepdim=True))
            self.at[slots] = torch.maximum(at, looked).squeeze(1)
        weights = scores.softmax(dim=1).to(values.dtype)
        return (weights[:, None] @ values[rows, places]).squeeze(1)
