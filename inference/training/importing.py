"""Begins a training with a checkpoint that is there, such as the repository's: what `export` does, backwards."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file

from inference.training.run import Run

_ACOUSTIC = "acoustic."
"""The teacher's part of the codec, which is not trained."""


def read(run: Run, checkpoint: Path) -> None:
    """Write the codec and the student of `checkpoint` as `codec` and `distill` would have left them.

    What is left of the training that made it is its weights, so `distill` begins at its first step. The codec is
    done: codes of another would mean nothing to this student.

    Raises:
        SystemExit: the folder has had a training already.
        FileNotFoundError: `checkpoint` is none.
    """
    stages = {stage: Run(run.folder, stage) for stage in ("codec", "distill")}
    for stage in stages.values():
        if stage.checkpoint.exists():
            raise SystemExit(f"{stage.checkpoint} is there already: import into a folder of its own")
    codec = load_file(checkpoint / "codec" / "model.safetensors")
    trained = {name: value.float() for name, value in codec.items() if not name.startswith(_ACOUSTIC)}
    stages["codec"].save({"model": trained})
    student = load_file(checkpoint / "model.safetensors")
    stages["distill"].save({"model": {name: value.float() for name, value in student.items()}})
    run.log(student_weights=sum(value.numel() for value in student.values()))
