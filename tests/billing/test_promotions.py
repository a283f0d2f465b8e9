"""Promotion codes: given once to each organization, and to no more of them than was said."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing import promotions
from billing.models import Grant, PromotionCode, Redemption
from billing.promotions import AlreadyRedeemed, NotRedeemable
from tests.billing.books import account_of, check_books, new_organization

pytestmark = pytest.mark.django_db


def test_a_code_is_redeemed_once_whatever_its_letters_case() -> None:
    promotions.create(code="Hello2026", amount=Decimal(5), max_redemptions=2, credit_days=30)
    organization = new_organization()
    redeemed = promotions.redeem(organization=organization, code=" hello2026 ")
    account = account_of(organization)
    assert (account.balance, account.promotional) == (5, 5)
    grant = Grant.objects.get(transaction=redeemed.movement)
    assert grant.expires_at is not None
    assert timedelta(days=29) < grant.expires_at - timezone.now() <= timedelta(days=30)
    with pytest.raises(AlreadyRedeemed):
        promotions.redeem(organization=organization, code="HELLO2026")
    assert account_of(organization).balance == 5
    check_books()


def test_no_more_organizations_than_was_said() -> None:
    code = promotions.create(code="FIRST1", amount=Decimal(5), max_redemptions=1)
    promotions.redeem(organization=new_organization(), code="FIRST1")
    late = new_organization()
    with pytest.raises(NotRedeemable), transaction.atomic():
        promotions.redeem(organization=late, code="FIRST1")
    assert account_of(late).balance == 0
    with pytest.raises(IntegrityError, match="never_over_redeemed"), transaction.atomic():
        PromotionCode.objects.filter(pk=code.pk).update(redemptions=2)


def test_an_expired_or_unknown_code_gives_nothing() -> None:
    past = timezone.now() - timedelta(seconds=1)
    promotions.create(code="OLDONE", amount=Decimal(5), max_redemptions=9, expires_at=past)
    for code in ("OLDONE", "NOSUCH", ""):
        with pytest.raises(NotRedeemable), transaction.atomic():
            promotions.redeem(organization=new_organization(), code=code)
    assert not Redemption.objects.exists()


def test_an_operator_makes_codes() -> None:
    call_command("promotion", "HELLO", "2.50", "--max", "10", "--expires", "2030-01-01")
    assert PromotionCode.objects.get().amount == Decimal("2.50")
    for arguments in (["hello", "1", "--max", "1"], ["X!", "1", "--max", "1"], ["GOOD", "0", "--max", "1"]):
        with pytest.raises(CommandError, match=r"code|amount"):
            call_command("promotion", *arguments)
    assert PromotionCode.objects.count() == 1
