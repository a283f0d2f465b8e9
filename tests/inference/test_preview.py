"""The preview engine. What turns on timing is driven by a scripted voice that waits where told to."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from inference.engines.preview.engine import CHUNK_FRAMES, PAUSE_SECONDS, PreviewEngine, Voice
from inference.engines.preview.phonemes import Phonemizer
from inference.engines.preview.renderings import RENDERINGS
from inference.engines.protocol import (
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Chunk,
    Engine,
    EngineError,
    GenerationCancelled,
    Pcm,
    Segment,
    SpeechRequest,
    SpokenWord,
    Unspeakable,
)
from inference.speech.pronounceable import foreign_letters
from inference.speech.pronunciation import GivenPhonemes
from inference.speech.voices import VOICES

SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody knows why it happened."
TEXT = ("Good morning, everyone.", "Is it raining?", "The train leaves at ten, from platform four.")
PATIENCE = 60
"""Seconds after which a wait that should end at once is a failed test."""
WOMEN = ("alloy", "coral", "marin", "nova", "sage", "shimmer")


@pytest.fixture(scope="module")
def heart() -> Voice:
    return Voice()


@pytest.fixture
def engine(heart: Voice) -> Iterator[PreviewEngine]:
    engine = PreviewEngine(voice=heart)
    yield engine
    engine.close()


def request(segments: tuple[str, ...] = TEXT, **options: Any) -> SpeechRequest:
    voice = options.pop("voice", "alloy")
    return SpeechRequest(id="test", segments=tuple(Segment(text, voice) for text in segments), **options)


def heard(chunks: list[Chunk]) -> Pcm:
    return np.concatenate([np.zeros(0, np.float32), *[chunk.pcm for chunk in chunks]])


def spoken(engine: Engine, segments: tuple[str, ...] = TEXT, **options: Any) -> tuple[Pcm, str]:
    generation = engine.submit(request(segments, **options))
    return heard(list(generation)), generation.finish_reason


class Script(Voice):
    """Stands in for the voice: notes what was said, and holds the sentences whose gate is shut."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.gates: dict[str, threading.Event] = {}
        self.reached: dict[str, threading.Event] = {}

    @property
    def name(self) -> str:
        return "script"

    def hold(self, sentence: str) -> None:
        self.gates[sentence] = threading.Event()
        self.reached[sentence] = threading.Event()

    def wait_for(self, sentence: str) -> None:
        assert self.reached[sentence].wait(PATIENCE)

    def speak(
        self, sentence: str, voice: str, phonemes: Sequence[GivenPhonemes] = (), rate: float = 1.0
    ) -> tuple[Pcm, tuple[SpokenWord, ...]]:
        assert voice in RENDERINGS
        self.said.append(sentence)
        if sentence in self.gates:
            self.reached[sentence].set()
            assert self.gates[sentence].wait(PATIENCE)
        if sentence == "break":
            raise RuntimeError("broken")
        return np.full(SAMPLE_RATE // 10, 0.03, np.float32), ()


@pytest.fixture
def script() -> Script:
    return Script()


# The voices


def features(audio: Pcm) -> tuple[float, float, float, float]:
    """Seconds, RMS against full scale, median pitch in Hz, spectral centroid in Hz."""
    size = SAMPLE_RATE // 25
    pitches = []
    for start in range(0, len(audio) - size, size // 2):
        piece = audio[start : start + size].astype(np.float64)
        if np.sqrt(np.mean(piece**2)) < 0.025:
            continue
        power = np.abs(np.fft.rfft(piece - piece.mean(), 4 * size)) ** 2
        likeness = np.fft.irfft(power)[:size] * size / (size - np.arange(size))
        low, high = SAMPLE_RATE // 400, SAMPLE_RATE // 55
        lags = np.arange(low + 1, high)
        peaks = lags[
            (likeness[lags] >= likeness[lags - 1])
            & (likeness[lags] >= likeness[lags + 1])
            & (likeness[lags] > 0.9 * likeness[low:high].max())
            & (likeness[lags] > 0.5 * likeness[0])
        ]
        if len(peaks):
            pitches.append(SAMPLE_RATE / peaks[0])
    power = np.abs(np.fft.rfft(audio)) ** 2
    centroid = float((power * np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE)).sum() / power.sum())
    return len(audio) / SAMPLE_RATE, float(np.sqrt(np.mean(audio**2))), float(np.median(pitches)), centroid


def test_presets_are_the_voices_on_offer() -> None:
    assert tuple(RENDERINGS) == VOICES


def test_voices_are_of_one_loudness_and_clearly_different(heart: Voice) -> None:
    found = {name: features(heart.speak(SENTENCE, name)[0]) for name in VOICES}
    for name, (seconds, level, pitch, centroid) in found.items():
        print(f"{name:8} {seconds:.2f} s  {level:.3f} RMS  {pitch:4.0f} Hz  centroid {centroid:4.0f} Hz")
        assert 3.5 < seconds < 6
        assert level == pytest.approx(0.088, rel=0.15)
        assert np.abs(heart.speak(SENTENCE, name)[0]).max() < 1
    for one, other in itertools.combinations(VOICES, 2):
        # Semitones of pitch, of timbre, and of tempo (twice over: an ear is finer there).
        ratios = np.log2(np.array(found[one])[[2, 3, 0]] / np.array(found[other])[[2, 3, 0]])
        assert np.linalg.norm(12 * ratios * [1, 1, 2]) > 3, (one, other)


def test_women_speak_higher_than_men(heart: Voice) -> None:
    pitches = {name: features(heart.speak(SENTENCE, name)[0])[2] for name in VOICES}
    women = [pitches[name] for name in WOMEN]
    men = [pitch for name, pitch in pitches.items() if name not in WOMEN]
    assert min(women) > 155
    assert max(men) < 175


def test_a_sentence_sounds_the_same_whatever_was_spoken_before(heart: Voice) -> None:
    first, _ = heart.speak(SENTENCE, "onyx")
    heart.speak("Something else!", "nova")
    assert np.array_equal(first, heart.speak(SENTENCE, "onyx")[0])


@pytest.mark.parametrize("text", ["", "...", "¿?", " — "])
def test_nothing_to_say_is_no_audio(heart: Voice, text: str) -> None:
    assert len(heart.speak(text, "ash")[0]) == 0


def test_words_are_timed_where_they_are_heard(heart: Voice) -> None:
    """Between two words with a comma there is the pause, within 60 ms at either side."""
    pcm, words = heart.speak("Wait, twenty-one people came, then they left.", "alloy")
    assert [word.text for word in words] == ["Wait", "twenty-one", "people", "came", "then", "they", "left"]
    assert words[0].start < SAMPLE_RATE // 10
    assert words[-1].end <= len(pcm)
    for word, following in itertools.pairwise(words):
        assert word.start < word.end <= following.start
    slack = 6 * SAMPLE_RATE // 100
    window = SAMPLE_RATE // 50
    for before, after in ((0, 1), (3, 4)):
        pause = pcm[words[before].end - slack : words[after].start + slack]
        level = np.sqrt(np.convolve(pause**2, np.ones(window) / window, "valid"))
        assert level.min() < 0.01
        for word in (words[before], words[after]):
            assert np.sqrt(np.mean(pcm[word.start : word.end] ** 2)) > 0.03


def test_a_customer_s_brackets_are_no_pronunciation() -> None:
    phonemizer = Phonemizer()
    assert phonemizer.read("[cat](/dog/) here").words[0].text == "cat"
    assert phonemizer.read("[cat](/dog/)").ids[:4] == phonemizer.read("cat").ids[:4]


def test_foreign_letters() -> None:
    assert foreign_letters("naïve Zoë, façade: 3 ½ €") == ""
    assert foreign_letters("你好 hello 你") == "你好"


# The engine


def test_properties(engine: PreviewEngine) -> None:
    assert engine.model.startswith("hibari-0.2.1-heart")
    assert engine.model.endswith("(preview)")
    assert engine.device == "cpu"
    assert engine.slots == 8


@pytest.mark.parametrize("text", ["Привет, как дела?", "Hello 你好.", "السلام عليكم"])
def test_other_scripts_are_refused_before_any_audio(engine: PreviewEngine, text: str) -> None:
    generation = engine.submit(request(("This is fine.", text)))
    with pytest.raises(Unspeakable):
        next(iter(generation))


def test_each_word_comes_with_the_chunk_in_which_it_begins(engine: PreviewEngine) -> None:
    frames = 0
    texts = []
    for chunk in engine.submit(request()):
        for word in chunk.words:
            assert frames * SAMPLES_PER_FRAME <= word.start < (frames + chunk.frames) * SAMPLES_PER_FRAME
            texts.append(word.text)
        frames += chunk.frames
    assert texts == " ".join(TEXT).replace(",", "").replace(".", "").replace("?", "").split()


def test_chunks_are_whole_frames_of_float32(engine: PreviewEngine) -> None:
    chunks = list(engine.submit(request()))
    assert len(chunks) > 5
    for chunk in chunks:
        assert chunk.pcm.dtype == np.float32
        assert chunk.pcm.shape == (chunk.frames * SAMPLES_PER_FRAME,)
        assert 1 <= chunk.frames <= CHUNK_FRAMES
        assert np.abs(chunk.pcm).max() <= 1


def test_the_audio_is_the_sentences_with_pauses_between(engine: PreviewEngine, heart: Voice) -> None:
    """Bit for bit; silence only after the end."""
    pause = np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), np.float32)
    parts = [part for sentence in TEXT for part in (heart.speak(sentence, "coral")[0], pause)]
    expected = np.concatenate(parts[:-1])
    audio, reason = spoken(engine, voice="coral")
    assert reason == "stop"
    assert 0 <= len(audio) - len(expected) < SAMPLES_PER_FRAME
    assert np.array_equal(audio[: len(expected)], expected)
    assert not audio[len(expected) :].any()


