"""However busy the voice is, what bills and tidies up goes on: it has a worker of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from django.db import transaction
from django.utils import timezone

from accounts.identifiers import new_id
from billing.models import Account, Price, Reservation
from billing.tasks import expire_overdue
from config.celery import app
from inference.models import SynthesisJob
from launch import parts
from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.live import START_SECONDS, Service, wait_for

SLOTS = 2
WITHIN_SECONDS = 2.0


@pytest.fixture
def workers(service: Service) -> Iterator[None]:
    """The workers of `make run` in place of the tests' own, which takes every queue."""
    service.kill_worker()
    wait_for(lambda: httpx.get(f"{service.url}/readyz").status_code == 503, what="its end is noticed")
    commands = {part.name: part.command for part in parts.of_service(Path("unused"), SLOTS)}
    started = [
        service._start(name, *commands[name][1:])  # type: ignore[index]  # these are no functions
        for name in ("worker", "maintenance")
        if name in commands
    ]
    service.worker = started[0]
    service.wait_until_ready()
    wait_for(lambda: len(app.control.ping(timeout=1)) == 2, seconds=START_SECONDS, what="maintenance has begun")
    yield
    for process in started:
        process.terminate()
        process.wait(20)
    service.start_worker()
    service.wait_until_ready()


def overdue_hold(customer: Customer) -> Reservation:
    """Money held for a job whose end nobody has reported."""
    amount = Decimal("0.1")
    with transaction.atomic():
        Account.objects.filter(organization=customer.organization).update(held=amount)
        return Reservation.objects.create(
            job_id=new_id(),
            organization=customer.organization,
            amount=amount,
            price=Price.objects.get(organization=None, model="boson/higgs-audio-v2.5"),
            expires_at=timezone.now() - timedelta(seconds=1),
        )


def test_a_billing_task_runs_at_once_while_the_voice_is_saturated(
    service: Service, workers: None, customer: Customer
) -> None:
    speech = SynthesisJob.objects.filter(organization=customer.organization)
    hold = overdue_hold(customer)
    expire_overdue.delay()
    wait_for(lambda: Reservation.objects.get(pk=hold.pk).state == "expired", what="maintenance works")
    with ThreadPoolExecutor(3 * SLOTS) as clients:
        answers = [
            clients.submit(
                httpx.post,
                f"{service.url}/v1/chat/completions",
                json=scripted(150, pace=0.04),
                headers=customer.headers,
                timeout=60,
            )
            for _ in range(3 * SLOTS)
        ]
        wait_for(lambda: speech.filter(state="running").count() == SLOTS, what="every slot speaks")
        wait_for(lambda: speech.filter(state="queued").count() == 2 * SLOTS, what="as many wait, twice")
        hold = Reservation.objects.create(
            job_id=new_id(),
            organization=customer.organization,
            amount=0,
            price=hold.price,
            expires_at=timezone.now() - timedelta(seconds=1),
        )
        expire_overdue.delay()
        wait_for(lambda: Reservation.objects.get(pk=hold.pk).state == "expired", seconds=WITHIN_SECONDS)
        assert speech.filter(state="queued").count() >= SLOTS, "the voice was busy all the while"
        assert [answer.result().status_code for answer in answers] == [200] * 3 * SLOTS
