"""Each kernel of the CPU's step gives what torch gives, in float32 and in bfloat16, and lets no NaN get lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.nn import functional as F  # noqa: E402, N812

from inference.higgs import cpu_kernels as kernels  # noqa: E402
from inference.higgs.cpu_decode import Follow  # noqa: E402
from inference.higgs.following import Follower  # noqa: E402
from inference.higgs.linear import as_array  # noqa: E402
from inference.higgs.spectral_layers import ConvNeXt, CpuConvNeXt  # noqa: E402

ROWS, HEADS, KV_HEADS, SIZE, LENGTH = 3, 4, 2, 16, 40
SLOTS = torch.tensor([4, 0, 2])
POSITIONS = torch.tensor([0, 6, 37])
TYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


def close(dtype: Any) -> dict[str, float]:
    return {"atol": 1e-5, "rtol": 1e-5} if dtype == torch.float32 else {"atol": 2e-2, "rtol": 1e-2}


def room(*shape: int, dtype: Any) -> Any:
    return torch.full(shape, torch.nan, dtype=dtype)


def nobody() -> Follow:
    return follow(Follower((2, 3), slots=5, device="cpu"), heads=(), mover=-1)


def follow(
    follower: Follower, *, heads: tuple[int, ...], mover: int, noted: int = -1, queries: Any = None
) -> Follow:
    arrays = [each.numpy() for each in (follower.first, follower.last, follower.at)]
    kept = np.zeros((1, 1, SIZE), np.float32) if queries is None else queries.numpy()
    return Follow(np.isin(np.arange(HEADS), heads), mover, *arrays, 2, 3, noted, kept)


def attend(states: Any, held: Any, follow: Follow, *, angles: Any = None) -> Any:
    cos, sin = (torch.ones(LENGTH, SIZE), torch.zeros(LENGTH, SIZE)) if angles is None else angles
    out = room(ROWS, HEADS * SIZE, dtype=states.dtype)
    arrays = (as_array(states), cos.numpy(), sin.numpy(), as_array(held), SLOTS.numpy(), POSITIONS.numpy())
    kernels.attend(*arrays, follow, as_array(out))
    return out.view(ROWS, HEADS, SIZE)


def make(dtype: Any) -> tuple[Any, Any]:
    """A row's states for each slot, and what the slots hold; beyond it is what nobody may read."""
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(ROWS, (HEADS + 2 * KV_HEADS) * SIZE, generator=generator).to(dtype)
    held = torch.randn(5, 2 * KV_HEADS, LENGTH, SIZE, generator=generator).to(dtype)
    for slot, position in zip(SLOTS, POSITIONS, strict=True):
        held[slot, :, position:] = torch.nan
    return states, held


@TYPES
def test_attention_sees_what_the_slot_holds_and_the_row_itself(dtype: Any) -> None:
    states, held = make(dtype)
    attended = attend(states, held, nobody())
    for row, (slot, position) in enumerate(zip(SLOTS, POSITIONS, strict=True)):
        query, kept = states[row].view(-1, SIZE).split([HEADS, 2 * KV_HEADS])
        assert torch.equal(held[slot, :, position], kept)
        keys, values = held[slot, :, : position + 1].float().split(KV_HEADS)
        expected = F.scaled_dot_product_attention(query[:, None].float(), keys, values, enable_gqa=True)[:, 0]
        torch.testing.assert_close(attended[row].float(), expected, **close(dtype))


