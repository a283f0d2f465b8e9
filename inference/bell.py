"""How a worker hears the doorbell: it takes Celery's message from the list that the queue is.

Celery's consumer makes much of a message that says nothing but that work waits: 0.5 to 0.7 ms of the processor. It
stays in charge of everything else: the process, the other queues, remote control.
"""

from __future__ import annotations

import time

import redis

from inference import doorbell
from inference.kept_connection import KeptConnections

LISTEN_SECONDS = 1.0
"""How long a worker waits for a message before it looks for jobs all the same: the message may be lost."""
ANSWER_SECONDS = 5.0
"""How much longer Redis may take to say that there is none."""


class Bell:
    """One listener's connection."""

    def __init__(self, url: str) -> None:
        client = redis.Redis.from_url(url, socket_timeout=LISTEN_SECONDS + ANSWER_SECONDS)
        self._connection = KeptConnections(client)

    def wait(self) -> bool:
        """Whether it rings now, or within a second. Where Redis is away it does not."""
        try:
            (message,) = self._connection.ask(("BRPOP", doorbell.QUEUE, LISTEN_SECONDS))
        except redis.RedisError:
            time.sleep(LISTEN_SECONDS)
            return False
        return message is not None
