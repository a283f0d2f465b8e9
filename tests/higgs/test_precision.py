"""Matrices are in bfloat16 where the processor multiplies it faster, else in float32 or in pairs, or as asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from inference.engines.higgs.engine import HiggsEngine, Options  # noqa: E402
from inference.higgs import cpu_kernels  # noqa: E402
from inference.higgs.checkpoint import load_checkpoint  # noqa: E402
from inference.higgs.linear import Matrix, linear, matrix_dtype, pack  # noqa: E402
from inference.higgs.model import Prompt  # noqa: E402
from inference.higgs.norm import rms_norm  # noqa: E402
from tests.engine.checkpoints import make_checkpoint  # noqa: E402
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


@pytest.mark.parametrize("rows", [1, 3, 4, 9])
def test_products_of_pairs(rows: int) -> None:
    """In float32, by the weight's bfloat16; and a row's sums are the same whoever is beside it."""
    x, weight = torch.randn(rows, 96), torch.randn(50, 96)
    matrix = Matrix(weight, torch.float32, paired=True)
    rounded = weight.to(torch.bfloat16).float()
    product = torch.from_numpy(matrix.of_step(x))
    torch.testing.assert_close(product, x @ rounded.T, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(matrix(x), x @ rounded.T, atol=1e-4, rtol=1e-5)
    for row in range(rows):
        assert torch.equal(torch.from_numpy(matrix.of_step(x[row : row + 1])), product[row : row + 1])


def test_a_weight_of_an_odd_length_has_no_pairs() -> None:
    x, weight = torch.randn(3, 95), torch.randn(50, 95)
    matrix = Matrix(weight, torch.float32, paired=True)
    torch.testing.assert_close(torch.from_numpy(matrix.of_step(x)), x @ weight.T, atol=1e-4, rtol=1e-5)


def test_no_number_is_lost_in_a_product_of_pairs() -> None:
    x = torch.randn(2, 8)
    x[1, 3] = torch.nan
    product = Matrix(torch.randn(4, 8), torch.float32, paired=True).of_step(x)
    assert np.isfinite(product[0]).all()
    assert np.isnan(product[1]).all()


@pytest.mark.parametrize(("features", "paired"), [({"avx2": True}, True), ({"avx512_bf16": True}, False)])
def test_steps_read_pairs_where_the_processor_multiplies_no_bfloat16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, features: dict[str, bool], paired: bool
) -> None:
    make_checkpoint(tmp_path)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    multiplied = []
    multiply = cpu_kernels.multiply
    monkeypatch.setattr(cpu_kernels, "multiply", lambda *args: multiplied.append(multiply(*args)))
    HiggsEngine(tmp_path, Options(slots=1, context=256)).close()
    assert bool(multiplied) == paired


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_norm_is_torchs(scale: float) -> None:
    x, weight = torch.randn(7, 96) * scale + scale, torch.rand(96)
    torch.testing.assert_close(rms_norm(x, weight, 1e-5), torch.nn.functional.rms_norm(x, (96,), weight, 1e-5))
