"""The stages as a user runs them, at their smallest size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from inference.training.run import Run

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
}


def command(folder: Path, stage: str, *options: str) -> list[str]:
    module = [sys.executable, "-m", "inference.training", stage, "--recipe", "tiny", "--threads", "1"]
    return [*module, "--folder", str(folder), *options]


def run(folder: Path, stage: str, *options: str) -> None:
    subprocess.run(command(folder, stage, *options), check=True, cwd=ROOT, env=ENVIRONMENT, timeout=110)


class Interrupted(Run):
    """Is over after so many steps."""

    def __init__(self, folder: Path, stage: str, steps: int) -> None:
        super().__init__(folder, stage)
        self._left = steps

    @property
    def over(self) -> bool:
        self._left -= 1
        return self._left < 0
