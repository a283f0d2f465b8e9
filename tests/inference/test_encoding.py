"""The encoders, judged by an independent decoder (FFmpeg's, through PyAV)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engines.protocol import SAMPLE_RATE, Pcm
from inference.speech.encoding import ENCODERS, open_encoder
from inference.speech.encoding.container import Mp3Encoder
from inference.speech.formats import CONTENT_TYPES, FORMAT_NAMES, canonical

WITH_OPTIONS = ("wav;rate=8000", "opus;rate=16000;container=webm", "mp3;bitrate=32000", "flac;loudness=-16")
TELEPHONY = ("alaw", "mulaw")
FRAMES = [1, 2, 3, 4, 5, 6, 7, 25, 33, 375, 1000]


def whole_file(name: str, pieces: Iterable[Pcm]) -> tuple[bytes, bytes]:
    """The file as it is kept, and as one who only listened received it."""
    encoder = open_encoder(name)
    sent = b"".join([encoder.encode(piece) for piece in pieces])
    tail = encoder.close()
    sent += tail.data
    return tail.head + sent[len(tail.head) :], sent


def decode(data: bytes, name: str) -> Pcm:
    if name == "pcm":
        return (np.frombuffer(data, "<i2") / 32767).astype(np.float32)
    with av.open(io.BytesIO(data), "r", format=name if name in TELEPHONY else None) as container:
        [stream] = container.streams.audio
        if name not in TELEPHONY:  # without a head, which would say so
            assert stream.rate == (48_000 if name == "opus" else SAMPLE_RATE)
        assert stream.channels == 1
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)
        decoded = list(container.decode(stream))
        for frame in decoded if name in TELEPHONY else ():
            frame.sample_rate = 8_000
        frames = [out for frame in decoded for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([np.zeros(0, np.float32), *[frame.to_ndarray()[0] for frame in frames]])


def sine(length: int, hertz: float = 440.0, level: float = 0.5) -> Pcm:
    return (level * np.sin(2 * np.pi * hertz * np.arange(length) / SAMPLE_RATE)).astype(np.float32)


def sweep(length: int) -> Pcm:
    """A tone that rises from 200 to 3,000 Hz, unlike itself at any other place."""
    phase = np.cumsum(np.linspace(200, 3000, length)) / SAMPLE_RATE
    return (0.5 * np.sin(2 * np.pi * phase)).astype(np.float32)


def likeness(one: Pcm, other: Pcm) -> float:
    """Correlation without any shift, 1 for the same shape."""
    return float(np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other)))


def frames_of(pcm: Pcm, samples: int = 960) -> Iterator[Pcm]:
    for start in range(0, len(pcm), samples):
        yield pcm[start : start + samples]


def test_formats() -> None:
    assert {canonical(name) for name in FORMAT_NAMES} == set(ENCODERS) == set(CONTENT_TYPES)
    assert canonical("pcm16") == "pcm"
    with pytest.raises(KeyError):
        open_encoder("ogg")


DELAY = {"aac": 1024, "mp3": 576}
"""Samples of silence that stand first where a file cannot say that they are the encoder's."""
EXACT = sorted(ENCODERS.keys() - {"aac"})


@pytest.mark.parametrize("frames", FRAMES)
@pytest.mark.parametrize("name", EXACT)
def test_the_kept_file_decodes_to_exactly_the_samples_put_in(name: str, frames: int) -> None:
    pcm = sweep(frames * 960)
    file, sent = whole_file(name, frames_of(pcm))
    assert len(file) == len(sent)
    decoded = decode(file, name)
    assert decoded.shape == pcm.shape
    # Sample by sample: the encoder's delay is gone as well. (Opus is loose with phases in the first seconds.)
    assert likeness(decoded, pcm) > (0.6 if name == "opus" and frames < 100 else 0.99)


@pytest.mark.parametrize("frames", FRAMES)
def test_aac_cannot_say_how_long_it_is_and_is_little_longer(frames: int) -> None:
    pcm = sweep(frames * 960)
    decoded = decode(whole_file("aac", frames_of(pcm))[0], "aac")
    assert DELAY["aac"] <= len(decoded) - len(pcm) <= 3 * 1024
    assert likeness(decoded[DELAY["aac"] :][: len(pcm)], pcm) > 0.98


@pytest.mark.parametrize("length", [1, 479, 960, 12_345])
@pytest.mark.parametrize("name", ["pcm", "wav", "flac"])
def test_lossless_is_bit_for_bit(name: str, length: int) -> None:
    pcm = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    back = decode(whole_file(name, frames_of(pcm, 700))[0], name)
    scale = 32767 if name == "pcm" else 32768
    assert np.array_equal(np.rint(back * scale), np.rint(pcm * 32767))


@pytest.mark.parametrize("length", [1, 500, 575, 576, 577, 622, 623, 12_345])
def test_mp3_of_a_broken_frame_decodes_to_a_little_more_at_worst(length: int) -> None:
    assert 0 <= len(decode(whole_file("mp3", [sweep(length)])[0], "mp3")) - length <= 46


