"""What the double keeps: objects, Stripe's own book of the money, and the events to be told."""

from __future__ import annotations

import copy
import itertools
import time
from typing import Any
from uuid import uuid4

from tests.fakes.stripe.schema import Refused

Thing = dict[str, Any]
PREFIXES = {
    "customer": "cus", "payment_method": "pm", "payment_intent": "pi", "charge": "ch", "refund": "re",
    "dispute": "dp", "checkout.session": "cs", "setup_intent": "seti", "invoice": "in", "line_item": "il",
    "invoice_payment": "inpay", "credit_note": "cn", "balance_transaction": "txn", "event": "evt",
    "tax.calculation": "taxcalc", "billing.meter": "mtr", "billing.meter_event_summary": "mtrusg",
}  # fmt: skip


class Store:
    """Objects by id, in the order in which they were made."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.undelivered: list[Thing] = []
        self._numbers = itertools.count(1)
        self._mark = uuid4().hex[:8]  # no two doubles give the same id

    def now(self) -> int:
        return int(time.time())

    def add(self, kind: str, **members: Any) -> Thing:
        thing = {
            "id": f"{PREFIXES[kind]}_{self._mark}{next(self._numbers):06}",
            "object": kind,
            "created": self.now(),
            **members,
        }
        if "metadata" in members:
            thing["metadata"] = members["metadata"] or {}
        self.things[thing["id"]] = thing
        return thing

    def get(self, kind: str, id: str) -> Thing:
        thing = self.things.get(id)
        if thing is None or thing["object"] != kind:
            raise Refused(f"No such {kind}: '{id}'", code="resource_missing", param="id", status=404)
        return thing

    def all(self, kind: str, **members: Any) -> list[Thing]:
        """Newest first."""
        found = [
            thing
            for thing in self.things.values()
            if thing["object"] == kind and all(thing.get(name) == value for name, value in members.items())
        ]
        return found[::-1]

    def tell(self, type: str, thing: Thing) -> None:
        """An event, with the object as it is at this moment."""
        event = self.add(
            "event", type=type, data={"object": copy.deepcopy(thing)}, api_version="2026-10-28.endive"
        )
        self.undelivered.append(event)

    def move(self, type: str, amount: int, source: str, fee: int = 0) -> Thing:
        """Money in Stripe's own book."""
        return self.add("balance_transaction", type=type, amount=amount, fee=fee, net=amount - fee, source=source)

    def page(self, kind: str, p: Thing, **members: Any) -> Thing:
        """A list as Stripe answers it, by its `created`, `limit` and `starting_after`."""
        found = self.all(kind, **members)
        if isinstance(created := p.get("created"), dict):
            found = [thing for thing in found if thing["created"] >= created.get("gte", 0)]
        if after := p.get("starting_after"):
            ids = [thing["id"] for thing in found]
            found = found[ids.index(after) + 1 :]
        limit = p.get("limit", 10)
        return {"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": "/v1/things"}

    def expand(self, answer: Thing, paths: list[str]) -> Thing:
        answer = copy.deepcopy(answer)
        for path in paths:
            self._expand(answer, path.split("."))
        return answer

    def _expand(self, node: Any, path: list[str]) -> None:
        name, *rest = path
        if isinstance(node, list):
            for part in node:
                self._expand(part, path)
            return
        if isinstance(node.get(name), str) and node[name] in self.things:
            node[name] = copy.deepcopy(self.things[node[name]])
        if rest and node.get(name):
            self._expand(node[name], rest)
