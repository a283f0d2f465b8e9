"""Which token each frame says: the likeliest order-keeping path through where a head looked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from inference.higgs.alignment import spoken_tokens


def certainty(frames: int, tokens: int, seed: int) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(frames, tokens)) * 2
    return (scores - np.log(np.exp(scores).sum(1, keepdims=True))).astype(np.float32)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_no_path_that_never_goes_back_is_likelier(seed: int, whole: bool) -> None:
    given = certainty(5, 4, seed)
    paths = [path for path in itertools.combinations_with_replacement(range(4), 5) if path[-1] == 3 or not whole]
    likeliest = max(paths, key=lambda path: sum(given[frame, token] for frame, token in enumerate(path)))
    assert tuple(spoken_tokens(given, whole=whole)) == likeliest


def test_a_look_elsewhere_is_passed_over() -> None:
    given = np.full((6, 4), -5.0, np.float32)
    for frame, token in enumerate((0, 0, 1, 3, 1, 3)):  # at the fourth frame it looks ahead, and comes back
        given[frame, token] = -0.1
    assert spoken_tokens(given).tolist() in ([0, 0, 1, 1, 1, 3], [0, 0, 1, 3, 3, 3])


def test_nothing_said() -> None:
    assert not len(spoken_tokens(np.zeros((0, 3), np.float32)))
