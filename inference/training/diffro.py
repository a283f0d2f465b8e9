"""Align the student by the gradient of a reward (DiffRO: Gao et al., 2025, arXiv 2507.05911).

The student speaks sentences of the corpus in codes. Recognisers, networks that hear what the codec's decoder
makes of codes, say how well these are the phonemes that it was to say. So the reward has a gradient with respect
to each code that was drawn, and through it to the code's chance (the straight-through estimator): the student
learns which sound went wrong, where the reward of a whole answer, as in `align`, says only that one did. It needs
no audio and no second answer. The student before this stage is the reference that it must not go far from.
Held-out sentences take no part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs.delay import delay, undelay
from inference.higgs.phonemes import PhonemePromptBuilder
from inference.training import corpus, export, phoneme_recogniser
from inference.training.codec import load_trained
from inference.training.corpus import FRAME_RATE, CorpusUtterance
from inference.training.drawing import Drawn, draw
from inference.training.network import Batch, Student, Windows
from inference.training.phoneme_recogniser import STRIDE, Decoder, Recognisers
from inference.training.precision import autocast
from inference.training.recipe import Recipe
from inference.training.run import Run
from inference.training.sequences import Example, collate
from inference.training.student import ALIGNMENT_WINDOW, higgs_config


def train(run: Run, recipe: Recipe) -> None:
    """Align until the recipe's steps are done or the time is up.

    Raises:
        SystemExit: an earlier stage is missing.
    """
    torch.manual_seed(run.seed)
    sizes, config = recipe.diffro, higgs_config(recipe)
    recognisers, decoder = phoneme_recogniser.load(run, recipe), Decoder(load_trained(run.folder, recipe.codec))
    folder = run.folder / "diffro"
    export.write(run, recipe, folder, stage="distill")
    builder = PhonemePromptBuilder(folder / "tokenizer.json", config)
    known = _known(run, sizes.longest)
    reference, student = (export.load_student(run, recipe, "distill") for _ in range(2))
    reference.requires_grad_(False)
    optimizer = torch.optim.AdamW(student.parameters(), lr=sizes.rate, betas=(0.9, 0.98), weight_decay=0.0)
    step = run.go_on(student, optimizer)
    while step < sizes.steps and not run.over:
        export.save_weights(student, folder)
        random = np.random.default_rng(run.seed + step)
        chosen = [known[number] for number in random.integers(len(known), size=sizes.prompts).tolist()]
        prompts = [builder.spell(utterance.phonemes).tokens for utterance in chosen]
        drawn = draw(folder, prompts, temperature=sizes.temperature, seed=(run.seed + step) * len(prompts))
        answers = [
            (Example(prompt, delay(each.frames, config), prompt[:0], utterance), each)
            for prompt, each, utterance in zip(prompts, drawn, chosen, strict=True)
            if each is not None
        ]
        figures = {"ended": len(answers) / len(prompts)}
        if answers:
            progress = run.progress(step, sizes.steps)
            for settings in optimizer.param_groups:
                settings["lr"] = sizes.rate * min((step + 1) / 10, 1.0, max((1 - progress) / 0.4, 0.05))
            figures |= learn(student, reference, optimizer, recognisers, decoder, answers, recipe)
        step += 1
        run.log(step=step, **figures)
        if run.due():
            run.keep(student, optimizer, step)
    run.keep(student, optimizer, step)


def _known(run: Run, longest: float) -> list[CorpusUtterance]:
    """Raises SystemExit where the corpus has none to choose from."""
    spoken = [utterance for shard in corpus.read(run.folder / "corpus") for utterance in shard.utterances]
    known = [u for u in spoken if not u.held_out and u.frames <= longest * FRAME_RATE]
    if not known:
        raise SystemExit(f"{run.folder / 'corpus'} has no utterance of at most {longest} s that is not held out")
    return known


def learn(
    student: Student,
    reference: Student,
    optimizer: torch.optim.Optimizer,
    recognisers: Recognisers,
    decoder: Decoder,
    answers: Sequence[tuple[Example, Drawn]],
    recipe: Recipe,
) -> dict[str, float]:
    """Take one step; returns what to log of it: nats a sound, of those that reward and of the one that watches."""
    sizes, aligned = recipe.diffro, recipe.student.aligned_layers
    batch = collate([example for example, _ in answers], student.config)
    places = torch.cat([drawn.places for _, drawn in answers])
    windows = Windows(places, *ALIGNMENT_WINDOW) if aligned else None
    with autocast("cpu"):
        logits, _ = student(batch, aligned=aligned, windows=windows)
        with torch.no_grad():
            fixed, _ = reference(batch, aligned=aligned, windows=windows)
    moved = _divergence(logits, fixed, batch, recipe)
    chances = straight_through(batch.targets, (logits / sizes.temperature).softmax(-1))
    spoken = spoken_chances(chances, [len(drawn.frames) for _, drawn in answers])
    sounds = [recognisers.sounds(example.tokens) for example, _ in answers]
    nats = surprise(recognisers, decoder, spoken, sounds)
    loss = nats[:-1].mean() + sizes.divergence * moved
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
    optimizer.step()
    *rewards, control = nats.tolist()
    return {"nats": sum(rewards) / len(rewards), "control": control, "divergence": moved.item()}


def straight_through(drawn: Tensor, chances: Tensor) -> Tensor:
    """What was drawn [...], as one-hot vectors with the gradient of the chances [..., V] (arXiv 1308.3432)."""
    return F.one_hot(drawn, chances.shape[-1]) + chances - chances.detach()


def spoken_chances(chances: Tensor, lengths: Sequence[int]) -> list[Tensor]:
    """Of each answer [F, N, V], from its delayed rows [A, N, V] in `chances`."""
    delayed = torch.split(chances, [count + chances.shape[1] for count in lengths])
    return [undelay(rows, count) for rows, count in zip(delayed, lengths, strict=True)]


def surprise(
    recognisers: Recognisers, decoder: Decoder, spoken: Sequence[Tensor], sounds: Sequence[Tensor]
) -> Tensor:
    """Nats a sound, of each recogniser. Each answer is heard alone: none is to depend on what pads another."""
    total = spoken[0].new_zeros(len(recognisers.networks))
    for chances, expected in zip(spoken, sounds, strict=True):
        features = decoder.features_of_chances(chances[..., : decoder.codes])[None]
        each = [
            recognisers.surprise(network(features), [expected], [features.shape[1] // STRIDE])
            for network in recognisers.networks
        ]
        total = total + torch.cat(each)
    return total / sum(map(len, sounds))


def _divergence(logits: Tensor, fixed: Tensor, batch: Batch, recipe: Recipe) -> Tensor:
    """KL of the student from the reference, of a code; codebooks count as much as they are heard."""
    new, old = logits.log_softmax(-1), fixed.log_softmax(-1)
    each = (new.exp() * (new - old)).sum(-1)
    weight = batch.counted * torch.tensor(recipe.student.book_weights[: each.shape[1]])
    return (each * weight).sum() / weight.sum()
