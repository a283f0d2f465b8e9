"""Encodes a recording of a voice with a codec's encoder, which stays loaded from the first recording on."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import torch

from inference.engines.protocol import EncodedVoice
from inference.higgs.codec import CodecConfig, load_codec_config
from inference.higgs.codec_encoder import CodecEncoder, load_codec_encoder
from inference.higgs.config import ConfigError
from inference.higgs.tensors import TensorTable
from inference.higgs.voice_sample_audio import MAX_SECONDS, fit, read_audio, trim

ENCODER_PARTS = ("acoustic_encoder.", "encoder_semantic.", "semantic_model.", "fc.")
"""The beginnings of the names of the encoder's tensors. A checkpoint that was saved to decode only has none."""


class VoiceEncoder:
    """Turns recordings into the codes that a prompt holds. Thread-safe: one recording is encoded at a time.

    The published encoder takes 650 MB of memory and seconds to load, so it is loaded when the first recording
    comes. Encoding stays on the CPU, where it is exact: TF32 on a GPU may change codes.
    """

    def __init__(self, codec: Path) -> None:
        self._folder = codec
        self._config: CodecConfig = load_codec_config(codec)
        self._encoder: CodecEncoder | None = None
        self._lock = Lock()

    @cached_property
    def codec(self) -> str:
        """Identifies the codec. Reads its weights once."""
        return codec_id(self._folder)

    def encode(self, audio: bytes) -> EncodedVoice:
        """The codes of the speech in an audio file; of more than `MAX_SECONDS` of speech, of its beginning.

        Raises:
            ValueError: the file cannot be read, or is silent.
            CheckpointError: the encoder cannot be loaded.
        """
        samples, rate = read_audio(audio)
        speech = trim(samples, rate)
        longest = int(MAX_SECONDS * rate)
        config = self._config
        fitted = fit(speech[:longest], rate, rate=config.sample_rate, frame=config.samples_per_frame)
        with self._lock:
            codes = self._loaded().encode(fitted[None])[0].T.numpy().astype(np.int16)
        return EncodedVoice(codes, whole=len(speech) <= longest)

    def _loaded(self) -> CodecEncoder:
        if self._encoder is None:
            self._encoder = load_codec_encoder(self._folder)
        return self._encoder


def load_voice_encoder(codec: Path) -> VoiceEncoder | None:
    """The encoder of a codec's folder; None where the codec has one voice, or was saved without its encoder."""
    try:
        encoder = VoiceEncoder(codec)
    except ConfigError:  # another kind of codec, which `codecs.load_codec` knows
        return None
    names = TensorTable(codec, device="cpu", dtype=torch.float32).names
    return encoder if all(any(name.startswith(part) for name in names) for part in ENCODER_PARTS) else None


def codec_id(folder: Path) -> str:
    """Identifies a codec by its weights and its configuration."""
    return TensorTable(folder, device="cpu", dtype=torch.float32).digest()[:16]
