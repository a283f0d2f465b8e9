"""The Celery message that tells workers of work. It is a doorbell: it names no job, and may be lost or doubled.

Whoever hears it claims the jobs whose turn it is, so that the order of the messages is not the order of the jobs.
The message is sent by the task's name: the web side enqueues with nothing of audio installed.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from uuid import UUID, uuid4

import redis
from celery import current_app

QUEUE = "synthesis"
VOICES = "voices"
"""The queue of what the same workers do through Celery."""
RING = "if redis.call('LLEN', KEYS[1]) == 0 then redis.call('LPUSH', KEYS[1], ARGV[1]) end"
"""The script that puts `message` into QUEUE. One that still waits there does for these jobs, too, because whoever
takes it looks for jobs afterwards; then no other is added."""
SYNTHESIZE = "inference.tasks.synthesize"
ENCODE_VOICE = "inference.tasks.encode_voice"


def ring() -> None:
    """Tell the workers that committed jobs wait."""
    current_app.send_task(SYNTHESIZE, queue=QUEUE, retry=False)


def ask_to_encode(voice_id: UUID) -> None:
    """Have a worker encode a new voice. If the message is lost, the first job that names the voice does it."""
    current_app.send_task(ENCODE_VOICE, (str(voice_id),), queue=VOICES, retry=False)


def ring_from_worker(client: redis.Redis) -> None:
    """The same by one command: by kombu a message takes ten times the processor's time."""
    client.eval(RING, 1, QUEUE, message())


def message() -> str:
    """The task's message as Celery and kombu write it for Redis (Celery's message protocol 2)."""
    id = str(uuid4())
    return json.dumps(
        {
            "body": _BODY,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": SYNTHESIZE, "id": id, "root_id": id, **_HEADERS},
            "properties": {
                "correlation_id": id,
                "reply_to": "",
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": QUEUE},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": id,
            },
        }
    )


_BODY = b64encode(
    json.dumps([[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]).encode()
).decode()
_HEADERS: dict[str, Any] = {
    "shadow": None,
    "eta": None,
    "expires": None,
    "group": None,
    "group_index": None,
    "retries": 0,
    "timelimit": [None, None],
    "parent_id": None,
    "argsrepr": "()",
    "kwargsrepr": "{}",
    "origin": "gateway",
    "ignore_result": True,
    "replaced_task_nesting": 0,
    "stamped_headers": None,
    "stamps": {},
}
