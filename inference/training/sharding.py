"""Several processes train one network: its parameters in shards (FSDP2), each with its part of every batch.

`torchrun --nproc-per-node N -m inference.training distill` sets up what is read here. One process is the same code
without any of it. What is saved is the whole state, so that any number of processes goes on from it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor


class Group:
    """The processes that train together; `rank` is this one's number."""

    def __init__(self, device: str) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.device = device
        if self.size > 1:
            if device.startswith("cuda"):
                self.device = f"cuda:{os.environ['LOCAL_RANK']}"
                torch.cuda.set_device(self.device)
            dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def shard(self, network: nn.Module, layers: Iterable[nn.Module]) -> None:
        """Leave each process its part of every parameter: of each layer by itself, and of the rest."""
        if self.size == 1:
            return
        for layer in layers:
            fully_shard(layer)
        fully_shard(network)

    def sum(self, value: Tensor) -> Tensor:
        """Of all processes' values; without gradient."""
        value = value.detach().clone()
        if self.size > 1:
            dist.all_reduce(value)
        return value

    def mean(self, value: float) -> float:
        return float(self.sum(torch.tensor(value, dtype=torch.float64, device=self.device))) / self.size

    def wait(self) -> None:
        """For every process to come here."""
        if self.size > 1:
            dist.barrier()

    def any(self, flag: bool) -> bool:
        """Whether it is so in any process: all must take the same turn, or they wait for each other for ever."""
        return bool(self.sum(torch.tensor(float(flag), device=self.device)))

    def close(self) -> None:
        if self.size > 1:
            dist.destroy_process_group()


def whole(value: Any) -> Any:
    """A state with every shard gathered, on the CPU. All processes must ask for it, in the same order."""
    if isinstance(value, DTensor):
        return value.full_tensor().cpu()
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [whole(each) for each in value]
    return value


def gathered(value: Tensor) -> Tensor:
    """A tensor with all its shards."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def local(values: Sequence[Tensor]) -> list[Tensor]:
    """This process's shards, in place."""
    return [value.to_local() if isinstance(value, DTensor) else value for value in values]


def like(stored: Tensor, target: Tensor) -> Tensor:
    """A whole tensor, sharded as `target` is."""
    if isinstance(target, DTensor):
        return distribute_tensor(stored.to(target.device), target.device_mesh, target.placements)
    return stored.to(target.device)
