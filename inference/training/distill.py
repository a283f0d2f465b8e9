"""Trains the student on the teacher's sequences: the codes of what it said, from the phonemes that it read.

Where there is a larger network of the same kind, the student also learns what that one holds likely.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)
from torch.utils.data import DataLoader, Dataset

from inference.higgs.config import HiggsConfig
from inference.higgs.phonemes import PhonemePromptBuilder
from inference.training import sequences
from inference.training.codec import load_trained
from inference.training.larger import LargerTeacher, divergence
from inference.training.network import Batch, Student
from inference.training.optimizers import Muon
from inference.training.precision import autocast
from inference.training.recipe import Recipe, StudentRecipe
from inference.training.run import Run
from inference.training.sequences import Example, collate
from inference.training.sharding import Group, like, whole
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

    def step(self, step: int, progress: float) -> float:
        """Returns the factor of the rates: warmed up, held, and at last brought down to nothing."""
        left = (1 - progress) / self._recipe.decay
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
        kept = {
            number: {name: like(value, self.others[number]) if value.ndim else value for name, value in of.items()}
            for number, of in state["adam"]["state"].items()
        }
        self.adam.load_state_dict(state["adam"] | {"state": kept})


def losses(
    student: Callable[..., tuple[Tensor, Tensor]],
    batch: Batch,
    recipe: StudentRecipe,
    teacher: LargerTeacher | None = None,
) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy of each codebook [N], that of the aligned heads.

    With a larger teacher the first is mixed with the divergence from what it holds likely.
    """
    with autocast(batch.codes.device.type):
        logits, misses = student(batch, aligned=recipe.aligned_layers)
    each = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), reduction="none")
    counted = batch.counted.float()
    hard = (each.view_as(counted) * counted).sum(0) / counted.sum(0).clamp_min(1)
    if teacher is None:
        return hard, misses
    soft = divergence(logits, teacher.logits(batch), counted)
    return hard.lerp(soft, recipe.divergence_weight), misses


def counts(batch: Batch) -> Tensor:
    """What the means of `losses` are taken over: targets of each codebook, and rows that say a token, [N + 1]."""
    return torch.cat([batch.counted.sum(0), (batch.spoken >= 0).sum()[None]]).float()


class Batches(Dataset[list[Batch]]):
    """Every step's batches, by its number, so that a stage goes on as if it had not stopped.

    Args:
        part, parts: each process of `parts` takes its own share of a step's sequences.
        accumulation: batches that a process makes of its share; their gradients are summed.
    """

    def __init__(
        self,
        known: Sequence[Example],
        config: HiggsConfig,
        recipe: StudentRecipe,
        seed: int,
        *,
        part: int = 0,
        parts: int = 1,
        accumulation: int = 1,
    ) -> None:
        self._known, self._config, self._recipe, self._seed = known, config, recipe, seed
        self._part, self._parts, self._accumulation = part, parts, accumulation
        lengths = [example.length for example in known]
        self._groups = list(itertools.islice(sequences.epochs(lengths, recipe.batch_tokens, seed), recipe.steps))

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, step: int) -> list[Batch]:
        pieces = self._parts * self._accumulation
        return [self._batch(step, piece, pieces) for piece in range(self._part, pieces, self._parts)]

    def _batch(self, step: int, piece: int, pieces: int) -> Batch:
        group = self._groups[step]
        places = range(piece, len(group), pieces)
        batch = collate(
            [self._known[group[place]] for place in places or [0]],
            self._config,
            noise=self._recipe.noise,
            seeds=[hash((self._seed, step, place)) & 0xFFFFFFFF for place in places or [0]],
        )
        if places:
            return batch
        # Fewer sequences than processes: this one takes part in the step, and nothing of it counts.
        nothing = torch.zeros_like(batch.counted), torch.full_like(batch.spoken, -1)
        return replace(batch, counted=nothing[0], spoken=nothing[1])


def train(
    run: Run, recipe: Recipe, *, larger: Path | None = None, compiled: bool = False, accumulation: int = 1
) -> None:
    """Train until the recipe's steps are done or the time is up; see `sharding` for several processes.

    Args:
        larger: a checkpoint of the same kind and codes to learn from beside the corpus.
        compiled: fuse the network's operations with `torch.compile`, which needs a C++ compiler.
        accumulation: batches that each process makes of its part of a step.

    Raises:
        SystemExit: an earlier stage is missing.
        ConfigError, CheckpointError: `larger` is no such checkpoint.
    """
    group = Group(run.device)
    try:
        _train(run, recipe, group, larger=larger, compiled=compiled, accumulation=accumulation)
    finally:
        group.close()


