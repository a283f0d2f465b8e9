"""A checkpoint folder's safetensors as one table of named tensors; every name must be taken or dropped.

Nothing is ever unpickled. Every complaint names the keys and the shapes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from inference.higgs.config import ConfigError, read_json


class CheckpointError(ValueError):
    """The checkpoint is wrong, truncated or incomplete; the message says which keys and shapes."""


class TensorTable:
    """The tensors of `folder`: `model.safetensors`, or the shards that `model.safetensors.index.json` names."""

    def __init__(self, folder: Path, *, device: torch.device | str, dtype: torch.dtype) -> None:
        self.folder, self.device, self.dtype = folder, device, dtype
        self.files = _files(folder)
        self._where: dict[str, Any] = {}
        for path in self.files:
            try:
                handle = safe_open(path, framework="pt", device="cpu")
                names: list[str] = list(handle.keys())  # type: ignore[no-untyped-call]
            except (OSError, SafetensorError) as error:
                raise CheckpointError(f"{path.name} is not a whole safetensors file: {error}") from error
            self._where |= dict.fromkeys(names, handle)
        if not self._where:
            raise CheckpointError(f"checkpoint {folder.name} holds no tensors")
        self._left = set(self._where)
        self._missing: list[str] = []

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._where)

    def __contains__(self, name: str) -> bool:
        return name in self._where

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._where[name].get_slice(name).get_shape())

    def take(self, name: str, shape: Sequence[int]) -> torch.Tensor:
        """Load one tensor onto the device; a missing one is noted for `close` and stands in as zeros.

        Raises CheckpointError where its shape is not `shape`.
        """
        if name not in self._where:
            self._missing.append(f"{name} {tuple(shape)}")
            return torch.zeros(tuple(shape), device=self.device, dtype=self.dtype)
        if self.shape(name) != tuple(shape):
            raise CheckpointError(f"{name} has shape {self.shape(name)}, config.json asks for {tuple(shape)}")
        self._left.discard(name)
        tensor: torch.Tensor = self._where[name].get_tensor(name)
        return tensor.to(self.device, self.dtype)

    def drop(self, *patterns: str) -> None:
        """Leave out, unread, every tensor whose whole name matches one of the regular expressions."""
        self._left = {name for name in self._left if not any(re.fullmatch(p, name) for p in patterns)}

    def close(self) -> None:
        """Raise CheckpointError unless every tensor was there and every tensor was taken or dropped."""
        problems = []
        if self._missing:
            problems.append(f"lacks {len(self._missing)} tensors: {_some(self._missing)}")
        if self._left:
            unknown = [f"{name} {self.shape(name)}" for name in sorted(self._left)]
            problems.append(f"holds {len(unknown)} unknown tensors: {_some(unknown)}")
        if problems:
            raise CheckpointError(f"checkpoint {self.folder.name} " + "; ".join(problems))

    def digest(self) -> str:
        """SHA-256 of config.json and of every weight file, hexadecimal; reads the files once."""
        total = hashlib.sha256()
        for path in (self.folder / "config.json", *self.files):
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        return total.hexdigest()


def _some(names: list[str], limit: int = 8) -> str:
    return ", ".join(names[:limit]) + (", …" if len(names) > limit else "")


def _files(folder: Path) -> list[Path]:
    index, single = folder / "model.safetensors.index.json", folder / "model.safetensors"
    if index.exists():
        try:
            shards = sorted(set(read_json(index)["weight_map"].values()))
        except (ConfigError, KeyError, AttributeError) as error:
            raise CheckpointError(f"{index.name} of {folder.name} names no shards: {error}") from error
        if any(Path(shard).name != shard for shard in shards):
            raise CheckpointError(f"{index.name} of {folder.name} names a file outside the checkpoint")
        absent = [shard for shard in shards if not (folder / shard).exists()]
        if absent:
            raise CheckpointError(f"checkpoint {folder.name} lacks the shards {_some(absent)}")
        return [folder / shard for shard in shards]
    if single.exists():
        return [single]
    raise CheckpointError(f"checkpoint {folder.name} has neither {single.name} nor {index.name}")
