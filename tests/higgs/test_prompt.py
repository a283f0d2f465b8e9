from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from inference.higgs.config import load_config  # noqa: E402
from inference.higgs.delay import delay  # noqa: E402
from inference.higgs.prompt import PromptBuilder, Turn  # noqa: E402
from tests.higgs.oracle import AUDIO_OUT, DELAY, make_language_model, make_tokenizer  # noqa: E402


def test_prompt_is_the_template(tmp_path: Path) -> None:
    make_language_model(tmp_path)
    tokenizer = make_tokenizer(tmp_path)
    config = load_config(tmp_path)
    frames = torch.randint(0, 32, (4, 8))
    prompt = PromptBuilder(tmp_path / "tokenizer.json", config).build(
        "Say <|eot_id|>!", style="Calm.", turns=[Turn("Before.", frames)]
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
