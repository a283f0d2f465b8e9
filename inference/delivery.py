"""What of a job's audio was delivered, which is what a job that does not end well is billed by.

Audio is delivered once it leaves towards a client that takes it as it is made: such a job is `streamed`. Of any
other job nothing has been delivered before its end. Two columns keep count, both in samples:

- `published_samples`: put on the job's stream, over all attempts, as known at the end of the last one. What the
  running attempt has published since is in its worker's row (`Worker.published`), as of the last heartbeat.
  Listeners take everything that is published.
- `relayed_samples`: handed to the connection of the listener who got furthest, written when the last one hangs up;
  null while anybody listens.

A job that ends before its time is therefore billed for `LEAST(published, relayed)`, and one that nobody hung up on
for what was published; never for more than its hold covers. The database refuses a bill for
audio that never left (`job_bills_what_was_delivered`).
"""

from __future__ import annotations

from django.db.models import BigIntegerField, Case, F, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Greatest, Least

from inference.audio import FRAME_MS, SAMPLES_PER_FRAME

SECONDS_PER_AUDIO_SECOND = 2.0
"""A generation may take this much time for each second that its audio may last, and `START_SECONDS` besides."""
START_SECONDS = 30.0
SWEEP_SECONDS = 10.0
"""How much later than its worker the sweep ends a generation: the worker cuts it where it ends well."""


def generation_seconds(max_frames: int) -> float:
    """How long a job may speak after its first audio, before it is cut."""
    return START_SECONDS + SECONDS_PER_AUDIO_SECOND * max_frames * FRAME_MS / 1000


_TOLD = """
COALESCE((
    SELECT (worker.published ->> inference_synthesisjob.id::text)::bigint
    FROM inference_worker worker WHERE worker.id = inference_synthesisjob.worker_id
), 0)
"""


def published(frames: int) -> Greatest:
    """`published_samples` of a job that ends, or goes back, after an attempt had published `frames`.

    Of that number, what the worker told at its last heartbeat, and what earlier attempts published, the greatest
    counts: each attempt goes on from where the one before had come to.
    """
    told = RawSQL(_TOLD, (), output_field=BigIntegerField())  # noqa: S611 - a constant
    return Greatest(F("published_samples"), Value(frames * SAMPLES_PER_FRAME), told)


def delivered(frames: int) -> Case:
    """The samples to bill a job by that ends now without success, when its workers have published `frames`."""
    sent = published(frames)
    held = Coalesce("held_frames", "max_frames") * SAMPLES_PER_FRAME
    heard = Least(sent, Coalesce("relayed_samples", sent), held)
    return Case(When(streamed=True, then=heard), default=Value(0))
