"""A request has one result, whoever shares its batch, and it is transformers'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import HiggsAudioV2ForConditionalGeneration  # noqa: E402

from inference.engines.higgs.engine import HiggsEngine, Options  # noqa: E402
from inference.engines.higgs.speakers import DESCRIBED, Speaker  # noqa: E402
from inference.engines.protocol import SAMPLES_PER_FRAME, Segment, SpeechRequest, Turn  # noqa: E402
from inference.higgs import prompt as prompts  # noqa: E402
from inference.higgs.codec_stream import FADE_SAMPLES  # noqa: E402
from inference.higgs.config import load_config  # noqa: E402
from inference.higgs.model import Prompt  # noqa: E402
from inference.higgs.prompt import PromptBuilder  # noqa: E402
from tests.engine.checkpoints import BOOKS, EOS, codes_of, frames_of, listen, request, speak  # noqa: E402
from tests.engine.conftest import MakeEngine  # noqa: E402

TEXTS = ("Hello there, how do you do?", "This is the second sentence.", "And a third.")


def ask_transformers(folder: Path, prompt: Prompt, frames: int) -> np.ndarray:
    """The frames that greedy decoding gives, up to so many."""
    oracle = HiggsAudioV2ForConditionalGeneration.from_pretrained(folder)
    oracle.generation_config.ras_win_len = None
    known = {"audio_input_ids": prompt.codes[None]} if len(prompt.codes) else {}
    mask = {"audio_input_ids_mask": torch.ones(1, len(prompt.codes), dtype=torch.bool)} if known else {}
    answer = oracle.generate(
        prompt.tokens[None], **known, **mask, max_new_tokens=frames + 9, do_sample=False,
        return_dict_in_generate=True,
    )  # fmt: skip
    rows = answer.audio_sequences[0][len(prompt.codes) :].numpy()
    count = len(rows) - BOOKS
    undelayed = np.stack([rows[k + 1 : k + 1 + count, k] for k in range(BOOKS)], axis=1)  # stray codes and all
    ends = np.flatnonzero((undelayed == EOS).any(axis=1))
    return undelayed[: ends[0] if len(ends) else frames][:frames]


def without_ras(checkpoint: Path, folder: Path) -> Path:
    folder.mkdir()
    for file in checkpoint.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "generation_config.json").unlink()
    (folder / "generation_config.json").write_text('{"ras_win_len": null}')
    return folder


def test_greedy_codes_are_transformers(checkpoint: Path, make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine(without_ras(checkpoint, tmp_path / "greedy"))
    builder = PromptBuilder(checkpoint / "tokenizer.json", load_config(checkpoint))
    style, line = "Speak softly.", DESCRIBED["nova"].description
    opening = builder.opening(style=style, speakers=[line])
    asked = [
        SpeechRequest(id=text, segments=(Segment(text, "nova"),), style=style, temperature=0, max_frames=40)
        for text in TEXTS
    ]
    for text, generation in [(r.segments[0].text, engine.submit(r)) for r in asked]:
        codes, _, _ = listen(generation)
        prompt = Prompt.join([opening, builder.question(text)])
        expected = ask_transformers(checkpoint, prompt, 40)
        assert len(expected) > 5
        np.testing.assert_array_equal(frames_of(codes), expected)
        assert generation.prompt_tokens == len(prompt.tokens)


def test_what_a_request_does_not_say_is_sampled_as_the_checkpoint_says(
    checkpoint: Path, make_engine: MakeEngine, tmp_path: Path
) -> None:
    greedy = without_ras(checkpoint, tmp_path / "greedy")
    (greedy / "generation_config.json").write_text('{"ras_win_len": null, "temperature": 0}')
    engine = make_engine(greedy)

    def said(**options: float) -> bytes:
        segments = (Segment(TEXTS[0], "nova"),)
        asked = SpeechRequest(id="job", segments=segments, seed=1, max_frames=20, **options)  # type: ignore[arg-type]
        return listen(engine.submit(asked))[0].tobytes()

    assert said() == said(temperature=0)
    assert said() != said(temperature=1)


def test_a_sentence_is_asked_for_after_what_was_said(brief_checkpoint: Path, tmp_path: Path) -> None:
    """Two sentences by two voices, one with a sample, after two turns: each is transformers' answer."""
    sample = prompts.PromptTurn("I sound like this.", torch.arange(72).view(9, 8) % 32)
    voices = {"anna": Speaker("feminine"), "bert": Speaker("masculine", sample)}
    engine = HiggsEngine(
        without_ras(brief_checkpoint, tmp_path / "greedy"), Options(slots=2, dtype="float32"), voices
    )
    earlier = np.random.default_rng(0).integers(0, 32, (6, 8)).astype(np.int16)
    generation = engine.submit(
        SpeechRequest(
            id="dialogue",
            segments=(Segment("So it is.", "bert"), Segment("Is it? I do not know.", "anna")),
            context=(Turn("Said.", "anna", earlier), Turn("Written.", "bert")),
            temperature=0,
            max_frames=300,
        )
    )
    codes, _, _ = listen(generation)
    engine.close()
    builder = PromptBuilder(brief_checkpoint / "tokenizer.json", load_config(brief_checkpoint))
    parts = [
        builder.opening(speakers=["feminine", "masculine"]),
        builder.question("[SPEAKER1] I sound like this."),
        builder.answer(sample.frames),
        builder.question("[SPEAKER0] Said."),
        builder.answer(torch.from_numpy(earlier)),
        builder.mention("[SPEAKER1] Written."),
        builder.question("[SPEAKER1] So it is."),
    ]
    first = ask_transformers(brief_checkpoint, Prompt.join(parts), 300)
    np.testing.assert_array_equal(codes[: len(first)], first)
    assert (codes[len(first)] == EOS).all(), "the first sentence ends by itself"
    parts += [builder.answer(torch.from_numpy(first)), builder.question("[SPEAKER0] Is it? I do not know.")]
    second = ask_transformers(brief_checkpoint, Prompt.join(parts), 300 - len(first))
    assert len(second) > 5
    np.testing.assert_array_equal(frames_of(codes)[len(first) :], second)


