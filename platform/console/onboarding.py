"""New organizations: an owner, and the free credit of the settings.

The credit is given when the owner has confirmed an address, once per person and mailbox (`billing.once`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import organizations
from accounts.models import Membership, Organization, User
from billing import ledger, once, pricing
from gateway.catalog import MODELS

MINUTES_MODEL = next(iter(MODELS))
OFFER = "welcome"
HAD_BEFORE = "You have already received the free credit with this mailbox or another account. Add credit to begin."
BUSY = (
    "The free credit is not available right now, because many people in your network received it today. "
    "Add credit to begin, or contact us."
)


@dataclass(frozen=True, slots=True)
class FreeCredit:
    """What a newcomer gets: dollars, and the whole minutes of audio that they buy (0 without a price)."""

    amount: Decimal
    minutes: int


def offer() -> FreeCredit:
    amount = settings.ENVIRONMENT.promo_credit_dollars or Decimal(0)
    price = pricing.price_at(model=MINUTES_MODEL, at=timezone.now()) if amount else None
    return FreeCredit(amount, int(amount / price.dollars_per_minute) if price and price.dollars_per_minute else 0)


@transaction.atomic
def welcome(*, name: str, owner_email: str) -> Organization:
    """Create an organization from the command line, with the free credit."""
    organization = organizations.create(name=name, owner_email=owner_email)
    _give(organization)
    return organization


@transaction.atomic
def begin(request: HttpRequest | None, user: User, *, name: str) -> None:
    """Create a newcomer's organization; the credit is given once the address is confirmed."""
    organizations.create(name=name, owner_email=user.email)
    if EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        give_credit(request, user)


@receiver(email_confirmed, dispatch_uid="console.onboarding")
def _confirmed(request: HttpRequest | None, email_address: EmailAddress, **kwargs: Any) -> None:
    give_credit(request, email_address.user)


def give_credit(request: HttpRequest | None, user: User) -> None:
    """Give the free credit to the person's first organization, or say on the next page why not."""
    if once.has(offer=OFFER, person=user):
        once.extend(offer=OFFER, person=user)  # another address of the same person
        return
    own = Organization.objects.filter(memberships__user=user, memberships__role=Membership.Role.OWNER)
    organization = own.order_by("created_at").first()
    if organization is None or not settings.ENVIRONMENT.promo_credit_dollars:
        return
    try:
        with transaction.atomic():
            once.claim(offer=OFFER, people=[user])
            address = request.META.get("REMOTE_ADDR") if request else None
            once.count_network(address=address or None, most=settings.ENVIRONMENT.promo_credits_per_network)
            _give(organization)
    except once.ClaimedBefore:
        _say(request, HAD_BEFORE)
    except once.NetworkBusy:
        _say(request, BUSY)


def _give(organization: Organization) -> None:
    if credit := settings.ENVIRONMENT.promo_credit_dollars:
        ledger.grant(organization=organization, amount=credit, cause=f"welcome:{organization.id}")


def _say(request: HttpRequest | None, words: str) -> None:
    if request is not None:
        messages.info(request, words)
