"""Voice references, from a folder to what is spoken."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.engine import loading
from inference.higgs.references import VoiceError
from tests.engine.checkpoints import make_checkpoint, speak

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
    noise = np.random.default_rng(0).integers(-9000, 9000, 24_000, dtype=np.int16)
    with wave.open(str(voices / "alloy.wav"), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    (voices / "alloy.txt").write_text("What the recording says.")
    settings.HIGGS["voices"] = voices
    assert not np.array_equal(spoken(voice="alloy"), plain["alloy"])
    np.testing.assert_array_equal(spoken(voice="echo"), plain["echo"])
    assert any((tmp_path / "references").rglob("*")), "encoded once and kept"


def test_a_recording_without_its_words_is_refused_at_the_start(
    checkpoint: Path, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "alloy.wav").write_bytes(b"RIFF")
    settings.HIGGS["voices"] = tmp_path
    with pytest.raises(VoiceError, match="alloy"):
        loading.load()
