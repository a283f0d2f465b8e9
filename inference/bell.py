"""How a worker takes the doorbell's message: by Celery's execution strategy of the task, in the consumer's thread.

The default strategy makes a request object and has a thread of the pool run the task, which costs more than the
task does. This one wakes the host and acknowledges. The consumer, its queues and prefetch limit, and everything of
remote control stay Celery's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from inference import worker

log = logging.getLogger(__name__)


def strategy(task: Any, app: Any, consumer: Any, **_: Any) -> Callable[..., None]:
    """What Celery's consumer calls for each message of the task."""

    def take(message: Any, body: Any, ack: Callable[..., object], *_: Any, **__: Any) -> None:
        worker.host().answer(partial(ack, log, consumer.connection_errors))

    return take
