"""What each type of Stripe's events does: one handler a type, in one table.

Events come late, twice and in any order. So an event only says where to look: `fetch` asks Stripe for what the
object is now, outside any transaction, and `apply` brings us to that, in the one that marks the event as done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import stripe

from billing.stripe import customers, disputes, invoices, payments, refunds

Plain = dict[str, Any]
Client = stripe.StripeClient


@dataclass(frozen=True, slots=True)
class Handler:
    fetch: Callable[[Client, str], Plain]
    """What Stripe has now, by the id of the event's object."""
    apply: Callable[[Plain], None]
    """Bring our rows to that state. Repeats and stale events are safe."""


def _fetch_intent(client: Client, id: str) -> Plain:
    return client.v1.payment_intents.retrieve(id, {"expand": ["payment_method"]}).to_dict()


def _fetch_session(client: Client, id: str) -> Plain:
    return client.v1.checkout.sessions.retrieve(id, {"expand": ["payment_intent.payment_method"]}).to_dict()


def _fetch_setup(client: Client, id: str) -> Plain:
    return client.v1.setup_intents.retrieve(id, {"expand": ["payment_method"]}).to_dict()


def _fetch_method(client: Client, id: str) -> Plain:
    return client.v1.payment_methods.retrieve(id).to_dict()


def _fetch_invoice(client: Client, id: str) -> Plain:
    invoice = client.v1.invoices.retrieve(id).to_dict()
    paid = client.v1.invoice_payments.list({"invoice": id, "status": "paid", "limit": 100})
    return {"invoice": invoice, "payments": [payment.to_dict() for payment in paid.auto_paging_iter()]}


def _fetch_refund(client: Client, id: str) -> Plain:
    return _with_its_payment(client, client.v1.refunds.retrieve(id).to_dict())


def _fetch_dispute(client: Client, id: str) -> Plain:
    return _with_its_payment(client, client.v1.disputes.retrieve(id).to_dict())


def _with_its_payment(client: Client, thing: Plain) -> Plain:
    """A refund or a dispute beside what was paid: its event may come before the payment's."""
    behind: Plain = {"thing": thing, "intent": None, "invoices": []}
    if intent := thing["payment_intent"]:
        behind["intent"] = _fetch_intent(client, intent)
        of_intent = client.v1.invoice_payments.list(
            {"payment": {"type": "payment_intent", "payment_intent": intent}}
        )
        behind["invoices"] = [_fetch_invoice(client, str(payment.invoice)) for payment in of_intent.data]
    return behind


def _apply_setup(setup: Plain) -> None:
    if setup["status"] == "succeeded" and setup["customer"]:
        customers.save_card(customer=setup["customer"], payment_method=setup["payment_method"])


def _apply_invoice(fetched: Plain) -> None:
    invoices.apply(fetched["invoice"], fetched["payments"])


def _apply_refund(fetched: Plain) -> None:
    _apply_payment(fetched)
    refunds.apply(fetched["thing"])


def _apply_dispute(fetched: Plain) -> None:
    _apply_payment(fetched)
    disputes.apply(fetched["thing"])


def _apply_payment(fetched: Plain) -> None:
    if fetched["intent"]:
        payments.apply(fetched["intent"])
    for invoice in fetched["invoices"]:
        _apply_invoice(invoice)


_SESSION = Handler(_fetch_session, payments.apply_session)
_INTENT = Handler(_fetch_intent, payments.apply)
_REFUND = Handler(_fetch_refund, _apply_refund)
_DISPUTE = Handler(_fetch_dispute, _apply_dispute)
_INVOICE = Handler(_fetch_invoice, _apply_invoice)

HANDLERS = {
    "checkout.session.completed": _SESSION,
    "checkout.session.async_payment_succeeded": _SESSION,
    "checkout.session.async_payment_failed": _SESSION,
    "checkout.session.expired": _SESSION,
    "payment_intent.succeeded": _INTENT,
    "payment_intent.payment_failed": _INTENT,
    "payment_intent.canceled": _INTENT,
    "setup_intent.succeeded": Handler(_fetch_setup, _apply_setup),
    "payment_method.detached": Handler(_fetch_method, customers.forget_card),
    "refund.created": _REFUND,
    "refund.updated": _REFUND,
    "refund.failed": _REFUND,
    "charge.dispute.created": _DISPUTE,
    "charge.dispute.updated": _DISPUTE,
    "charge.dispute.closed": _DISPUTE,
    "charge.dispute.funds_withdrawn": _DISPUTE,
    "charge.dispute.funds_reinstated": _DISPUTE,
    "invoice.finalized": _INVOICE,
    "invoice.paid": _INVOICE,
    "invoice.voided": _INVOICE,
    "invoice.marked_uncollectible": _INVOICE,
    "invoice.updated": _INVOICE,
}
