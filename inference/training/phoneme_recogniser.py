"""Small recognisers: which phonemes codes say. Their certainty is a reward with a gradient.

They hear what the codec's decoder makes of the codes, the teacher's features that say what is spoken, and not the
codes themselves: what does not come out of the decoder, nobody will hear. Each is a stack of convolutions trained
by CTC (Graves et al., 2006, doi:10.1145/1143844.1143891) on the corpus, whose phonemes are known. Several are
trained at once. The last takes no part in any reward: where it does not hear better what the others do, these are
being cheated.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)
from torch.nn.utils.rnn import pad_sequence

from inference.higgs.delay import undelay
from inference.higgs.phonemes import PhonemePromptBuilder
from inference.higgs.spectral_codec import PITCH
from inference.training import sequences
from inference.training.codec import CodecModel, load_trained
from inference.training.recipe import Recipe, RecogniserRecipe
from inference.training.run import Run
from inference.training.sequences import Example
from inference.training.student import SPECIAL, alphabet, higgs_config, write_tokenizer

SILENT = frozenset(" ˈˌ.,;:!?—…\"'()“”-")
"""Signs of a pronunciation that are no sound of their own."""
STRIDE = 2
"""Fine frames, of 80 a second, in a step of a recogniser."""
WARM_UP = 0.1
"""Share of the steps over which the rate rises."""
LOG_EVERY, UNSEEN = 50, 64


class Decoder:
    """The codec's decoder as far as its features, which learns no more."""

    def __init__(self, codec: CodecModel) -> None:
        self._codec = codec.eval().requires_grad_(False)
        self.codes = codec.quantizer.codebooks.shape[1]

    def features(self, codes: Tensor) -> Tensor:
        """Of one answer's codes [F, N]: [U, PITCH], mean and deviation removed."""
        return self._decode(self._codec.quantizer.decode(codes.T[None]))

    def features_of_chances(self, chances: Tensor) -> Tensor:
        """As `features`, of the chance of each code [F, N, V], through which a gradient goes back."""
        return self._decode(torch.einsum("fnv,nvd->fd", chances, self._codec.quantizer.codebooks)[None])

    def _decode(self, vectors: Tensor) -> Tensor:
        decoder = self._codec.decoder
        # Both rates begin and end together where there is a multiple of so many frames.
        missing = -vectors.shape[1] % decoder.config.ratio.denominator
        features = decoder(torch.cat([vectors, vectors[:, -1:].expand(-1, missing, -1)], dim=1))
        return cast(Tensor, ((features - decoder.mean) / decoder.scale)[0, :, :PITCH])