@pytest.mark.parametrize("name", ENCODERS)
def test_what_was_streamed_decodes_without_the_head(name: str) -> None:
    pcm = sweep(960 * 50)
    _, sent = whole_file(name, frames_of(pcm))
    delay = DELAY.get(name, 0)
    decoded = decode(sent, name)
    assert delay <= len(decoded) - len(pcm) <= 3 * delay
    assert np.abs(decoded[: delay // 2]).max(initial=0.0) < 0.01
    assert likeness(decoded[delay : delay + len(pcm)], pcm) > (0.6 if name == "opus" else 0.98)


@pytest.mark.parametrize(("hertz", "level"), [(110.0, 0.8), (440.0, 0.1), (3000.0, 0.5), (7000.0, 0.3)])
@pytest.mark.parametrize("name", ENCODERS)
def test_a_sine_stays_that_sine(name: str, hertz: float, level: float) -> None:
    if name in TELEPHONY and hertz >= 4000:
        pytest.skip("telephony has no such tone")
    length = SAMPLE_RATE * 2
    decoded = decode(whole_file(name, frames_of(sine(length, hertz, level)))[0], name)
    decoded = decoded[DELAY.get(name, 0) if name == "aac" else 0 :][:length]
    window = np.hanning(length)
    spectrum = np.abs(np.fft.rfft(decoded * window))
    assert np.argmax(spectrum) / 2 == pytest.approx(hertz, abs=0.5)
    assert np.sqrt(np.mean(decoded**2) * 2) == pytest.approx(level, rel=0.06)
    # No clicks where one chunk ends and the next begins: all else lies far below the tone.
    peak = np.argmax(spectrum)
    spectrum[peak - 20 : peak + 21] = 0
    assert spectrum.max() < np.sum(window) * level / 2 * (0.03 if name in TELEPHONY else 0.02)


def test_wav_is_bit_exact() -> None:
    values = np.array([0, 1, -1, 0.5, -0.5, 2, -2, 1e-9, np.nan, np.inf, -np.inf], np.float32)
    file, _ = whole_file("wav", [values])
    full = 32767
    expected = (0, full, -full, 16384, -16384, full, -full, 0, 0, full, -full)
    assert struct.unpack("<11h", file[44:]) == expected


def test_wav_header() -> None:
    encoder = open_encoder("wav")
    first = encoder.encode(sine(960))
    assert len(first) == 44 + 1920
    assert first[:12] == b"RIFF\xff\xff\xff\xffWAVE"
    assert first[12:36] == b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 24_000, 48_000, 2, 16)
    assert first[36:44] == b"data\xff\xff\xff\xff"
    tail = encoder.close()
    assert tail.data == b""
    assert tail.head[:8] == b"RIFF" + struct.pack("<I", 36 + 1920)
    assert tail.head[40:] == struct.pack("<I", 1920)
    assert tail.head[8:40] == first[8:40]


def test_mp3_tag_and_rate() -> None:
    file, sent = whole_file("mp3", frames_of(sine(960 * 250)))
    assert file[:2] == sent[:2] == b"\xff\xf3"
    assert b"Info" in file[:64]
    # While it is streamed the tag claims no number of frames; afterwards it has them all but itself.
    at = file.index(b"Info")
    assert sent[at + 4 : at + 12] == bytes.fromhex("0000000f 00000000")
    assert int.from_bytes(file[at + 8 : at + 12], "big") == len(file) // 288 - 1
    assert len(file) * 8 / 10 == pytest.approx(Mp3Encoder.bit_rate, rel=0.02)


@pytest.mark.parametrize("name", ENCODERS)
def test_bytes_come_within_a_fifth_of_a_second_of_audio(name: str) -> None:
    encoder = open_encoder(name)
    received = b""
    for number, piece in enumerate(frames_of(sine(960 * 50)), start=1):
        received += encoder.encode(piece)
        if number % 5 == 0:
            decodable = len(decode(received, name)) if received else 0
            assert number * 960 - decodable <= SAMPLE_RATE // 5


@pytest.mark.parametrize("name", ENCODERS)
def test_the_bytes_do_not_depend_on_the_clock_or_on_neighbours(name: str) -> None:
    pcm = sine(960 * 20)
    other = open_encoder(name)
    other.encode(sine(5000, 300))
    assert whole_file(name, frames_of(pcm)) == whole_file(name, frames_of(pcm))


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from([*sorted(ENCODERS), *WITH_OPTIONS]),
    cuts=st.lists(st.integers(0, 6000), max_size=12).map(sorted),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_chunking_gives_the_same_bytes(name: str, cuts: list[int], seed: int) -> None:
    pcm = np.random.default_rng(seed).uniform(-0.7, 0.7, 6000).astype(np.float32)
    assert whole_file(name, np.split(pcm, cuts)) == whole_file(name, [pcm])


@pytest.mark.parametrize("name", ENCODERS)
def test_what_is_no_number_is_silence_and_what_is_too_loud_is_clipped(name: str) -> None:
    pcm = np.zeros(960 * 10, np.float32)
    pcm[::3] = np.nan
    assert np.abs(decode(whole_file(name, [pcm])[0], name)).max() < 1e-3
    loud = np.where(np.arange(960 * 10) % 100 < 50, np.inf, -np.inf).astype(np.float32)
    decoded = decode(whole_file(name, [loud])[0], name)
    assert np.isfinite(decoded).all()
    assert np.abs(decoded).max() < 2.5


@pytest.mark.parametrize("name", ENCODERS)
def test_nothing_said_is_still_a_file(name: str) -> None:
    file, sent = whole_file(name, [])
    assert len(file) == len(sent)
    if name in ("pcm", "wav"):
        assert len(decode(file, name)) == 0
    assert whole_file(name, [np.zeros(0, np.float32)]) == (file, sent)
