"""When each token is spoken, from where an attention head looked while each frame was made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spoken_tokens(certainty: NDArray[np.float32], *, whole: bool = True) -> NDArray[np.int64]:
    """Which token each frame says [F]: the likeliest path that never goes back (Viterbi).

    It may pass over tokens: some, such as the sign of a stress, take less time than a frame.

    Args:
        certainty: [F, P] log probability that a frame says a token.
        whole: the path ends at the last token, the pause after the sentence.
    """
    frames, tokens = certainty.shape
    if not frames:
        return np.zeros(0, np.int64)
    best = certainty[0].astype(np.float64)
    came = np.zeros((frames, tokens), np.int64)
    for frame in range(1, frames):
        furthest = np.maximum.accumulate(best)
        came[frame] = np.maximum.accumulate(np.where(best >= furthest, np.arange(tokens), 0))
        best = furthest + certainty[frame]
    path = np.full(frames, tokens - 1 if whole else int(best.argmax()))
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = came[frame, path[frame]]
    return path
