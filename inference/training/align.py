"""Align the student by reward: what it says well becomes likelier, measured against its own other attempts.

The stage first looks for sentences that the student says badly: it speaks some once and keeps those that the
recogniser misheard although it understands the teacher's reading. A name that it cannot spell, whoever says it,
teaches nothing. Each step then draws a few of these, lets the product's engine speak each of them several
times, has every answer judged, and takes a few steps of GRPO. The student before this stage is the reference that
it must not go far from. Held-out sentences take no part.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.engines.higgs.engine import HiggsEngine, Options
from inference.higgs.config import HiggsConfig
from inference.higgs.frontend import load_prompt_builder
from inference.speech.encoding import encode_file
from inference.training import corpus, export, grpo
from inference.training.corpus import FRAME_RATE, CorpusUtterance
from inference.training.following import follow
from inference.training.network import Batch, Student
from inference.training.precision import autocast
from inference.training.recipe import AlignRecipe, Recipe
from inference.training.rewards import Reward, reward
from inference.training.rollout import SpokenAnswer, sample
from inference.training.run import Run
from inference.training.sequences import collate
from inference.training.student import ALIGNMENT_WINDOW, higgs_config
from inference.training.teacher import Teacher
from inference.training.verdict import Verdict

Judge = Callable[[str, NDArray[np.float32]], Verdict]
KEEP_EVERY = 10
"""Steps after which the best and the worst answer of a group are kept to be listened to."""
JUDGING_THREADS = 2
"""The recogniser hears one answer while the opinion score of another is computed."""


def train(run: Run, recipe: Recipe, judge: Judge) -> None:
    """Align until the recipe's steps are done or the time is up.

    Raises:
        SystemExit: an earlier stage is missing.
    """
    torch.manual_seed(run.seed)
    sizes, config = recipe.align, higgs_config(recipe)
    policy_folder = run.folder / "align"
    export.write(run, recipe, policy_folder, stage="distill", whole=True)
    speaker = PolicySpeaker(policy_folder, config, judge, temperature=sizes.temperature)
    prompts = _prompts(run, sizes, speaker)
    reference, student = (export.load_student(run, recipe, "distill") for _ in range(2))
    reference.requires_grad_(False)
    optimizer = torch.optim.AdamW(student.parameters(), lr=sizes.rate, betas=(0.9, 0.95), weight_decay=0.0)
    step = run.go_on(student, optimizer)
    while step < sizes.steps and not run.over:
        export.save_weights(student, policy_folder)
        chosen = _draw(prompts, sizes.prompts, seed=run.seed + step)
        groups, rewards = speaker.speak(chosen, answers=sizes.answers, seed=run.seed + step)
        totals = torch.tensor([[each.total for each in group] for group in rewards])
        batch = collate([answer.example for group in groups for answer in group], config)
        figures = _learn(student, reference, optimizer, batch, grpo.advantages(totals).flatten(), recipe)
        if step % KEEP_EVERY == 0:
            _keep(policy_folder, step, groups[0], totals[0])
        step += 1
        run.log(step=step, **_means(rewards), **figures)
        if run.due():
            run.keep(student, optimizer, step)
    run.keep(student, optimizer, step)


class PolicySpeaker:
    """Let the policy in `folder` speak, and have judged what it says."""

    def __init__(self, folder: Path, config: HiggsConfig, judge: Judge, *, temperature: float) -> None:
        self._folder, self._config, self._judge, self._temperature = folder, config, judge, temperature
        self._builder = load_prompt_builder(folder, config)

    def speak(
        self, prompts: Sequence[CorpusUtterance], *, answers: int, seed: int
    ) -> tuple[list[list[SpokenAnswer]], list[list[Reward]]]:
        """Return `answers` of each prompt, with their rewards."""
        # float32, as the training network is: the answers' probabilities are then those that it computes.
        engine = HiggsEngine(self._folder, Options(slots=len(prompts) * answers, dtype="float32"))
        try:
            groups = sample(
                engine,
                self._builder,
                self._config,
                prompts,
                answers=answers,
                seed=seed,
                temperature=self._temperature,
            )
        finally:
            engine.close()
        pairs = [(prompt, answer) for prompt, group in zip(prompts, groups, strict=True) for answer in group]
        with ThreadPoolExecutor(JUDGING_THREADS, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            flat = list(pool.map(lambda pair: _judged(self._judge, *pair), pairs))
        return groups, [flat[n : n + answers] for n in range(0, len(flat), answers)]

    def understands(self, teacher: Teacher, prompt: CorpusUtterance) -> bool:
        """Whether the judge hears no mistake where the teacher reads it."""
        return not self._judge(prompt.text, teacher.say(prompt.phonemes, seed=0).audio).sign_errors


def _prompts(run: Run, sizes: AlignRecipe, speaker: PolicySpeaker) -> list[CorpusUtterance]:
    """Return the sentences to learn from: those of `sizes.candidates` that the student alone says with a mistake.

    They are found once and kept in `align-prompts.json`.

    Raises:
        SystemExit: the corpus has none to choose from, or the time was up.
    """
    known = [u for shard in corpus.read(run.folder / "corpus") for u in shard.utterances if not u.held_out]
    if not known:
        raise SystemExit(f"{run.folder / 'corpus'} has no utterance that is not held out")
    path = run.folder / "align-prompts.json"
    if path.exists():
        texts = set(json.loads(path.read_text("utf-8")))
        return [utterance for utterance in known if utterance.text in texts]
    known = [utterance for utterance in known if utterance.frames <= sizes.longest * FRAME_RATE]
    candidates = _draw(known, min(sizes.candidates, len(known)), seed=run.seed)
    missed: list[CorpusUtterance] = []
    teacher = Teacher(run.folder)
    for piece in _pieces(candidates, sizes.prompts * sizes.answers):
        if run.over:
            raise SystemExit("the time was up before the sentences were chosen; start the stage again")
        _, rewards = speaker.speak(piece, answers=1, seed=run.seed)
        said_badly = [prompt for prompt, (only,) in zip(piece, rewards, strict=True) if only.words < 1]
        missed += [prompt for prompt in said_badly if speaker.understands(teacher, prompt)]
        run.log(tried=len(piece), misheard=len(missed))
    chosen = missed if len(missed) >= sizes.prompts else candidates
    path.write_text(json.dumps([utterance.text for utterance in chosen], indent=1), "utf-8")
    return chosen


def _pieces(utterances: list[CorpusUtterance], size: int) -> Iterator[list[CorpusUtterance]]:
    for begin in range(0, len(utterances), size):
        yield utterances[begin : begin + size]


def _draw(prompts: Sequence[CorpusUtterance], count: int, *, seed: int) -> list[CorpusUtterance]:
    random = np.random.default_rng(seed)
    return [prompts[n] for n in random.choice(len(prompts), min(count, len(prompts)), replace=False).tolist()]


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
    aligned = recipe.student.aligned_layers
    behind, ahead = ALIGNMENT_WINDOW
    windows = follow(student, batch, aligned=aligned, behind=behind, ahead=ahead) if aligned else None

    def log_probabilities(network: Student) -> Tensor:
        """[A, N], of the targets, at the temperature at which they were drawn and under the same windows."""
        with autocast("cpu"):
            logits, _ = network(batch, aligned=aligned, windows=windows)
        certainty = F.log_softmax(logits / sizes.temperature, -1)
        return certainty.gather(-1, batch.targets[..., None]).squeeze(-1)

    with torch.no_grad():
        old, fixed = (log_probabilities(network) for network in (student, reference))
    advantage = advantages[rows][:, None]
    for _ in range(sizes.passes):
        new = log_probabilities(student)
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


def _means(rewards: Sequence[Sequence[Reward]]) -> dict[str, float]:
    parts = [each.parts() for group in rewards for each in group]
    return {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}


def _keep(folder: Path, step: int, group: Sequence[SpokenAnswer], totals: Tensor) -> None:
    for name, place in (("best", int(totals.argmax())), ("worst", int(totals.argmin()))):
        (folder / f"{step:05}-{name}.wav").write_bytes(encode_file("wav", group[place].audio))
