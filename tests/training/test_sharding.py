"""Two processes train one network as one would: FSDP2 over gloo, each with a half of every batch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("hibari", reason="the teacher is an extra: pip install -e .[training]")
pytest.importorskip("onnx", reason="the teacher is an extra: pip install -e .[training]")

from inference.training.run import Run  # noqa: E402
from tests.training.commands import ENVIRONMENT, ROOT, command, run  # noqa: E402

pytestmark = pytest.mark.xdist_group("training")


LAUNCHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def torchrun(folder: Path, *options: str) -> None:
    arguments = command(folder, "distill", *options)
    subprocess.run([*LAUNCHER, *arguments[1:]], check=True, cwd=ROOT, env=ENVIRONMENT, timeout=110)


def kill_one_of_two(folder: Path) -> None:
    """Train on two processes and kill one of them once a checkpoint is there; the other must not hang."""
    arguments = command(folder, "distill", "--checkpoint-seconds", "0")
    launcher = psutil.Popen([*LAUNCHER, *arguments[1:]], cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 110
    while not (folder / "distill.pt").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    workers = [child for child in launcher.children() if "inference.training" in child.cmdline()]
    assert len(workers) == 2
    workers[1].kill()
    assert launcher.wait(60) != 0
    assert not [worker for worker in workers if worker.is_running()]


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


def test_a_training_whose_process_was_killed_goes_on_on_two_processes_or_on_one(
    trained: Path, tmp_path: Path
) -> None:
    """It ends as one that was never interrupted: weights, optimizers and the order of the data go on."""
    two, one = tmp_path / "two", tmp_path / "one"
    two.mkdir()
    for name in ("corpus", "codec.pt"):
        (two / name).symlink_to(trained / name)
    kill_one_of_two(two)
    state, expected = Run(two, "distill").load(), Run(trained, "distill").load()
    assert state is not None
    assert expected is not None
    assert 0 < state["step"] < expected["step"]
    shutil.copytree(two, one, symlinks=True)
    torchrun(two)
    run(one, "distill")
    for folder in (two, one):
        state = Run(folder, "distill").load()
        assert state is not None
        assert state["step"] == expected["step"]
        for name, value in expected["model"].items():
            error = (state["model"][name] - value).norm() / value.norm().clamp_min(1e-3)
            assert error < 0.05, (folder.name, name)
