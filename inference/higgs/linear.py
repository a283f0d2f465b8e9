"""Matrix products by weights that never change: on the CPU, laid out once as oneDNN likes them best.

That layout is about three times as fast as a plain product in float32. torch uses it in compiled models only;
the operators have no public name, which the pinned torch makes safe.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

_ROWS = 32
"""Rows of x that the layout is chosen for; others work as well."""


def pack(weight: Tensor) -> Tensor:
    """A weight [O, I] for `linear`; the CPU's in float32 becomes opaque, all others stay as they are."""
    has_onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if weight.device.type != "cpu" or weight.dtype != torch.float32 or not has_onednn:
        return weight
    return cast(Tensor, torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS))


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """x [..., I] times the transpose of a packed weight [O, I]."""
    if weight.is_mkldnn:
        return cast(Tensor, torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], ""))
    return F.linear(x, weight)
