"""Above the ceiling, in one act or in slices, another operator approves what one asked for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from billing.models import OperatorAct
from operations.models import MoneyAct
from operations.roles import Role
from tests.billing.books import account_of
from tests.console.people import Office
from tests.operations.operators import REASON, operator

pytestmark = pytest.mark.django_db


def give(client: Client, to: Office, amount: str, cause: str) -> Any:
    act = reverse("admin:accounts_organization_give_credit", args=(to.organization.pk,))
    return client.post(act, {**REASON, "amount": amount, "cause": cause}, follow=True).content.decode()


def approve(client: Client, waiting: MoneyAct) -> str:
    act = reverse("admin:operations_moneyact_approve", args=(waiting.pk,))
    return client.post(act, {"reason": "checked with the customer"}, follow=True).content.decode()


def balance(of: Office) -> Decimal:
    return Decimal(account_of(of.organization).balance)


def test_a_second_operator_approves_what_is_above_the_ceiling(acme: Office) -> None:
    one, other = operator(Role.BILLING), operator(Role.BILLING)
    before = balance(acme)
    assert "another operator must approve" in give(one, acme, "1000.01", "big")
    waiting = MoneyAct.objects.get()
    assert balance(acme) == before
    assert "Another operator than the one who asked" in approve(one, waiting)
    assert approve(operator(Role.SUPPORT), waiting)
    assert balance(acme) == before
    assert "1000.01 of promotional credit given" in approve(other, waiting)
    assert balance(acme) == before + Decimal("1000.01")
    assert "This request is done" in approve(other, waiting)
    assert balance(acme) == before + Decimal("1000.01")
    actors = set(OperatorAct.objects.values_list("actor", flat=True))
    assert actors == {waiting.asked_by.email, MoneyAct.objects.get().approved_by.email}
    listed = other.get(reverse("admin:operations_moneyact_changelist")).content.decode()
    assert waiting.asked_by.email in listed


def test_slices_add_up_in_a_day(acme: Office) -> None:
    one = operator(Role.BILLING)
    before = balance(acme)
    for number in range(2):
        give(one, acme, "500", f"slice-{number}")
    assert balance(acme) == before + 1000
    assert "another operator must approve" in give(one, acme, "0.01", "slice-2")
    assert balance(acme) == before + 1000
    MoneyAct.objects.update(asked_at=timezone.now() - timedelta(days=1, minutes=1))
    give(one, acme, "500", "slice-3")
    assert balance(acme) == before + 1500


def test_a_request_expires(acme: Office) -> None:
    give(operator(Role.BILLING), acme, "5000", "big")
    MoneyAct.objects.update(expires_at=timezone.now())
    assert "it has expired" in approve(operator(Role.BILLING), MoneyAct.objects.get())


def test_the_database_holds_that_there_are_two(acme: Office) -> None:
    give(operator(Role.BILLING), acme, "5000", "big")
    waiting = MoneyAct.objects.get()
    other = User.objects.exclude(pk=waiting.asked_by_id).first()
    assert other is not None
    now = timezone.now()
    for change in ({"approved_by": waiting.asked_by, "done_at": now}, {"done_at": now}):
        with pytest.raises(IntegrityError), transaction.atomic():
            MoneyAct.objects.filter(pk=waiting.pk).update(**change)
    assert MoneyAct.objects.filter(pk=waiting.pk).update(approved_by=other, done_at=now)
