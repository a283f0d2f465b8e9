"""Matrix products by weights that never change: on the CPU, laid out once as oneDNN likes them best.

That layout is about three times as fast as a plain product in float32, and it is what makes bfloat16 fast, too.
torch uses it in compiled models only; the operators have no public name, which the pinned torch makes safe.

A step of a small network asks for less than a call of oneDNN costs. Where the processor multiplies no bfloat16, a
kernel of ours reads the weights rounded to bfloat16, in half the bytes: see `Matrix`.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs import cpu_kernels

_ROWS = 32
"""Rows of x that the layout is chosen for; others work as well."""

Precision = Literal["auto", "float32", "bfloat16"]


def matrix_dtype(wanted: Precision, device: torch.device) -> torch.dtype:
    """What matrices are held in. "auto" is bfloat16 wherever the device multiplies it faster than float32.

    A GPU does. A CPU does if it has instructions for it, which oneDNN uses: AMX, or AVX-512's BF16 extension.
    With the latter, bfloat16 was faster for networks of 8, 30 and 300 million weights at batch 1, 8 and 32, as
    half the bytes are read. Without them the products are emulated, and float32 is faster.
    """
    if wanted != "auto":
        return torch.float32 if wanted == "float32" else torch.bfloat16
    return torch.bfloat16 if device.type == "cuda" or _multiplies_bfloat16() else torch.float32


def _multiplies_bfloat16() -> bool:
    features = torch.cpu.get_capabilities()
    return _has_onednn() and any(features.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def _has_onednn() -> bool:
    return bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def pack(weight: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """A weight [O, I] for `linear`, in `dtype`; it becomes opaque where oneDNN can multiply it."""
    weight = weight.to(dtype or weight.dtype)
    if weight.device.type != "cpu" or not _has_onednn():
        return weight
    if weight.dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return weight
    return cast(Tensor, torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS))


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x [..., I] times the transpose of a packed weight [O, I], plus bias [O], in the weight's type."""
    x = x.to(weight.dtype)
    if weight.is_mkldnn:
        return cast(Tensor, torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], ""))
    return F.linear(x, weight, bias)


def as_array(x: Tensor) -> NDArray[Any]:
    """The same memory as the CPU's kernels take it: of bfloat16 the bits, as uint16."""
    return x.view(torch.uint16).numpy() if x.dtype == torch.bfloat16 else x.numpy()


def as_tensor(x: NDArray[Any]) -> Tensor:
    """The other way round."""
    tensor = torch.from_numpy(x)
    return tensor.view(torch.bfloat16) if tensor.dtype == torch.uint16 else tensor


class Matrix:
    """A weight [O, I] of the language model, in `dtype`.

    Args: paired: round it to bfloat16, and let a step read it in the pairs that `cpu_kernels.multiply` takes and
        multiplies in float32. `dtype` is float32 then, and the device the CPU. An odd I cannot be paired.
    """

    def __init__(self, weight: Tensor, dtype: torch.dtype | None = None, *, paired: bool = False) -> None:
        self._pairs: NDArray[np.uint32] | None = None
        if paired and weight.shape[1] % 2 == 0:
            halves = weight.to(torch.bfloat16).contiguous()
            self._pairs, weight = halves.view(torch.uint16).numpy().view(np.uint32), halves.to(weight.dtype)
        self._packed = pack(weight, dtype)

    @property
    def dtype(self) -> torch.dtype:
        return self._packed.dtype

    def __call__(self, x: Tensor) -> Tensor:
        """x [..., I] times the transpose, in the weight's type."""
        return linear(x, self._packed)

    def of_step(self, x: Tensor) -> NDArray[Any]:
        """The same of a step's rows [B, I], in the weight's type, for the CPU's kernels; see `as_array`."""
        if self._pairs is None:
            return as_array(linear(x, self._packed))
        out = np.empty((len(x), len(self._pairs)), np.float32)
        cpu_kernels.multiply(x.numpy(), self._pairs, out)
        return out


class PackedLinear(nn.Module):
    """`nn.Linear` with a packed weight, for inference only: it has no parameters, and its output is float32."""

    def __init__(self, source: nn.Linear, dtype: torch.dtype) -> None:
        super().__init__()
        self._weight = pack(source.weight.detach(), dtype)
        self._bias = source.bias.detach().to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self._weight, self._bias).float()


def pack_linears(module: nn.Module, dtype: torch.dtype) -> None:
    """Replace every `nn.Linear` within `module` by a packed one. Its weights can no longer be saved."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, PackedLinear(child, dtype))
        else:
            pack_linears(child, dtype)
