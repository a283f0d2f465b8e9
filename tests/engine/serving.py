"""The session's service with a checkpoint's worker in the place of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from inference import assets
from inference.models import AudioAsset
from tests.live import Service, wait_for


def environment_of(checkpoint: Path, **more: str) -> dict[str, str]:
    """What makes a worker speak with the checkpoint."""
    return {
        "ENGINE": "",
        "HIGGS_CHECKPOINT": str(checkpoint),
        "HIGGS_DEVICE": "cpu",
        "HIGGS_THREADS": "1",
        "HIGGS_DTYPE": "float32",  # the same samples on any processor
        "HIGGS_PACE_SECONDS": "1",
        "OMP_NUM_THREADS": "1",
        **more,
    }


@contextmanager
def spoken_by(service: Service, environment: dict[str, str]) -> Iterator[Service]:
    service.kill_worker()
    service.start_worker(**environment)
    _wait_for_model(service, f"{Path(environment['HIGGS_CHECKPOINT']).name}@")
    try:
        yield service
    finally:
        service.kill_worker()
        service.start_worker()
        _wait_for_model(service, "hibari")


def _wait_for_model(service: Service, name: str) -> None:
    def speaks() -> bool:
        workers = httpx.get(f"{service.url}/readyz").json().get("workers", [])
        return len(workers) == 1 and workers[0]["model"].startswith(name)

    wait_for(speaks, what=f"{name} is all that speaks")


def kept_codes(audio_id: str) -> np.ndarray[Any, Any]:
    """What the model generated, as it is kept beside the audio."""
    asset = AudioAsset.objects.get(job_id=audio_id.removeprefix("audio_"))
    assert asset.codes_path, f"{asset.job.engine_model} has left no codes"
    with assets.local(asset.codes_path) as path:
        kept: np.ndarray[Any, Any] = np.load(path)
    return kept
