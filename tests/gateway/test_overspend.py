"""Credit for N requests admits N, however many are sent at once: through HTTP, with the official client."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import openai

from billing import verification
from billing.models import Account, UsageRecord
from tests.conftest import Customer
from tests.gateway.speaking import MODEL, scripted
from tests.live import Service

AT_ONCE = 64
SENT = 200
PAID = 50
FRAMES = 5


async def send_all(service: Service, customer: Customer) -> Counter[str]:
    request = scripted(FRAMES)
    places = asyncio.Semaphore(AT_ONCE)
    outcomes: Counter[str] = Counter()
    async with openai.AsyncOpenAI(
        base_url=f"{service.url}/v1", api_key=customer.secret, max_retries=0, timeout=60
    ) as client:

        async def send() -> None:
            async with places:
                try:
                    await client.chat.completions.create(
                        model=MODEL,
                        modalities=["text", "audio"],
                        messages=request["messages"],
                        max_completion_tokens=FRAMES,
                    )
                    outcomes["spoken"] += 1
                except openai.RateLimitError as refusal:
                    outcomes[str(refusal.code)] += 1

        await asyncio.gather(*(send() for _ in range(SENT)))
    return outcomes


def test_exactly_what_was_paid_is_spoken(service: Service, new_customer: Callable[..., Customer]) -> None:
    customer = new_customer(credit=str(PAID * FRAMES * Decimal("0.00003")))
    outcomes = asyncio.run(send_all(service, customer))
    assert outcomes == {"spoken": PAID, "insufficient_quota": SENT - PAID}
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (0, 0)
    assert UsageRecord.objects.filter(organization=customer.organization).count() == PAID
    assert verification.verify().clean
    # A connection on which requests were refused is as good as new.
    richer = new_customer()
    assert asyncio.run(send_all(service, richer)) == {"spoken": SENT}
