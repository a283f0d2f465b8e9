"""Alignment by the gradient of a reward: the recognisers, the gradient, and the stages at their smallest size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the teacher is an extra: pip install -e .[training]")
pytest.importorskip("onnx", reason="the teacher is an extra: pip install -e .[training]")

from inference.higgs.config import load_config  # noqa: E402
from inference.higgs.delay import delay  # noqa: E402
from inference.higgs.frontend import load_prompt_builder  # noqa: E402
from inference.training import diffro, export, phoneme_recogniser  # noqa: E402
from inference.training.codec import load_trained  # noqa: E402
from inference.training.diffro import straight_through  # noqa: E402
from inference.training.drawing import Drawn, draw  # noqa: E402
from inference.training.network import Windows  # noqa: E402
from inference.training.phoneme_recogniser import Decoder, Recognisers  # noqa: E402
from inference.training.recipe import TINY  # noqa: E402
from inference.training.run import Run  # noqa: E402
from inference.training.sequences import Example, collate  # noqa: E402
from inference.training.student import ALIGNMENT_WINDOW, SPECIAL, alphabet, higgs_config  # noqa: E402
from tests.training.commands import ROOT, Interrupted, run  # noqa: E402

pytestmark = pytest.mark.xdist_group("training")  # one process trains the tiny voice, and not each

CHECKPOINT = ROOT / "inference" / "checkpoints" / "heart-8m"


def tokens(*signs: str) -> Any:
    return torch.tensor([[*SPECIAL, *alphabet()].index(sign) for sign in signs])


def curve(folder: Path, stage: str) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / f"{stage}.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def aligned(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diffro")
    for name in ("corpus", "codec.pt", "distill.pt", "tokenizer.json"):
        (folder / name).symlink_to(trained / name)
    run(folder, "recognise")
    run(folder, "diffro")
    return folder


@pytest.fixture(scope="module")
def decoder(trained: Path) -> Decoder:
    return Decoder(load_trained(trained, TINY.codec))


def test_a_prompt_is_heard_without_its_stress_and_stops() -> None:
    recognisers = Recognisers(TINY)
    heard = recognisers.sounds(
        tokens(SPECIAL[0], "h", "ə", "l", "ˈ", "O", ",", " ", "b", "ˈ", "Y", ".", SPECIAL[1])
    )
    assert heard.tolist() == tokens("h", "ə", "l", "O", "b", "Y").tolist()


def test_what_is_certain_is_heard_as_the_code_is(decoder: Decoder) -> None:
    network = Recognisers(TINY).eval().networks[0]
    codes = torch.randint(TINY.codec.codes, (9, TINY.codec.codebooks))
    chances = torch.nn.functional.one_hot(codes, TINY.codec.codes).float()
    features = decoder.features(codes)
    assert features.shape == (32, 128), "two times five frames, and 16 of 80 a second to five of 25"
    torch.testing.assert_close(decoder.features_of_chances(chances), features)
    assert network(features[None]).shape == (1, 16, len(SPECIAL) + len(alphabet()) + 1)


def test_the_gradient_reaches_the_chances_of_what_was_not_drawn() -> None:
    """What is heard is the code that was drawn; one that would have paid more becomes likelier."""
    logits = torch.zeros(1, 3, requires_grad=True)
    heard = straight_through(torch.tensor([1]), logits.softmax(-1))
    assert heard.tolist() == [[0, 1, 0]]
    (heard * torch.tensor([5.0, 2.0, 1.0])).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 0] > 0 > logits.grad[0, 2]


def test_recognisers_learn_to_hear_the_corpus(aligned: Path, decoder: Decoder) -> None:
    network = phoneme_recogniser.load(Run(aligned, "diffro"), TINY)
    untrained = Recognisers(TINY).eval()
    examples = phoneme_recogniser.read(Run(aligned, "recognise"), TINY)[:8]
    with torch.no_grad():
        before, after = (phoneme_recogniser.surprises(each, decoder, examples) for each in (untrained, network))
    assert len(after) == TINY.recogniser.networks
    assert (after < 0.7 * before).all()


@pytest.mark.usefixtures("one_thread")
def test_recognisers_that_were_interrupted_end_as_if_they_had_not_been(aligned: Path, tmp_path: Path) -> None:
    for name in ("corpus", "codec.pt"):
        (tmp_path / name).symlink_to(aligned / name)
    phoneme_recogniser.train(Interrupted(tmp_path, "recognise", 15), TINY)
    phoneme_recogniser.train(Run(tmp_path, "recognise"), TINY)
    state, whole = Run(tmp_path, "recognise").load(), Run(aligned, "recognise").load()
    assert state is not None
    assert whole is not None
    assert state["step"] == whole["step"] == TINY.recogniser.steps
    for name, value in whole["model"].items():
        torch.testing.assert_close(state["model"][name], value, msg=name)


def test_the_student_comes_to_say_what_is_heard_better(aligned: Path, decoder: Decoder) -> None:
    """Of answers that were drawn once, the codes that the recognisers would rather have heard become likelier.

    A few steps: the gradient is that of these answers, and no guide far from them.
    """
    recipe = replace(TINY, diffro=replace(TINY.diffro, divergence=0.1))
    config, stage = higgs_config(TINY), Run(aligned, "diffro")
    recognisers = phoneme_recogniser.load(stage, TINY)
    examples = phoneme_recogniser.read(Run(aligned, "recognise"), TINY)[:4]
    random = torch.Generator().manual_seed(0)
    answers = []
    for example in examples:
        frames = torch.randint(TINY.codec.codes, (len(example.spoken), config.num_codebooks), generator=random)
        rows = delay(frames, config)
        places = torch.linspace(0, len(example.tokens) - 2, len(rows) - 1).long()
        answers.append(
            (Example(example.tokens, rows, example.tokens[:0], example.utterance), Drawn(frames, places))
        )
    reference, student = (export.load_student(stage, TINY, "distill") for _ in range(2))
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-3)

    def surprise() -> float:
        """By codes that are drawn, eight times, from what the student holds likely now."""
        batch = collate([example for example, _ in answers], config)
        windows = Windows(torch.cat([drawn.places for _, drawn in answers]), *ALIGNMENT_WINDOW)
        sounds = [recognisers.sounds(example.tokens) for example, _ in answers]
        with torch.no_grad():
            logits, _ = student(batch, aligned=TINY.student.aligned_layers, windows=windows)
            chances = logits[..., : TINY.codec.codes].softmax(-1)
            total = 0.0
            for seed in range(8):
                generator = torch.Generator().manual_seed(seed)
                drawn = torch.multinomial(chances.flatten(0, 1), 1, generator=generator).view(chances.shape[:2])
                certain = torch.nn.functional.one_hot(drawn, TINY.codec.codes).float()
                said = diffro.spoken_chances(certain, [len(answer.frames) for _, answer in answers])
                total += float(diffro.surprise(recognisers, decoder, said, sounds)[:-1].mean()) / 8
        return total

    before = surprise()
    figures = [
        diffro.learn(student, reference, optimizer, recognisers, decoder, answers, recipe) for _ in range(5)
    ]
    assert figures[0]["divergence"] == pytest.approx(0, abs=1e-6)
    assert figures[-1]["divergence"] > 1e-4
    assert figures[-1]["nats"] == pytest.approx(figures[0]["nats"], abs=1e-4), "they hear what was drawn"
    assert surprise() < before - 0.01


def test_the_stage_keeps_a_student_and_a_curve(aligned: Path) -> None:
    assert [line["step"] for line in curve(aligned, "diffro") if "step" in line] == [1, 2, 3]
    export.load_student(Run(aligned, "diffro"), TINY, "diffro")


def test_codes_are_drawn_to_the_end_of_the_sentence() -> None:
    config = load_config(CHECKPOINT)
    builder = load_prompt_builder(CHECKPOINT, config)
    prompts = [builder.question(text).tokens for text in ("Hello there.", "The train leaves at noon from here.")]
    first, second = draw(CHECKPOINT, prompts, temperature=0.5, seed=1)
    assert first is not None
    assert second is not None
    assert 10 < len(first.frames) < len(second.frames) < 120
    for each, prompt in ((first, prompts[0]), (second, prompts[1])):
        assert len(each.places) == len(delay(each.frames, config)) - 1
        assert each.places[0] == 0
        assert (each.places.diff() >= 0).all()
        assert len(prompt) - 6 <= each.places[-1] < len(prompt)
