"""Muon: momentum whose matrices are made orthogonal before each step (Jordan et al., 2024)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from inference.training.precision import fast_dtype
from inference.training.sharding import gathered, like, local


class Muon:
    """For the matrices between a network's ends; those of one shape are stepped in one batch."""

    def __init__(self, parameters: Iterable[nn.Parameter], *, rate: float, momentum: float = 0.95) -> None:
        self.rate, self.momentum = rate, momentum
        shapes: dict[tuple[int, ...], list[Tensor]] = {}
        for parameter in parameters:
            shapes.setdefault(tuple(parameter.shape), []).append(parameter)
        self._groups = list(shapes.values())
        self._moving = [[torch.zeros_like(p) for p in group] for group in self._groups]

    @torch.no_grad()
    def step(self) -> None:
        for group, moving in zip(self._groups, self._moving, strict=True):
            gradients = [parameter.grad for parameter in group if parameter.grad is not None]
            if len(gradients) < len(group):
                raise ValueError("Muon was given a parameter that has no gradient")
            torch._foreach_lerp_(local(moving), local(gradients), 1 - self.momentum)
            # A matrix is made orthogonal whole: processes that have a part of it each gather it, and do the same.
            updates = torch.stack([gathered(each) for each in gradients])
            updates = updates.lerp(torch.stack([gathered(each) for each in moving]), self.momentum)
            rows, columns = group[0].shape
            scale = max(1.0, rows / columns) ** 0.5
            torch._foreach_mul_(local(group), 1 - self.rate * 0.01)
            steps = [like(step, of) for step, of in zip(_orthogonal(updates).unbind(), group, strict=True)]
            torch._foreach_add_(local(group), local(steps), alpha=-self.rate * scale)

    def state_dict(self) -> dict[str, Any]:
        return {"moving": self._moving}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for group, stored in zip(self._moving, state["moving"], strict=True):
            for mean, value in zip(group, stored, strict=True):
                mean.copy_(like(value, mean))


def _orthogonal(x: Tensor) -> Tensor:
    """Roughly the nearest matrices [G, R, C] with all singular values 1, by Newton and Schulz's iteration."""
    tall = x.shape[1] > x.shape[2]
    x = x.transpose(1, 2) if tall else x
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(fast_dtype(x.device.type))
    for _ in range(5):
        square = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.transpose(1, 2) if tall else x).float()
