"""Customers, cards, Checkout, payments, refunds, disputes."""

from __future__ import annotations

from typing import Any

from tests.fakes.stripe.schema import Refused
from tests.fakes.stripe.store import Store, Thing

FEE_CENTS, DISPUTE_FEE_CENTS = 30, 1500


def create_customer(store: Store, p: Thing) -> Thing:
    return store.add("customer", name=p.get("name"), email=p.get("email"), metadata=p.get("metadata", {}))


def update_customer(store: Store, id: str, p: Thing) -> Thing:
    customer = store.get("customer", id)
    customer |= p
    return customer


def create_session(store: Store, p: Thing) -> Thing:
    store.get("customer", p["customer"])
    lines = p.get("line_items", [])
    if p["mode"] == "payment" and not lines:
        raise Refused("Missing required param: line_items.", param="line_items")
    session = store.add(
        "checkout.session",
        mode=p["mode"],
        customer=p["customer"],
        metadata=p.get("metadata", {}),
        status="open",
        payment_status="unpaid",
        payment_intent=None,
        setup_intent=None,
        amount_total=sum(line["quantity"] * line["price_data"]["unit_amount"] for line in lines),
    )
    session["url"] = f"https://checkout.stripe.com/c/pay/{session['id']}"
    session["_intent"] = p.get("payment_intent_data", {})
    return session


def create_intent(store: Store, p: Thing) -> Thing:
    """A payment, made and confirmed in one request, for a customer who is not there."""
    store.get("customer", p["customer"])
    method = store.get("payment_method", p["payment_method"])
    if method["customer"] != p["customer"]:
        raise Refused("The payment method is not the customer's.", code="resource_missing", param="payment_method")
    intent = _new_intent(store, p["customer"], p["amount"], p.get("metadata", {}), payment_method=method["id"])
    _confirm(store, intent, method)
    if error := intent["last_payment_error"]:
        refusal = Refused(error["message"], code=error["code"], status=402)
        refusal.body["error"] |= {**error, "payment_intent": intent}
        raise refusal
    return intent


def complete_session(store: Store, session: Thing, method: Thing) -> Thing:
    """The customer fills in the page."""
    if session["status"] != "open":
        raise Refused("The session is over.")
    if session["mode"] == "setup":
        setup = store.add(
            "setup_intent",
            customer=session["customer"],
            payment_method=method["id"],
            status="succeeded",
            metadata={},
        )
        method["customer"] = session["customer"]
        session |= {"setup_intent": setup["id"], "status": "complete"}
        store.tell("setup_intent.succeeded", setup)
        store.tell("checkout.session.completed", session)
        return setup
    intent = _intent_of(store, session)
    intent["payment_method"] = method["id"]
    if intent["setup_future_usage"]:
        method["customer"] = session["customer"]
    _confirm(store, intent, method)
    if intent["status"] in ("succeeded", "processing"):
        paid = intent["status"] == "succeeded"
        session |= {"status": "complete", "payment_status": "paid" if paid else "unpaid"}
        store.tell("checkout.session.completed", session)
    return intent


def _intent_of(store: Store, session: Thing) -> Thing:
    """One for the session, however many cards are tried."""
    if session["payment_intent"]:
        return store.get("payment_intent", session["payment_intent"])
    data = session["_intent"]
    intent = _new_intent(
        store,
        session["customer"],
        session["amount_total"],
        data.get("metadata", {}),
        setup_future_usage=data.get("setup_future_usage"),
    )
    session["payment_intent"] = intent["id"]
    return intent


def expire_session(store: Store, session: Thing) -> None:
    if session["status"] == "open":
        session["status"] = "expired"
        store.tell("checkout.session.expired", session)


def create_refund(store: Store, p: Thing) -> Thing:
    intent = store.get("payment_intent", p["payment_intent"])
    charge = store.get("charge", intent["latest_charge"])
    amount = p.get("amount", charge["amount"] - charge["amount_refunded"])
    if store.all("dispute", charge=charge["id"]):
        raise Refused("This charge is disputed.", code="charge_disputed")
    if amount > charge["amount"] - charge["amount_refunded"]:
        raise Refused("Refund amount is greater than unrefunded amount.", code="charge_already_refunded")
    charge["amount_refunded"] += amount
    refund = store.add(
        "refund",
        amount=amount,
        charge=charge["id"],
        payment_intent=intent["id"],
        status="succeeded",
        reason=p.get("reason"),
        metadata=p.get("metadata", {}),
    )
    store.move("refund", -amount, refund["id"])
    store.tell("refund.created", refund)
    return refund


def fail_refund(store: Store, refund: Thing) -> None:
    """The card's bank did not take it."""
    if refund["status"] == "succeeded":
        refund["status"] = "failed"
        store.get("charge", refund["charge"])["amount_refunded"] -= refund["amount"]
        store.move("refund_failure", refund["amount"], refund["id"])
        store.tell("refund.failed", refund)


def open_dispute(store: Store, intent: Thing) -> Thing | None:
    """The customer's bank takes what is left of a payment; a second dispute there is not."""
    charge = store.get("charge", intent["latest_charge"])
    amount = charge["amount"] - charge["amount_refunded"]
    if not amount or store.all("dispute", charge=charge["id"]):
        return None
    dispute = store.add(
        "dispute",
        amount=amount,
        charge=charge["id"],
        payment_intent=intent["id"],
        reason="fraudulent",
        status="needs_response",
        balance_transactions=[],
    )
    moved = store.move("adjustment", -amount, dispute["id"], fee=DISPUTE_FEE_CENTS)
    dispute["balance_transactions"].append(moved)
    store.tell("charge.dispute.created", dispute)
    store.tell("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close_dispute(store: Store, dispute: Thing, *, won: bool) -> None:
    if dispute["status"] != "needs_response":
        return
    dispute["status"] = "won" if won else "lost"
    if won:
        moved = store.move("adjustment", dispute["amount"], dispute["id"])
        dispute["balance_transactions"].append(moved)
        store.tell("charge.dispute.funds_reinstated", dispute)
    store.tell("charge.dispute.closed", dispute)


def receive(store: Store, intent: Thing) -> None:
    """The money of a payment comes in."""
    charge = store.add(
        "charge", amount=intent["amount"], amount_refunded=0, payment_intent=intent["id"], status="succeeded"
    )
    store.move("charge", intent["amount"], charge["id"], fee=FEE_CENTS)
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
    store.tell("payment_intent.succeeded", intent)


def _new_intent(store: Store, customer: str | None, amount: int, metadata: Any, **members: Any) -> Thing:
    if amount < 50:
        raise Refused("Amount must be at least $0.50 usd", code="amount_too_small", param="amount")
    return store.add(
        "payment_intent",
        customer=customer,
        amount=amount,
        amount_received=0,
        currency="usd",
        metadata=metadata,
        latest_charge=None,
        last_payment_error=None,
        status="requires_payment_method",
        **members,
    )


new_intent = _new_intent


def _confirm(store: Store, intent: Thing, method: Thing) -> None:
    """What the card does is what it was made to do."""
    match method["_does"]:
        case "pays":
            intent["last_payment_error"] = None
            receive(store, intent)
        case "waits":
            intent["status"] = "processing"
        case code:
            intent["last_payment_error"] = {
                "code": code,
                "message": "Your card was declined.",
                "type": "card_error",
            }
            store.tell("payment_intent.payment_failed", intent)
