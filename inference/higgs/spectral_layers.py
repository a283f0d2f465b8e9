"""The layers that the spectral codec's encoder and decoder are made of. Shapes: B rows, T frames, C channels."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)


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
        self.dw = DepthwiseConv(channels, kernel)
        self.norm = nn.LayerNorm(channels)
        self.pw1 = nn.Linear(channels, expansion * channels)
        self.pw2 = nn.Linear(expansion * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, x + self.gamma * self.pw2(F.gelu(self.pw1(self.norm(self.dw(x))))))


def stack(channels: int, count: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(*(ConvNeXt(channels, kernel=kernel) for _ in range(count)))
