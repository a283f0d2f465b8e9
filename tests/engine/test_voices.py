"""Voice samples, from a folder to what is spoken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.engines.higgs import loading
from inference.higgs.voice_samples import VoiceError
from tests.engine.checkpoints import make_checkpoint, make_recording, speak

TEXT = "The same words, twice."


@pytest.fixture
def checkpoint(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "checkpoint"
    make_checkpoint(folder)
    settings.HIGGS = {**settings.HIGGS, "checkpoint": folder, "device": "cpu", "threads": 1, "slots": 1}
    settings.VAR_DIR = tmp_path
    return folder


def spoken(**options: Any) -> np.ndarray[Any, Any]:
    engine = loading.load()
    try:
        return speak(engine, TEXT, max_frames=20, **options)
    finally:
        engine.close()


def test_a_recording_changes_its_voice_and_no_other(checkpoint: Path, tmp_path: Path, settings: Any) -> None:
    plain = {voice: spoken(voice=voice) for voice in ("alloy", "echo")}
    voices = tmp_path / "voices"
    voices.mkdir()
    make_recording(voices, "alloy")
    settings.HIGGS["voices"] = voices
    assert not np.array_equal(spoken(voice="alloy"), plain["alloy"])
    np.testing.assert_array_equal(spoken(voice="echo"), plain["echo"])
    assert any((tmp_path / "voice-samples").rglob("*")), "encoded once and kept"


def test_a_recording_without_its_words_is_refused_at_the_start(
    checkpoint: Path, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "alloy.wav").write_bytes(b"RIFF")
    settings.HIGGS["voices"] = tmp_path
    with pytest.raises(VoiceError, match="alloy"):
        loading.load()


def test_a_recording_that_no_request_could_name_is_refused_at_the_start(
    checkpoint: Path, tmp_path: Path, settings: Any
) -> None:
    make_recording(tmp_path, "two words")
    settings.HIGGS["voices"] = tmp_path
    with pytest.raises(VoiceError, match="'two words' cannot be a voice's name"):
        loading.load()
