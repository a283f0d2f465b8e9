"""What Stripe's secret signs, and is no event, is refused: a 400, whatever it is."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from billing.models import StripeDelivery, StripeEvent
from tests.billing.stripe.world import KEY, SECRET, post

pytestmark = pytest.mark.django_db
OBJECT = {"object": {"id": "pi_1", "object": "payment_intent"}}
GOOD: dict[str, Any] = {
    "id": "evt_1",
    "type": "payment_intent.succeeded",
    "created": 1_790_000_000,
    "data": OBJECT,
}
NONSENSE: list[Any] = [
    None, 1, "text", [], {}, [GOOD],
    *({**GOOD, "id": id} for id in (None, 1, "", "e" * 300, "evt\x00", ["evt_1"], {})),
    *({**GOOD, "type": type} for type in (None, 7, [], {}, "t" * 300, "a\x00")),
    *({**GOOD, "created": at} for at in (None, "now", -1, 10**11 * 10, 10**30, 1.5e300, True, [])),
    *({**GOOD, "data": data} for data in (None, [], {"object": None}, {"object": []}, {"object": {"id": "pi_1"}})),
    {**GOOD, "data": {"object": {"object": "x", "id": "p" * 300}}},
    {**GOOD, "data": {"object": {"object": "x", "id": {"a": 1}}}},
    {**GOOD, "data": {"object": {"object": "x", "id": "pi\x00"}}},
]  # fmt: skip
RAW = (b"\xff\xfe", b"", b"[" * 100_000, b"{" * 10, b'{"id": NaN}', b'{"id": "\\ud800"}', b"1" * 5000)


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET


def sign(body: bytes, at: int) -> str:
    signature = hmac.new(SECRET.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signature}"


@pytest.mark.parametrize("body", [*(json.dumps(each).encode() for each in NONSENSE), *RAW])
def test_signed_nonsense_is_a_400(body: bytes) -> None:
    assert post(body, sign(body, int(time.time()))) == 400
    assert not StripeEvent.objects.exists()
    assert StripeDelivery.objects.filter(verified=False).count() == 1


@pytest.mark.parametrize(
    ("seconds", "status"), [(-600, 400), (-60, 204), (0, 204), (60, 204), (600, 400), (10**9, 400)]
)
def test_a_signature_of_another_time_is_refused(seconds: int, status: int) -> None:
    body = json.dumps({**GOOD, "type": "nobody.handles"}).encode()
    assert post(body, sign(body, int(time.time()) + seconds)) == status
