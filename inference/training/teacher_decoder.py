"""The teacher's acoustic decoder as our network: its int8 weights out of the ONNX graph, as numbers again."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from hibari import Hibari
from onnx import numpy_helper
from torch import Tensor

from inference.higgs.spectral_codec import AcousticDecoder, SpectralConfig


def load_acoustic_decoder(config: SpectralConfig) -> AcousticDecoder:
    """Frozen. Means within a few hundredths of what the teacher computes in int8."""
    graph = onnx.load(str(Hibari().model_path)).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}

    def plain(name: str) -> Tensor:
        return torch.from_numpy(np.array(stored[name], np.float32))

    def matrix(name: str) -> Tensor:
        key = f"/{name}/Transpose_output_0"
        steps = stored[f"{key}_quantized"].astype(np.float32) - stored[f"{key}_zero_point"].astype(np.float32)
        return torch.from_numpy((steps * stored[f"{key}_scale"]).T.copy())

    state = {
        "inp.weight": plain("m.dec_in.weight"),
        "inp.bias": plain("m.dec_in.bias"),
        "norm.weight": plain("m.dec_norm.weight"),
        "norm.bias": plain("m.dec_norm.bias"),
        "head.weight": matrix("head"),
        "head.bias": plain("m.head.bias"),
    }
    for block in range(config.acoustic_blocks):
        for name in ("gamma", "dw.weight", "dw.bias", "norm.weight", "norm.bias", "pw1.bias", "pw2.bias"):
            state[f"blocks.{block}.{name}"] = plain(f"m.dec.{block}.{name}")
        for name in ("pw1", "pw2"):
            state[f"blocks.{block}.{name}.weight"] = matrix(f"dec.{block}/{name}")
    decoder = AcousticDecoder(config)
    decoder.load_state_dict(state)
    return decoder.eval().requires_grad_(False)
