"""Root-mean-square norm (Zhang and Sennrich, 2019) in as few operators as the device allows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """x [..., H] over the root of its mean square, times weight [H]. Squares are summed in float32 or better.

    torch has a kernel for it on GPUs. On the CPU it composes eight operators, whose calls cost more than their
    work in a small network. Layer norm has a kernel there, and equals RMS norm where the mean is 0, as it is for
    (x, -x).
    """
    if x.device.type != "cpu":
        return F.rms_norm(x, weight.shape, weight, eps)
    size = x.shape[-1]
    return F.layer_norm(torch.cat((x, -x), dim=-1), (2 * size,), eps=eps)[..., :size] * weight