@TYPES
def test_queries_and_keys_turn_with_their_position_and_values_do_not(dtype: Any) -> None:
    states, held = make(dtype)
    angles = torch.arange(LENGTH)[:, None] * torch.linspace(1, 0.1, SIZE // 2)
    cos, sin = angles.cos().repeat(1, 2), torch.cat((-angles.sin(), angles.sin()), dim=1)
    queries = torch.zeros(5, LENGTH, SIZE)
    noting = follow(Follower((2, 3), slots=5, device="cpu"), heads=(), mover=-1, noted=1, queries=queries)
    attend(states, held, noting, angles=(cos, sin))
    heads = states.view(ROWS, -1, SIZE).float()
    turned = heads * cos[POSITIONS, None] + heads.roll(SIZE // 2, dims=-1) * sin[POSITIONS, None]
    keys, values = held[SLOTS, :, POSITIONS].float().split(KV_HEADS, dim=1)
    torch.testing.assert_close(keys, turned[:, HEADS : HEADS + KV_HEADS], **close(dtype))
    assert torch.equal(values, heads[:, HEADS + KV_HEADS :])
    torch.testing.assert_close(queries[SLOTS, POSITIONS], turned[:, 1])
    assert int(queries.any(dim=-1).sum()) == ROWS


def test_an_alignment_head_sees_and_moves_as_the_follower_does() -> None:
    states, held = make(torch.float32)
    held = torch.randn(held.shape, generator=torch.Generator().manual_seed(1))
    ours, torchs = (Follower((2, 3), slots=5, device="cpu") for _ in range(2))
    for follower in (ours, torchs):
        for slot in SLOTS.tolist():
            follower.begin(slot, slice(1, 30))
        follower.at[SLOTS] = torch.tensor([1, 12, 28])
    attended = attend(states, held, follow(ours, heads=(0, 3), mover=3))
    queries = states.view(ROWS, -1, SIZE)
    for head, moves in ((0, False), (3, True)):
        group = head // 2
        expected = torchs.attend(queries[:, head], held[:, group], held[:, KV_HEADS + group], SLOTS, move=moves)
        torch.testing.assert_close(attended[:, head], expected)
    assert torch.equal(ours.at, torchs.at)
    assert ours.at[SLOTS].tolist() != [1, 12, 28]


@TYPES
def test_swiglu(dtype: Any) -> None:
    gate_up = (torch.randn(5, 74) * 30).to(dtype)
    gate_up[0, :4] = torch.tensor([-1e4, -88.5, 88.5, 1e4])
    out = room(5, 37, dtype=dtype)
    kernels.swiglu(as_array(gate_up), as_array(out))
    gate, up = gate_up.float().chunk(2, dim=1)
    torch.testing.assert_close(out.float(), (F.silu(gate) * up).to(dtype).float(), **close(dtype))


@TYPES
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_sum_and_its_norm(dtype: Any, scale: float) -> None:
    x, more, weight = torch.randn(5, 96) * scale, (torch.randn(5, 96) * scale).to(dtype), torch.rand(96)
    expected = x + more.float()
    out = room(5, 96, dtype=dtype)
    kernels.add_and_norm(x.numpy(), as_array(more), weight.numpy(), np.float32(1e-5), as_array(out))
    torch.testing.assert_close(x, expected)
    torch.testing.assert_close(out.float(), F.rms_norm(expected, (96,), weight, 1e-5), **close(dtype))


@TYPES
def test_what_is_no_number_stays_none(dtype: Any) -> None:
    """By that the engine knows that a model is broken."""
    states, held = make(dtype)
    states[1] = torch.nan
    assert attend(states, held, nobody()).isnan().flatten(1).all(dim=1).tolist() == [False, True, False]
    gate_up, x, out = (
        torch.full((1, 8), torch.nan, dtype=dtype),
        torch.full((1, 4), torch.nan),
        room(1, 4, dtype=dtype),
    )
    for kernel, arguments in (
        (kernels.swiglu, (as_array(gate_up),)),
        (kernels.rms_norm, (x.numpy(), np.ones(4, np.float32), np.float32(1e-5))),
    ):
        out.zero_()
        kernel(*arguments, as_array(out))
        assert out.isnan().all()


@TYPES
@pytest.mark.parametrize("frames", [1, 2, 3, 20])
def test_a_convolutional_block(dtype: Any, frames: int) -> None:
    torch.manual_seed(0)
    block = ConvNeXt(48, kernel=7)
    for each in (block.gamma, block.dw.bias, block.norm.weight, block.norm.bias):
        torch.nn.init.normal_(each)
    x = torch.randn(2, frames, 48) * 3
    with torch.inference_mode():
        expected, ours = block(x), CpuConvNeXt(block, dtype)(x)
        assert ours.dtype == torch.float32
        torch.testing.assert_close(
            ours - x, expected - x, atol=1e-5 if dtype == torch.float32 else 0.05, rtol=0.02
        )
        assert CpuConvNeXt(block, dtype)(x.transpose(0, 1).contiguous().transpose(0, 1)).equal(ours)
        assert not CpuConvNeXt(block, dtype)(x.index_fill(0, torch.tensor([1]), torch.nan))[1].isfinite().any()


def test_gelu_is_torchs() -> None:
    x = torch.linspace(-12, 12, 4801).view(1, 1, -1)
    ours = x.clone()
    kernels.gelu(ours.numpy())
    torch.testing.assert_close(ours, F.gelu(x.double()).float(), atol=1e-6, rtol=0)
