"""A gateway reads all of its jobs' streams by one connection to Redis."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import redis

from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.live import Service

REQUESTS = 40


def test_the_connections_do_not_grow_with_the_streams(
    service: Service, customer: Customer, broker: redis.Redis
) -> None:
    async def ask_all() -> tuple[list[int], int]:
        async with httpx.AsyncClient(base_url=service.url, headers=customer.headers, timeout=30) as client:
            answers = [
                asyncio.create_task(client.post("/v1/chat/completions", json=scripted(10, pace=0.02)))
                for _ in range(REQUESTS)
            ]
            most = 0
            while not all(answer.done() for answer in answers):
                clients: Any = await asyncio.to_thread(broker.client_list)
                most = max(most, sum(each["cmd"] == "xread" for each in clients))
                await asyncio.sleep(0.02)
            return [answer.result().status_code for answer in answers], most

    assert asyncio.run(ask_all()) == ([200] * REQUESTS, 1)
