"""No more money is held than a text is expected to cost, and no audio leaves that is not covered by a hold."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.core.management import call_command
from django.utils import timezone
from openai import OpenAI

from billing import budgets, ledger, verification
from billing.models import Account, Budget, Reservation, UsageRecord
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.batching import ended, start, tone_line
from tests.gateway.speaking import scripted
from tests.gateway.test_long_texts import CHAPTER
from tests.live import Service, wait_for
from tests.security.test_billing_of_ends import Listener

FRAME = Decimal("0.00003")
PCM16 = {"voice": "alloy", "format": "pcm16"}
TEXT = "A tone of some length, which takes longer to play than anybody would think."
"""About 7 seconds, of 15 that it may take at most."""


def tone(frames: int, **more: Any) -> dict[str, Any]:
    return scripted(frames, text=TEXT, audio=PCM16, max_completion_tokens=5000, **more)


def listened(service: Service, customer: Customer, request: dict[str, Any]) -> Listener:
    listener = Listener(service, customer, request)
    listener.join()
    return listener


def hold_of(customer: Customer) -> Reservation:
    return wait_for(Reservation.objects.filter(organization=customer.organization).first)  # type: ignore[return-value]


def refusal(listener: Listener) -> tuple[str, Decimal]:
    """The code of a stream's error and what the stream costs."""
    assert listener.error
    return listener.error["error"]["code"], Decimal(listener.error["usage"]["cost_usd"])


def frames_billed(customer: Customer) -> int:
    """In all; account, ledger and what was delivered must agree."""
    samples = UsageRecord.objects.filter(organization=customer.organization).values_list("samples", flat=True)
    account = Account.objects.get(organization=customer.organization)
    assert account.held == 0
    assert verification.verify().clean
    return sum(samples) // 960


def test_a_short_text_holds_little(service: Service, new_customer: Callable[..., Customer]) -> None:
    """It used to need seven times its cost."""
    customer = new_customer(credit="0.0035")
    spoken = httpx.post(
        f"{service.url}/v1/audio/speech",
        json={"model": "tts-1", "input": "The quick brown fox jumps over the lazy dog."},
        headers=customer.headers,
        timeout=30,
    )
    assert spoken.status_code == 200
    assert Decimal("0.0015") < frames_billed(customer) * FRAME < Decimal("0.0025")
    assert hold_of(customer).amount < Decimal("0.0035"), "it was not raised"


def test_a_chapter_holds_about_what_it_costs(service: Service, new_customer: Callable[..., Customer]) -> None:
    customer = new_customer(credit="4.00")
    call_command("set_limits", str(customer.organization.id), input_characters=100_000)
    listener = Listener(service, customer, scripted(40, pace=0.05, text=CHAPTER, audio=PCM16))
    assert Decimal(3) < hold_of(customer).amount < Decimal(4), "of $11 at most"
    listener.join()
    assert frames_billed(customer) == 40


def test_the_hold_follows_what_is_spoken(service: Service, customer: Customer) -> None:
    listener = Listener(service, customer, tone(600, pace=0.002))
    first = hold_of(customer).amount
    listener.join()
    assert (listener.error, listener.finish_reason, listener.pieces) == (None, "stop", 600)
    assert frames_billed(customer) == 600
    assert first < 250 * FRAME
    assert 600 * FRAME <= hold_of(customer).amount < 900 * FRAME


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_at_another_speed(service: Service, new_customer: Callable[..., Customer], speed: float) -> None:
    customer = new_customer(credit=str(400 * FRAME))
    style = scripted(1000)["messages"][0]["content"]
    request = {
        "model": "tts-1", "input": TEXT, "instructions": style, "speed": speed, "response_format": "pcm",
        "stream_format": "sse", "max_completion_tokens": 5000,
    }  # fmt: skip
    answer = httpx.post(f"{service.url}/v1/audio/speech", json=request, headers=customer.headers, timeout=30)
    assert '"insufficient_quota"' in answer.text
    assert 390 <= frames_billed(customer) <= 400


def test_without_credit_it_ends_at_a_frame_and_is_billed_exactly(
    service: Service, new_customer: Callable[..., Customer]
) -> None:
    customer = new_customer(credit=str(300 * FRAME + FRAME / 2))
    listener = listened(service, customer, tone(1000))
    assert refusal(listener) == ("insufficient_quota", 300 * FRAME)
    assert listener.pieces == frames_billed(customer) == 300
    assert Account.objects.get(organization=customer.organization).balance == FRAME / 2
    job = SynthesisJob.objects.get(organization=customer.organization)
    assert (job.state, job.error_code, job.held_frames) == ("failed", "insufficient_quota", 300)


def test_credit_that_is_added_meanwhile_counts(service: Service, new_customer: Callable[..., Customer]) -> None:
    customer = new_customer(credit=str(300 * FRAME))
    listener = Listener(service, customer, tone(400, pace=0.01))
    wait_for(lambda: listener.pieces > 100)
    ledger.grant(organization=customer.organization, amount=Decimal(1), cause=f"more:{customer.organization.id}")
    listener.join()
    assert (listener.error, frames_billed(customer)) == (None, 400)