@pytest.mark.parametrize("cut", [0, 1, 9, 10, 11, 37])
def test_max_frames_cuts_exactly(engine: PreviewEngine, cut: int) -> None:
    whole, _ = spoken(engine)
    audio, reason = spoken(engine, max_frames=cut)
    assert reason == "length"
    assert np.array_equal(audio, whole[: cut * SAMPLES_PER_FRAME])


@pytest.mark.parametrize(("spare", "reason"), [(-1, "length"), (0, "stop"), (1, "stop"), (10_000, "stop")])
def test_max_frames_at_the_natural_end(engine: PreviewEngine, spare: int, reason: str) -> None:
    whole, _ = spoken(engine)
    natural = len(whole) // SAMPLES_PER_FRAME
    audio, ended = spoken(engine, max_frames=natural + spare)
    assert ended == reason
    assert len(audio) // SAMPLES_PER_FRAME == natural + min(spare, 0)


@pytest.mark.parametrize("segments", [(), ("",), ("...", "", "¿?")])
@pytest.mark.parametrize("max_frames", [None, 0, 5])
@pytest.mark.parametrize("voice", ["ash", "alloy"])
def test_nothing_to_say_ends_well(
    engine: PreviewEngine, segments: tuple[str, ...], max_frames: int | None, voice: str
) -> None:
    audio, reason = spoken(engine, segments, max_frames=max_frames, voice=voice)
    assert len(audio) == 0
    assert reason == "stop"


