"""What an operator sets with a command holds from the next request on."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

import openai
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from openai import OpenAI

from billing.models import Account, Budget, OperatorAct, Price
from tests.billing.books import account_of
from tests.conftest import Customer
from tests.gateway.speaking import MODEL, ask, scripted
from tests.live import Service

BY = ("--actor", "ada@example.com", "--reason", "a pilot")
NOBODY = "00000000-0000-0000-0000-000000000000"


def test_a_budget_is_set_and_lifted(client: OpenAI, customer: Customer) -> None:
    request = scripted(25, max_completion_tokens=25)
    call_command("budget", str(customer.organization.id), "day", "0.0010")
    ask(client, request)
    with pytest.raises(openai.RateLimitError) as refused:
        ask(client, request)
    assert refused.value.code == "budget_exceeded"
    call_command("budget", str(customer.organization.id), "day", "none")
    ask(client, request)
    call_command("budget", str(customer.organization.id), "total", "0.0008", key=customer.secret)
    with pytest.raises(openai.RateLimitError):
        ask(client, request)
    assert Budget.objects.get(organization=customer.organization).api_key_id == customer.key.id


def test_an_invoiced_customer_pays_later(service: Service, new_customer: Callable[..., Customer]) -> None:
    customer = new_customer(credit="0")
    request = scripted(25, max_completion_tokens=25)
    with OpenAI(base_url=f"{service.url}/v1", api_key=customer.secret, max_retries=0) as client:
        with pytest.raises(openai.RateLimitError):
            ask(client, request)
        call_command("credit_limit", str(customer.organization.id), "0.0010")
        time.sleep(1)  # a refusal for want of any credit is remembered for almost a second
        ask(client, request)
        with pytest.raises(openai.RateLimitError) as refused:
            ask(client, request)
    assert refused.value.code == "insufficient_quota"
    assert Account.objects.get(organization=customer.organization).balance == Decimal("-0.00075")
    with pytest.raises(CommandError, match="owes or holds more"):
        call_command("credit_limit", str(customer.organization.id), "0")


def test_who_does_not_pay_is_refused_until_the_suspension_is_lifted(client: OpenAI, customer: Customer) -> None:
    Account.objects.filter(organization=customer.organization).update(suspended_at=timezone.now())
    with pytest.raises(openai.RateLimitError) as refused:
        ask(client, scripted(1))
    assert (refused.value.code, refused.value.type) == ("billing_not_active", "billing_not_active")
    assert refused.value.response.headers["x-should-retry"] == "false"
    organization = str(customer.organization.id)
    call_command("invoice", "resume", organization, actor="ada@example.com", reason="a new plan")
    ask(client, scripted(1))


def test_a_limit_is_set_and_lifted(client: OpenAI, customer: Customer) -> None:
    call_command("set_limits", customer.secret, requests_per_minute=1)
    time.sleep(1)  # a key that was looked up is believed for almost a second
    ask(client, scripted(1))
    with pytest.raises(openai.RateLimitError) as refused:
        ask(client, scripted(1))
    assert refused.value.response.headers["x-ratelimit-limit-requests"] == "1"
    call_command("set_limits", customer.secret, requests_per_minute=0)
    time.sleep(1)
    ask(client, scripted(1))


def test_a_price_of_its_own_holds_from_the_next_request_on_until_it_ends(
    client: OpenAI, customer: Customer
) -> None:
    by = {"actor": "ada@example.com", "reason": "a pilot"}

    def cost() -> Decimal:
        before = account_of(customer.organization).balance
        ask(client, scripted(25))
        return before - account_of(customer.organization).balance

    assert cost() == Decimal("0.00075")
    call_command("price", "set", MODEL, "0.03", organization=customer.organization.id, **by)
    assert cost() == Decimal("0.0005")
    own = Price.objects.get(organization=customer.organization, model=MODEL)
    call_command("price", "end", str(own.pk), **by)
    assert cost() == Decimal("0.00075")
    whats = OperatorAct.objects.filter(what__startswith=f"price {own.pk} ").order_by("id")
    assert [act.what.split(":")[0] for act in whats] == [f"price {own.pk} entered", f"price {own.pk} ended"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("price", "set", MODEL, "0.03", "--from", "2020-01-01", *BY), "valid_from"),
        (("price", "set", MODEL, "0.03", "--from", "tomorrow", *BY), "--from"),
        (("price", "set", "tts-9", "0.03", *BY), "model"),
        (("price", "set", MODEL, "0.03", "--organization", NOBODY, *BY), "Organization"),
        (("price", "end", "1", *BY), "Nobody could buy"),
        (("price", "end", "4711", *BY), "Price"),
        (("budget", "00000000-0000-0000-0000-000000000000", "day", "1"), "organization"),
        (("set_limits", "sk-unknown", "--concurrent-jobs", "2"), "subject"),
        (("set_limits", "nobody", "--concurrent-jobs", "2"), "subject"),
        (("set_limits", "sk-unknown", "--concurrent-jobs", "-2"), "--concurrent-jobs"),
        (("credit_limit", "00000000-0000-0000-0000-000000000000", "1"), "organization"),
        (("set_limits", "sk-unknown"), "at least one limit"),
        (("set_limits", "sk-unknown", "--voices", "2"), "--voices"),
    ],
)
def test_a_command_names_what_is_wrong(arguments: tuple[str, ...], named: str) -> None:
    with pytest.raises(CommandError, match=named):
        call_command(*arguments)
