from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from inference.higgs.config import (  # noqa: E402
    ConfigError,
    RasConfig,
    SamplingDefaults,
    load_config,
    load_ras_config,
    load_sampling_defaults,
)
from inference.higgs.delay import delay  # noqa: E402
from inference.higgs.prompt import PromptBuilder, PromptTurn  # noqa: E402
from tests.higgs.oracle import AUDIO_OUT, DELAY, make_language_model, make_tokenizer  # noqa: E402


def test_prompt_is_the_template(tmp_path: Path) -> None:
    make_language_model(tmp_path)
    tokenizer = make_tokenizer(tmp_path)
    config = load_config(tmp_path)
    frames = torch.randint(0, 32, (4, 8))
    prompt = PromptBuilder(tmp_path / "tokenizer.json", config).build(
        "Say <|eot_id|>!", style="Calm.", turns=[PromptTurn("Before.", frames)]
    )
    assert torch.equal(prompt.codes, delay(frames, config))
    assert int(((prompt.tokens == AUDIO_OUT) | (prompt.tokens == DELAY)).sum()) == len(prompt.codes)
    assert int((prompt.tokens == tokenizer.token_to_id("<|eot_id|>")).sum()) == 4  # none of them the customer's
    assert tokenizer.decode(prompt.tokens.tolist(), skip_special_tokens=False) == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nGenerate audio following instruction.\n\n"
        "<|scene_desc_start|>\nAudio is recorded from a quiet room.\nCalm.\n<|scene_desc_end|><|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nBefore.<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n<|audio_out_bos|>"
        + "<|AUDIO_OUT|>" * 6 + "<|delay|>" * 7 + "<|audio_eos|><|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nSay <|eot_id|>!<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n<|audio_out_bos|>"
    )  # fmt: skip


def test_several_speakers_have_lines_and_are_told_apart(tmp_path: Path) -> None:
    make_language_model(tmp_path)
    tokenizer = make_tokenizer(tmp_path)
    builder = PromptBuilder(tmp_path / "tokenizer.json", load_config(tmp_path))

    def scene(**options: Any) -> tuple[str, str]:
        text = tokenizer.decode(builder.opening(**options).tokens.tolist(), skip_special_tokens=False)
        before, _, described = text.partition("<|scene_desc_start|>")
        return before, described.removesuffix("<|scene_desc_end|><|eot_id|>")

    instruction, described = scene(style="Calm.", speakers=["feminine", "masculine"])
    assert "If the user's message includes a [SPEAKER*] tag, do not read out the tag" in instruction
    assert described == (
        "\nAudio is recorded from a quiet room.\nCalm.\n\nSPEAKER0: feminine\nSPEAKER1: masculine\n"
    )
    instruction, described = scene(speakers=["feminine"])
    assert instruction.endswith("Generate audio following instruction.\n\n")
    assert described == "\nAudio is recorded from a quiet room.\n\nSPEAKER0: feminine\n"


@pytest.mark.parametrize(
    ("text", "window", "repeats"),
    [
        (None, 7, 2),
        ("{}", 7, 2),
        ('{"ras_win_len": 5, "ras_win_max_num_repeat": 3}', 5, 3),
        ('{"ras_win_len": null, "ras_win_max_num_repeat": 2}', 7, 0),
    ],
)
def test_ras_is_read_from_the_generation_config(
    tmp_path: Path, text: str | None, window: int, repeats: int
) -> None:
    if text is not None:
        (tmp_path / "generation_config.json").write_text(text)
    assert load_ras_config(tmp_path) == RasConfig(window=window, repeats=repeats)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, SamplingDefaults()),
        ('{"temperature": 0.8, "top_k": 20}', SamplingDefaults(temperature=0.8, top_k=20)),
        ('{"top_p": 0.5}', SamplingDefaults(top_p=0.5)),
    ],
)
def test_sampling_defaults_are_read_from_the_generation_config(
    tmp_path: Path, text: str | None, expected: SamplingDefaults
) -> None:
    if text is not None:
        (tmp_path / "generation_config.json").write_text(text)
    assert load_sampling_defaults(tmp_path) == expected


@pytest.mark.parametrize(
    "text", ['{"temperature": -1}', '{"temperature": "warm"}', '{"top_p": 0}', '{"top_k": 2.5}']
)
def test_sampling_defaults_that_cannot_be_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "generation_config.json").write_text(text)
    with pytest.raises(ConfigError, match=r"generation_config\.json: (temperature|top_p|top_k)="):
        load_sampling_defaults(tmp_path)


def test_ras_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "generation_config.json").write_text('{"ras_win_len": "seven"}')
    with pytest.raises(ConfigError, match="ras_win_len='seven'"):
        load_ras_config(tmp_path)
