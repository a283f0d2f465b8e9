"""Every kind of call that the outbox knows: how it is made, how it is found again, and what its answer does.

What is found again is found by listing, which at Stripe shows an object as soon as it is there; only customers
are looked for by search, which may lag by a minute, and a call is looked for 23 hours later at the earliest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import stripe

from billing.models import StripeCall
from billing.stripe import customers, invoices, meters, payments, refunds

Made = dict[str, Any]
"""What Stripe made, as its JSON; `id` is its id."""
Client = stripe.StripeClient
Parameters = Any
"""The JSON of a row, which the client's types cannot know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    make: Callable[[Client, Parameters, Any], Made]
    find: Callable[[Client, Parameters, StripeCall], Made | None]
    sent: Callable[[StripeCall, Made], None]
    refused: Callable[[StripeCall, stripe.StripeError], None] | None = None
    """What a refusal for good means. Without it a person is needed."""


def _plain(made: stripe.StripeObject) -> Made:
    return made.to_dict()


def _of_call(made: Iterable[stripe.StripeObject], call: StripeCall) -> Made | None:
    """The one that this call made."""
    return next((plain for one in made if (plain := _plain(one))["metadata"].get("call") == call.key), None)


def _since(call: StripeCall) -> Any:
    """Not before the call was written down, an hour allowed for clocks."""
    return {"gte": int(call.created_at.timestamp()) - 3600}


def _find_customer(client: Client, p: Parameters, call: StripeCall) -> Made | None:
    query = f"metadata['call']:'{call.key}'"
    return _of_call(client.v1.customers.search({"query": query}).auto_paging_iter(), call)


def _find_session(client: Client, p: Parameters, call: StripeCall) -> Made | None:
    listed = client.v1.checkout.sessions.list({"customer": p["customer"], "created": _since(call), "limit": 100})
    return _of_call(listed.auto_paging_iter(), call)


def _find_payment_intent(client: Client, p: Parameters, call: StripeCall) -> Made | None:
    listed = client.v1.payment_intents.list({"customer": p["customer"], "created": _since(call), "limit": 100})
    return _of_call(listed.auto_paging_iter(), call)


def _find_refund(client: Client, p: Parameters, call: StripeCall) -> Made | None:
    listed = client.v1.refunds.list({"payment_intent": p["payment_intent"], "limit": 100})
    return _of_call(listed.auto_paging_iter(), call)


def _find_invoice(client: Client, p: Parameters, call: StripeCall) -> Made | None:
    listed = client.v1.invoices.list({"customer": p["customer"], "created": _since(call), "limit": 100})
    return _of_call(listed.auto_paging_iter(), call)


def _find_credit_note(client: Client, p: Parameters, call: StripeCall) -> Made | None:
    listed = client.v1.credit_notes.list({"invoice": p["invoice"], "limit": 100})
    return _of_call(listed.auto_paging_iter(), call)


def _find_lines(client: Client, p: Parameters, call: StripeCall) -> Made | None:
    """The invoice, where it has lines: they are added by one call."""
    invoice = _plain(client.v1.invoices.retrieve(p["invoice"]))
    return invoice if invoice["lines"]["data"] else None


def _find_in_status(*statuses: str) -> Callable[[Client, Parameters, StripeCall], Made | None]:
    def find(client: Client, p: Parameters, call: StripeCall) -> Made | None:
        invoice = _plain(client.v1.invoices.retrieve(p["invoice"]))
        return invoice if invoice["status"] in statuses else None

    return find


def _without_invoice(p: Parameters) -> Parameters:
    """The body of a call whose address has the invoice's id."""
    return {name: value for name, value in p.items() if name != "invoice"}


def _end_invoice(end: Callable[[Client, Parameters, Any], stripe.Invoice]) -> Callable[..., Made]:
    """Pay or void an invoice, or find that it ended another way a moment before."""

    def make(client: Client, p: Parameters, o: Any) -> Made:
        try:
            return _plain(end(client, p, o))
        except stripe.InvalidRequestError:
            invoice = _plain(client.v1.invoices.retrieve(p["invoice"]))
            if invoice["status"] not in ("paid", "void"):
                raise
            return invoice

    return make


OPERATIONS = {
    "customer.create": Operation(
        make=lambda client, p, o: _plain(client.v1.customers.create(p, o)),
        find=_find_customer,
        sent=customers.note_customer,
    ),
    "customer.update": Operation(
        make=customers.update,
        find=lambda client, p, call: None,  # made again, it is the same
        sent=customers.note_update,
    ),
    "checkout.create": Operation(
        make=lambda client, p, o: _plain(client.v1.checkout.sessions.create(p, o)),
        find=_find_session,
        sent=payments.note_session,
        refused=payments.refuse,
    ),
    "payment_intent.create": Operation(
        make=lambda client, p, o: _plain(client.v1.payment_intents.create(p, o)),
        find=_find_payment_intent,
        sent=payments.note_payment_intent,
        refused=payments.refuse,
    ),
    "refund.create": Operation(
        make=lambda client, p, o: _plain(client.v1.refunds.create(p, o)),
        find=_find_refund,
        sent=refunds.note_refund,
        refused=refunds.refuse,
    ),
    "invoice.create": Operation(
        make=lambda client, p, o: _plain(client.v1.invoices.create(p, o)),
        find=_find_invoice,
        sent=invoices.note_call,
    ),
    "invoice.add_lines": Operation(
        make=lambda client, p, o: _plain(client.v1.invoices.add_lines(p["invoice"], _without_invoice(p), o)),
        find=_find_lines,
        sent=invoices.note_call,
    ),
    "invoice.finalize": Operation(
        make=invoices.finalize,
        find=_find_in_status("open", "paid", "void", "uncollectible"),
        sent=invoices.note_call,
    ),
    "invoice.pay": Operation(
        make=_end_invoice(lambda client, p, o: client.v1.invoices.pay(p["invoice"], _without_invoice(p), o)),
        find=_find_in_status("paid", "void"),
        sent=invoices.note_call,
    ),
    "invoice.void": Operation(
        make=_end_invoice(lambda client, p, o: client.v1.invoices.void_invoice(p["invoice"], {}, o)),
        find=_find_in_status("paid", "void"),
        sent=invoices.note_call,
    ),
    "credit_note.create": Operation(
        make=invoices.create_credit_note,
        find=_find_credit_note,
        sent=invoices.note_credit,
    ),
    "meter_event.create": Operation(make=meters.deliver, find=meters.find, sent=meters.note_delivery),
}
