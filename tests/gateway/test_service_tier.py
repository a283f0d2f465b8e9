"""`service_tier`: what it costs, and where the answer, the job and the log say so."""

from __future__ import annotations

import json
from decimal import Decimal

import httpx
import pytest

from billing import pricing, terms
from billing.models import Price, UsageRecord
from inference.models import SynthesisJob
from tests.billing.books import new_organization
from tests.conftest import Customer
from tests.gateway.speaking import MODEL, scripted
from tests.live import Service, wait_for

FRAMES = 10
DEFAULT_COST = FRAMES * Decimal("0.00003")


@pytest.mark.parametrize(
    ("asked", "tier", "multiple"),
    [
        (None, "default", 1),
        ("auto", "default", 1),
        ("priority", "priority", 2),
        ("flex", "flex", Decimal("0.5")),
    ],
)
def test_a_tier_has_its_price_and_is_shown(
    service: Service, customer: Customer, asked: str | None, tier: str, multiple: Decimal
) -> None:
    answer = post(service, customer, "chat/completions", scripted(FRAMES, service_tier=asked))
    completion = answer.json()
    assert (answer.status_code, completion["service_tier"]) == (200, tier), answer.text[:300]
    cost = DEFAULT_COST * multiple
    assert Decimal(completion["usage"]["cost_usd"]) == cost
    assert answer.headers["x-service-tier"] == tier
    assert UsageRecord.objects.get(organization=customer.organization).cost == cost
    job = SynthesisJob.objects.get(organization=customer.organization)
    assert job.service_tier == tier
    url = f"{service.url}/v1/requests/{answer.headers['x-request-id']}"
    logged = wait_for(lambda: found(httpx.get(url, headers=customer.headers)), what="the log has it").json()
    assert (logged["service_tier"], Decimal(logged["cost_usd"])) == (tier, cost)


def test_streams_say_it_too(service: Service, customer: Customer) -> None:
    request = scripted(FRAMES, service_tier="flex", stream=True, stream_options={"include_usage": True})
    chunks = events(post(service, customer, "chat/completions", request))
    assert {chunk["service_tier"] for chunk in chunks} == {"flex"}
    assert Decimal(chunks[-1]["usage"]["cost_usd"]) == DEFAULT_COST / 2
    speech = {"model": MODEL, "voice": "alloy", "input": "Hi.", "stream_format": "sse", "service_tier": "priority"}
    answer = post(service, customer, "audio/speech", speech)
    assert answer.headers["x-service-tier"] == events(answer)[-1]["service_tier"] == "priority"


def test_an_unknown_tier_is_refused_by_name(service: Service, customer: Customer) -> None:
    answer = post(service, customer, "chat/completions", scripted(FRAMES, service_tier="scale"))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "service_tier")
    assert not SynthesisJob.objects.filter(organization=customer.organization).exists()


@pytest.mark.django_db
def test_a_new_price_is_each_tiers_at_once() -> None:
    organization = new_organization()
    own = terms.set_price(model=MODEL, dollars_per_minute=Decimal("0.03"), organization=organization)

    def costs() -> dict[str, Decimal]:
        names = {tier: pricing.entry(MODEL, tier=tier) for tier in pricing.TIERS}
        found = {
            tier: pricing.price_at(model=name, at=own.valid_from, organization_id=organization.id)
            for tier, name in names.items()
        }
        return {tier: price.dollars_per_minute for tier, price in found.items() if price}

    assert costs() == {"batch": Decimal("0.015"), "flex": Decimal("0.015"), "priority": Decimal("0.06")}
    with pytest.raises(ValueError, match="end that one"):
        terms.end_price(Price.objects.get(organization=organization, model=pricing.entry(MODEL, tier="flex")))
    ended = terms.end_price(own)
    assert set(Price.objects.filter(organization=organization).values_list("valid_to", flat=True)) == {
        ended.valid_to
    }


def post(service: Service, customer: Customer, route: str, request: dict[str, object]) -> httpx.Response:
    return httpx.post(f"{service.url}/v1/{route}", json=request, headers=customer.headers, timeout=60)


def found(answer: httpx.Response) -> httpx.Response | None:
    return answer if answer.status_code == 200 else None


def events(answer: httpx.Response) -> list[dict[str, object]]:
    data = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(each) for each in data if each != "[DONE]"]
