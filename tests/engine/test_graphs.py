"""What of the CUDA graphs needs no GPU."""

from __future__ import annotations

from itertools import pairwise

import pytest

pytest.importorskip("torch")

from inference.engines.higgs.graphs import BATCHES, SHORTEST_WINDOW, buckets
from inference.engines.higgs.runners import CANDIDATES, candidates_for


@pytest.mark.parametrize(("slots", "length"), [(1, 256), (5, 300), (32, 2048), (256, 4096), (300, 5000)])
def test_every_step_has_a_bucket(slots: int, length: int) -> None:
    batches, windows = buckets(slots, length)
    assert batches == sorted(set(batches))
    assert windows == sorted(set(windows))
    assert batches[-1] == slots
    assert windows[-1] == length
    assert windows[0] == SHORTEST_WINDOW
    assert set(batches[:-1]) <= set(BATCHES)
    assert all(wide <= 2 * narrow for narrow, wide in pairwise(windows))


@pytest.mark.parametrize("top_k", [0, 1, 50, 64, 65, 1026])
def test_candidates_hold_every_top_k(top_k: int) -> None:
    candidates = candidates_for(top_k, 1026)
    assert candidates in (0, CANDIDATES)
    assert candidates == 0 or 0 < top_k <= candidates
    assert candidates_for(top_k, 34) == 0
