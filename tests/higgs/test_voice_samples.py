from __future__ import annotations

import io
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import av  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402
from transformers.models.higgs_audio_v2.processing_higgs_audio_v2 import HiggsAudioV2Processor  # noqa: E402

from inference.higgs import voice_samples as room  # noqa: E402
from inference.higgs.checkpoint import load_checkpoint  # noqa: E402
from inference.higgs.codec_encoder import load_codec_encoder  # noqa: E402
from inference.higgs.config import HiggsConfig  # noqa: E402
from inference.higgs.model import Prompt  # noqa: E402
from inference.higgs.prompt import PromptBuilder  # noqa: E402
from inference.higgs.voice_sample_audio import prepare, read_audio, trim  # noqa: E402
from inference.higgs.voice_samples import VoiceError, VoiceSamples  # noqa: E402
from tests.higgs.codec_oracle import make_codec, resample_by_the_formula  # noqa: E402
from tests.higgs.oracle import AUDIO_OUT, DELAY, make_language_model  # noqa: E402


def make_speech(seconds: float, rate: int = 24000, seed: int = 0) -> NDArray[np.float32]:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * rate)) * 0.1
    return samples.astype(np.float32)


def make_file(
    samples: NDArray[np.float32], rate: int = 24000, suffix: str = "wav", codec: str = "pcm_f32le"
) -> bytes:
    """An audio file of samples [S], or of several channels [C, S]."""
    channels = np.atleast_2d(samples)
    file = io.BytesIO()
    with av.open(file, "w", format=suffix) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono" if len(channels) == 1 else "stereo")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(channels), format="fltp", layout="mono" if len(channels) == 1 else "stereo"
        )
        frame.sample_rate = rate
        resampler = av.AudioResampler(format=stream.codec_context.format, layout=stream.layout, rate=rate)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("codec")
    make_codec(folder)
    return folder


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    folder = tmp_path / "voices"
    folder.mkdir()
    (folder / "nova.wav").write_bytes(make_file(make_speech(1.2)))
    (folder / "nova.txt").write_text("Good morning,\n everyone. ")
    return folder


