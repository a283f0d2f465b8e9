"""Runs steps: plainly on the CPU, as CUDA graphs on a GPU. What a step gave is read later, when it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from inference.engines.higgs.state import BatchState

Packed = npt.NDArray[np.int16]
"""A step's rows on the host, see `BatchState.step`."""

CANDIDATES = 64
"""Codes that are looked at where every request's top_k allows it. OpenAI's clients leave it at 50."""


class Runner(Protocol):
    def launch(self, slots: list[int], *, live: int, candidates: int) -> Callable[[], Packed]:
        """Start a step and return how to wait for its rows.

        Args:
            slots: ascending.
            live: positions that the fullest of them holds, the one to be written included.
            candidates: the greatest top_k among them; 0 where one has none.
        """


def candidates_for(top_k: int, codebook_size: int) -> int:
    """One of two numbers of candidates, so that there are two kinds of step and not one for each top_k."""
    return CANDIDATES if 0 < top_k <= CANDIDATES < codebook_size else 0


class EagerRunner:
    """For the CPU: a launched step is a finished one."""

    def __init__(self, state: BatchState) -> None:
        self._state = state

    def launch(self, slots: list[int], *, live: int, candidates: int) -> Callable[[], Packed]:
        wanted = candidates_for(candidates, self._state.model.config.codebook_size)
        packed: Packed = self._state.step(torch.tensor(slots), window=live, candidates=wanted).numpy()
        return lambda: packed
