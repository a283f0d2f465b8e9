"""Invoices, their lines, what is paid of them, and credit notes."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from tests.fakes.stripe import payments
from tests.fakes.stripe.schema import Refused
from tests.fakes.stripe.store import Store, Thing

MOST_LINES = 250
AUTOMATIC_TAX = Decimal("0.19")


def calculate_tax(store: Store, p: Thing) -> Thing:
    """What `automatic_tax` finds on the same amount, for a customer with an address."""
    if not store.get("customer", p["customer"]).get("address"):
        raise Refused("The customer has no address.", code="customer_tax_location_invalid", param="customer")
    amount = sum(item["amount"] for item in p["line_items"])
    return store.add(
        "tax.calculation",
        tax_amount_exclusive=int((amount * AUTOMATIC_TAX).quantize(Decimal(1), rounding=ROUND_HALF_UP)),
        tax_breakdown=[{"taxability_reason": "standard_rated"}],
    )


def create(store: Store, p: Thing) -> Thing:
    store.get("customer", p["customer"])
    number = p.get("number")
    if number and any(invoice["number"] == number for invoice in store.all("invoice")):
        raise Refused("The number is taken.", param="number")
    return store.add(
        "invoice",
        customer=p["customer"],
        number=number,
        status="draft",
        collection_method=p.get("collection_method", "charge_automatically"),
        automatic_tax=p.get("automatic_tax", {"enabled": False}),
        metadata=p.get("metadata", {}),
        lines={"object": "list", "data": [], "has_more": False, "url": "/lines"},
        subtotal=0,
        total=0,
        amount_due=0,
        amount_paid=0,
        hosted_invoice_url=None,
    )


def add_lines(store: Store, invoice: Thing, p: Thing) -> Thing:
    _require(invoice, "draft")
    lines = invoice["lines"]["data"]
    if len(lines) + len(p["lines"]) > MOST_LINES:
        raise Refused(f"An invoice takes {MOST_LINES} lines.", param="lines")
    for line in p["lines"]:
        if "amount" in line and "quantity_decimal" in line:
            raise Refused("One of amount and quantity_decimal.", param="lines")
        unit = Decimal(line.get("price_data", {}).get("unit_amount_decimal", 0))
        exact = Decimal(line["amount"]) if "amount" in line else line["quantity_decimal"] * unit
        taxes = line.get("tax_amounts", [])
        if taxes and invoice["automatic_tax"]["enabled"]:
            raise Refused("You cannot set tax amounts where automatic tax is on.", param="lines")
        lines.append(
            store.add(
                "line_item",
                amount=int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)),
                quantity_decimal=str(line.get("quantity_decimal", 1)),
                unit_amount_decimal=str(unit),
                description=line.get("description"),
                tax=sum(tax["amount"] for tax in taxes),
            )
        )
    _total(invoice)
    return invoice


def finalize(store: Store, invoice: Thing, p: Thing) -> Thing:
    _require(invoice, "draft")
    invoice["status"] = "open"
    invoice["hosted_invoice_url"] = f"https://invoice.stripe.example/{invoice['id']}"
    store.tell("invoice.finalized", invoice)
    if not invoice["total"]:
        _settle(store, invoice)
    return invoice


def pay(store: Store, invoice: Thing, p: Thing) -> Thing:
    _require(invoice, "open")
    if not p.get("paid_out_of_band"):
        raise Refused("There is no default payment method.", code="invoice_no_payment_method")
    _settle(store, invoice)
    return invoice


def void(store: Store, invoice: Thing, p: Thing) -> Thing:
    _require(invoice, "open")
    invoice["status"] = "void"
    store.tell("invoice.voided", invoice)
    return invoice


def pay_by_card(store: Store, invoice: Thing) -> Thing:
    """The customer pays on the invoice's own page."""
    _require(invoice, "open")
    intent = payments.new_intent(store, invoice["customer"], invoice["amount_due"], {}, payment_method=None)
    store.add(
        "invoice_payment",
        invoice=invoice["id"],
        amount_paid=intent["amount"],
        status="paid",
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
    )
    payments.receive(store, intent)
    _settle(store, invoice)
    return intent


def credit(store: Store, p: Thing) -> Thing:
    invoice = store.get("invoice", p["invoice"])
    amount = p["amount"]
    if invoice["status"] == "open":
        if amount > invoice["amount_due"]:
            raise Refused("The credit note is above the amount due.", param="amount")
        invoice["amount_due"] -= amount
        if not invoice["amount_due"]:
            _settle(store, invoice)
    elif invoice["status"] == "paid":
        parts = [p.get(name, 0) for name in ("refund_amount", "credit_amount", "out_of_band_amount")]
        if sum(parts) != amount:
            raise Refused("The parts of a paid invoice's credit note must come to its amount.", param="amount")
        if parts[0]:
            (paid,) = store.all("invoice_payment", invoice=invoice["id"])
            payments.create_refund(
                store, {"payment_intent": paid["payment"]["payment_intent"], "amount": parts[0]}
            )
    else:
        raise Refused("Only a finalized invoice takes a credit note.", param="invoice")
    return store.add("credit_note", invoice=invoice["id"], amount=amount, metadata=p.get("metadata", {}))


def _settle(store: Store, invoice: Thing) -> None:
    invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_due": 0}
    store.tell("invoice.paid", invoice)


def _require(invoice: Thing, status: str) -> None:
    if invoice["status"] != status:
        raise Refused(f"The invoice is {invoice['status']}, not {status}.", code="invoice_not_editable")


def _total(invoice: Thing) -> None:
    lines = invoice["lines"]["data"]
    invoice["subtotal"] = sum(line["amount"] for line in lines)
    tax = sum(line["tax"] for line in lines)
    if invoice["automatic_tax"]["enabled"]:
        tax = int((invoice["subtotal"] * AUTOMATIC_TAX).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    invoice["total"] = invoice["amount_due"] = invoice["subtotal"] + tax
