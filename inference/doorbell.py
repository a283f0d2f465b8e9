"""The Celery message that tells workers of work. It is a doorbell: it names no job, and may be lost or doubled.

Whoever hears it claims the job whose turn it is, so that the order of the messages is not the order of the jobs.
The message is sent by the task's name: the web side enqueues with nothing of audio installed.
"""

from __future__ import annotations

from uuid import UUID

from celery import current_app

QUEUE = "synthesis"
SYNTHESIZE = "inference.tasks.synthesize"
ENCODE_VOICE = "inference.tasks.encode_voice"


def ring() -> None:
    """Tell the workers that one more committed job waits."""
    current_app.send_task(SYNTHESIZE, queue=QUEUE, retry=False)


def ask_to_encode(voice_id: UUID) -> None:
    """Have a worker encode a new voice. If the message is lost, the first job that names the voice does it."""
    current_app.send_task(ENCODE_VOICE, (str(voice_id),), queue=QUEUE, retry=False)
