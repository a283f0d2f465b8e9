"""Finding thresholds that were passed. Each becomes an alert once, with its messages, in one transaction.

It runs beside the requests, not in them: a task looks at the rules every half a minute, and for each into the
index of the budgets' running periods. Any number may look at once: the unique keys of `Alert` decide who fires.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from billing import budgets
from billing.alerts import emails, events
from billing.models import Alert, AlertRule, Budget
from webhooks import events as outgoing
from webhooks.models import Delivery

USED_UP = Decimal("99.5")
"""From here on a budget counts as spent. A request that might pass it is refused before, so that the last bit of a
budget is seldom spent, and whoever asks to be told at 100 percent would never be."""
LOOK_BACK = timedelta(minutes=10)
"""How long after its end a period is looked at: its last requests are settled after midnight."""
BATCH = 500

_BUDGETS = """
INSERT INTO billing_alert
    (organization_id, kind, percent, amount, reached, budget_id, period, start, key, key_name)
SELECT rule.organization_id, 'budget', rule.percent, budget.amount, so_far.spent, budget.id, budget.period,
    so_far.start, coalesce('sk-' || key.public_id, ''), coalesce(key.name, '')
FROM billing_alertrule rule
    JOIN billing_budget budget ON budget.organization_id = rule.organization_id
    JOIN unnest(%(periods)s::text[], %(starts)s::date[], %(over)s::boolean[]) AS open (period, start, over)
        ON open.period = budget.period
    CROSS JOIN LATERAL (
        SELECT start, spent FROM billing_budgetperiod WHERE budget_id = budget.id AND start = open.start OFFSET 0
    ) so_far
    LEFT JOIN accounts_apikey key ON key.id = budget.api_key_id
WHERE rule.kind = 'budget' AND budget.amount > 0
    AND so_far.spent * 100 >= budget.amount * least(rule.percent, %(used_up)s)
    AND NOT EXISTS (
        SELECT FROM billing_alert fired
        WHERE fired.kind = 'budget' AND fired.budget_id = budget.id AND fired.start = so_far.start
            AND fired.percent = rule.percent AND (fired.amount = budget.amount OR open.over)
    )
    AND (NOT open.over OR rule.created_at < %(midnight)s)
ORDER BY budget.id, so_far.start, rule.percent LIMIT %(batch)s
ON CONFLICT DO NOTHING
RETURNING *
"""
"""In one order, so that two that fire the same wait for each other in it and not in a ring. The OFFSET keeps the
planner to one look into the index a budget, where it would rather read the periods of all years."""

_RE_ARM = """
UPDATE billing_alert alert SET ended_at = %(at)s
WHERE kind = 'credit' AND ended_at IS NULL AND NOT EXISTS (
    SELECT FROM billing_alertrule rule JOIN billing_account account USING (organization_id)
    WHERE rule.organization_id = alert.organization_id AND rule.kind = 'credit' AND rule.amount = alert.amount
        AND account.balance + account.credit_limit < rule.amount
)
"""

_CREDIT = """
INSERT INTO billing_alert (organization_id, kind, amount, reached, period, key, key_name)
SELECT rule.organization_id, 'credit', rule.amount, account.balance + account.credit_limit, '', '', ''
FROM billing_alertrule rule JOIN billing_account account USING (organization_id)
WHERE rule.kind = 'credit' AND account.balance + account.credit_limit < rule.amount
    AND NOT EXISTS (
        SELECT FROM billing_alert open WHERE open.kind = 'credit' AND open.ended_at IS NULL
            AND open.organization_id = rule.organization_id AND open.amount = rule.amount
    )
ORDER BY rule.organization_id LIMIT %(batch)s
ON CONFLICT DO NOTHING
RETURNING *
"""
"""Credit is what can be spent when nothing runs: what running requests hold comes and goes."""


def fire_due(*, at: datetime | None = None) -> int:
    """Fire an alert for every threshold that is passed and was not told of; returns how many.

    Args:
        at: the moment that says which periods are running; now if none is named.
    """
    at = at or timezone.now()
    fired = 0
    while new := _fire(_BUDGETS, _running(at)):
        fired += new
    with connection.cursor() as cursor:
        cursor.execute(_RE_ARM, {"at": at})
    while new := _fire(_CREDIT, {}):
        fired += new
    return fired


def _running(at: datetime) -> dict[str, object]:
    """The periods that run or have just ended, as columns."""
    lately = {(period, budgets.start_of(period, at - LOOK_BACK)): True for period in Budget.Period.values}
    running = lately | {(period, budgets.start_of(period, at)): False for period in Budget.Period.values}
    midnight = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
    return {
        "periods": [period for period, _ in running],
        "starts": [start for _, start in running],
        "over": list(running.values()),
        "midnight": midnight,
        "used_up": USED_UP,
    }


@transaction.atomic
def _fire(statement: str, parameters: dict[str, object]) -> int:
    """How many alerts were new; their messages are written down with them."""
    alerts = list(Alert.objects.raw(statement, {**parameters, "batch": BATCH}))
    Delivery.objects.bulk_create(_messages(alerts))
    return len(alerts)


def _messages(alerts: Sequence[Alert]) -> Iterable[Delivery]:
    organizations = {alert.organization_id for alert in alerts}
    rules = AlertRule.objects.filter(organization__in=organizations, email=True)
    by_email = set(rules.values_list("organization_id", "percent"))
    yield from outgoing.messages([events.event_of(alert) for alert in alerts])
    addresses = emails.addressees(organizations)
    highest: dict[tuple[object, object], int] = {}
    for alert in alerts:
        budget = (alert.budget_id, alert.start)
        highest[budget] = max(highest.get(budget, 0), alert.percent or 0)
    for alert in alerts:
        # Of thresholds that are passed at once, the highest says it all; webhooks get each.
        passed_with_others = (alert.percent or 0) < highest[(alert.budget_id, alert.start)]
        if (alert.organization_id, alert.percent) in by_email and not passed_with_others:
            for address in addresses.get(alert.organization_id, ()):
                yield events.event_of(alert).delivery(address=address)