@pytest.fixture
def samples(voices: Path, codec: Path, tmp_path: Path) -> VoiceSamples:
    return VoiceSamples(voices, codec=codec, cache=tmp_path / "codes")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every load of the encoder, which goes on as it is: what is not encoded is not here."""
    seen = []

    def load(folder: Path, **options: object) -> object:
        seen.append(folder)
        return load_codec_encoder(folder, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(room, "load_codec_encoder", load)
    return seen


def test_a_voice_sample_is_the_codes_of_its_audio(samples: VoiceSamples, codec: Path) -> None:
    sample = samples.of("nova")
    assert sample is not None
    assert sample.transcript == "Good morning, everyone."
    assert sample.codes.dtype == np.int16
    assert sample.codes.shape == (30, 8)
    expected = load_codec_encoder(codec).encode(torch.from_numpy(make_speech(1.2))[None])[0].T
    assert torch.equal(sample.turn.frames, expected)
    assert samples.voices() == ["nova"]


def test_names_lead_nowhere_but_into_the_folder(samples: VoiceSamples, voices: Path) -> None:
    (voices.parent / "secret.wav").write_bytes((voices / "nova.wav").read_bytes())
    (voices.parent / "secret.txt").write_text("No.")
    assert samples.of("../secret") is None
    assert samples.of("alloy") is None


@pytest.mark.parametrize(
    ("suffix", "encoder", "rate"),
    [
        ("flac", "flac", 48000),
        ("mp3", "libmp3lame", 44100),
        ("wav", "pcm_s16le", 16000),
        ("wav", "pcm_s16le", 22050),
    ],
)
def test_every_format_and_rate_sounds_the_same(suffix: str, encoder: str, rate: int) -> None:
    times = np.arange(2 * rate) / rate
    tone = (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    audio = prepare(make_file(tone, rate, suffix, encoder), rate=24000, frame=960).numpy()
    assert len(audio) % 960 == 0
    middle = audio[12000:36000]
    spectrum = np.abs(np.fft.rfft(middle))
    assert spectrum.argmax() == 440
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(0.3 / 2**0.5, rel=0.06)  # LAME takes 0.4 dB


def test_channels_are_averaged_and_rates_changed_by_the_formula() -> None:
    stereo = np.stack([make_speech(1, 48000, 1), make_speech(1, 48000, 2)])
    samples, rate = read_audio(make_file(stereo, 48000))
    assert rate == 48000
    np.testing.assert_allclose(samples, stereo.mean(axis=0), atol=1e-6)
    audio = prepare(make_file(stereo, 48000), rate=24000, frame=960)
    expected = resample_by_the_formula(torch.from_numpy(stereo.mean(axis=0)), 48000, 24000)
    torch.testing.assert_close(audio, expected, atol=1e-5, rtol=0)


def test_silence_around_speech_goes_and_silence_within_stays() -> None:
    noise, quiet = make_speech(0.5), np.full(24000, 1e-5, np.float32)
    trimmed = trim(np.concatenate([quiet, noise, quiet, noise, quiet]), 24000)
    assert len(trimmed) / 24000 == pytest.approx(2 + 0.2, abs=0.04)
    np.testing.assert_array_equal(trimmed[-2400 - 480 : -2400], noise[-480:])
    short = prepare(make_file(make_speech(0.3)), rate=24000, frame=960)
    assert len(short) == 24000
    assert not short[7200:].any()


@pytest.mark.parametrize(
    ("audio", "text", "match"),
    [
        (None, "Words.", r"nova.wav cannot be a voice sample: it cannot be decoded \(Invalid data"),
        (make_file(np.zeros(24000, np.float32)), "Words.", "nova.wav cannot be a voice sample: it is silent"),
        (make_file(np.full(24000, np.nan, np.float32)), "Words.", "nova.wav .* samples that are no numbers"),
        (make_file(make_speech(20.5)), "Words.", r"nova.wav .* it speaks for 20.5 s; cut it, .* to 20 s or less"),
        (make_file(make_speech(1, 44101), 44101), "Words.", "nova.wav .* 44101 Hz is an unusual rate"),
        (make_file(make_speech(1)), None, "nova.txt is missing"),
        (make_file(make_speech(1)), " \n", "nova.txt is empty"),
        (make_file(make_speech(1)), b"\xff\xfe\xff", "nova.txt cannot be read as UTF-8"),
    ],
    ids=["no audio", "silent", "no numbers", "long", "odd rate", "no text", "empty text", "not UTF-8"],
)
def test_what_is_wrong_is_said_with_the_files_name(
    samples: VoiceSamples, voices: Path, audio: bytes | None, text: str | bytes | None, match: str
) -> None:
    (voices / "nova.wav").write_bytes(audio or b"no audio at all")
    transcript = voices / "nova.txt"
    if text is None:
        transcript.unlink()
    else:
        transcript.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(VoiceError, match=match):
        samples.of("nova")


def test_two_files_of_one_voice_and_a_missing_folder_are_refused(
    samples: VoiceSamples, voices: Path, codec: Path
) -> None:
    shutil.copy(voices / "nova.wav", voices / "nova.mp3")
    with pytest.raises(VoiceError, match=r"nova\.mp3 and nova\.wav are one voice's"):
        samples.of("nova")
    with pytest.raises(VoiceError, match="nowhere is no folder"):
        VoiceSamples(voices / "nowhere", codec=codec, cache=voices)


def test_a_voice_sample_is_encoded_once_whatever_its_name_and_whoever_asks(
    samples: VoiceSamples, voices: Path, loads: list[Path]
) -> None:
    shutil.copy(voices / "nova.wav", voices / "twin.wav")
    (voices / "twin.txt").write_text("Other words.")
    found = []
    threads = [threading.Thread(target=lambda: found.append(samples.of("nova"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    twin = samples.of("twin")
    assert len(loads) == 1
    assert twin is not None
    assert twin.transcript == "Other words."
    for sample in found:
        np.testing.assert_array_equal(sample.codes, twin.codes)


def test_another_process_finds_the_codes_on_disk(
    samples: VoiceSamples, voices: Path, codec: Path, tmp_path: Path, loads: list[Path]
) -> None:
    first = samples.of("nova")
    again = VoiceSamples(voices, codec=codec, cache=tmp_path / "codes").of("nova")
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first.codes, again.codes)
    assert len(loads) == 1
    (file,) = (tmp_path / "codes").rglob("*.*")
    file.write_bytes(file.read_bytes()[:-100])  # half written by a machine that went down
    repaired = VoiceSamples(voices, codec=codec, cache=tmp_path / "codes").of("nova")
    assert repaired is not None
    np.testing.assert_array_equal(first.codes, repaired.codes)
    assert len(loads) == 2


def test_another_codec_and_another_recording_are_encoded_anew(
    samples: VoiceSamples, voices: Path, codec: Path, tmp_path: Path, loads: list[Path]
) -> None:
    first = samples.of("nova")
    other = tmp_path / "other"
    make_codec(other, bandwidths=(0.25, 0.5))
    fewer = VoiceSamples(voices, codec=other, cache=tmp_path / "codes").of("nova")
    assert fewer is not None
    assert fewer.codes.shape == (30, 4)
    (voices / "nova.wav").write_bytes(make_file(make_speech(1.2, seed=5)))
    changed = samples.of("nova")
    assert first is not None
    assert changed is not None
    assert (first.codes != changed.codes).any()
    assert len(loads) == 3


def make_builder(folder: Path, config: HiggsConfig) -> PromptBuilder:
    words = Tokenizer(models.WordLevel({"?": 0, "Good": 1, "morning": 2, "Hello": 3}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    names = ["begin_of_text", "start_header_id", "end_header_id", "eot_id", "scene_desc_start", "scene_desc_end"]
    words.add_special_tokens([f"<|{name}|>" for name in [*names, "audio_eos"]])
    words.save(str(folder / "tokenizer.json"))
    return PromptBuilder(folder / "tokenizer.json", config)


def test_a_prompt_with_a_voice_sample_gives_transformers_logits(samples: VoiceSamples, tmp_path: Path) -> None:
    oracle = make_language_model(tmp_path)
    model = load_checkpoint(tmp_path).model
    builder = make_builder(tmp_path, model.config)
    sample = samples.of("nova")
    assert sample is not None
    prompt = builder.build("Hello", turns=[sample.turn])

    column = torch.ones(8, 1, dtype=torch.int64)
    frames = torch.cat([32 * column, sample.turn.frames.T, 33 * column], dim=1)
    marks = SimpleNamespace(audio_stream_bos_id=32, audio_stream_eos_id=33)
    rows = HiggsAudioV2Processor.build_delay_pattern(marks, frames[None])[0].T  # type: ignore[arg-type]
    assert int(((prompt.tokens == AUDIO_OUT) | (prompt.tokens == DELAY)).sum()) == len(rows)
    answer = oracle.generate(
        input_ids=prompt.tokens[None], audio_input_ids=rows[None],
        audio_input_ids_mask=torch.ones(1, len(rows), dtype=torch.bool),
        max_new_tokens=1, do_sample=False, return_dict_in_generate=True, output_logits=True,
    )  # fmt: skip

    def logits(prompt: Prompt) -> torch.Tensor:
        return model.prefill([prompt], [0], model.new_cache(slots=1, length=len(prompt.tokens)))[0]

    torch.testing.assert_close(logits(prompt), answer.logits[0].view(8, -1), atol=1e-4, rtol=1e-4)
    assert (logits(prompt) - logits(builder.build("Hello"))).abs().max() > 0.1


def test_a_recording_without_its_words_stands_in_the_scene(tmp_path: Path, samples: VoiceSamples) -> None:
    make_language_model(tmp_path)
    model = load_checkpoint(tmp_path).model
    sample = samples.of("nova")
    assert sample is not None
    builder = make_builder(tmp_path, model.config)
    frames = sample.turn.frames
    prompt = builder.opening(speakers=["A man", builder.recording(frames)])
    plain = builder.opening(speakers=["A man", "A woman"])
    answered = builder.answer(frames)
    recorded = answered.tokens[:-1]  # without the end of a turn, which a scene does not have in its middle
    [start] = [
        place
        for place in range(len(prompt.tokens))
        if torch.equal(prompt.tokens[place:][: len(recorded)], recorded)
    ]
    assert prompt.tokens[start - 1] == model.config.audio_out_bos_id
    assert torch.equal(prompt.codes, answered.codes)
    before = [*prompt.tokens[: start - 1]]
    assert [*plain.tokens[: len(before)]] == before, "as a described speaker, up to the description"
    after = [*prompt.tokens[start + len(recorded) :]]
    assert [*plain.tokens[-len(after) :]] == after
