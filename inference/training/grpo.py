"""Group-relative policy optimization (Shao et al., 2024, arXiv 2402.03300, section 4.1).

A group is several answers to one prompt. What an answer is worth is how much better it is than its group; no
network estimates that.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST_SPREAD = 1e-6


def advantages(rewards: Tensor) -> Tensor:
    """How many standard deviations each answer is better than its group; 0 where all are alike.

    Args:
        rewards: [groups, answers].
    """
    spread = rewards.std(1, keepdim=True, correction=0)
    centred = rewards - rewards.mean(1, keepdim=True)
    return torch.where(spread > _LEAST_SPREAD, centred / spread.clamp_min(_LEAST_SPREAD), 0.0)


def loss(
    new: Tensor, old: Tensor, reference: Tensor, advantage: Tensor, weight: Tensor, *, clip: float, kl: float
) -> Tensor:
    """What to minimize; its gradient at `new == old` is the policy gradient.

    Args:
        new, old, reference: log probabilities of the codes that were drawn, all of one shape: of the policy that
            learns, of the one that drew them, and of the one that it must not go far from.
        advantage: of the answer that each code belongs to; broadcast to that shape.
        weight: how much each code counts; they add up to 1, and 0 leaves one out.
        clip: a code that is already so much likelier or unlikelier than when it was drawn teaches no more.
        kl: the weight of the `divergence` from `reference`.
    """
    ratio = (new - old).exp()
    gain = torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)
    return ((kl * divergence(new, reference) - gain) * weight).sum()


def divergence(new: Tensor, reference: Tensor) -> Tensor:
    """KL of the policy from the reference for each code drawn, estimated without bias and never below 0.

    It is k3 of http://joschu.net/blog/kl-approx.html.
    """
    away = reference - new
    return away.exp() - away - 1
