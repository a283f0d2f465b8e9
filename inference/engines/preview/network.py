"""The preview's network: hibari-tts, a small neural voice, cut in two where its pitch can be changed.

hibari (Apache-2.0) is one ONNX graph from phonemes to the five spectra of its vocoder. Between its text side and
its acoustic decoder stand 130 features at 80 Hz: 128 of text, the logarithm of the pitch, and the energy. Cut
there, one bundled speaker gives many voices: the pitch is scaled before the decoder, which then makes the spectrum
that belongs to that pitch, and the formants are moved after it.

Source of the vocoder's formula: `hibari.dsp`.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hibari
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from hibari import dsp
from onnx.utils import Extractor

from inference.audio import SAMPLE_RATE

Array = npt.NDArray[np.float32]

STEP_SAMPLES = 300
"""Samples per step of the network: it runs at 80 Hz."""
VOICED_HZ = 60.0
"""A pitch under this is no voice."""
LEAD_SAMPLES = SAMPLE_RATE // 20
"""The decoder speaks a phoneme about 50 ms before the time that its duration gives (measured at the pauses)."""
KNEE = 0.8
"""Samples above this are bent towards full scale."""

_FEATURES = "/Concat_43_output_0"
_DURATIONS = "/Clip_output_0"
_UNIT_STEPS = 2
"""Steps in a unit of a phoneme's duration, 1/40 s."""
_PITCH_ROW = 128
_SPECTRA = ["lh", "theta", "ln", "lr", "phi"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """How the one speaker is made another voice."""

    pitch: float = 1.0
    """Factor on the pitch; 0.5 is an octave down."""
    melody: float = 1.0
    """Factor on how far the pitch moves around its mean, in octaves; 0 is a monotone."""
    formants: float = 1.0
    """Factor on the formants' frequencies; below 1 is a longer throat."""
    pace: float = 1.0
    """Factor on the speed of speech."""
    breath: float = 0.0
    """Nepers by which the noise is raised; the pulses give up half as much."""
    tilt: float = 0.0
    """Decibels an octave above 1 kHz; negative is softer."""
    gain: float = 1.75
    """Factor on the samples, which brings the voices to one loudness."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence, spoken."""

    pcm: Array
    """Shape (samples,), in [-1, 1]."""
    ends: npt.NDArray[np.int64]
    """Shape (phonemes,): the sample at which each phoneme ends."""


class Network:
    """Both halves, loaded once. Thread-safe: a session of onnxruntime is, and nothing else is kept.

    Args:
        threads: processor threads for one sentence; a single one speaks some 80 times faster than real time.
    """

    def __init__(self, threads: int = 1) -> None:
        path = Path(hibari.__file__).parent / "assets" / "hibari.onnx"
        cut = Extractor(onnx.load(path))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3

        def session(inputs: list[str], outputs: list[str]) -> Any:
            graph = cut.extract_model(inputs, outputs).SerializeToString()
            return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

        self._text_side = session(["ids", "speed"], [_FEATURES, "f0", _DURATIONS])
        self._decoder = session([_FEATURES], _SPECTRA)
        self.name = f"hibari-{importlib.metadata.version('hibari-tts')}-heart"

    def speak(self, ids: Sequence[int], rendering: Rendering) -> Utterance:
        """Speak one sentence, given as phonemes with the pads at both ends.

        The noise is seeded, so that the same sentence in the same voice is the same bytes, whenever it is spoken.
        """
        features, pitch, durations = self._text_side.run(
            None, {"ids": np.asarray([ids], np.int64), "speed": np.asarray([rendering.pace], np.float32)}
        )
        pitch = _scaled(pitch[0], rendering)
        features[0, _PITCH_ROW] = np.log1p(np.maximum(pitch, 0)) / 5
        spectra = [spectrum[0] for spectrum in self._decoder.run(None, {_FEATURES: features})]
        pcm = dsp.synth(*_shaped(spectra, rendering), pitch, np.random.default_rng(0))
        ends = np.cumsum(durations.reshape(-1).astype(np.int64)) * _UNIT_STEPS * STEP_SAMPLES - LEAD_SAMPLES
        return Utterance(_limited(pcm * np.float32(rendering.gain)), np.clip(ends, 0, len(pcm)))


def _scaled(pitch: Array, rendering: Rendering) -> Array:
    voiced = pitch > VOICED_HZ
    if not voiced.any():
        return pitch
    mean = np.exp(np.log(pitch[voiced]).mean())
    moved = mean * rendering.pitch * (np.maximum(pitch, VOICED_HZ) / mean) ** rendering.melody
    return np.where(voiced, moved, pitch).astype(np.float32)


def _shaped(spectra: list[Array], rendering: Rendering) -> list[Array]:
    """The five spectra, each of shape (bins, steps): pulses' magnitude and phase, noise's magnitude, the rest's
    magnitude and phase. Magnitudes are logarithms, in nepers."""
    pulses, turn, noise, rest, phase = spectra
    if rendering.formants != 1.0:
        pulses, noise, rest = (_warped(magnitude, rendering.formants) for magnitude in (pulses, noise, rest))
        turn, phase = (_picked(angle, rendering.formants) for angle in (turn, phase))
    bins_hz = np.arange(len(pulses)) * SAMPLE_RATE / dsp.N_FFT
    nepers_per_decibel = np.log(10) / 20
    tilt = rendering.tilt * np.log2(np.maximum(bins_hz, 200) / 1000) * nepers_per_decibel
    tilt = tilt[:, None].astype(np.float32)
    pulses = pulses + tilt - np.float32(rendering.breath / 2)
    return [pulses, np.ascontiguousarray(turn), noise + tilt + np.float32(rendering.breath), rest + tilt,
            np.ascontiguousarray(phase)]  # fmt: skip


def _source_bins(count: int, factor: float) -> npt.NDArray[np.float64]:
    return np.minimum(np.arange(count) / factor, count - 1)


def _warped(magnitude: Array, factor: float) -> Array:
    """Bin b of the result is bin b / factor of the source, interpolated."""
    at = _source_bins(len(magnitude), factor)
    low = np.minimum(at.astype(np.int64), len(magnitude) - 2)
    weight = (at - low).astype(np.float32)[:, None]
    warped: Array = magnitude[low] * (1 - weight) + magnitude[low + 1] * weight
    return warped


def _picked(angle: Array, factor: float) -> Array:
    """As `_warped`, by the nearest bin: angles do not interpolate."""
    return angle[np.round(_source_bins(len(angle), factor)).astype(np.int64)]


def _limited(pcm: Array) -> Array:
    """Bend what is above `KNEE` so that it stays below full scale: a low voice has high peaks."""
    loud = np.abs(pcm)
    bent = KNEE + (1 - KNEE) * np.tanh((loud - KNEE) / (1 - KNEE))
    return np.where(loud > KNEE, np.copysign(bent, pcm), pcm).astype(np.float32)
