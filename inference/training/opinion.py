"""How speech sounds, from 1 to 5, as networks guess that listeners would say.

DistillMOS, and the overall score of DNSMOS. Both come as wheels with their weights. DNSMOS was made for noisy
calls: it hears hiss and clipping, and hardly tells one clean voice from another. Neither replaces listeners.
"""

from __future__ import annotations

import sys
import types
from importlib.resources import files
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_DNSMOS_SAMPLES = 144_160
"""9.01 s at 16 kHz, what its network takes; what is shorter is repeated, as its authors do."""
_OVERALL = np.poly1d([-0.06766283, 1.11546468, 0.04602535])
"""From the network's output to the scale of the listening test, as published with it."""


class DistillMos:
    def __init__(self) -> None:
        _replace_torchaudio()
        import distillmos

        self._network = distillmos.ConvTransformerSQAModel().eval()

    def score(self, heard: Floats) -> float:
        """Args: heard: [samples] at 16 kHz."""
        with torch.inference_mode():
            return float(self._network(torch.from_numpy(heard)[None]).item())


class DnsMos:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        model = files("speechmos") / "dnsmos_models" / "sig_bak_ovr.onnx"
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def score(self, heard: Floats) -> float:
        """Return the overall score. Args: heard: [samples] at 16 kHz, from -1 to 1."""
        repeated = np.resize(heard, max(len(heard), _DNSMOS_SAMPLES)).astype(np.float32)
        starts = range(0, len(repeated) - _DNSMOS_SAMPLES + 1, _DNSMOS_SAMPLES)
        pieces = [repeated[start : start + _DNSMOS_SAMPLES] for start in starts]
        raw = [self._session.run(None, {"input_1": piece[None]})[0][0][2] for piece in pieces]
        return float(np.mean(_OVERALL(np.array(raw))))


def _replace_torchaudio() -> None:
    """DistillMOS imports torchaudio but does not use it, and no build of it loads beside our torch."""
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError):
        stub: Any = types.ModuleType("torchaudio")
        stub.transforms, stub.functional = types.ModuleType("transforms"), types.ModuleType("functional")
        sys.modules |= {
            "torchaudio": stub,
            "torchaudio.transforms": stub.transforms,
            "torchaudio.functional": stub.functional,
        }
