"""Requests that come again: one job, one charge, whoever asks and however often."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.utils import timezone

from billing.models import Account, UsageRecord
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import body, scripted
from tests.live import Service, wait_for
from usage.models import RequestLog

KEY = {"idempotency-key": "order 66"}
RETRY = {"x-stainless-retry-count": "1"}
FIRST = {"x-stainless-retry-count": "0"}


def ask(service: Service, customer: Customer, request: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    return httpx.post(
        f"{service.url}/v1/chat/completions", json=request, headers={**customer.headers, **headers}, timeout=30
    )


def charges(customer: Customer) -> int:
    return UsageRecord.objects.filter(organization=customer.organization).count()


def without_cost(answer: httpx.Response) -> dict[str, Any]:
    completion: dict[str, Any] = answer.json()
    completion.pop("created")
    del completion["usage"]["cost_usd"]
    return completion


def test_a_replay_is_the_same_answer_for_nothing(service: Service, customer: Customer) -> None:
    first = ask(service, customer, body("Hi."), KEY)
    again = ask(service, customer, body("Hi."), KEY)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert without_cost(again) == without_cost(first)
    assert again.json()["usage"]["cost_usd"] == "0.000000000"
    assert charges(customer) == 1
    rows = wait_for(
        lambda: (
            (found := RequestLog.objects.filter(organization_id=customer.organization.id)).count() == 2
            and list(found.order_by("id"))
        ),
        what="both are logged",
    )
    assert [row.cost for row in rows] == [UsageRecord.objects.get(organization=customer.organization).cost, 0]


def test_members_in_another_order_are_the_same_request(service: Service, customer: Customer) -> None:
    ask(service, customer, body("Hi."), KEY)
    again = ask(service, customer, dict(reversed(body("Hi.").items())), KEY)
    assert again.headers["idempotency-replayed"] == "true"


def test_another_body_under_the_same_key_is_refused(service: Service, customer: Customer) -> None:
    ask(service, customer, body("Hi."), KEY)
    other = ask(service, customer, body("Ho."), KEY)
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert other.json()["error"]["param"] == "Idempotency-Key"
    assert charges(customer) == 1


def test_two_organizations_may_use_the_same_key(
    service: Service, customer: Customer, new_customer: Callable[..., Customer]
) -> None:
    ask(service, customer, body("Hi."), KEY)
    other = ask(service, new_customer(), body("Ho."), KEY)
    assert other.status_code == 200
    assert "idempotency-replayed" not in other.headers


@pytest.mark.parametrize("key", ["", "a" * 256, "tab\there"])
def test_a_key_that_is_none_is_refused(service: Service, customer: Customer, key: str) -> None:
    answer = ask(service, customer, body("Hi."), {"idempotency-key": key})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "Idempotency-Key")
    assert not SynthesisJob.objects.filter(organization=customer.organization).exists()


def test_many_at_once_share_one_job(service: Service, customer: Customer) -> None:
    request = scripted(25, pace=0.02)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(service, customer, request, KEY), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    audio = {hashlib.sha256(answer.json()["choices"][0]["message"]["audio"]["data"].encode()).digest()
             for answer in answers}  # fmt: skip
    assert len(audio) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert (charges(customer), SynthesisJob.objects.filter(organization=customer.organization).count()) == (1, 1)
    assert Account.objects.get(organization=customer.organization).balance == 1 - Decimal("0.00075")


def test_a_replay_needs_no_credit(service: Service, new_customer: Callable[..., Customer]) -> None:
    customer = new_customer("0.00075")
    request = scripted(25, max_completion_tokens=25)
    assert ask(service, customer, request, KEY).status_code == 200
    assert ask(service, customer, request, {}).status_code == 429
    assert ask(service, customer, request, KEY).status_code == 200


def test_a_failed_request_leaves_the_key_free(service: Service, customer: Customer) -> None:
    request = scripted(5, script={"fail": 3})
    assert ask(service, customer, request, KEY).status_code == 500
    again = ask(service, customer, request, KEY)
    assert again.status_code == 500
    assert SynthesisJob.objects.filter(organization=customer.organization).count() == 2


def test_a_day_later_the_key_is_free(service: Service, customer: Customer) -> None:
    ask(service, customer, body("Hi."), KEY)
    SynthesisJob.objects.filter(organization=customer.organization).update(
        created_at=timezone.now() - timedelta(hours=24)
    )
    assert "idempotency-replayed" not in ask(service, customer, body("Ho."), KEY).headers
    assert charges(customer) == 2


def test_a_replay_of_deleted_audio_says_that_it_is_gone(service: Service, customer: Customer) -> None:
    audio = ask(service, customer, body("Hi."), KEY).json()["choices"][0]["message"]["audio"]
    httpx.delete(f"{service.url}/v1/audio/{audio['id']}", headers=customer.headers)
    again = ask(service, customer, body("Hi."), KEY)
    assert (again.status_code, again.json()["error"]["code"]) == (410, "audio_expired")


def test_a_stream_is_replayed_from_its_first_byte(service: Service, customer: Customer) -> None:
    request = {**scripted(25), "stream": True, "audio": {"voice": "alloy", "format": "pcm16"}}
    first, again = (ask(service, customer, request, KEY) for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true"
    assert again.text.count('"data"') > 0
    assert audio_of_stream(again) == audio_of_stream(first)
    assert charges(customer) == 1


def audio_of_stream(answer: httpx.Response) -> bytes:
    import base64

    return b"".join(base64.b64decode(part.split('"')[0]) for part in answer.text.split('"data":"')[1:])


def test_an_sdks_retry_joins_the_job_of_the_try_that_broke_off(service: Service, customer: Customer) -> None:
    request = scripted(25, pace=0.04)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{service.url}/v1/chat/completions",
            json=request,
            headers={**customer.headers, **FIRST},
            timeout=0.4,
        )
    again = ask(service, customer, request, RETRY)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["usage"]["completion_tokens"] == 25
    assert (charges(customer), SynthesisJob.objects.filter(organization=customer.organization).count()) == (1, 1)


def test_the_same_text_asked_anew_is_a_new_request(service: Service, customer: Customer) -> None:
    for _ in range(2):
        assert "idempotency-replayed" not in ask(service, customer, body("Hi."), FIRST).headers
    assert charges(customer) == 2


def test_a_retry_of_something_else_is_a_request_of_its_own(service: Service, customer: Customer) -> None:
    ask(service, customer, body("Hi."), FIRST)
    assert "idempotency-replayed" not in ask(service, customer, body("Ho."), RETRY).headers
    assert charges(customer) == 2


def test_who_leaves_takes_nothing_from_who_joined(service: Service, customer: Customer) -> None:
    request = scripted(50, pace=0.04, audio={"voice": "alloy", "format": "pcm16"})
    with ThreadPoolExecutor() as pool:
        joined = None
        with httpx.stream(
            "POST",
            f"{service.url}/v1/chat/completions",
            json={**request, "stream": True},
            headers={**customer.headers, **KEY},
            timeout=30,
        ) as answer:
            lines = answer.iter_lines()  # kept, or it would be collected and hang up at once
            next(lines)
            joined = pool.submit(ask, service, customer, {**request, "stream": True}, KEY)
            wait_for(
                lambda: SynthesisJob.objects.filter(organization=customer.organization, listeners=2).exists(),
                what="the second has joined",
            )
        assert joined.result().status_code == 200
        assert len(audio_of_stream(joined.result())) == 50 * 1920
    assert SynthesisJob.objects.get(organization=customer.organization).state == "succeeded"
