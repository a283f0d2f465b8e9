"""The layers that the spectral codec's encoder and decoder are made of. Shapes: B rows, T frames, C channels."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs import cpu_kernels as kernels
from inference.higgs.linear import as_array, linear, pack, pack_linears

ALL = slice(None)


class DepthwiseConv(nn.Module):
    """A convolution over time, each channel by itself, looking both ways; always float32."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, 1, kernel) * kernel**-0.5)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            # As an image of one row: on the CPU several times faster than conv1d.
            rows = x.float().transpose(1, 2).unsqueeze(2)
            half = self.weight.shape[-1] // 2
            y = F.conv2d(rows, self.weight.unsqueeze(2), self.bias, padding=(0, half), groups=x.shape[2])
            return y.squeeze(2).transpose(1, 2)


class ConvNeXt(nn.Module):
    """A ConvNeXt block over time [B, T, C]."""

    def __init__(self, channels: int, *, kernel: int = 7, expansion: int = 3) -> None:
        super().__init__()
        self.sight = kernel // 2
        """Frames ahead and back that an output looks at."""
        self.dw = DepthwiseConv(channels, kernel)
        self.norm = nn.LayerNorm(channels)
        self.pw1 = nn.Linear(channels, expansion * channels)
        self.pw2 = nn.Linear(expansion * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), 0.1))

    def forward(self, x: Tensor, part: slice = ALL) -> Tensor:
        """Args: part: the frames that are wanted."""
        near = self.norm(self.dw(x)[:, part])
        return cast(Tensor, x[:, part] + self.gamma * self.pw2(F.gelu(self.pw1(near))))


def stack(channels: int, count: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(*(ConvNeXt(channels, kernel=kernel) for _ in range(count)))


class CpuConvNeXt(nn.Module):
    """A `ConvNeXt` for inference on the CPU, its matrices packed in a type; what goes in and out is float32."""

    def __init__(self, block: ConvNeXt, dtype: torch.dtype) -> None:
        super().__init__()
        taps, bias, scale, shift = (
            each.detach().numpy().copy()
            for each in (block.dw.weight[:, 0].T, block.dw.bias, block.norm.weight, block.norm.bias)
        )
        self._conv = taps, bias, scale, shift, np.float32(block.norm.eps)
        self.sight = block.sight
        self._gamma = block.gamma.detach().numpy().copy()
        self._layers = [
            (pack(each.weight.detach(), dtype), each.bias.detach().to(dtype)) for each in (block.pw1, block.pw2)
        ]
        self._dtype = dtype

    def forward(self, x: Tensor, part: slice = ALL) -> Tensor:
        x = x.contiguous()
        begin, end, _ = part.indices(x.shape[1])
        out = torch.empty(len(x), end - begin, x.shape[2])
        normed = torch.empty(out.shape, dtype=self._dtype)
        kernels.conv_and_norm(x.numpy(), begin, *self._conv, as_array(normed))
        wide = linear(normed, *self._layers[0])
        kernels.gelu(as_array(wide))
        more = linear(wide, *self._layers[1])
        kernels.add_scaled(x.numpy(), begin, as_array(more), self._gamma, out.numpy())
        return out


def pack_blocks(module: nn.Module, dtype: torch.dtype) -> None:
    """Replace every block and `nn.Linear` within `module` by a packed one. Its weights can no longer be saved."""
    for parent in module.modules():
        for name, child in parent.named_children():
            if isinstance(child, ConvNeXt) and child.gamma.device.type == "cpu":
                setattr(parent, name, CpuConvNeXt(child, dtype))
    pack_linears(module, dtype)
