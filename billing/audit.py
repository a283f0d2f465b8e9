"""Who moved money by hand, and why."""

from __future__ import annotations

from dataclasses import dataclass

from billing.models import LedgerTransaction, OperatorAct


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person who moves money, and the reason given for it."""

    actor: str
    reason: str


def record(operator: Operator, movement: LedgerTransaction) -> OperatorAct:
    """Note an operator's movement in the audit log, in the transaction that booked it."""
    return OperatorAct.objects.create(actor=operator.actor, reason=operator.reason, transaction=movement)