class PhonemeRecogniser(nn.Module):
    def __init__(self, sizes: RecogniserRecipe, *, signs: int) -> None:
        super().__init__()
        self.steps = nn.Conv1d(PITCH, sizes.width, 2 * STRIDE, STRIDE, STRIDE // 2)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(1, sizes.width),
                nn.Conv1d(sizes.width, sizes.width, sizes.kernel, padding=sizes.kernel // 2),
                nn.GELU(),
            )
            for _ in range(sizes.blocks)
        )
        self.out = nn.Conv1d(sizes.width, signs + 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Log probabilities [B, U / STRIDE, signs + 1] of features [B, U, PITCH]; the last sign is none."""
        states = self.steps(features.transpose(1, 2))
        for block in self.blocks:
            states = states + block(states)
        logits: Tensor = self.out(states)
        return logits.transpose(1, 2).log_softmax(-1)


class Recognisers(nn.Module):
    """All of them, and what they are to hear."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        sizes = recipe.recogniser
        signs = [*SPECIAL, *alphabet()]
        self._networks = nn.ModuleList(PhonemeRecogniser(sizes, signs=len(signs)) for _ in range(sizes.networks))
        self._heard = torch.tensor([n >= len(SPECIAL) and sign not in SILENT for n, sign in enumerate(signs)])
        self._none = len(signs)

    @property
    def networks(self) -> list[PhonemeRecogniser]:
        return [cast(PhonemeRecogniser, network) for network in self._networks]

    def sounds(self, tokens: Tensor) -> Tensor:
        """The tokens of a prompt that are to be heard."""
        return tokens[self._heard[tokens]]

    def surprise(self, heard: Tensor, sounds: Sequence[Tensor], lengths: Sequence[int]) -> Tensor:
        """Nats [B] by which sounds surprise one that has `heard` [B, steps, signs + 1], so many steps of each."""
        targets = torch.tensor([len(each) for each in sounds])
        # What cannot be said in so few steps would surprise without end.
        return F.ctc_loss(
            heard.transpose(0, 1),
            torch.cat([*sounds]),
            torch.tensor(lengths),
            targets,
            blank=self._none,
            reduction="none",
            zero_infinity=True,
        )


def load(run: Run, recipe: Recipe) -> Recognisers:
    """Those that the stage `recognise` has trained; they learn no more. Raises SystemExit where there are none."""
    state = Run(run.folder, "recognise").load()
    if state is None:
        raise SystemExit(f"there are no recognisers in {run.folder}: run the stage recognise first")
    recognisers = Recognisers(recipe)
    recognisers.load_state_dict(state["model"])
    return recognisers.eval().requires_grad_(False)


def train(run: Run, recipe: Recipe) -> None:
    """Train until the recipe's steps are done or the time is up.

    Raises:
        SystemExit: an earlier stage is missing.
    """
    examples = read(run, recipe)
    known = [example for example in examples if not example.utterance.held_out]
    unseen = [example for example in examples if example.utterance.held_out][:UNSEEN]
    if not known:
        raise SystemExit(f"{run.folder / 'corpus'} has no utterance that is not held out")
    torch.manual_seed(run.seed)
    sizes, recognisers = recipe.recogniser, Recognisers(recipe)
    decoder = Decoder(load_trained(run.folder, recipe.codec))
    optimizer = torch.optim.AdamW(recognisers.parameters(), lr=sizes.rate, weight_decay=0.01)
    step = run.go_on(recognisers, optimizer)
    lengths = [len(example.spoken) for example in known]
    for group in itertools.islice(sequences.epochs(lengths, sizes.batch_frames, run.seed), step, None):
        progress = run.progress(step, sizes.steps)
        if progress >= 1 or run.over:
            break
        for settings in optimizer.param_groups:
            settings["lr"] = sizes.rate * min(
                (step + 1) / (WARM_UP * sizes.steps), 1.0, max((1 - progress) / 0.7, 0.02)
            )
        losses = surprises(recognisers, decoder, [known[number] for number in group])
        optimizer.zero_grad()
        losses.sum().backward()  # type: ignore[no-untyped-call]
        for each in recognisers.networks:
            nn.utils.clip_grad_norm_(each.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % LOG_EVERY == 0 or step == sizes.steps:
            run.log(step=step, nats=losses.mean().item())
        if run.due():
            run.keep(recognisers, optimizer, step)
    run.keep(recognisers, optimizer, step)
    if unseen:
        recognisers.eval()
        with torch.no_grad():
            nats = surprises(recognisers, decoder, unseen).tolist()
        run.log(step=step, **{f"held_out{number}": value for number, value in enumerate(nats)})


def surprises(recognisers: Recognisers, decoder: Decoder, examples: Sequence[Example]) -> Tensor:
    """Nats a sound, of each recogniser."""
    with torch.no_grad():
        features = [decoder.features(_frames(example)) for example in examples]
    sounds = [recognisers.sounds(example.tokens) for example in examples]
    lengths, count = [len(each) // STRIDE for each in features], sum(map(len, sounds))
    heard = pad_sequence(features, batch_first=True)
    each = [recognisers.surprise(network(heard), sounds, lengths).sum() for network in recognisers.networks]
    return torch.stack(each) / count


def _frames(example: Example) -> Tensor:
    """The codes [F, N] of an utterance of the corpus, as they were before the delay."""
    return undelay(example.rows[1:], len(example.spoken))


def read(run: Run, recipe: Recipe) -> list[Example]:
    """The corpus in codes, which are made where they are missing. Raises SystemExit where there is no codec."""
    config, folder = higgs_config(recipe), run.folder / "corpus"
    sequences.encode(run, load_trained(run.folder, recipe.codec), folder)
    tokenizer: Path = run.folder / "tokenizer.json"
    write_tokenizer(tokenizer)
    return list(sequences.read(folder, PhonemePromptBuilder(tokenizer, config), config))
