"""One stage's run: how long it may take, where it keeps its state, and the log of its curve.

A stage that is stopped, or killed, and started again goes on from its last checkpoint. State is written beside and
renamed, so that a checkpoint is whole or is the one before.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

CHECKPOINT_SECONDS = 180


class Run:
    """Args:
    folder: of the whole training; each stage writes its own files.
    hours: after which it stops, to be gone on with; None for no limit.
    within: hours in which it must be done, counted from this start, as on a machine that is lent: learning rates
        fall with the time that is left, where that runs out before the steps.
    processes: that work beside this one, where a stage can use them; 0 for none.
    device: that networks are trained on.
    checkpoint_seconds: between two checkpoints; 0 for one after each step.
    """

    def __init__(
        self,
        folder: Path,
        stage: str,
        *,
        hours: float | None = None,
        within: float | None = None,
        seed: int = 0,
        processes: int = 0,
        device: str = "cpu",
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self.folder, self.stage, self.seed = folder, stage, seed
        self.processes, self.device = processes, device
        self._checkpoint_seconds = checkpoint_seconds
        folder.mkdir(parents=True, exist_ok=True)
        self._began = self._saved = time.monotonic()
        self._deadline = None if hours is None else self._began + hours * 3600
        self._within = None if within is None else within * 3600
        self._stopped = False

    def obey_signals(self) -> None:
        """End the stage, its checkpoint written, at SIGTERM or Ctrl-C."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, *_: object) -> None:
        self._stopped = True

    @property
    def elapsed(self) -> float:
        """Seconds since this start."""
        return time.monotonic() - self._began

    @property
    def over(self) -> bool:
        late = self._deadline is not None and time.monotonic() >= self._deadline
        return self._stopped or late or (self._within is not None and self.elapsed >= self._within)

    def progress(self, step: int, steps: int) -> float:
        """Share of the stage that is done, at most 1."""
        timed = 0.0 if self._within is None else self.elapsed / self._within
        return min(1.0, max(step / steps, timed))

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.stage}.pt"

    def due(self) -> bool:
        """Whether a checkpoint is to be written now; asking says that it will be."""
        now = time.monotonic()
        if now - self._saved < self._checkpoint_seconds:
            return False
        self._saved = now
        return True

    def save(self, state: dict[str, Any]) -> None:
        import torch

        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.rename(self.checkpoint)

    def load(self) -> dict[str, Any] | None:
        """The last checkpoint's state, or None at the first start."""
        import torch

        if not self.checkpoint.exists():
            return None
        state: dict[str, Any] = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        return state

    def go_on(self, model: nn.Module, optimizer: Optimizer) -> int:
        """Load what `keep` last wrote; returns the steps that were taken, 0 at the first start."""
        import torch

        if (state := self.load()) is None:
            return 0
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state.get("random", torch.get_rng_state()))  # earlier versions did not keep it
        return int(state["step"])

    def keep(self, model: nn.Module, optimizer: Optimizer, step: int) -> None:
        """Write what `go_on` loads: of a stage that trains one network by one optimizer."""
        import torch

        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
        self.save({**state, "random": torch.get_rng_state()})

    def log(self, **values: float) -> None:
        """Add a line to the curve, `STAGE.jsonl`, and show it."""
        entry = {"seconds": round(self.elapsed, 1), **{k: round(v, 5) for k, v in values.items()}}
        with (self.folder / f"{self.stage}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        sys.stdout.write(f"{self.stage} " + " ".join(f"{k}={v:g}" for k, v in entry.items()) + "\n")
        sys.stdout.flush()