def test_codes_do_not_depend_on_the_batch(engine: HiggsEngine) -> None:
    """Alone, with seven others, and admitted late into a slot that another had."""
    alone = {seed: speak(engine, *TEXTS, seed=seed, max_frames=90) for seed in range(12)}
    assert len({codes.tobytes() for codes in alone.values()}) == 12
    together = {seed: engine.submit(request(*TEXTS, seed=seed, max_frames=90)) for seed in range(12)}
    for seed, generation in together.items():
        np.testing.assert_array_equal(listen(generation)[0], alone[seed])


def test_top_k_and_greed_of_others_change_nothing(engine: HiggsEngine) -> None:
    alone = speak(engine, TEXTS[0], max_frames=30)
    others = [engine.submit(request(TEXTS[1], top_k=k, temperature=t)) for k, t in ((0, 1.0), (64, 0.5), (0, 0.0))]
    np.testing.assert_array_equal(speak(engine, TEXTS[0], max_frames=30), alone)
    for other in others:
        other.cancel()


def test_a_request_without_seed_repeats_itself_and_no_other(engine: HiggsEngine) -> None:
    once, again, other = (speak(engine, TEXTS[0], seed=None, id=id, max_frames=30) for id in ("a", "a", "b"))
    np.testing.assert_array_equal(once, again)
    assert once.tobytes() != other.tobytes()


@pytest.mark.parametrize("chunks", [1, 2, 4, 6, 8])
def test_resumed_codes_and_audio_are_the_same(engine: HiggsEngine, chunks: int) -> None:
    codes, pcm, pieces = listen(engine.submit(request(*TEXTS)))
    chunks = min(chunks, len(pieces) - 1)  # how many there are depends on how long a step takes
    assert (codes == EOS).all(axis=1).sum() == 3
    checkpoint = codes_of(pieces[:chunks])
    resumed, again, resumed_pieces = listen(engine.submit(request(*TEXTS, checkpoint=checkpoint)))
    np.testing.assert_array_equal(resumed, codes)
    # Either's first chunk does with less context, as somebody waits for it; its length depends on a step's time.
    first = max(pieces[0].frames, resumed_pieces[0].frames) * SAMPLES_PER_FRAME + FADE_SAMPLES
    np.testing.assert_allclose(again[first:], pcm[first:], atol=1e-4)


def test_a_finished_checkpoint_is_only_decoded(engine: HiggsEngine) -> None:
    codes, pcm, chunks = listen(engine.submit(request(*TEXTS)))
    generation = engine.submit(request(*TEXTS, checkpoint=codes))
    resumed, again, _ = listen(generation)
    assert generation.finish_reason == "stop"
    np.testing.assert_array_equal(resumed, codes)
    # All frames are there at once: the first chunk need not do with less context.
    first = chunks[0].frames * SAMPLES_PER_FRAME + FADE_SAMPLES
    np.testing.assert_allclose(again[first:], pcm[first:], atol=1e-4)


def test_another_models_checkpoint_is_not_used(engine: HiggsEngine) -> None:
    alone = speak(engine, TEXTS[0], max_frames=30)
    for foreign in (np.zeros((9, 12), np.int16), np.full((9, 8), 1000, np.int16)):
        np.testing.assert_array_equal(speak(engine, TEXTS[0], max_frames=30, checkpoint=foreign), alone)


def test_a_long_text_outlives_its_slot(brief_checkpoint: Path, make_engine: MakeEngine) -> None:
    """Its oldest sentences are let go, by a resumed stream too."""
    engine = make_engine(brief_checkpoint, context=768)
    texts = [f"Sentence number {number}." for number in range(16)]
    codes, _, chunks = listen(engine.submit(request(*texts)))
    assert (codes == EOS).all(axis=1).sum() == 16
    asked = [request(*texts, checkpoint=codes_of(chunks[:count])) for count in range(1, len(chunks))]
    for generation in [engine.submit(resumed) for resumed in asked]:
        np.testing.assert_array_equal(listen(generation)[0], codes)
