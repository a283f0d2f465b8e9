"""Promotion codes: promotional credit, once for each person and organization."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Membership, Organization, User
from billing import ledger, once
from billing.models import PromotionCode, Redemption


class NotRedeemable(Exception):
    """There is no such code, or it has expired or is used up. The message does not say which."""


class AlreadyRedeemed(Exception):
    """The organization has redeemed it, or its owner or the requesting member has for another organization."""


def create(
    *,
    code: str,
    amount: Decimal,
    max_redemptions: int,
    expires_at: datetime | None = None,
    credit_days: int | None = None,
) -> PromotionCode:
    """Make a code; its letters' case does not matter.

    Raises:
        ValueError: a value makes no sense, or the code is taken.
    """
    if not code.isascii() or not code.isalnum() or not 4 <= len(code) <= 50:
        raise ValueError("code: 4 to 50 letters and digits")
    if amount <= 0 or max_redemptions < 1:
        raise ValueError("amount, max_redemptions: above zero")
    try:
        with transaction.atomic():
            return PromotionCode.objects.create(
                code=code.upper(),
                amount=amount,
                max_redemptions=max_redemptions,
                expires_at=expires_at,
                credit_days=credit_days,
            )
    except IntegrityError:
        raise ValueError(f"code: {code} is taken") from None


@transaction.atomic
def redeem(*, organization: Organization, code: str, by: User | None = None) -> Redemption:
    """Turn a code into promotional credit.

    Args:
        by: the member who asks. It counts as redeemed by this person and by the organization's owner.

    Raises:
        NotRedeemable, AlreadyRedeemed: nothing was given.
    """
    now = timezone.now()
    valid = PromotionCode.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        code__iexact=code.strip(),
        redemptions__lt=F("max_redemptions"),
    )
    if Redemption.objects.filter(organization=organization, promotion__code__iexact=code.strip()).exists():
        raise AlreadyRedeemed
    if not valid.update(redemptions=F("redemptions") + 1):
        raise NotRedeemable
    promotion = PromotionCode.objects.get(code__iexact=code.strip())
    people = User.objects.filter(memberships__organization=organization, memberships__role=Membership.Role.OWNER)
    try:
        once.claim(offer=f"promotion:{promotion.pk}", people=[*people, *([by] if by else [])])
    except once.ClaimedBefore:
        raise AlreadyRedeemed from None
    movement = ledger.grant(
        organization=organization,
        amount=promotion.amount,
        cause=f"promotion:{promotion.pk}:{organization.pk}",
        expires_at=now + timedelta(days=promotion.credit_days) if promotion.credit_days else None,
    )
    try:
        with transaction.atomic():
            return Redemption.objects.create(promotion=promotion, organization=organization, movement=movement)
    except IntegrityError:  # redeemed at the same moment: the code's row was the queue, so ours comes second
        raise AlreadyRedeemed from None
