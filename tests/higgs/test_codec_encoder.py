from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402

from inference.higgs.codec_encoder import load_codec_encoder  # noqa: E402
from inference.higgs.config import ConfigError  # noqa: E402
from inference.higgs.resample import resample  # noqa: E402
from inference.higgs.tensors import CheckpointError  # noqa: E402
from tests.higgs.codec_oracle import make_codec, resample_by_the_formula  # noqa: E402


def make_audio(samples: int, rows: int = 1) -> torch.Tensor:
    """Noise with loud and soft parts."""
    generator = torch.Generator().manual_seed(samples)
    loudness = torch.linspace(0, 20, samples).sin().abs()
    return torch.randn(rows, samples, generator=generator) * loudness * 0.3


def quantizer_input(oracle: Any, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What transformers gives its quantiser [B, T, hidden], and the codes that it makes of it."""
    seen = []
    hook = oracle.fc.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with torch.no_grad():
        codes = oracle.encode(audio[:, None]).audio_codes
    hook.remove()
    return seen[0], codes


@pytest.mark.parametrize(("rows", "samples"), [(2, 24000), (1, 960), (1, 9600), (1, 48333), (1, 30001)])
def test_encode_equals_transformers(tmp_path: Path, rows: int, samples: int) -> None:
    oracle = make_codec(tmp_path)
    audio = make_audio(samples, rows)
    vectors, codes = quantizer_input(oracle, audio)
    encoder = load_codec_encoder(tmp_path)
    torch.testing.assert_close(encoder.embed(audio), vectors, atol=1e-4, rtol=1e-4)
    ours = encoder.encode(audio)
    assert torch.equal(ours, codes)
    assert len(ours.unique()) > 8 or samples == 960
    if samples % 960 == 0:
        assert ours.shape == (rows, 8, samples // 960)


@pytest.mark.parametrize(("bandwidths", "books"), [((0.25, 0.5), 4), ((0.5, 1, 1.5), 12)])
def test_bandwidths_set_the_number_of_codebooks(tmp_path: Path, bandwidths: tuple[float, ...], books: int) -> None:
    oracle = make_codec(tmp_path, bandwidths=bandwidths)
    audio = make_audio(19200)
    ours = load_codec_encoder(tmp_path).encode(audio)
    assert ours.shape == (1, books, 20)
    for bandwidth in bandwidths:
        with torch.no_grad():
            theirs = oracle.encode(audio[:, None], bandwidth=bandwidth).audio_codes
        assert torch.equal(ours[:, : theirs.shape[1]], theirs)


def test_what_was_spoken_before_does_not_matter_to_a_row(tmp_path: Path) -> None:
    make_codec(tmp_path)
    encoder = load_codec_encoder(tmp_path)
    audio = make_audio(9600, 3)
    together = encoder.encode(audio)
    assert torch.equal(torch.cat([encoder.encode(row[None]) for row in audio]), together)


def test_audio_shorter_than_a_frame_is_refused(tmp_path: Path) -> None:
    make_codec(tmp_path)
    with pytest.raises(ValueError, match="959 samples are less than a frame of 960"):
        load_codec_encoder(tmp_path).encode(make_audio(959))


def test_a_broken_codec_says_what_is_wrong(tmp_path: Path) -> None:
    make_codec(tmp_path)
    file = tmp_path / "model.safetensors"
    tensors = load_file(file)
    name = "quantizer.quantizers.3.project_in.weight"
    save_file({k: v for k, v in tensors.items() if k != name}, file)
    with pytest.raises(CheckpointError, match=rf"lacks 1 tensors: {name} \(8, 48\)"):
        load_codec_encoder(tmp_path)
    save_file(tensors | {"semantic_model.adapter": torch.ones(2)}, file)
    with pytest.raises(CheckpointError, match=r"unknown tensors: semantic_model.adapter \(2,\)"):
        load_codec_encoder(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["semantic_model_config"]["do_stable_layer_norm"] = True
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="do_stable_layer_norm=True is not supported"):
        load_codec_encoder(tmp_path)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (24000, 16000),
        (44100, 24000),
        (48000, 24000),
        (22050, 24000),
        (16000, 24000),
        (8000, 24000),
        (11025, 24000),
    ],
)
@pytest.mark.parametrize("samples", [1, 777, 12001])
def test_resampling_equals_the_formula(source: int, target: int, samples: int) -> None:
    audio = make_audio(samples, 2)
    expected = resample_by_the_formula(audio, source, target)
    ours = resample(audio, source, target)
    assert ours.shape == expected.shape
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


def test_a_rate_without_a_common_divisor_is_refused() -> None:
    with pytest.raises(ValueError, match="44101 Hz is an unusual rate"):
        resample(torch.zeros(100), 44101, 24000)
