"""A larger network of the same kind as the teacher: what it holds likely of every code, not only the one code."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs.config import HiggsConfig, load_config
from inference.higgs.tensors import CheckpointError, TensorTable
from inference.training.network import Batch, Student
from inference.training.precision import autocast

TEMPERATURE = 2.0
"""Of both distributions. Above 1, unlikely codes count for more."""


class LargerTeacher:
    """A checkpoint in the published layout whose codes and prompts are the student's.

    Raises:
        ConfigError, CheckpointError: `folder` is none, or speaks other codes or another alphabet.
    """

    def __init__(self, folder: Path, student: HiggsConfig, device: str = "cpu") -> None:
        config = load_config(folder)
        for name in ("text_frontend", "vocab_size", "num_codebooks", "codebook_size", "bos_code", "eos_code"):
            ours, theirs = getattr(student, name), getattr(config, name)
            if ours != theirs:
                raise CheckpointError(f"{name} is {theirs!r} in {folder.name} and {ours!r} in the student")
        self._network = Student(config)
        table = TensorTable(folder, device="cpu", dtype=torch.float32)
        state = {name: table.take(name, value.shape) for name, value in self._network.state_dict().items()}
        table.drop(r"text_lm_head\..*", r"audio_decoder_proj\..*")
        table.close()
        self._network.load_state_dict(state)
        self._network.to(device).eval().requires_grad_(False)

    @torch.no_grad()
    def logits(self, batch: Batch) -> Tensor:
        """[A, N, V]."""
        with autocast(batch.codes.device.type):
            logits, _ = self._network(batch)
        return cast(Tensor, logits)


def divergence(logits: Tensor, teacher: Tensor, counted: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """KL of the student from the teacher, of each codebook [N].

    Args:
        logits, teacher: [A, N, V].
        counted: [A, N], the rows and codebooks that count.
    """
    ours = F.log_softmax(logits / temperature, -1)
    theirs = F.log_softmax(teacher / temperature, -1)
    each = (theirs.exp() * (theirs - ours)).sum(-1) * temperature**2  # gradients keep their size
    return (each * counted).sum(0) / counted.sum(0).clamp_min(1)
