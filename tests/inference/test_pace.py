"""What a worker says of its own speed."""

from __future__ import annotations

import threading

import pytest
import redis
from openai import OpenAI

from inference import presence
from inference.pace import WINDOW_SECONDS, Pace
from tests.gateway.speaking import ask, scripted
from tests.live import Service, wait_for


def test_the_last_minute_counts_and_long_jobs_weigh_more() -> None:
    now = 0.0
    pace = Pace(clock=lambda: now)
    assert pace.read() == (0, None)
    pace.add(audio_seconds=10, synthesis_seconds=1)
    now = 30
    pace.add(audio_seconds=2, synthesis_seconds=2)
    assert pace.read() == (12, 3 / 12)
    now = WINDOW_SECONDS + 0.5
    assert pace.read() == (2, 1)
    now = 2 * WINDOW_SECONDS
    assert pace.read() == (0, None)


def test_threads_lose_nothing() -> None:
    pace = Pace()

    def add() -> None:
        for _ in range(1000):
            pace.add(audio_seconds=1, synthesis_seconds=1)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pace.read() == (8000, 1)


def test_a_worker_says_what_it_made(service: Service, client: OpenAI, broker: redis.Redis) -> None:
    def made() -> float:
        return sum(worker["audio_seconds"] for worker in presence.living(broker))

    wait_for(lambda: presence.living(broker), what="a worker lives")
    ask(client, scripted(250, max_completion_tokens=250))
    wait_for(lambda: made() >= 10, what="ten seconds were made")
    assert all(worker["real_time_factor"] is not None for worker in presence.living(broker))
    assert made() == pytest.approx(round(made() * 25) / 25), "whole frames"