def test_a_silent_segment_adds_no_pause(engine: PreviewEngine) -> None:
    one, _ = spoken(engine, ("Hello.", "Goodbye."))
    other, _ = spoken(engine, ("", "Hello.", "...", "Goodbye.", ""))
    assert np.array_equal(one, other)


def test_prompt_tokens_are_words(engine: PreviewEngine) -> None:
    assert engine.submit(request(("Don't stop, please!", "It's a well-known fact."))).prompt_tokens == 3 + 4
    assert engine.submit(request(())).prompt_tokens == 0


def test_many_at_once_are_each_as_if_alone(engine: PreviewEngine) -> None:
    jobs = [
        (tuple(itertools.islice(itertools.cycle(TEXT), count)), voice, limit)
        for count, voice, limit in zip(
            itertools.cycle([1, 5, 2, 3]), VOICES * 2, itertools.cycle([None, 40, 10_000]), strict=False
        )
    ]
    alone = [spoken(engine, text, voice=voice, max_frames=limit) for text, voice, limit in jobs]
    with ThreadPoolExecutor(len(jobs)) as pool:
        together = [
            pool.submit(spoken, engine, text, voice=voice, max_frames=limit) for text, voice, limit in jobs
        ]
        for (audio, reason), future in zip(alone, together, strict=True):
            assert np.array_equal(future.result(PATIENCE)[0], audio)
            assert future.result()[1] == reason


