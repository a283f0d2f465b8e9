"""What of a deleted customer's money stays: ledger, usage, invoices. What is personal beside them goes."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from accounts.organizations import Refused
from billing.models import (
    Account,
    Alert,
    AlertRule,
    AutoRecharge,
    BillingDetails,
    Invoice,
    StripeCall,
    StripeCustomer,
    StripeDelivery,
)
from billing.stripe import outbox
from webhooks.models import Delivery, WebhookEndpoint


def check(organization_id: UUID) -> None:
    """Raises Refused: the organization owes money; it can be deleted once it has paid."""
    owed = Account.objects.filter(organization=organization_id, balance__lt=0).exists()
    if owed or Invoice.objects.filter(organization=organization_id, state=Invoice.State.OPEN).exists():
        raise Refused("It owes money: an invoice is open, or usage is not invoiced yet. Settle that first.")


def erase(organization_id: UUID) -> None:
    """Forget where a customer is, how it pays and whom it had told; in the caller's transaction.

    Of what Stripe knows, the customer's name and addresses are emptied there, too; payments stay.
    """
    for model in (Delivery, Alert, AlertRule, WebhookEndpoint, AutoRecharge, BillingDetails):
        model._default_manager.filter(organization=organization_id).delete()
    StripeCall.objects.filter(
        Q(key__contains=str(organization_id)) | Q(parameters__metadata__organization=str(organization_id)),
    ).exclude(state=StripeCall.State.PENDING).update(parameters={}, url="", error="")
    customer = StripeCustomer.objects.filter(organization=organization_id).exclude(stripe_id="").first()
    if customer is not None:
        StripeDelivery.objects.filter(body__contains=customer.stripe_id).update(body="")
        outbox.put(
            key=f"customer:{organization_id}:deleted",
            operation="customer.update",
            parameters={
                "customer": customer.stripe_id,
                "name": f"Deleted customer {organization_id.hex[-8:]}",
                **dict.fromkeys(("email", "address", "phone", "shipping"), ""),
            },
        )
    StripeCustomer.objects.filter(organization=organization_id).update(
        payment_method="", card_brand="", card_last_four="", card_expires=""
    )


def forget_address(email: str) -> None:
    """Forget that a person was written to, and write there no more."""
    Delivery.objects.filter(address__iexact=email).delete()
    BillingDetails.objects.filter(email__iexact=email).update(email="")
