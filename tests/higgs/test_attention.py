"""Every way to attend in decoding gives what a plain softmax over each slot's own keys gives."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import product
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from inference.higgs.attention import plan_attention, plan_window  # noqa: E402

LENGTHS = (1, 63, 64, 65, 200, 300)


def problem(heads: int, kv_heads: int, size: int) -> tuple[Any, ...]:
    """Queries, a cache of which nobody may read what lies beyond his length, slots, positions."""
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(len(LENGTHS), heads, size, generator=generator)
    k, v = torch.randn(2, len(LENGTHS) + 2, kv_heads, 320, size, generator=generator)
    slots = torch.tensor([3, 0, 1, 7, 5, 6])
    return q, k, v, slots, torch.tensor(LENGTHS) - 1


def attend_plainly(q: Any, k: Any, v: Any, slots: Any, positions: Any) -> Any:
    rows = []
    for row, (slot, position) in enumerate(zip(slots.tolist(), positions.tolist(), strict=True)):
        keys, values = (x[slot, :, : position + 1].double() for x in (k, v))  # [K, W, D]
        groups = q[row].double().view(len(keys), -1, q.shape[-1])
        scores = groups @ keys.transpose(1, 2) / q.shape[-1] ** 0.5
        rows.append((scores.softmax(-1) @ values).flatten(0, 1))
    return torch.stack(rows).float()


@pytest.mark.parametrize(("heads", "kv_heads", "size"), [(4, 4, 16), (8, 2, 64)])
@pytest.mark.parametrize("plan", [plan_attention, plan_window])
def test_sdpa(plan: Any, heads: int, kv_heads: int, size: int) -> None:
    q, k, v, slots, positions = problem(heads, kv_heads, size)
    attended = plan(slots, positions, 300)(q, k, v)
    torch.testing.assert_close(attended, attend_plainly(q, k, v, slots, positions), atol=1e-5, rtol=1e-5)


@pytest.mark.skipif(find_spec("triton") is None, reason="Triton comes with torch for CUDA only")
def test_kernel() -> None:
    """Interpreted, and thus without a GPU: in a process of its own, for Triton reads the variable at import."""
    code = f"from {__name__} import check_kernel; check_kernel()"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TRITON_INTERPRET": "1"}, check=True)


def check_kernel() -> None:
    """In float16 for bfloat16, which the interpreter cannot multiply."""
    from inference.higgs.attention_kernel import plan_kernel

    geometries = ((4, 4, 16), (6, 2, 80), (12, 4, 128))
    windows = (64, 320)  # not split, and split
    for geometry, window, dtype in product(geometries, windows, (torch.float32, torch.float16)):
        q, k, v, slots, positions = problem(*geometry)
        for slot, position in zip(slots.tolist(), positions.tolist(), strict=True):
            k[slot, :, position + 1 :] = v[slot, :, position + 1 :] = torch.nan  # must not be read
        q, k, v = (x.to(dtype) for x in (q, k, v))
        attended = plan_kernel(slots, positions, window)(q, k, v).float()
        expected = attend_plainly(q, k, v, slots, positions)
        tolerance = 1e-5 if dtype == torch.float32 else 2e-3
        print(geometry, window, dtype, f"error {(attended - expected).abs().max():.1e}")
        torch.testing.assert_close(attended, expected, atol=tolerance, rtol=tolerance)