def test_a_short_request_is_not_held_up_by_a_long_one(script: Script) -> None:
    engine = PreviewEngine(voice=script)
    long = [f"long {number}" for number in range(500)]
    script.hold(long[0])
    script.hold(long[10])
    first = engine.submit(request(tuple(long)))
    script.wait_for(long[0])
    second = engine.submit(request(("short 0", "short 1", "short 2")))
    script.gates[long[0]].set()
    script.wait_for(long[10])
    # The long one stands at its eleventh sentence and the short one is through already.
    assert len(list(second)) > 0
    assert script.said[:6] == ["long 0", "short 0", "long 1", "short 1", "long 2", "short 2"]
    script.gates[long[10]].set()
    assert sum(chunk.frames for chunk in first) > 500
    engine.close()


def test_no_more_than_its_slots_take_turns(script: Script) -> None:
    engine = PreviewEngine(slots=2, voice=script)
    script.hold("a0")
    generations = [engine.submit(request(("a0", "a1")))]
    script.wait_for("a0")
    generations += [engine.submit(request((f"{name}0", f"{name}1"))) for name in "bc"]
    script.gates["a0"].set()
    for generation in generations:
        list(generation)
    assert script.said == ["a0", "b0", "a1", "b1", "c0", "c1"]
    engine.close()


def test_a_cancelled_generation_frees_the_engine(script: Script) -> None:
    engine = PreviewEngine(slots=1, voice=script)
    script.hold("one")
    cancelled = engine.submit(request(("one", "two", "three")))
    script.wait_for("one")
    queued = engine.submit(request(("never",)))
    following = engine.submit(request(("next",)))
    cancelled.cancel()
    queued.cancel()
    script.gates["one"].set()
    assert len(heard(list(following))) > 0
    assert script.said == ["one", "next"]
    for generation in (cancelled, queued):
        with pytest.raises(GenerationCancelled):
            list(generation)
    engine.close()


def test_a_failure_is_its_request_s_own(script: Script) -> None:
    engine = PreviewEngine(voice=script)
    broken, sound = engine.submit(request(("one", "break", "two"))), engine.submit(request(("three", "four")))
    with pytest.raises(EngineError):
        list(broken)
    assert len(heard(list(sound))) > 0
    with pytest.raises(EngineError):
        list(engine.submit(request(voice="nobody")))
    assert "two" not in script.said
    assert len(heard(list(engine.submit(request(("five",)))))) > 0
    engine.close()


def test_close_fails_what_is_unfinished_and_ends_the_thread(script: Script) -> None:
    engine = PreviewEngine(slots=1, voice=script)
    script.hold("one")
    unfinished = [engine.submit(request(("one", "two"))), engine.submit(request(("three",)))]
    script.wait_for("one")
    closing = threading.Thread(target=engine.close)
    closing.start()
    while not engine._closed:
        time.sleep(0)
    script.gates["one"].set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert script.said == ["one"]
    for generation in (*unfinished, engine.submit(request(("late",)))):
        with pytest.raises(EngineError):
            list(generation)
    engine.close()
