"""The Celery message that tells workers of work. It is a doorbell: it names no job, and may be lost or doubled.

Whoever hears it claims the job whose turn it is, so that the order of the messages is not the order of the jobs.
The message is sent by the task's name: the web side enqueues with nothing of audio installed.
"""

from __future__ import annotations

from celery import current_app

QUEUE = "synthesis"
SYNTHESIZE = "inference.tasks.synthesize"


def ring() -> None:
    """Tell the workers that one more committed job waits."""
    current_app.send_task(SYNTHESIZE, queue=QUEUE, retry=False)
