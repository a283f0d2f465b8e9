"""Audio is stored before it is billed and promised, and a slow store holds up nobody else's settlement."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import redis

from billing.models import UsageRecord
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.faults import steps
from tests.gateway.speaking import decode, scripted
from tests.live import Service

FRAMES = 5


@pytest.mark.parametrize("step", ["before store", "before settle"])
def test_one_that_waits_is_not_promised_and_holds_up_no_other(
    service: Service, customer: Customer, broker: redis.Redis, step: str
) -> None:
    def ask() -> httpx.Response:
        url = f"{service.url}/v1/chat/completions"
        return httpx.post(url, json=scripted(FRAMES), headers=customer.headers, timeout=60)

    def fetch() -> httpx.Response:
        return httpx.get(f"{service.url}/v1/audio/audio_{waiting.id.hex}", headers=customer.headers)

    steps.park_at(broker, step)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(ask)
        steps.wait_until_parked(broker)
        waiting = SynthesisJob.objects.get(organization=customer.organization)
        assert ask().status_code == 200
        assert UsageRecord.objects.filter(organization=customer.organization).count() == 1
        assert not first.done()
        assert (waiting.state, fetch().status_code) == ("running", 404)
        steps.go(broker)
        assert first.result().status_code == 200
    assert len(decode(fetch().content)[0]) == FRAMES * 960
