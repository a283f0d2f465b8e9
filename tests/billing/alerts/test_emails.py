"""Alerts by e-mail: who gets them, what they say, and that a mail server that is away loses none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from accounts import keys
from accounts.models import Membership
from billing import budgets, tasks
from billing.models import Budget
from tests.billing.alerts.world import make_due, spend, tell
from tests.billing.books import FRAME
from tests.console.people import Office, office
from tests.live import free_port
from tests.mailbox import Mailbox, open_mailbox
from webhooks import tasks as outgoing
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Office:
    return office("Acme")


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with open_mailbox() as mailbox:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.server_address[1]
        yield mailbox


def pass_half(of: Office) -> None:
    budgets.put(organization=of.organization, period=Budget.Period.MONTH, amount=100 * FRAME)
    tell(of.organization, 50)
    spend(of.organization, 60)
    tasks.fire_alerts()


def test_those_who_look_after_money_get_a_letter_each(acme: Office) -> None:
    for role in ("admin", "billing", "developer", "viewer"):
        acme.join(f"{role}@acme.example", role)
    unsure = acme.join("unsure@acme.example", "admin")
    EmailAddress.objects.filter(user=unsure).update(verified=False)
    pass_half(acme)
    outgoing.deliver()
    assert sorted(letter.to[0] for letter in mail.outbox) == [
        "admin@acme.example",
        "billing@acme.example",
        "owner@acme.example",
    ]
    assert all(len(letter.to) == 1 for letter in mail.outbox)
    letter = mail.outbox[0]
    assert letter.subject == "50 % of your monthly budget is spent"
    assert "Acme has reached 50 % of its budget for" in letter.body
    assert "Spent        $0.0018" in letter.body
    assert "Budget       $0.003" in letter.body


def test_of_thresholds_passed_at_once_the_highest_is_sent(acme: Office) -> None:
    budgets.put(organization=acme.organization, period=Budget.Period.MONTH, amount=100 * FRAME)
    tell(acme.organization, 50, 80, 90)
    spend(acme.organization, 85)
    tasks.fire_alerts()
    outgoing.deliver()
    assert [letter.subject for letter in mail.outbox] == ["80 % of your monthly budget is spent"]
    spend(acme.organization, 6)
    tasks.fire_alerts()
    outgoing.deliver()
    assert [letter.subject for letter in mail.outbox][1:] == ["90 % of your monthly budget is spent"]


def test_a_key_and_the_credit_are_named(acme: Office) -> None:
    key, _ = keys.create(organization=acme.organization, name="nightly")
    budgets.put(organization=acme.organization, api_key_id=key.id, period=Budget.Period.DAY, amount=100 * FRAME)
    tell(acme.organization, 50, credit="2.50")
    spend(acme.organization, 60, key=key.id)
    tasks.fire_alerts()
    outgoing.deliver()
    letters = {letter.subject: letter.body for letter in mail.outbox}
    assert set(letters) == {
        "50 % of the daily budget of the key “nightly” is spent",
        "Your credit is below $2.50",
    }
    assert (
        f"The key “nightly” ({key.named}) of Acme"
        in letters["50 % of the daily budget of the key “nightly” is spent"]
    )
    assert "Credit           $0.9982" in letters["Your credit is below $2.50"]


def test_who_wants_no_letter_gets_none(acme: Office) -> None:
    budgets.put(organization=acme.organization, period=Budget.Period.MONTH, amount=100 * FRAME)
    tell(acme.organization, 50, credit="5", budget_email=False)
    spend(acme.organization, 60)
    tasks.fire_alerts()
    outgoing.deliver()
    assert [letter.subject for letter in mail.outbox] == ["Your credit is below $5.00"]


def test_a_mail_server_that_is_away_delays_a_letter_and_loses_none(acme: Office, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    pass_half(acme)
    outgoing.deliver()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.error) == ("pending", "the mail server did not take it")
    make_due()
    with open_mailbox() as mailbox:
        settings.EMAIL_PORT = mailbox.server_address[1]
        outgoing.deliver()
        assert "has reached 50 %" in mailbox.letter_to("owner@acme.example")
    delivery.refresh_from_db()
    assert delivery.state == "delivered"


def test_who_has_left_meanwhile_is_told_nothing(acme: Office) -> None:
    admin = acme.join("admin@acme.example", "admin")
    pass_half(acme)
    Membership.objects.filter(user=admin).delete()
    outgoing.deliver()
    assert [letter.to for letter in mail.outbox] == [["owner@acme.example"]]
    assert Delivery.objects.get(address="admin@acme.example").state == "dead"


def test_over_a_real_connection(acme: Office, mailbox: Mailbox) -> None:
    pass_half(acme)
    outgoing.deliver()
    assert "Acme has reached 50 %" in mailbox.letter_to("owner@acme.example")
