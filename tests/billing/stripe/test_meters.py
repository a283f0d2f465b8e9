"""Usage at Stripe's meter: each hour once, in whole milliseconds."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from billing import ledger, tasks
from billing.models import StripeCall
from billing.stripe import meters, sending
from tests.billing.books import admit, usage
from tests.billing.stripe.world import DAY_AND_MORE, let_pass, new_payer, run, soon
from tests.fakes.stripe_server import FakeStripe, Fault

pytestmark = pytest.mark.django_db

EVENT = "speech_milliseconds"


@pytest.fixture(autouse=True)
def meter(settings: Any, fake: FakeStripe, db: None) -> None:
    settings.STRIPE_METER_EVENT = EVENT
    with connection.cursor() as cursor:  # what other tests' customers said is not reported here
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM billing_usagerecord")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    fake.store.add("billing.meter", event_name=EVENT, status="active")


def speak(organization: Organization, *frames: int) -> None:
    for count in frames:
        ledger.settle(usage(admit(organization, frames=count), frames=count))


def reported(fake: FakeStripe) -> Counter[str]:
    counted: Counter[str] = Counter()
    for event in fake.store.all("billing.meter_event"):
        counted[event["payload"]["stripe_customer_id"]] += int(event["payload"]["value"])
    return counted


def after_this_hour() -> datetime:
    return timezone.now() + timedelta(hours=1)


def test_each_hour_is_reported_once_in_milliseconds(fake: FakeStripe) -> None:
    first, second = new_payer(given="1"), new_payer(given="1")
    speak(first, 25, 50)
    speak(second, 1, 0)
    tasks.report_to_stripe_meter()
    assert not StripeCall.objects.exists()  # the hour is not over
    assert meters.report(until=after_this_hour()) == 2
    assert meters.report(until=after_this_hour()) == 0
    run(fake)
    assert sorted(reported(fake).values()) == [40, 3000]


@pytest.mark.parametrize("fault", ["lost after", "lost before", "500 after", "500 before", "409", "429"])
@pytest.mark.parametrize("wait", [soon(), DAY_AND_MORE])
def test_whatever_happens_to_the_request_it_is_counted_once(
    fake: FakeStripe, fault: Fault, wait: timedelta
) -> None:
    """The identifier's memory is as short as the key's: later the meter itself says what it counted."""
    speak(new_payer(given="1"), 25)
    meters.report(until=after_this_hour())
    fake.faults.extend(["none", fault])  # type: ignore[list-item]
    for passing in (wait, DAY_AND_MORE, DAY_AND_MORE):
        sending.send_due()
        let_pass(fake, passing)
    sending.send_due()
    assert list(reported(fake).values()) == [1000]
    assert not StripeCall.objects.exclude(state="sent").exists()


def test_that_stripe_has_it_already_is_as_good_as_that_it_takes_it(fake: FakeStripe) -> None:
    """Its keys may be forgotten before the identifier is."""
    speak(new_payer(given="1"), 25)
    meters.report(until=after_this_hour())
    fake.faults.extend(["none", "lost after"])  # type: ignore[list-item]
    sending.send_due()
    fake.forget_keys()
    let_pass(fake, soon())
    sending.send_due()
    assert list(reported(fake).values()) == [1000]
    assert StripeCall.objects.get(operation="meter_event.create").state == "sent"


def test_what_stripe_refuses_for_good_is_for_a_person(fake: FakeStripe) -> None:
    speak(new_payer(given="1"), 25)
    meters.report(until=after_this_hour())
    call = StripeCall.objects.get(operation="meter_event.create")
    call.parameters["timestamp"] -= 40 * 86_400
    call.save(update_fields=["parameters"])
    sending.send_due()
    call.refresh_from_db()
    assert (call.state, call.error) == ("dead", "InvalidRequestError 400 timestamp_too_far_in_past")
    call.parameters["timestamp"] += 40 * 86_400
    call.save(update_fields=["parameters"])
    assert sending.retry(call.pk)
    assert not sending.retry(call.pk)
    let_pass(fake, soon())
    sending.send_due()
    assert list(reported(fake).values()) == [1000]
