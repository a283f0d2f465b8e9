"""What a conversation's earlier answers were spoken from: kept beside their audio, given to the engine as context.

The worker's side of `inference.assets`: this needs numpy, which the web side does without.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from uuid import UUID

import numpy as np
from django.conf import settings

from inference import assets
from inference.audio import SAMPLES_PER_FRAME
from inference.engines.protocol import Codes, Turn
from inference.models import AudioAsset


def save_codes(job_id: UUID, attempt: int, codes: Codes | None) -> str:
    """Write an attempt's codes and return their path; "" where there are none."""
    if codes is None:
        return ""
    file = io.BytesIO()
    np.save(file, codes, allow_pickle=False)
    return assets.save(job_id, attempt, "codes", file.getvalue())


def load(organization_id: UUID, job_ids: Sequence[UUID]) -> tuple[Turn, ...]:
    """What these jobs of the organization spoke, in their order; what was purged meanwhile is left out.

    So are turns, from the newest back, that an engine could not look at together: their audio is longer than its
    context, and reading all of it would cost memory for nothing.
    """
    if not job_ids:
        return ()
    kept = AudioAsset.objects.filter(organization_id=organization_id, job_id__in=job_ids, purged_at=None)
    found = {asset.job_id: asset for asset in kept.select_related("job")}
    turns: list[Turn] = []
    room = settings.ENVIRONMENT.higgs_context
    for asset in (found[job_id] for job_id in reversed(job_ids) if job_id in found):
        room -= math.ceil(asset.samples / SAMPLES_PER_FRAME * asset.job.speed)  # as the engine spoke it
        if room < 0:
            break
        turns.append(_turn(asset))
    return tuple(reversed(turns))


def _turn(asset: AudioAsset) -> Turn:
    codes = None
    if asset.codes_path:
        codes = np.load(io.BytesIO(assets.load(asset.codes_path)), allow_pickle=False)
    return Turn(asset.transcript, asset.job.voice, codes)
