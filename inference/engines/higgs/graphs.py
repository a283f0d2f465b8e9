"""Steps as CUDA graphs: one per batch size, window and kind of sampling, captured before there is work.

Where attention reads live positions only, one window is enough for all.

A graph reads one input, the slots; all else is indexed from the pools that `BatchState` holds. Batches are
padded with the scratch slot. Results go to pinned memory behind the step, so that the host never waits for the
step that it has just launched.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from inference.engines.higgs.runners import CANDIDATES, Packed, candidates_for
from inference.engines.higgs.state import BatchState
from inference.higgs.attention import has_kernel

BATCHES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
SHORTEST_WINDOW = 256


class GraphRunner:
    """Captures every graph at once; takes a GPU's time and memory for as many as `buckets` tells."""

    def __init__(self, state: BatchState) -> None:
        self._state = state
        self.batches, self.windows = buckets(state.slots, state.length)
        if has_kernel(state.model.device):
            self.windows = [state.length]
        device, books = state.model.device, state.model.config.num_codebooks
        largest = self.batches[-1]
        self._slots = torch.full((largest,), state.scratch, dtype=torch.int64, device=device)
        # Two of each: the host fills and reads one while the device is still at the other.
        self._pinned_slots = [torch.empty(largest, dtype=torch.int64, pin_memory=True) for _ in range(2)]
        self._pinned_packed = [
            torch.empty((largest, books + 1), dtype=torch.int16, pin_memory=True) for _ in range(2)
        ]
        self._turn = 0
        self._graphs: dict[tuple[int, int, int], tuple[torch.cuda.CUDAGraph, Tensor]] = {}
        self._pool = torch.cuda.graph_pool_handle()
        kinds = sorted({candidates_for(CANDIDATES, state.model.config.codebook_size), 0})
        # The largest first: the smaller ones find room in what it leaves.
        for batch, window, kind in product(reversed(self.batches), reversed(self.windows), kinds):
            self._graphs[batch, window, kind] = self._capture(batch, window, kind)

    def _capture(self, batch: int, window: int, kind: int) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        slots = self._slots[:batch]
        self._state.step(slots, window=window, candidates=kind)  # libraries set themselves up outside the graph
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            packed = self._state.step(slots, window=window, candidates=kind)
        return graph, packed

    def launch(self, slots: list[int], *, live: int, candidates: int) -> Callable[[], Packed]:
        batch = self.batches[bisect_left(self.batches, len(slots))]
        window = self.windows[bisect_left(self.windows, live)]
        kind = candidates_for(candidates, self._state.model.config.codebook_size)
        graph, packed = self._graphs[batch, window, kind]
        self._turn = 1 - self._turn
        source, target = self._pinned_slots[self._turn], self._pinned_packed[self._turn]
        source[: len(slots)] = torch.tensor(slots)
        source[len(slots) : batch] = self._state.scratch
        self._slots[:batch].copy_(source[:batch], non_blocking=True)
        graph.replay()
        target[:batch].copy_(packed, non_blocking=True)
        done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        done.record()

        def wait() -> Packed:
            done.synchronize()
            rows: Packed = target[: len(slots)].numpy()
            return rows

        return wait


def buckets(slots: int, length: int) -> tuple[list[int], list[int]]:
    """Batch sizes up to `slots`, and windows up to `length`, each twice the one before."""
    batches = [*(batch for batch in BATCHES if batch < slots), slots]
    windows = [SHORTEST_WINDOW]
    while windows[-1] < length:
        windows.append(windows[-1] * 2)
    return batches, [min(window, length) for window in windows]
