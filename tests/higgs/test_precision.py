"""Matrices are in bfloat16 where the processor multiplies it faster, else in float32, or as is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from inference.higgs.checkpoint import load_checkpoint  # noqa: E402
from inference.higgs.linear import linear, matrix_dtype, pack  # noqa: E402
from inference.higgs.model import Prompt  # noqa: E402
from inference.higgs.norm import rms_norm  # noqa: E402
from tests.higgs.oracle import make_language_model  # noqa: E402


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"avx512_f": True, "avx512_bf16": True}, torch.bfloat16),
        ({"avx512_f": True, "amx_bf16": True}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx2": True}, torch.float32),
    ],
)
def test_auto_follows_the_processor(
    monkeypatch: pytest.MonkeyPatch, features: dict[str, bool], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    cpu = torch.device("cpu")
    assert matrix_dtype("auto", cpu) == expected
    assert matrix_dtype("float32", cpu) == torch.float32
    assert matrix_dtype("bfloat16", cpu) == torch.bfloat16
    assert matrix_dtype("auto", torch.device("cuda")) == torch.bfloat16


@pytest.mark.parametrize("rows", [1, 5, 40])
def test_products_in_bfloat16(rows: int) -> None:
    x, weight = torch.randn(rows, 96), torch.randn(50, 96)
    product = linear(x, pack(weight, torch.bfloat16))
    assert product.dtype == torch.bfloat16
    torch.testing.assert_close(product.float(), x @ weight.T, atol=0.25, rtol=0.02)


def test_logits_are_close_to_those_of_float32(tmp_path: Path) -> None:
    """Through prompt and steps; and not equal, which would show that the matrices are float32 after all."""
    make_language_model(tmp_path)
    answers = []
    for matrices in (torch.float32, torch.bfloat16):
        model = load_checkpoint(tmp_path, matrices=matrices).model
        cache = model.new_cache(slots=2, length=64)
        prompt = Prompt(torch.arange(1, 21), torch.empty(0, 8, dtype=torch.int64))
        logits = [model.prefill([prompt, prompt], [0, 1], cache)]
        for position in range(20, 26):
            codes = torch.full((2, 8), position % 32)
            logits.append(model.decode(codes, torch.arange(2), torch.full((2,), position), cache, 40))
        answers.append(torch.cat(logits))
        assert (model.dtype, cache.kv.dtype) == (torch.float32, matrices)
    exact, close = answers
    error = float((close - exact).norm() / exact.norm())
    assert 1e-4 < error < 0.03


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_norm_is_torchs(scale: float) -> None:
    x, weight = torch.randn(7, 96) * scale + scale, torch.rand(96)
    torch.testing.assert_close(rms_norm(x, weight, 1e-5), torch.nn.functional.rms_norm(x, (96,), weight, 1e-5))
