"""Two processes train one network as one would: FSDP2 over gloo, each with a half of every batch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the teacher is an extra: pip install -e .[training]")
pytest.importorskip("onnx", reason="the teacher is an extra: pip install -e .[training]")

from inference.training.run import Run  # noqa: E402
from tests.training.commands import ENVIRONMENT, ROOT, command, run  # noqa: E402

pytestmark = pytest.mark.xdist_group("training")


def torchrun(folder: Path, *options: str) -> None:
    arguments = command(folder, "distill", *options)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*launcher, *arguments[1:]], check=True, cwd=ROOT, env=ENVIRONMENT, timeout=110)


def last(folder: Path) -> dict[str, Any]:
    line: dict[str, Any] = json.loads((folder / "distill.jsonl").read_text().splitlines()[-1])
    return line


def test_two_processes_train_as_one_does_and_one_goes_on_from_them(trained: Path, tmp_path: Path) -> None:
    for name in ("corpus", "codec.pt"):
        (tmp_path / name).symlink_to(trained / name)
    torchrun(tmp_path, "--accumulation", "2")
    alone, together = last(trained), last(tmp_path)
    assert together["audio_hours"] == alone["audio_hours"]
    for name in ("loss", "alignment"):
        assert together[name] == pytest.approx(alone[name], rel=5e-3), name
    state, expected = Run(tmp_path, "distill").load(), Run(trained, "distill").load()
    assert state is not None
    assert expected is not None
    assert state["step"] == expected["step"] == 6
    for name, value in expected["model"].items():
        error = (state["model"][name] - value).norm() / value.norm().clamp_min(1e-3)
        assert error < 0.05, name


def test_what_two_have_begun_one_ends(trained: Path, tmp_path: Path) -> None:
    for name in ("corpus", "codec.pt"):
        (tmp_path / name).symlink_to(trained / name)
    torchrun(tmp_path, "--hours", "0")
    run(tmp_path, "distill")
    state, expected = Run(tmp_path, "distill").load(), Run(trained, "distill").load()
    assert state is not None
    assert expected is not None
    for name, value in expected["model"].items():
        torch.testing.assert_close(state["model"][name], value, msg=name, atol=1e-4, rtol=1e-3)
