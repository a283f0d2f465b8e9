"""A step of training multiplies in the type that the machine is fast in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the teacher is an extra: pip install -e .[training]")
pytest.importorskip("onnx", reason="the teacher is an extra: pip install -e .[training]")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from inference.higgs.phonemes import PhonemePromptBuilder  # noqa: E402
from inference.training import codec, distill, sequences  # noqa: E402
from inference.training.network import Student  # noqa: E402
from inference.training.recipe import TINY  # noqa: E402
from inference.training.student import higgs_config  # noqa: E402

pytestmark = pytest.mark.xdist_group("training")


class Products(TorchDispatchMode):
    """The types of all matrix products within it."""

    def __init__(self) -> None:
        super().__init__()
        self.types: set[Any] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.bmm, torch.ops.aten.addmm):
            self.types.update(each.dtype for each in args if isinstance(each, torch.Tensor))
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("instructions", "wanted"),
    [
        ({"avx2": True}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_a_cpu_is_not_asked_to_emulate_bfloat16(
    trained: Path, monkeypatch: pytest.MonkeyPatch, instructions: dict[str, bool], wanted: Any
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    config = higgs_config(TINY)
    builder = PhonemePromptBuilder(trained / "tokenizer.json", config)
    known = list(sequences.read(trained / "corpus", builder, config))[:4]
    sizes = replace(TINY.student, steps=1)
    (batch,) = distill.Batches(known, config, sizes, seed=0)[0]
    student = Student(config)
    optimizers = distill.Optimizers(student, sizes)
    with Products() as training:
        each, missed = distill.losses(student, batch, sizes)
        (each.mean() + missed).backward()
        optimizers.step(0, 0.0)
    with Products() as encoding:
        codec.load_trained(trained, TINY.codec).encode(torch.zeros(1, 160, 100))
    assert wanted in training.types
    assert wanted in encoding.types
    assert torch.bfloat16 not in training.types | encoding.types or wanted is torch.bfloat16