def test_an_answer_that_is_not_streamed_costs_nothing_then(
    service: Service, new_customer: Callable[..., Customer]
) -> None:
    customer = new_customer(credit=str(300 * FRAME))
    request = tone(1000) | {"audio": {"voice": "alloy", "format": "wav"}}
    answer = httpx.post(f"{service.url}/v1/chat/completions", json=request, headers=customer.headers, timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "insufficient_quota")
    assert "it costs nothing" in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert frames_billed(customer) == 0


def test_two_jobs_share_what_is_left(service: Service, new_customer: Callable[..., Customer]) -> None:
    customer = new_customer(credit=str(800 * FRAME))
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: listened(service, customer, tone(700, pace=0.001)), range(2)))
    assert sum(listener.pieces for listener in both) == frames_billed(customer) <= 800
    assert [refusal(each)[0] for each in both if each.error] == ["insufficient_quota"] * sum(
        each.finish_reason is None for each in both
    )
    assert any(each.error for each in both)


def test_a_budget_ends_it(service: Service, customer: Customer) -> None:
    budgets.put(
        organization=customer.organization,
        period=Budget.Period.DAY,
        amount=300 * FRAME,
        api_key_id=customer.key.id,
    )
    listener = listened(service, customer, tone(1000))
    assert refusal(listener) == ("budget_exceeded", 300 * FRAME)
    assert frames_billed(customer) == 300
    [budget] = budgets.status(organization_id=customer.organization.id, api_key_id=customer.key.id)
    assert (budget.spent, budget.held) == (300 * FRAME, 0)


def test_a_suspended_account_ends_it(service: Service, customer: Customer) -> None:
    listener = Listener(service, customer, tone(1000, pace=0.005))
    hold = hold_of(customer)
    Account.objects.filter(organization=customer.organization).update(suspended_at=timezone.now())
    listener.join()
    code, cost = refusal(listener)
    assert code == "billing_not_active"
    assert frames_billed(customer) * FRAME == cost <= hold.amount + 50 * FRAME


def test_a_killed_workers_job_goes_on_under_its_hold(
    service: Service, new_customer: Callable[..., Customer]
) -> None:
    customer = new_customer(credit=str(500 * FRAME))
    listener = Listener(service, customer, tone(1000, pace=0.01))
    wait_for(lambda: listener.pieces > 250, what="the hold was raised")
    service.kill_worker()
    service.start_worker()
    listener.join()
    assert refusal(listener) == ("insufficient_quota", 500 * FRAME)
    assert listener.pieces >= 500, "each byte once, though in other pieces"
    assert frames_billed(customer) == 500
    job = SynthesisJob.objects.get(organization=customer.organization)
    assert (job.attempt, job.held_frames) == (2, 500)


def test_a_hang_up_after_the_hold_was_raised(service: Service, customer: Customer) -> None:
    url = f"{service.url}/v1/chat/completions"
    request = {**tone(3000, pace=0.005), "stream": True}
    with httpx.stream("POST", url, json=request, headers=customer.headers, timeout=30) as answer:
        for line in answer.iter_lines():
            job = SynthesisJob.objects.filter(organization=customer.organization, held_frames__gt=250).first()
            if '"data"' in line and job:
                break
    ended_job = wait_for(SynthesisJob.objects.filter(id=job.id, finished_at__isnull=False).first)  # type: ignore[union-attr]
    assert frames_billed(customer) == ended_job.samples // 960  # type: ignore[union-attr]


def test_a_batch_waits_for_the_money(service: Service, new_customer: Callable[..., Customer]) -> None:
    """The line is spoken again once there is enough; what did not suffice costs nothing."""
    customer = new_customer(credit=str(100 * FRAME))  # 200 frames at half the price
    line = tone_line(1, 300)
    line["body"] |= {"input": TEXT[:30], "max_completion_tokens": 1000}
    with OpenAI(base_url=f"{service.url}/v1", api_key=customer.secret, max_retries=0) as client:
        batch = start(client, [line])
        wait_for(
            lambda: (
                SynthesisJob.objects.filter(
                    organization=customer.organization, error_code="insufficient_quota"
                ).exists()
                or client.batches.retrieve(batch.id).status == "failed"
            )
        )
        ledger.grant(
            organization=customer.organization, amount=Decimal(1), cause=f"more:{customer.organization.id}"
        )
        done = ended(client, batch)
    assert done.status == "completed"
    assert done.request_counts
    assert done.request_counts.completed == 1
    assert frames_billed(customer) == 300
    assert UsageRecord.objects.get(organization=customer.organization).cost == 150 * FRAME


def test_a_hold_that_was_released_is_not_raised(service: Service, customer: Customer) -> None:
    """The sweeper took it for forgotten: what it covered is billed all the same, and no more is given."""
    listener = Listener(service, customer, tone(1000, pace=0.01))
    hold = hold_of(customer)
    ledger.void(job_id=UUID(str(hold.job_id)))
    listener.join()
    code, cost = refusal(listener)
    assert code == "internal_error"
    assert frames_billed(customer) * FRAME == cost == hold.amount
