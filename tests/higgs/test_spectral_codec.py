"""The codec with an explicit pitch: pieces join into the whole, and a voice may be higher than its codes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from torch import Tensor  # noqa: E402

from inference.higgs.codec_stream import ChunkStream, Excerpt, Rendering, Track, Window  # noqa: E402
from inference.higgs.codecs import load_codec  # noqa: E402
from inference.higgs.config import ConfigError  # noqa: E402
from inference.higgs.spectral_codec import PITCH, SpectralCodec, SpectralConfig  # noqa: E402
from tests.cost import cpu_seconds  # noqa: E402

CONFIG = SpectralConfig(
    sample_rate=24_000,
    samples_per_frame=960,
    num_codebooks=12,
    codebook_size=102,
    code_dim=16,
    width=32,
    encoder_blocks=(1, 1),
    decoder_blocks=(2, 3),
    slow_kernel=3,
    fast_kernel=5,
    bands=100,
    features=130,
    acoustic_width=64,
    acoustic_blocks=8,
    hop=300,
    window=1200,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A random codec that is loud enough to be compared and always voiced, between 100 and 300 Hz."""
    torch.manual_seed(0)
    codec = SpectralCodec(CONFIG)
    torch.nn.init.normal_(codec.quantizer.codebooks)
    torch.nn.init.zeros_(codec.acoustic.head.bias)
    codec.acoustic.head.bias.data[:601] = -2.0  # the pulses
    codec.acoustic.head.bias.data[1202:1803] = -5.0  # the noise
    codec.acoustic.head.bias.data[1803:2404] = -5.0  # what has a free phase
    codec.decoder.mean[PITCH] = np.log1p(200) / 5
    codec.decoder.scale[PITCH] = 0.05
    save_file(codec.state_dict(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "spectral_codec", **asdict(CONFIG)}))
    return tmp_path


def load(folder: Path) -> SpectralCodec:
    codec = load_codec(folder)
    assert isinstance(codec, SpectralCodec)
    return codec


def codes_of(frames: int) -> Tensor:
    return torch.randint(0, 102, (12, frames), generator=torch.Generator().manual_seed(frames))


class Listener:
    """Hears a stream in chunks of twelve frames."""

    def __init__(self, codec: SpectralCodec, codes: Tensor) -> None:
        self.codec, self.codes, self.track = codec, codes, Track()
        self.stream = ChunkStream(
            samples_per_frame=960,
            context=codec.context,
            alignment=codec.alignment,
            chunk=12,
            first=4,
            first_context=codec.context,
        )
        self.heard = torch.empty(0)

    def plan(self, available: int) -> Window | None:
        return self.stream.plan(available, final=available == self.codes.shape[1])

    def excerpt(self, window: Window) -> Excerpt:
        return Excerpt(window, self.track, [Rendering()] * (window.high - window.low))

    def hear(self, available: int) -> bool:
        """The next chunk, if so many frames suffice for it."""
        if (window := self.plan(available)) is not None:
            hear_together(self.codec, [(self, window)])
        return window is not None


def hear_together(codec: SpectralCodec, windows: list[tuple[Listener, Window]]) -> None:
    """One chunk for each, decoded in one batch."""
    codes = torch.stack([each.codes[:, window.low : window.high] for each, window in windows])
    audio = codec.decode(codes, [each.excerpt(window) for each, window in windows])
    for (each, window), pcm in zip(windows, audio, strict=True):
        each.heard = torch.cat([each.heard, each.stream.take(window, pcm)])


@pytest.mark.parametrize("frames", [1, 5, 20, 61, 150])
def test_chunks_join_into_the_whole_decode(folder: Path, frames: int) -> None:
    codec = load(folder)
    codes = codes_of(frames)
    whole = codec.decode(codes[None])[0]
    assert whole.shape == (frames * 960,)
    assert whole.std() > 1e-3
    listener = Listener(codec, codes)
    for available in range(frames + 1):
        while listener.hear(available):
            pass
    torch.testing.assert_close(listener.heard, whole, atol=1e-4, rtol=1e-4)


def test_a_stream_takes_each_frame_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codec, taken = load(folder), []
    look_up = codec.quantizer.decode
    monkeypatch.setattr(codec.quantizer, "decode", lambda codes: taken.append(codes.shape[2]) or look_up(codes))
    listener = Listener(codec, codes_of(200))
    for available in range(200):
        listener.hear(available)
    assert len(taken) > 10
    assert sum(taken) == listener.stream.emitted + codec.context


def test_streams_in_a_batch_do_not_know_of_each_other(folder: Path) -> None:
    codec = load(folder)
    codes = torch.stack([codes_of(30), codes_of(30).flip(1)])
    alone = torch.cat([codec.decode(row[None]) for row in codes])
    torch.testing.assert_close(codec.decode(codes), alone, atol=1e-4, rtol=1e-4)


