"""Nobody waits for, or pays for, the silence that the trained voice's sentences begin and end with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the extra [voice] is not installed")

from inference.audio import SAMPLES_PER_FRAME  # noqa: E402
from inference.engines.higgs.engine import HiggsEngine, Options  # noqa: E402
from inference.engines.protocol import Chunk, Codes, Segment, SpeechRequest, SpokenWord  # noqa: E402
from inference.higgs.config import ConfigError, load_config  # noqa: E402
from inference.higgs.silence import EDGES_FIELD, load_silence  # noqa: E402
from tests.live import ROOT  # noqa: E402

CHECKPOINT = ROOT / "inference/checkpoints/heart-8m"
EOS = load_config(CHECKPOINT).eos_code
BEFORE, AFTER = 6, 9
TEXTS = ("Henry and Priya moved to Paris.", "The train leaves at noon.", "We need umbrellas and bread.")
AUDIBLE = 10 ** (-54 / 20)


def engine_of(folder: Path) -> Iterator[HiggsEngine]:
    engine = HiggsEngine(folder, Options(slots=4, dtype="float32"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def engine() -> Iterator[HiggsEngine]:
    yield from engine_of(CHECKPOINT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HiggsEngine]:
    """The same checkpoint, not saying how much of a sentence is silent."""
    folder = tmp_path_factory.mktemp("whole") / CHECKPOINT.name
    shutil.copytree(CHECKPOINT, folder)
    write(folder, {})
    yield from engine_of(folder)


def write(folder: Path, fields: dict[str, Any]) -> None:
    path = folder / "generation_config.json"
    data = json.loads(path.read_text())
    data.pop(EDGES_FIELD, None)
    path.write_text(json.dumps(data | fields))


def speak(engine: HiggsEngine, *texts: str, **options: Any) -> list[Chunk]:
    segments = tuple(Segment(text, "alloy") for text in texts)
    return list(engine.submit(SpeechRequest(id="edges", segments=segments, seed=1, **options)))


def codes_of(chunks: list[Chunk]) -> Codes:
    return np.concatenate([chunk.codes for chunk in chunks if chunk.codes is not None])


def sentences(codes: Codes) -> list[Codes]:
    """Without the marks between them."""
    ends = np.flatnonzero((codes == EOS).all(axis=1))
    parts = [part[~(part == EOS).all(axis=1)] for part in np.split(codes, ends)]
    return [part for part in parts if len(part)]


def words_of(chunks: list[Chunk]) -> list[SpokenWord]:
    return [word for chunk in chunks for word in chunk.words]


def test_a_sentence_is_the_whole_one_without_its_edges(engine: HiggsEngine, whole: HiggsEngine) -> None:
    trimmed, full = (sentences(codes_of(speak(each, *TEXTS))) for each in (engine, whole))
    for one, other in zip(trimmed[:-1], full[:-1], strict=True):
        np.testing.assert_array_equal(one, other[BEFORE:])
    np.testing.assert_array_equal(trimmed[-1], full[-1][BEFORE:-AFTER])


@pytest.mark.parametrize("text", [*TEXTS, "No."])
def test_it_begins_and_ends_soon_and_no_sound_is_cut(engine: HiggsEngine, text: str) -> None:
    audio = np.concatenate([chunk.pcm for chunk in speak(engine, text)])
    loudness = np.sqrt(np.square(audio.reshape(-1, 240)).mean(axis=1))  # of 10 ms
    audible = np.flatnonzero(loudness > AUDIBLE)
    assert 2 <= audible[0] <= 14
    assert 3 <= len(loudness) - audible[-1] <= 24


def test_words_are_timed_where_they_are_heard_without_the_edges(engine: HiggsEngine, whole: HiggsEngine) -> None:
    one, other = (words_of(speak(each, TEXTS[0])) for each in (engine, whole))
    assert [word.text for word in one] == [word.text for word in other]
    for mine, full in zip(one, other, strict=True):
        assert mine.start == pytest.approx(full.start - BEFORE * SAMPLES_PER_FRAME, abs=SAMPLES_PER_FRAME)


def test_another_worker_goes_on_with_the_same_codes_and_times(engine: HiggsEngine) -> None:
    chunks = speak(engine, *TEXTS)
    for known in range(1, len(chunks)):
        resumed = speak(engine, *TEXTS, checkpoint=codes_of(chunks[:known]))
        np.testing.assert_array_equal(codes_of(resumed), codes_of(chunks))
        for one, other in zip(words_of(resumed), words_of(chunks), strict=True):
            assert one.text == other.text
            assert (one.start, one.end) == pytest.approx((other.start, other.end), abs=2 * SAMPLES_PER_FRAME)


@pytest.mark.parametrize("limit", [1, 20, 59])
def test_a_limit_is_of_what_is_heard(engine: HiggsEngine, limit: int) -> None:
    chunks = speak(engine, *TEXTS, max_frames=limit)
    assert sum(chunk.frames for chunk in chunks) == limit
    np.testing.assert_array_equal(
        np.concatenate(sentences(codes_of(chunks))),
        np.concatenate(sentences(codes_of(speak(engine, *TEXTS))))[:limit],
    )


@pytest.mark.parametrize("edges", [[6], [-1, 9], ["6", 9], 6])
def test_edges_that_are_no_frames_are_refused_by_name(tmp_path: Path, edges: Any) -> None:
    folder = tmp_path / "bad"
    shutil.copytree(CHECKPOINT, folder)
    write(folder, {EDGES_FIELD: edges})
    with pytest.raises(ConfigError, match=EDGES_FIELD):
        load_silence(folder, load_config(folder))
