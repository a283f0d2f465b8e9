"""Organizations as Stripe's customers, and the card that each saved."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import stripe

from accounts.models import Membership, Organization
from billing.models import BillingDetails, StripeCall, StripeCustomer
from billing.stripe import outbox

PAYERS = (Membership.Role.OWNER, Membership.Role.BILLING)
"""The address for e-mails about money."""


def ensure(organization: Organization, *, awaited: bool = False) -> StripeCall:
    """The call that makes the organization a customer, written down where it is not yet (see `outbox.put`)."""
    StripeCustomer.objects.get_or_create(organization=organization)
    addresses = addresses_of(organization)
    return outbox.put(
        key=f"customer:{organization.pk}",
        operation="customer.create",
        parameters={
            "name": organization.name,
            **({"email": addresses[0]} if addresses else {}),
            "metadata": {"organization": str(organization.pk)},
        },
        awaited=awaited,
    )


def describe(
    organization: Organization, details: BillingDetails, *, awaited: bool = False
) -> tuple[StripeCall, StripeCall]:
    """The calls that make the organization a customer and bring its name and address to what they are now."""
    made = ensure(organization, awaited=awaited)
    address = {
        name: getattr(details, name) for name in ("line1", "line2", "postal_code", "city", "state", "country")
    }
    shown = {"name": details.legal_name or organization.name, **({"address": address} if details.country else {})}
    version = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]
    described = outbox.put(
        key=f"customer:{organization.pk}:{version}",
        operation="customer.update",
        parameters={"customer": outbox.id_of(made.key), **shown},
        awaited=awaited,
    )
    return made, described


def addresses_of(organization: Organization) -> list[str]:
    """The e-mail addresses of the members who pay, the owner's first."""
    payers = Membership.objects.filter(organization=organization, role__in=PAYERS).select_related("user")
    return [payer.user.email for payer in payers.order_by("-role", "created_at")]


def note_customer(call: StripeCall, customer: dict[str, Any]) -> None:
    StripeCustomer.objects.filter(organization=customer["metadata"]["organization"]).update(
        stripe_id=customer["id"]
    )


def update(client: stripe.StripeClient, p: Any, o: Any) -> dict[str, Any]:
    body = {name: value for name, value in p.items() if name != "customer"}
    return client.v1.customers.update(p["customer"], body, o).to_dict()  # type: ignore[arg-type]  # plain JSON


def note_update(call: StripeCall, customer: dict[str, Any]) -> None:
    """Nothing of it is kept here."""


def save_card(*, customer: str, payment_method: dict[str, Any]) -> None:
    """Keep a card for the payments that the customer is not there for."""
    card = payment_method.get("card") or {}
    StripeCustomer.objects.filter(stripe_id=customer).update(
        payment_method=payment_method["id"],
        card_brand=card.get("brand", ""),
        card_last_four=card.get("last4", ""),
        card_expires=f"{card['exp_month']:02}/{card['exp_year']}" if card else "",
    )


def forget_card(payment_method: dict[str, Any]) -> None:
    """Forget a card that was taken off its customer."""
    if payment_method.get("customer") is None:
        StripeCustomer.objects.filter(payment_method=payment_method["id"]).update(
            payment_method="", card_brand="", card_last_four="", card_expires=""
        )
