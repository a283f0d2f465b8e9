from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper  # noqa: E402

from inference.higgs.config import load_config  # noqa: E402
from inference.higgs.cpu_sampler import draw_rows  # noqa: E402
from inference.higgs.sampler import SamplerState, sample, sample_by_tensors  # noqa: E402
from tests.higgs.oracle import make_language_model  # noqa: E402


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, 34, 1.0), (0.7, 10, 1.0), (1.3, 34, 0.8), (0.8, 12, 0.9)]
)
def test_distribution_equals_transformers(tmp_path: Path, temperature: float, top_k: int, top_p: float) -> None:
    make_language_model(tmp_path)
    config = load_config(tmp_path)
    logits = torch.randn(8, 34) * 2
    expected = TemperatureLogitsWarper(temperature)(None, logits)
    expected = TopKLogitsWarper(top_k)(None, expected)
    if top_p < 1:
        expected = TopPLogitsWarper(top_p)(None, expected)
    expected = expected.softmax(dim=-1)
    count = 4000
    state = SamplerState(config, slots=count, device="cpu")
    started = torch.zeros(20, 8, dtype=torch.int64)
    for slot in range(count):
        options = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        state.admit(slot, **options, seed=slot, ras_repeats=0, rows=started)
    drawn = sample(logits.expand(count, 8, 34), state, torch.arange(count))
    seen = torch.nn.functional.one_hot(drawn, 34).float().mean(dim=0)
    assert not seen[expected == 0].any()
    assert (seen - expected).abs().max() < 0.035  # > 4 standard deviations of 4,000 draws


def test_ras_draws_anew_what_repeats(tmp_path: Path) -> None:
    make_language_model(tmp_path)
    state = SamplerState(load_config(tmp_path), slots=2, device="cpu")
    rows = torch.arange(20)[:, None].expand(20, 8) % 32
    rows = rows.clone()
    rows[-3:-1] = 5
    state.admit(0, temperature=1.0, top_k=1, rows=rows, ras_repeats=2)
    state.admit(1, temperature=1.0, top_k=1, rows=rows, ras_repeats=0)
    logits = torch.zeros(2, 8, 34)
    logits[..., 5] = 0.1
    drawn = sample(logits, state, torch.tensor([0, 1]))
    assert (drawn[1] == 5).all()
    assert (drawn[0] != 5).any()


def test_the_cpus_kernel_draws_what_the_tensors_draw(tmp_path: Path) -> None:
    """Sentences from their first row to their end, of every kind of request, one of which repeats known rows."""
    make_language_model(tmp_path)
    config = load_config(tmp_path)
    states = [SamplerState(config, slots=12, device="cpu", ras_window=4, repeats=60) for _ in range(2)]
    for state in states:
        for slot in range(12):
            state.admit(
                slot,
                temperature=[0.0, 0.5, 1.5][slot % 3],
                top_p=[0.8, 1.0][slot % 2],
                top_k=[10, 0, 5, 0][slot % 4],
                ras_repeats=[0, 2][slot // 6],
                seed=slot * 7919 - 3,
                rows=torch.full((1, 8), config.bos_code),
            )
        state.repeat(4, torch.arange(24).view(3, 8))
    slots = torch.tensor([3, 0, 11, 7, 4, 5, 9, 1])
    generator = torch.Generator().manual_seed(0)
    for row in range(60):
        logits = torch.randn(8, 8, 34, generator=generator) * 2
        logits[..., config.eos_code] += -9 if row < 40 else 3
        drawn = [
            draw(logits, state, slots) for draw, state in zip((sample, sample_by_tensors), states, strict=True)
        ]
        assert torch.equal(*drawn)
        for name in ("row", "eos_age", "done", "history"):
            assert torch.equal(*(getattr(state, name) for state in states)), (row, name)
    assert states[0].done[slots].all()


def test_the_kernel_is_compiled_once_for_every_request(tmp_path: Path) -> None:
    """Otherwise the first of another kind would hold up all others for seconds."""
    make_language_model(tmp_path)
    state = SamplerState(load_config(tmp_path), slots=2, device="cpu")
    for rows, candidates in ((1, 10), (2, 10), (2, 0)):
        sample(torch.randn(rows, 8, 34), state, torch.arange(rows), candidates=candidates)
    assert len(draw_rows.signatures) == 1
