"""What an operator did by hand, and why."""

from __future__ import annotations

from dataclasses import dataclass

from billing.models import LedgerTransaction, OperatorAct


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person who acts, and the reason given for it."""

    actor: str
    reason: str


def record(operator: Operator, movement: LedgerTransaction | None = None, *, what: str = "") -> OperatorAct:
    """Note an operator's act in the audit log, in the transaction that it is part of."""
    return OperatorAct.objects.create(
        actor=operator.actor, reason=operator.reason, transaction=movement, what=what
    )
