"""Which address does what, and with which of the package's typed parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from stripe import params as typed
from stripe.params import billing, checkout, tax

from tests.fakes.stripe import invoices, meters, payments
from tests.fakes.stripe.schema import Refused
from tests.fakes.stripe.store import Store, Thing

Answer = Callable[..., Thing]
MOST_TYPES = 20


class Route(NamedTuple):
    method: str
    path: str
    """`*` stands for an id, which the answer takes after the store."""
    parameters: type
    answer: Answer

    def match(self, method: str, path: str) -> list[str] | None:
        if method != self.method:
            return None
        found = re.fullmatch(self.path.replace("*", "([^/]+)"), path)
        return list(found.groups()) if found else None


def _get(kind: str) -> Answer:
    return lambda store, id, p: store.get(kind, id)


def _list(kind: str, *filters: str) -> Answer:
    return lambda store, p: store.page(kind, p, **{name: p[name] for name in filters if name in p})


def _on_invoice(answer: Answer) -> Answer:
    return lambda store, id, p: answer(store, store.get("invoice", id), p)


def _search_customers(store: Store, p: Thing) -> Thing:
    found = re.fullmatch(r"metadata\['(\w+)'\]:'([^']+)'", p["query"])
    if found is None:
        raise Refused("The query is not understood.", param="query")
    data = [thing for thing in store.all("customer") if thing["metadata"].get(found[1]) == found[2]]
    return {"object": "search_result", "data": data, "has_more": False, "next_page": None, "url": "/v1/search"}


def _list_invoice_payments(store: Store, p: Thing) -> Thing:
    filters = {name: p[name] for name in ("invoice", "status", "payment") if name in p}
    return store.page("invoice_payment", p, **filters)


def _list_events(store: Store, p: Thing) -> Thing:
    if len(p.get("types", [])) > MOST_TYPES:
        raise Refused(f"types: {MOST_TYPES} at most", param="types")
    page = store.page("event", {**p, "limit": 10_000, "starting_after": None})
    known = [event for event in page["data"] if event["type"] in p.get("types", [event["type"]])]
    ids = [event["id"] for event in known]
    rest = known[ids.index(p["starting_after"]) + 1 :] if "starting_after" in p else known
    return {**page, "data": rest[: p.get("limit", 10)], "has_more": len(rest) > p.get("limit", 10)}


def _summaries(store: Store, id: str, p: Thing) -> Thing:
    return meters.summaries(store, store.get("billing.meter", id), p)


_ROUTES: list[tuple[str, str, Any, Answer]] = [
    ("POST", "/v1/customers", typed.CustomerCreateParams, payments.create_customer),
    ("POST", "/v1/customers/*", typed.CustomerUpdateParams, payments.update_customer),
    ("POST", "/v1/tax/calculations", tax.CalculationCreateParams, invoices.calculate_tax),
    ("GET", "/v1/customers/search", typed.CustomerSearchParams, _search_customers),
    ("POST", "/v1/checkout/sessions", checkout.SessionCreateParams, payments.create_session),
    ("GET", "/v1/checkout/sessions", checkout.SessionListParams, _list("checkout.session", "customer")),
    ("GET", "/v1/checkout/sessions/*", checkout.SessionRetrieveParams, _get("checkout.session")),
    ("POST", "/v1/payment_intents", typed.PaymentIntentCreateParams, payments.create_intent),
    ("GET", "/v1/payment_intents", typed.PaymentIntentListParams, _list("payment_intent", "customer")),
    ("GET", "/v1/payment_intents/*", typed.PaymentIntentRetrieveParams, _get("payment_intent")),
    ("GET", "/v1/payment_methods/*", typed.PaymentMethodRetrieveParams, _get("payment_method")),
    ("GET", "/v1/setup_intents/*", typed.SetupIntentRetrieveParams, _get("setup_intent")),
    ("POST", "/v1/refunds", typed.RefundCreateParams, payments.create_refund),
    ("GET", "/v1/refunds", typed.RefundListParams, _list("refund", "payment_intent")),
    ("GET", "/v1/refunds/*", typed.RefundRetrieveParams, _get("refund")),
    ("GET", "/v1/disputes/*", typed.DisputeRetrieveParams, _get("dispute")),
    ("GET", "/v1/balance_transactions", typed.BalanceTransactionListParams, _list("balance_transaction")),
    ("POST", "/v1/invoices", typed.InvoiceCreateParams, invoices.create),
    ("GET", "/v1/invoices", typed.InvoiceListParams, _list("invoice", "customer")),
    ("GET", "/v1/invoices/*", typed.InvoiceRetrieveParams, _get("invoice")),
    ("POST", "/v1/invoices/*/add_lines", typed.InvoiceAddLinesParams, _on_invoice(invoices.add_lines)),
    ("POST", "/v1/invoices/*/finalize", typed.InvoiceFinalizeInvoiceParams, _on_invoice(invoices.finalize)),
    ("POST", "/v1/invoices/*/pay", typed.InvoicePayParams, _on_invoice(invoices.pay)),
    ("POST", "/v1/invoices/*/void", typed.InvoiceVoidInvoiceParams, _on_invoice(invoices.void)),
    ("GET", "/v1/invoice_payments", typed.InvoicePaymentListParams, _list_invoice_payments),
    ("POST", "/v1/credit_notes", typed.CreditNoteCreateParams, invoices.credit),
    ("GET", "/v1/credit_notes", typed.CreditNoteListParams, _list("credit_note", "invoice")),
    ("POST", "/v1/billing/meter_events", billing.MeterEventCreateParams, meters.create_event),
    ("GET", "/v1/billing/meters", billing.MeterListParams, _list("billing.meter", "status")),
    ("GET", "/v1/billing/meters/*/event_summaries", billing.MeterListEventSummariesParams, _summaries),
    ("GET", "/v1/events", typed.EventListParams, _list_events),
    ("GET", "/v1/events/*", typed.EventRetrieveParams, _get("event")),
]
ROUTES = [Route(*route) for route in _ROUTES]
