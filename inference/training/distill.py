"""Trains the student on the teacher's sequences: the codes of what it said, from the phonemes that it read.

Where there is a larger network of the same kind, the student also learns what that one holds likely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs.config import HiggsConfig
from inference.higgs.phonemes import PhonemePromptBuilder
from inference.training import sequences
from inference.training.codec import load_trained
from inference.training.larger import LargerTeacher, divergence
from inference.training.network import Batch, Student
from inference.training.optimizers import Muon
from inference.training.recipe import Recipe, StudentRecipe
from inference.training.run import Run
from inference.training.sequences import Example, collate
from inference.training.student import higgs_config, write_tokenizer

LOG_EVERY, VALIDATE_EVERY = 50, 400
VALIDATION = 64
"""Held-out utterances, at most."""
FRAMES_PER_HOUR = 25 * 3600


class Optimizers:
    """Muon for the matrices within layers, AdamW for all else."""

    def __init__(self, student: Student, recipe: StudentRecipe) -> None:
        self._recipe = recipe
        # The last layer's text feed-forward reaches nothing: no text is predicted.
        unused = f"model.layers.{recipe.layers - 1}."
        named = [
            (name, parameter)
            for name, parameter in student.named_parameters()
            if not name.startswith((f"{unused}mlp.", f"{unused}post_attention_layernorm."))
        ]
        inner = [p for name, p in named if p.ndim == 2 and ".layers." in name]
        self.others = [p for name, p in named if not (p.ndim == 2 and ".layers." in name)]
        self.muon = Muon(inner, rate=recipe.matrix_rate)
        self.adam = torch.optim.AdamW(self.others, lr=recipe.other_rate, betas=(0.9, 0.95), weight_decay=0.0)

    def step(self, step: int) -> float:
        """Returns the factor of the rates: warmed up, held, and at last brought down to nothing."""
        left = (self._recipe.steps - step) / (self._recipe.steps * self._recipe.decay)
        factor = min((step + 1) / 100, 1.0, max(left, 0.02))
        self.muon.rate = self._recipe.matrix_rate * factor
        for group in self.adam.param_groups:
            group["lr"] = self._recipe.other_rate * factor
        torch.nn.utils.clip_grad_norm_(self.others, 1.0)
        self.muon.step()
        self.adam.step()
        return factor

    def state_dict(self) -> dict[str, Any]:
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])


def losses(
    student: Callable[..., tuple[Tensor, Tensor]],
    batch: Batch,
    recipe: StudentRecipe,
    teacher: LargerTeacher | None = None,
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of each codebook [N], that of the aligned heads.

    With a larger teacher the first is mixed with the divergence from what it holds likely.
    """
    with torch.autocast("cpu", torch.bfloat16):
        logits, misses = student(batch, aligned=recipe.aligned_layers)
    each = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), reduction="none")
    counted = batch.counted.float()
    hard = (each.view_as(counted) * counted).sum(0) / counted.sum(0).clamp_min(1)
    if teacher is None:
        return hard, misses
    soft = divergence(logits, teacher.logits(batch), counted)
    return hard.lerp(soft, recipe.divergence_weight), misses


def _order(lengths: list[int], recipe: StudentRecipe, seed: int, skip: int) -> Iterator[list[int]]:
    """Batches, epoch after epoch, without the first `skip`."""
    epoch = 0
    while True:
        for group in sequences.batches(lengths, recipe.batch_tokens, seed + epoch):
            if skip:
                skip -= 1
            else:
                yield group
        epoch += 1


def train(run: Run, recipe: Recipe, *, larger: Path | None = None, compiled: bool = False) -> None:
    """Train until the recipe's steps are done or the time is up.

    Args:
        larger: a checkpoint of the same kind and codes to learn from beside the corpus.
        compiled: fuse the network's operations with `torch.compile`, which needs a C++ compiler.

    Raises:
        SystemExit: an earlier stage is missing.
        ConfigError, CheckpointError: `larger` is no such checkpoint.
    """
    torch.manual_seed(run.seed)
    sizes = recipe.student
    config = higgs_config(recipe)
    data = run.folder / "corpus"
    sequences.encode(run, load_trained(run.folder, recipe.codec), data)
    tokenizer = run.folder / "tokenizer.json"
    write_tokenizer(tokenizer)
    examples = list(sequences.read(data, PhonemePromptBuilder(tokenizer, config), config))
    known = [example for example in examples if not example.utterance.held_out]
    unseen = [example for example in examples if example.utterance.held_out][:VALIDATION]
    if not known:
        raise SystemExit(f"{data} has no utterance that is not held out")
    student = Student(config)
    teacher = LargerTeacher(larger, config) if larger else None
    optimizers = Optimizers(student, sizes)
    weights = torch.tensor(sizes.book_weights[: config.num_codebooks])
    weights = weights / weights.mean()
    step, frames = 0, 0
    if (state := run.load()) is not None:
        student.load_state_dict(state["model"])
        optimizers.load_state_dict(state["optimizers"])
        step, frames = state["step"], state["frames"]
        torch.set_rng_state(state["random"])

    def save() -> None:
        run.save(
            {
                "model": student.state_dict(),
                "optimizers": optimizers.state_dict(),
                "step": step,
                "frames": frames,
                "random": torch.get_rng_state(),
            }
        )

    forward = torch.compile(student, dynamic=True) if compiled else student
    order = _order([example.length for example in known], sizes, run.seed, step)
    total, aligned, counted = 0.0, 0.0, 0
    while step < sizes.steps and not run.over:
        batch = collate([known[number] for number in next(order)], config, noise=sizes.noise)
        each, misses = losses(forward, batch, sizes, teacher)
        loss = (each * weights).mean()
        (loss + sizes.alignment_weight * misses).backward()  # type: ignore[no-untyped-call]
        factor = optimizers.step(step)
        student.zero_grad()
        step += 1
        frames += len(batch.codes)
        total, aligned, counted = total + loss.item(), aligned + misses.item(), counted + 1
        if step % LOG_EVERY == 0 or step == sizes.steps:
            run.log(
                step=step,
                rate=factor,
                loss=total / counted,
                alignment=aligned / counted,
                audio_hours=frames / FRAMES_PER_HOUR,
            )
            total, aligned, counted = 0.0, 0.0, 0
        if unseen and (step % VALIDATE_EVERY == 0 or step == sizes.steps):
            _validate(run, student, unseen, config, sizes, step)
        if run.due():
            save()
    save()


@torch.no_grad()
def _validate(
    run: Run, student: Student, unseen: list[Example], config: HiggsConfig, recipe: StudentRecipe, step: int
) -> None:
    parts = [losses(student, collate(unseen[n : n + 16], config), recipe) for n in range(0, len(unseen), 16)]
    each = torch.stack([part[0] for part in parts]).mean(0)
    books = {f"book{n}": value for n, value in enumerate(each.tolist())}
    run.log(
        step=step, held_out=each.mean().item(), alignment=sum(float(p[1]) for p in parts) / len(parts), **books
    )
