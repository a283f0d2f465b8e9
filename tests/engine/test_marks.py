"""What the marks in a text ask of the checkpoint in the repository: pauses and pronunciations."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the extra [voice] is not installed")

from inference.audio import SAMPLES_PER_FRAME  # noqa: E402
from inference.engines.higgs.engine import HiggsEngine, Options  # noqa: E402
from inference.engines.higgs.guards import SILENCE, SILENT_FRAMES  # noqa: E402
from inference.engines.higgs.speakers import speakers_of  # noqa: E402
from inference.engines.protocol import Chunk, Codes, Segment, SpeechRequest, SpokenWord  # noqa: E402
from inference.higgs.codec_stream import Excerpt  # noqa: E402
from inference.higgs.codecs import load_codec  # noqa: E402
from inference.higgs.config import ConfigError, load_config  # noqa: E402
from inference.higgs.silence import SILENCE_FIELD, load_silence  # noqa: E402
from inference.speech import script  # noqa: E402
from tests.engine.checkpoints import BOOKS, CODES, request, speak  # noqa: E402
from tests.engine.checkpoints import EOS as SMALL_EOS  # noqa: E402
from tests.engine.conftest import MakeEngine  # noqa: E402
from tests.live import ROOT  # noqa: E402

CHECKPOINT = ROOT / "inference/checkpoints/heart-8m"
EOS = load_config(CHECKPOINT).eos_code
FRAMES = 18
"""Of 700 ms: 720 ms."""
PAUSED = "The train leaves at noon. [](pause:{}) Please be on time."


@pytest.fixture(scope="module")
def engine() -> Iterator[HiggsEngine]:
    engine = HiggsEngine(CHECKPOINT, Options(slots=4, dtype="float32"))
    yield engine
    engine.close()


def asked(text: str, **options: Any) -> SpeechRequest:
    """The request of a text with marks."""
    segments = script.write(text, voice="alloy", voices={}, max_frames=1000).segments
    return SpeechRequest(id="marks", segments=segments, seed=1, **options)


class Heard:
    """All that came of a request."""

    def __init__(self, engine: HiggsEngine, asked: SpeechRequest) -> None:
        generation = engine.submit(asked)
        self.chunks: list[Chunk] = list(generation)
        self.reason = generation.finish_reason
        self.codes: Codes = np.concatenate([chunk.codes for chunk in self.chunks if chunk.codes is not None])
        self.audio = np.concatenate([chunk.pcm for chunk in self.chunks])
        self.words: list[SpokenWord] = [word for chunk in self.chunks for word in chunk.words]
        self.ends = [end for chunk in self.chunks for end in chunk.sentence_ends]

    @property
    def frames(self) -> Codes:
        return self.codes[~(self.codes == EOS).all(axis=1)]


@pytest.fixture(scope="module")
def plain(engine: HiggsEngine) -> Heard:
    """Two sentences without a pause."""
    return Heard(engine, asked(PAUSED.replace("[](pause:{}) ", "")))


@pytest.fixture(scope="module")
def paused(engine: HiggsEngine) -> Heard:
    return Heard(engine, asked(PAUSED.format(700)))


def test_a_pause_is_silence_between_sentences_that_stay_as_they_are(plain: Heard, paused: Heard) -> None:
    [first, _] = plain.ends
    end = first // SAMPLES_PER_FRAME
    silence = load_silence(CHECKPOINT, load_config(CHECKPOINT))
    assert silence is not None
    np.testing.assert_array_equal(paused.frames, np.insert(plain.frames, [end] * FRAMES, silence.codes, axis=0))
    assert len(paused.audio) - len(plain.audio) == FRAMES * SAMPLES_PER_FRAME
    assert np.abs(paused.audio[first : first + FRAMES * SAMPLES_PER_FRAME]).max() < SILENCE
    assert np.abs(np.diff(paused.audio)).max() == pytest.approx(np.abs(np.diff(plain.audio)).max(), rel=0.3)


def test_silence_is_silent_in_every_voice() -> None:
    codec, silence = load_codec(CHECKPOINT / "codec"), load_silence(CHECKPOINT, load_config(CHECKPOINT))
    assert silence is not None
    codes = torch.from_numpy(np.tile(silence.codes[:, None].astype(np.int64), 50))[None]
    for name, speaker in speakers_of(CHECKPOINT).items():
        assert codec.decode(codes, [Excerpt.whole(50, speaker.rendering)]).abs().max() < SILENCE / 10, name


def test_words_and_sentence_ends_know_of_the_pause(plain: Heard, paused: Heard) -> None:
    [first, last] = plain.ends
    later = FRAMES * SAMPLES_PER_FRAME
    assert paused.ends == [first, last + later]
    assert " ".join(word.text for word in paused.words) == "The train leaves at noon Please be on time"
    assert paused.words == [
        word if word.end <= first else SpokenWord(word.text, word.start + later, word.end + later)
        for word in plain.words
    ]


@pytest.mark.parametrize("known", [-1, 0, 1, 9, FRAMES, FRAMES + 1])
def test_another_worker_goes_on_in_a_pause(engine: HiggsEngine, paused: Heard, known: int) -> None:
    """In the same codes, with the same words, wherever in the pause the first one was stopped."""
    [mark] = np.flatnonzero((paused.codes == EOS).all(axis=1))[:1]
    rest = Heard(engine, asked(PAUSED.format(700), checkpoint=paused.codes[: mark + 1 + known]))
    np.testing.assert_array_equal(rest.codes, paused.codes)
    assert rest.words == paused.words
    np.testing.assert_allclose(rest.audio, paused.audio, atol=0.02)


@pytest.mark.parametrize("more", [0, 1, 7, FRAMES, FRAMES + 5])
def test_the_limit_cuts_a_pause_exactly(engine: HiggsEngine, paused: Heard, more: int) -> None:
    limit = paused.ends[0] // SAMPLES_PER_FRAME + more
    cut = Heard(engine, asked(PAUSED.format(700), max_frames=limit))
    np.testing.assert_array_equal(cut.frames, paused.frames[:limit])
    assert len(cut.audio) == limit * SAMPLES_PER_FRAME
    assert cut.reason == "length"


def test_a_long_pause_is_not_taken_for_a_voice_that_fell_silent(engine: HiggsEngine) -> None:
    """The second sentence is longer than what the engine is ahead of the codec, or nothing could be cut of it."""
    text = (
        "The train leaves at noon. [](pause:{}) The parcel measures eighty-one by eighty-two by thirty-seven"
        " centimeters, and nobody from the office in Omaha remembered to send us any of the umbrellas."
    )
    plain = Heard(engine, asked(text.format(0)))
    first = plain.ends[0] // SAMPLES_PER_FRAME
    loudness = np.sqrt(np.square(plain.audio.reshape(-1, SAMPLES_PER_FRAME)).mean(axis=1))
    silence_before = first - 1 - np.flatnonzero(loudness[:first] > SILENCE)[-1]
    pause = SILENT_FRAMES - silence_before - 1  # the second sentence begins with more silence
    assert loudness[first] < SILENCE
    heard = Heard(engine, asked(text.format(pause * 40)))
    assert len(heard.frames) == len(plain.frames) + pause
    assert heard.words[-1].text == "umbrellas"


def test_the_longest_pauses_follow_each_other(engine: HiggsEngine, plain: Heard) -> None:
    heard = Heard(engine, asked(PAUSED.format("5000) [](pause:5000")))
    assert len(heard.frames) == len(plain.frames) + 250
    assert heard.words[-1].text == "time"


def test_the_request_ends_with_its_last_sentence(engine: HiggsEngine, plain: Heard) -> None:
    """As the preview does it: nobody waits for what comes after."""
    last = Heard(engine, asked("The train leaves at noon. Please be on time. [](pause:700)"))
    np.testing.assert_array_equal(last.codes, plain.codes)


def test_a_given_pronunciation_is_what_is_said(engine: HiggsEngine) -> None:
    named = Heard(engine, asked("My friend [Smith](ipa:ˈdʒoʊnz) moved to Paris."))
    jones = Heard(engine, asked("My friend Jones moved to Paris."))
    smith = Heard(engine, asked("My friend Smith moved to Paris."))
    np.testing.assert_array_equal(named.codes, jones.codes)
    assert len(smith.codes) != len(jones.codes) or (smith.codes != jones.codes).any()
    assert named.words == [replace(word, text=word.text.replace("Jones", "Smith")) for word in jones.words]


def test_a_checkpoint_without_silence_goes_straight_on(checkpoint: Path, make_engine: MakeEngine) -> None:
    engine = make_engine(checkpoint)
    texts = ("Hello there, how do you do?", "And a third.")
    np.testing.assert_array_equal(speak_paused(engine, *texts), speak(engine, *texts))


def test_a_model_that_remembers_does_not_read_the_pause(
    checkpoint: Path, make_engine: MakeEngine, tmp_path: Path
) -> None:
    """What it says after the pause is what it says without: another worker can go on from both alike."""
    folder = with_silence(checkpoint, tmp_path / "silent", list(range(BOOKS)))
    engine = make_engine(folder)
    texts = ("Hello there, how do you do?", "And a third.")
    plain, paused = speak(engine, *texts), speak_paused(engine, *texts)
    [end] = np.flatnonzero((plain == SMALL_EOS).all(axis=1))[:1]
    expected = np.insert(plain, [end + 1] * FRAMES, np.arange(BOOKS), axis=0)
    np.testing.assert_array_equal(paused, expected)
    known = paused[: end + 8]
    np.testing.assert_array_equal(speak_paused(engine, *texts, checkpoint=known), paused)


@pytest.mark.parametrize("codes", [[1] * (BOOKS - 1), [1] * (BOOKS - 1) + [CODES], [-1] * BOOKS, ["1"] * BOOKS, 3])
def test_silence_that_is_no_frame_is_refused_by_name(checkpoint: Path, tmp_path: Path, codes: Any) -> None:
    folder = with_silence(checkpoint, tmp_path / "bad", codes)
    with pytest.raises(ConfigError, match=f"{SILENCE_FIELD}="):
        load_silence(folder, load_config(folder))


def with_silence(checkpoint: Path, folder: Path, codes: Any) -> Path:
    """A copy of a checkpoint with codes of silence."""
    shutil.copytree(checkpoint, folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), SILENCE_FIELD: codes}))
    return folder


def speak_paused(engine: HiggsEngine, *texts: str, **options: Any) -> Codes:
    """The codes of sentences with 700 ms between them."""
    asked = request(*texts, **options)
    segments = tuple(Segment(text, "alloy", pause_ms=700) for text in texts)
    return Heard(engine, replace(asked, segments=segments)).codes