def test_nor_do_streams_that_are_at_different_places(folder: Path) -> None:
    """Those whose places differ by whole chunks and whole alignments go through the layers together."""
    codec = load(folder)
    listeners = [Listener(codec, codes_of(200 + n)) for n in range(4)]
    for listener, chunks in zip(listeners, (5, 10, 6, 8), strict=True):
        for _ in range(chunks):
            listener.hear(199)
    together = 0
    for _ in range(4):
        by_length: dict[int, list[tuple[Listener, Window]]] = {}
        for listener in listeners:
            window = listener.plan(199)
            assert window is not None
            by_length.setdefault(window.high - window.low, []).append((listener, window))
        for windows in by_length.values():
            kinds = {codec._stream.kind(each.excerpt(window)) for each, window in windows}
            together += len(windows) - len(kinds)
            hear_together(codec, windows)
    assert together >= 4
    for listener in listeners:
        whole = codec.decode(listener.codes[None])[0]
        torch.testing.assert_close(listener.heard, whole[: len(listener.heard)], atol=1e-4, rtol=1e-4)


def test_frames_that_have_been_dropped_are_not_heard(folder: Path) -> None:
    codec = load(folder)
    codes = codes_of(120)
    listener = Listener(codec, codes)
    for _ in range(5):
        listener.hear(120)
    begin = listener.stream.emitted
    listener.codes = torch.cat([codes[:, :begin], codes_of(60)], dim=1)
    listener.track.forget()
    rest = Excerpt(Window(0, begin + 60, begin, begin + 60), Track(listener.track.phase), [Rendering()] * 120)
    expected = codec.decode(listener.codes[None], [rest])[0, begin * 960 :]
    while listener.hear(begin + 60):
        pass
    torch.testing.assert_close(listener.heard[begin * 960 :], expected, atol=1e-4, rtol=1e-4)


def test_a_voice_is_rendered_at_its_pitch(folder: Path) -> None:
    codec = load_codec(folder)
    codes = codes_of(50)[None]
    plain = pitch_of(codec.decode(codes)[0])
    low = pitch_of(codec.decode(codes, [Excerpt.whole(50, Rendering(pitch=0.5))])[0])
    assert low == pytest.approx(plain / 2, rel=0.05)


def test_formants_move_without_the_pitch(folder: Path) -> None:
    codec = load_codec(folder)
    codes = codes_of(50)[None]
    plain, large = codec.decode(codes)[0], codec.decode(codes, [Excerpt.whole(50, Rendering(formants=0.8))])[0]
    assert pitch_of(large) == pytest.approx(pitch_of(plain), rel=0.05)
    assert not torch.allclose(plain, large, atol=1e-3)


def test_a_voice_is_as_loud_as_it_is_rendered(folder: Path) -> None:
    codec = load_codec(folder)
    codes = codes_of(50)[None]
    plain, loud = codec.decode(codes)[0], codec.decode(codes, [Excerpt.whole(50, Rendering(gain=0.5))])[0]
    assert float(loud.std() / plain.std()) == pytest.approx(np.exp(0.5), rel=0.01)


def test_one_core_decodes_twenty_times_faster_than_it_plays(folder: Path) -> None:
    codec = SpectralCodec(
        SpectralConfig(**{**asdict(CONFIG), "width": 256, "code_dim": 64, "acoustic_width": 256})
    )
    codes = codes_of(250)[None]
    codec.eval().decode(codes)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        took = min(cpu_seconds(lambda: codec.decode(codes)) for _ in range(3))
    finally:
        torch.set_num_threads(before)
    assert 10 / took > 20


def test_no_more_is_decoded_than_a_window_keeps(folder: Path) -> None:
    """That, and the stretch that the next window fades with, are what the whole window would give."""
    codec, codes = load_codec(folder), codes_of(40)[None]
    kept = codec.decode(codes, [Excerpt(Window(0, 40, 0, 4), Track(), [Rendering()] * 40)])[0]
    whole = codec.decode(codes)[0]
    sound = 4 * 960 + 240
    assert whole[sound:].std() > 1e-3
    torch.testing.assert_close(kept[:sound], whole[:sound], atol=1e-4, rtol=1e-4)
    assert not kept[10 * 960 :].any()


def test_in_bfloat16_it_sounds_the_same(folder: Path) -> None:
    codes = codes_of(40)[None]
    types = (torch.float32, torch.bfloat16)
    exact, close = (load_codec(folder, matrices=dtype).decode(codes)[0] for dtype in types)
    assert pitch_of(close) == pytest.approx(pitch_of(exact), rel=0.01)
    assert not torch.equal(close, exact)
    hann = torch.hann_window(1200)
    before, after = (torch.stft(x, 1200, 300, window=hann, return_complex=True).abs() for x in (exact, close))
    assert float((after - before).norm() / before.norm()) < 0.1


def test_a_configuration_that_lacks_something_names_it(folder: Path) -> None:
    path = folder / "config.json"
    data = json.loads(path.read_text())
    del data["hop"]
    path.write_text(json.dumps(data))
    with pytest.raises(ConfigError, match="'hop'"):
        load_codec(folder)


def pitch_of(audio: Tensor) -> float:
    """Median over windows of 50 ms of the pitch, by autocorrelation."""
    found = []
    for piece in audio.unfold(0, 1200, 600):
        spectrum = torch.fft.rfft(piece * torch.hann_window(1200), 4096)
        correlation = torch.fft.irfft(spectrum.abs().square())[:480]
        found.append(24_000 / (60 + int(correlation[60:].argmax())))
    return float(np.median(found))


def test_a_window_begins_where_both_rates_do() -> None:
    stream = ChunkStream(samples_per_frame=960, context=14, alignment=5, chunk=25, first=4)
    stream.emitted = 33
    assert stream.plan(500, final=False) == Window(15, 72, 33, 58)
