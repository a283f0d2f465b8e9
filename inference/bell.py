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

from kombu.transport import redis as transport
from kombu.transport import virtual

from inference import doorbell, worker

log = logging.getLogger(__name__)


def strategy(task: Any, app: Any, consumer: Any, **_: Any) -> Callable[..., None]:
    """What Celery's consumer calls for each message of the task."""

    def take(message: Any, body: Any, ack: Callable[..., object], *_: Any, **__: Any) -> None:
        worker.host().answer(partial(ack, log, consumer.connection_errors))

    return take


class QoS(transport.QoS):
    """Kombu's account of messages that are not acknowledged, by which it keeps the prefetch limit.

    It has a copy of each in Redis, too, so that another worker gets it where this one is killed: two round trips a
    message. The messages of the voice's queue need none. What they stand for is in the database, and a worker that
    is stopped in order puts those back that it has not acknowledged.
    """

    _delivered: Any
    """The messages that are not acknowledged, by their tags."""

    def append(self, message: Any, delivery_tag: str) -> None:
        if message.delivery_info["routing_key"] == doorbell.QUEUE:
            virtual.QoS.append(self, message, delivery_tag)
        else:
            super().append(message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        if self._of_the_voice(delivery_tag):
            virtual.QoS.ack(self, delivery_tag)
        else:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if self._of_the_voice(delivery_tag):
            if requeue:
                self.restore_by_tag(delivery_tag)
            virtual.QoS.ack(self, delivery_tag)
        else:
            super().reject(delivery_tag, requeue)

    def restore_by_tag(self, tag: str, client: Any = None, leftmost: bool = False) -> None:
        if self._of_the_voice(tag):
            virtual.Channel._restore(self.channel, self._delivered[tag])
        else:
            super().restore_by_tag(tag, client, leftmost)

    def _of_the_voice(self, delivery_tag: str) -> bool:
        message = self._delivered.get(delivery_tag)
        return message is not None and message.delivery_info["routing_key"] == doorbell.QUEUE
