"""Where the engine stood in its sentence when it drew each row of an answer, found again from the codes alone.

The engine's heads are held to a window around the last token said (`inference.higgs.following`). What an answer
was likely is known only under the same windows. Where one row stood depends on where those before it looked, so
the places are guessed, the network says where it would have looked, and the guess is mended until it holds; a
guess that is right up to a row mends at least the next one, and most of them at once.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from inference.training.network import Batch, Student, Windows

ROUNDS = 12


@torch.no_grad()
def follow(student: Student, batch: Batch, *, aligned: tuple[int, ...], behind: int, ahead: int) -> Windows:
    """Windows under which every row looks from where the row before it had come to."""
    windows = Windows(_spread(batch), behind, ahead)
    for _ in range(ROUNDS):
        scores = student.look(batch, aligned=aligned, windows=windows)
        at = torch.from_numpy(_walk(scores.cpu().numpy(), batch, behind, ahead)).to(windows.at)
        if torch.equal(at, windows.at):
            break
        windows = Windows(at, behind, ahead)
    return windows


def _spread(batch: Batch) -> torch.Tensor:
    """The first guess: every answer goes through its prompt at an even pace."""
    rows = (batch.audio_places // batch.length).cpu()
    count = torch.bincount(rows, minlength=batch.rows)
    first = count.cumsum(0) - count
    share = (torch.arange(len(rows)) - first[rows]) / count[rows]
    return (share * (batch.prompts.cpu() - 1)).long().to(batch.prompts.device)


def _walk(scores: NDArray[np.float32], batch: Batch, behind: int, ahead: int) -> NDArray[np.int64]:
    """Where each row stands if every head looks where these scores [A, T] are highest within its window."""
    rows = (batch.audio_places // batch.length).tolist()
    prompts = batch.prompts.tolist()
    places, at = np.zeros(len(rows), np.int64), 0
    for place, row in enumerate(rows):
        if place == 0 or row != rows[place - 1]:
            at = 0
        places[place] = at
        begin, end = max(at - behind, 0), min(at + ahead + 1, prompts[place])
        at = max(at, begin + int(scores[place, begin:end].argmax()))
    return places
