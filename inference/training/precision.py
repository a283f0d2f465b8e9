"""In which type matrices are multiplied in training: bfloat16 where the device has instructions for it."""

from __future__ import annotations

import torch

from inference.higgs.linear import matrix_dtype


def fast_dtype(device_type: str) -> torch.dtype:
    """The faster of bfloat16 and float32: a CPU without AMX or AVX-512 BF16 only emulates the former."""
    return matrix_dtype("auto", torch.device(device_type))


def autocast(device_type: str) -> torch.autocast:
    """Products within it are taken in `fast_dtype`."""
    return torch.autocast(device_type, torch.bfloat16, enabled=fast_dtype(device_type) is torch.bfloat16)