def _train(
    run: Run, recipe: Recipe, group: Group, *, larger: Path | None, compiled: bool, accumulation: int
) -> None:
    sizes = recipe.student
    config = higgs_config(recipe)
    data = run.folder / "corpus"
    tokenizer = run.folder / "tokenizer.json"
    if group.first:
        sequences.encode(run, load_trained(run.folder, recipe.codec), data)
        write_tokenizer(tokenizer)
    group.wait()
    examples = list(sequences.read(data, PhonemePromptBuilder(tokenizer, config), config))
    known = [example for example in examples if not example.utterance.held_out]
    unseen = [example for example in examples if example.utterance.held_out][:VALIDATION]
    if not known:
        raise SystemExit(f"{data} has no utterance that is not held out")
    torch.manual_seed(run.seed)  # only now: each process must begin with the same weights
    student = Student(config).to(group.device)
    teacher = LargerTeacher(larger, config, group.device) if larger else None
    state = run.load()
    if state is not None:
        student.load_state_dict(state["model"])
    group.shard(student, student.layers)
    # An imported checkpoint is its weights alone.
    imported = state is not None and state.get("imported", "step" not in state)
    if imported:
        sizes = sizes.gone_on_with()
    optimizers = Optimizers(student, sizes)
    weights = torch.tensor(sizes.book_weights[: config.num_codebooks])
    weights = (weights / weights.mean()).to(group.device)
    step, frames = 0, 0
    if state is not None and "step" in state:
        optimizers.load_state_dict(state["optimizers"])
        step, frames = state["step"], state["frames"]

    def save() -> None:
        saved = {
            "model": whole(student.state_dict()),
            "optimizers": whole(optimizers.state_dict()),
            "step": step,
            "frames": frames,
            "imported": imported,
        }
        if group.first:
            run.save(saved)

    forward = torch.compile(student, dynamic=True) if compiled else student
    total, counted = torch.zeros(2, device=group.device), 0
    batches = Batches(known, config, sizes, run.seed, part=group.rank, parts=group.size, accumulation=accumulation)
    loader = DataLoader(batches, batch_size=None, sampler=range(step, len(batches)), num_workers=run.processes)
    for parts in loader:
        if group.any(run.over):
            break
        shares = torch.stack([counts(part) for part in parts]).to(group.device)
        whole_count = group.sum(shares.sum(0)).clamp_min(1)
        means = torch.zeros_like(total)
        for part, share in zip(parts, shares / whole_count, strict=True):
            each, misses = losses(forward, part.to(group.device), sizes, teacher)
            loss, misses = (each * share[:-1] * weights).mean(), misses * share[-1]
            # Gradients become the mean over the processes; theirs is to be the sum.
            (group.size * (loss + sizes.alignment_weight * misses)).backward()
            means += torch.stack([loss, misses]).detach()
        progress = group.mean(run.progress(step, sizes.steps))
        factor = optimizers.step(step, progress)
        student.zero_grad()
        step += 1
        rows = sum(len(part.codes) for part in parts if part.counted.any())
        frames += int(group.sum(torch.tensor(rows, device=group.device)))
        total, counted = total + group.sum(means), counted + 1
        if group.first and (step % LOG_EVERY == 0 or step == sizes.steps):
            mean, aligned = (total / counted).tolist()
            hours = frames / FRAMES_PER_HOUR
            run.log(step=step, rate=factor, loss=mean, alignment=aligned, audio_hours=hours)
        if step % LOG_EVERY == 0:
            total, counted = torch.zeros_like(total), 0
        if unseen and (step % VALIDATE_EVERY == 0 or step == sizes.steps):
            _validate(run, group, student, unseen, config, sizes, step)
        if group.any(group.first and run.due()):
            save()
    save()


@torch.no_grad()
def _validate(
    run: Run,
    group: Group,
    student: Student,
    unseen: list[Example],
    config: HiggsConfig,
    recipe: StudentRecipe,
    step: int,
) -> None:
    """Every process computes the same, since a sharded network needs all of them."""
    batches = [collate(unseen[n : n + 16], config).to(group.device) for n in range(0, len(unseen), 16)]
    parts = [losses(student, batch, recipe) for batch in batches]
    if not group.first:
        return
    each = torch.stack([part[0] for part in parts]).mean(0)
    books = {f"book{n}": value for n, value in enumerate(each.tolist())}
    run.log(
        step=step, held_out=each.mean().item(), alignment=sum(float(p[1]) for p in parts) / len(parts), **books
    )
