"""Voice samples: a folder with `<voice>.wav`, `.flac` or `.mp3` and what is said in it in `<voice>.txt`.

A sample is encoded once. Its codes are kept by its content: in memory, and on disk beside those of the same codec,
where they outlive the process. A changed file takes effect with the next request.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray

from inference.higgs.codec import CodecConfig, load_codec_config
from inference.higgs.codec_encoder import load_codec_encoder
from inference.higgs.prompt import PromptTurn
from inference.higgs.voice_encoder import codec_id
from inference.higgs.voice_sample_audio import prepare

SUFFIXES = (".wav", ".flac", ".mp3")
KEPT = 256
"""Samples in memory, of 8 KB of codes or less each."""

Codes = NDArray[np.int16]


class VoiceError(ValueError):
    """A voice's files cannot be used; the message names the file and says what would be right."""


@dataclass(frozen=True, slots=True)
class VoiceSample:
    """How a voice sounds, and what it says there."""

    transcript: str
    codes: Codes
    """Frames of codes [F, N]; not to be written to."""

    @property
    def turn(self) -> PromptTurn:
        """What a prompt puts before all other turns."""
        return PromptTurn(self.transcript, torch.from_numpy(self.codes.astype(np.int64)))


class VoiceSamples:
    """The samples of the voices in a folder. Thread-safe: one voice is encoded at a time, once.

    Args:
        folder: where the voices are.
        codec: the codec's checkpoint.
        cache: where codes are kept; made when the first are. They are 8 KB a voice, and never deleted.
        device: where audio is encoded.

    Raises:
        VoiceError: `folder` is no folder.
        ConfigError: the codec's config.json cannot be used.
    """

    def __init__(self, folder: Path, *, codec: Path, cache: Path, device: torch.device | str = "cpu") -> None:
        if not folder.is_dir():
            raise VoiceError(f"{folder} is no folder; voices are files <voice>.wav and <voice>.txt in one")
        self._folder, self._codec, self._cache, self._device = folder, codec, cache, device
        self._config: CodecConfig = load_codec_config(codec)
        self._memory: OrderedDict[str, Codes] = OrderedDict()
        self._memory_lock, self._encoding = Lock(), Lock()

    def voices(self) -> list[str]:
        """The names of the voices that have an audio file, sorted."""
        return sorted(self._files())

    def of(self, voice: str) -> VoiceSample | None:
        """The sample of a voice; None where it has no audio file.

        Takes seconds for audio that was never encoded before.

        Raises:
            VoiceError: its audio or its transcript is missing, cannot be read, or cannot be used.
            CheckpointError: the codec cannot be loaded.
        """
        paths = self._files().get(voice)
        if paths is None:
            return None
        if len(paths) > 1:
            raise VoiceError(f"{' and '.join(path.name for path in paths)} are one voice's; keep one of them")
        transcript = _read_transcript(paths[0].with_suffix(".txt"))
        try:
            data = paths[0].read_bytes()
        except OSError as error:
            raise VoiceError(f"{paths[0].name} cannot be read: {error.strerror}") from error
        key = hashlib.sha256(data).hexdigest()
        codes = self._remembered(key)
        if codes is None:
            with self._encoding:
                codes = self._remembered(key)  # another thread may have been here before
                if codes is None:
                    codes = self._encode(paths[0].name, data)
                    self._remember(key, codes)
        return VoiceSample(transcript, codes)

    def _files(self) -> dict[str, list[Path]]:
        """Names come from the folder alone, so that no voice's name can lead out of it."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self._folder.iterdir()):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                found.setdefault(path.stem, []).append(path)
        return found

    def _remembered(self, key: str) -> Codes | None:
        with self._memory_lock:
            if key in self._memory:
                self._memory.move_to_end(key)
            return self._memory.get(key)

    def _remember(self, key: str, codes: Codes) -> None:
        codes.flags.writeable = False
        with self._memory_lock:
            self._memory[key] = codes
            if len(self._memory) > KEPT:
                self._memory.popitem(last=False)

    def _encode(self, name: str, data: bytes) -> Codes:
        try:
            audio = prepare(data, rate=self._config.sample_rate, frame=self._config.samples_per_frame)
        except ValueError as error:
            raise VoiceError(f"{name} cannot be a voice sample: {error}") from error
        # By the prepared samples, not by the file: codes that were prepared in another way do not count.
        path = self._cache / self._codec_id / f"{hashlib.sha256(audio.numpy().tobytes()).hexdigest()}.npy"
        kept = self._load(path, frames=len(audio) // self._config.samples_per_frame)
        if kept is not None:
            return kept
        # Loaded for this one and let go: a voice is encoded once, and 650 MB is much to keep for it.
        encoder = load_codec_encoder(self._codec, device=self._device)
        codes: Codes = encoder.encode(audio[None].to(self._device))[0].T.cpu().numpy().astype(np.int16)
        _write(path, codes)
        return codes

    @cached_property
    def _codec_id(self) -> str:
        return codec_id(self._codec)

    def _load(self, path: Path, *, frames: int) -> Codes | None:
        """The codes in a file; None where there is none, or it is not whole."""
        try:
            codes: Codes = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        whole = codes.dtype == np.int16 and codes.shape == (frames, self._config.num_codebooks)
        return codes if whole and codes.min() >= 0 and codes.max() < self._config.codebook_size else None


def _write(path: Path, codes: Codes) -> None:
    """Write all or nothing: another worker may be reading, or writing the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        np.save(file, np.ascontiguousarray(codes))
    os.replace(file.name, path)


def _read_transcript(path: Path) -> str:
    try:
        transcript = " ".join(path.read_text(encoding="utf-8").split())
    except FileNotFoundError as error:
        raise VoiceError(f"{path.name} is missing: it says, word for word, what is spoken in the audio") from error
    except (OSError, UnicodeDecodeError) as error:
        raise VoiceError(f"{path.name} cannot be read as UTF-8 text: {error}") from error
    if not transcript:
        raise VoiceError(f"{path.name} is empty: it says, word for word, what is spoken in the audio")
    return transcript
