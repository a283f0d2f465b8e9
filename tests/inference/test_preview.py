"""The preview engine. What turns on timing is driven by a scripted espeak-ng that waits where told to."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np
import numpy.typing as npt
import pytest
import soxr

from inference.engine.protocol import (
    SAMPLE_RATE,
    SAMPLES_PER_FRAME,
    Chunk,
    Engine,
    EngineError,
    GenerationCancelled,
    Pcm,
    Segment,
    SpeechRequest,
)
from inference.preview import espeak
from inference.preview.engine import CHUNK_FRAMES, PAUSE_SECONDS, PreviewEngine
from inference.preview.espeak import EspeakVoice
from inference.preview.voices import PRESETS
from inference.speech.voices import VOICES

SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody knows why it happened."
TEXT = ("Good morning, everyone.", "Is it raining?", "The train leaves at ten, from platform four.")
PATIENCE = 60
"""Seconds after which a wait that should end at once is a failed test."""


@pytest.fixture
def engine() -> Iterator[PreviewEngine]:
    engine = PreviewEngine()
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


class Script:
    """Stands in for espeak-ng: notes who spoke, and holds the sentences whose gate is shut."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.gates: dict[str, threading.Event] = {}
        self.reached: dict[str, threading.Event] = {}

    def hold(self, sentence: str) -> None:
        self.gates[sentence] = threading.Event()
        self.reached[sentence] = threading.Event()

    def wait_for(self, sentence: str) -> None:
        assert self.reached[sentence].wait(PATIENCE)

    def speak(self, sentence: str, voice: EspeakVoice) -> npt.NDArray[np.int16]:
        self.said.append(sentence)
        if sentence in self.gates:
            self.reached[sentence].set()
            assert self.gates[sentence].wait(PATIENCE)
        if sentence == "break":
            raise RuntimeError("broken")
        return np.full(espeak.SAMPLE_RATE // 10, 1000, np.int16)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    script = Script()
    monkeypatch.setattr(espeak, "speak", script.speak)
    return script


# espeak-ng itself


def test_version() -> None:
    major, *_ = espeak.version().split(".")
    assert int(major) >= 1


def test_a_sentence_sounds_the_same_whatever_was_spoken_before() -> None:
    for voice in ("ash", "nova", "onyx"):
        first = espeak.speak(SENTENCE, PRESETS[voice])
        for other in VOICES:
            espeak.speak("Something else!", PRESETS[other])
        assert np.array_equal(first, espeak.speak(SENTENCE, PRESETS[voice]))


def test_nothing_to_say_is_silence() -> None:
    for text in ("", "...", "¿?"):
        assert not espeak.speak(text, PRESETS["ash"]).any()


def test_an_unknown_voice_is_refused() -> None:
    voice = EspeakVoice(name="tlh+kahless", rate=175, pitch=50, range=50, volume=100)
    with pytest.raises(RuntimeError, match="tlh"):
        espeak.speak("Hello.", voice)
    assert espeak.speak("Hello.", PRESETS["ash"]).any()


def test_missing_data_fails_and_does_not_end_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(espeakng_loader, "get_data_path", lambda: tmp_path)
        with pytest.raises(RuntimeError, match="did not start"):
            espeak.speak("Hello.", PRESETS["ash"])
    assert espeak.speak("Hello.", PRESETS["ash"]).any()


# The voices


def features(samples: npt.NDArray[np.int16]) -> tuple[float, float, float, float]:
    """Seconds, RMS against full scale, median pitch in Hz, spectral centroid in Hz."""
    audio = samples.astype(np.float64) / 32768
    rate = espeak.SAMPLE_RATE
    size = rate // 25
    pitches = []
    for start in range(0, len(audio) - size, size // 2):
        piece = audio[start : start + size]
        if np.sqrt(np.mean(piece**2)) < 0.025:
            continue
        power = np.abs(np.fft.rfft(piece - piece.mean(), 4 * size)) ** 2
        likeness = np.fft.irfft(power)[:size] * size / (size - np.arange(size))
        low, high = rate // 400, rate // 55
        lags = np.arange(low + 1, high)
        peaks = lags[
            (likeness[lags] >= likeness[lags - 1])
            & (likeness[lags] >= likeness[lags + 1])
            & (likeness[lags] > 0.9 * likeness[low:high].max())
            & (likeness[lags] > 0.5 * likeness[0])
        ]
        if len(peaks):
            pitches.append(rate / peaks[0])
    power = np.abs(np.fft.rfft(audio)) ** 2
    centroid = float((power * np.fft.rfftfreq(len(audio), 1 / rate)).sum() / power.sum())
    return len(audio) / rate, float(np.sqrt(np.mean(audio**2))), float(np.median(pitches)), centroid


def test_presets_are_the_voices_on_offer_and_their_variants_exist() -> None:
    assert tuple(PRESETS) == VOICES
    variants = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    for preset in PRESETS.values():
        assert (variants / preset.name.split("+")[1]).is_file()


def test_voices_are_of_one_loudness_and_clearly_different() -> None:
    found = {voice: features(espeak.speak(SENTENCE, PRESETS[voice])) for voice in VOICES}
    for voice, (seconds, level, pitch, centroid) in found.items():
        print(f"{voice:8} {seconds:.2f} s  {level:.3f} RMS  {pitch:4.0f} Hz  centroid {centroid:4.0f} Hz")
        assert 3.5 < seconds < 5.5
        assert level == pytest.approx(0.088, rel=0.1)
        assert 65 < pitch < 280
        assert np.abs(espeak.speak(SENTENCE, PRESETS[voice]).astype(int)).max() < 32_000
    for one, other in itertools.combinations(VOICES, 2):
        # Semitones of pitch, of timbre, and of tempo (twice over: an ear is finer there).
        ratios = np.log2(np.array(found[one])[[2, 3, 0]] / np.array(found[other])[[2, 3, 0]])
        assert np.linalg.norm(12 * ratios * [1, 1, 2]) > 3, (one, other)


# The engine


def test_properties(engine: PreviewEngine) -> None:
    assert engine.model == f"espeak-ng-{espeak.version()} (preview)"
    assert engine.device == "cpu"
    assert engine.slots == 8


def test_chunks_are_whole_frames_of_float32(engine: PreviewEngine) -> None:
    chunks = list(engine.submit(request()))
    assert len(chunks) > 5
    for chunk in chunks:
        assert chunk.pcm.dtype == np.float32
        assert chunk.pcm.shape == (chunk.frames * SAMPLES_PER_FRAME,)
        assert 1 <= chunk.frames <= CHUNK_FRAMES
        assert np.abs(chunk.pcm).max() <= 1


def test_the_audio_is_one_piece(engine: PreviewEngine) -> None:
    """Bit for bit what resampling all sentences and pauses at once gives; silence only after the end."""
    pause = np.zeros(round(PAUSE_SECONDS * espeak.SAMPLE_RATE), np.float32)
    parts: list[Pcm] = []
    for sentence in TEXT:
        samples = espeak.speak(sentence, PRESETS["coral"]).astype(np.float32) / np.float32(32768)
        parts += [samples, pause]
    expected = soxr.resample(np.concatenate(parts[:-1]), espeak.SAMPLE_RATE, SAMPLE_RATE)
    audio, reason = spoken(engine, voice="coral")
    assert reason == "stop"
    assert 0 <= len(audio) - len(expected) < SAMPLES_PER_FRAME
    np.testing.assert_allclose(audio[: len(expected)], expected, atol=1e-5)
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


def test_prompt_tokens_are_words_and_punctuation_marks(engine: PreviewEngine) -> None:
    generation = engine.submit(request(("Don't stop, please!", "It's a well-known fact: 3 + 4.")))
    assert generation.prompt_tokens == 5 + 9
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
    engine = PreviewEngine()
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
    engine = PreviewEngine(slots=2)
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
    engine = PreviewEngine(slots=1)
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
    engine = PreviewEngine()
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
    engine = PreviewEngine(slots=1)
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
