"""Holding the worker at a named step of a request, so that a test can kill any part just there.

Installed in the tests' worker by its engine (see tests.engines); the product knows nothing of it. A test asks for
a step with `park_at`, waits with `wait_until_parked`, does its worst, and says `go`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import redis

PARK_SECONDS = 20
STEPS = ("before claim", "after claim", "mid-audio", "before store", "before settle", "after settle")


def park_at(broker: redis.Redis, step: str) -> None:
    """The next job that comes to this step stays there."""
    broker.delete("fault:parked", "fault:go")
    broker.set("fault:step", step)


def wait_until_parked(broker: redis.Redis) -> None:
    if not _wait_for(broker, "fault:parked"):
        raise AssertionError("no job came to the step")


def go(broker: redis.Redis) -> None:
    broker.rpush("fault:go", 1)


def _wait_for(client: redis.Redis, key: str) -> bool:
    """Take the key's element; False where none comes in time. One BLPOP may wait for a few seconds only."""
    until = time.monotonic() + PARK_SECONDS
    while (element := client.blpop([key], timeout=1)) is None and time.monotonic() < until:
        pass
    return element is not None


def install(client: redis.Redis) -> None:
    """Watch the steps in this process."""
    from inference import assets, channel, jobs
    from inference.models import SynthesisJob

    def reach(step: str) -> None:
        if client.get("fault:step") == step.encode():
            client.delete("fault:step")
            client.rpush("fault:parked", 1)
            _wait_for(client, "fault:go")

    def around(before: str, function: Callable[..., Any], after: str) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            reach(before)
            value = function(*arguments, **options)
            reach(after)
            return value

        return watched

    take = jobs.claim

    def claim(*, worker: UUID, limit: int) -> list[SynthesisJob]:
        # A worker with free slots looks every second: only a look that finds something is a step of a request.
        if SynthesisJob.objects.filter(state="queued").exists():
            reach("before claim")
        claimed = take(worker=worker, limit=limit)
        if claimed:
            reach("after claim")
        return claimed

    jobs.claim = claim
    assets.save = around("before store", assets.save, "")
    jobs.finish = around("before settle", jobs.finish, "after settle")
    channel.Writer.audio = around("", channel.Writer.audio, "mid-audio")  # type: ignore[method-assign]
