"""Aligns the student by reward: what it says well becomes likelier, measured against its own other attempts.

Each step draws sentences that are not held out, lets the product's engine speak each of them several times, has
every answer judged, and takes a few steps of GRPO. The student before this stage is the reference that it must not
go far from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.engines.higgs.engine import HiggsEngine, Options
from inference.higgs.frontend import load_prompt_builder
from inference.speech.encoding import encode_file
from inference.training import corpus, export, grpo
from inference.training.corpus import FRAME_RATE, CorpusUtterance
from inference.training.network import Batch, Student
from inference.training.recipe import AlignRecipe, Recipe
from inference.training.rewards import Reward, reward
from inference.training.rollout import SpokenAnswer, sample
from inference.training.run import Run
from inference.training.sequences import collate
from inference.training.student import higgs_config
from inference.training.verdict import Verdict

Judge = Callable[[str, NDArray[np.float32]], Verdict]
KEEP_EVERY = 10
"""Steps after which the best and the worst answer of a group are kept to be listened to."""


def train(run: Run, recipe: Recipe, judge: Judge) -> None:
    """Align until the recipe's steps are done or the time is up.

    Raises:
        SystemExit: an earlier stage is missing.
    """
    torch.manual_seed(run.seed)
    sizes, config = recipe.align, higgs_config(recipe)
    prompts = [u for shard in corpus.read(run.folder / "corpus") for u in shard.utterances if not u.held_out]
    if not prompts:
        raise SystemExit(f"{run.folder / 'corpus'} has no utterance that is not held out")
    policy_folder = run.folder / "align"
    export.write(run, recipe, policy_folder, stage="distill")
    reference, student = (export.load_student(run, recipe, "distill") for _ in range(2))
    reference.requires_grad_(False)
    optimizer = torch.optim.AdamW(student.parameters(), lr=sizes.rate, betas=(0.9, 0.95), weight_decay=0.0)
    step = 0
    if (state := run.load()) is not None:
        student.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]

    def save() -> None:
        run.save({"model": student.state_dict(), "optimizer": optimizer.state_dict(), "step": step})

    builder = load_prompt_builder(policy_folder, config)
    while step < sizes.steps and not run.over:
        export.save_weights(student, policy_folder)
        chosen = _draw(prompts, sizes, seed=run.seed + step)
        # float32, as the training network is: the answers' probabilities are then those that it computes.
        engine = HiggsEngine(policy_folder, Options(slots=sizes.prompts * sizes.answers, dtype="float32"))
        try:
            groups = sample(engine, builder, config, chosen, answers=sizes.answers, seed=run.seed + step)
        finally:
            engine.close()
        rewards = [
            [_judged(judge, utterance, answer) for answer in group]
            for utterance, group in zip(chosen, groups, strict=True)
        ]
        totals = torch.tensor([[each.total for each in group] for group in rewards])
        batch = collate([answer.example for group in groups for answer in group], config)
        figures = _learn(student, reference, optimizer, batch, grpo.advantages(totals).flatten(), recipe)
        if step % KEEP_EVERY == 0:
            _keep(policy_folder, step, groups[0], totals[0])
        step += 1
        run.log(step=step, **_means(rewards), **figures)
        if run.due():
            save()
    save()


def _draw(prompts: Sequence[CorpusUtterance], sizes: AlignRecipe, *, seed: int) -> list[CorpusUtterance]:
    random = np.random.default_rng(seed)
    return [prompts[n] for n in random.choice(len(prompts), sizes.prompts, replace=False).tolist()]


def _judged(judge: Judge, utterance: CorpusUtterance, answer: SpokenAnswer) -> Reward:
    verdict = judge(utterance.text, answer.audio)
    expected = utterance.frames / FRAME_RATE
    return reward(verdict, answer.audio, ended=answer.ended, expected_seconds=expected)


def _learn(
    student: Student,
    reference: Student,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    advantages: Tensor,
    recipe: Recipe,
) -> dict[str, float]:
    """Take the step's passes over its answers; returns what to log of the last one."""
    sizes = recipe.align
    rows = batch.audio_places // batch.length
    weight = _weights(batch, rows, recipe)
    with torch.no_grad():
        old, fixed = (_log_probabilities(network, batch, sizes) for network in (student, reference))
    advantage = advantages[rows][:, None]
    for _ in range(sizes.passes):
        new = _log_probabilities(student, batch, sizes)
        loss = grpo.loss(new, old, fixed, advantage, weight, clip=sizes.clip, kl=sizes.divergence)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
    moved = grpo.divergence(new.detach(), fixed)
    return {"divergence": float((moved * weight).sum()), "loss": loss.item()}


def _weights(batch: Batch, rows: Tensor, recipe: Recipe) -> Tensor:
    """[A, N], 1 in all: answers count alike however long, and codebooks as much as they are heard."""
    books = torch.tensor(recipe.student.book_weights[: batch.codes.shape[1]])
    each = batch.counted * books
    length = torch.zeros(batch.rows).index_add_(0, rows, each.sum(1))
    return each / length[rows][:, None].clamp_min(1e-9) / batch.rows


def _log_probabilities(network: Student, batch: Batch, sizes: AlignRecipe) -> Tensor:
    """[A, N], of the targets, at the temperature at which they were drawn."""
    with torch.autocast("cpu", torch.bfloat16):
        logits, _ = network(batch)
    certainty = F.log_softmax(logits / sizes.temperature, -1)
    return certainty.gather(-1, batch.targets[..., None]).squeeze(-1)


def _means(rewards: Sequence[Sequence[Reward]]) -> dict[str, float]:
    parts = [each.parts() for group in rewards for each in group]
    return {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}


def _keep(folder: Path, step: int, group: Sequence[SpokenAnswer], totals: Tensor) -> None:
    for name, place in (("best", int(totals.argmax())), ("worst", int(totals.argmin()))):
        (folder / f"{step:05}-{name}.wav").write_bytes(encode_file("wav", group[place].audio))
