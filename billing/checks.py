"""What must hold in the books, for `billing.verification` to prove.

Each check is one SELECT of what is wrong, (subject, drift in dollars), so that a clean database answers none with
a row. They are set-based: PostgreSQL sorts or hashes what is too large for its memory on disk.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What must hold, and the SELECT of (subject, drift) that finds where it does not.

    One that compares rows looks at those whose id is `%(since)s` or later, and says so of every table that it
    joins, or PostgreSQL would read all of it. One that adds up history adds up the rows from the id `%(sealed)s`
    on, and the sums of the months that were sealed before `%(until)s`. Any other `%` is doubled.
    """

    name: str
    holds: str
    offenders: str
    sums: bool = False
    """It adds up history: a recent proof leaves it out."""

    @property
    def by_row(self) -> bool:
        return "%(since)s" in self.offenders


ENTRIES = """(
    SELECT organization_id, account, amount
    FROM billing_ledgerentry
    JOIN billing_ledgertransaction movement ON movement.id = transaction_id
    WHERE transaction_id >= %(sealed)s AND movement.id >= %(sealed)s
    UNION ALL
    SELECT organization_id, account, amount FROM billing_sealedsum WHERE month < %(until)s
) AS entry"""
"""For a check that adds up the whole ledger: the entries since the last seal, and the sums of sealed months."""

CHECKS = [
    Check(
        name="usage_is_booked",
        holds="each usage record's cost is its ledger transaction's revenue, and there is no other usage",
        offenders="""
            SELECT 'job ' || coalesce(job_id, booked.id) AS subject,
                coalesce(cost, 0) - coalesce(booked.revenue, 0) AS drift
            FROM (
                SELECT job_id, cost FROM billing_usagerecord WHERE cost > 0 AND job_id >= %(since)s
            ) AS record
            FULL JOIN (
                SELECT movement.id, coalesce(sum(amount) FILTER (WHERE account = 'revenue'), 0) AS revenue
                FROM billing_ledgertransaction movement
                LEFT JOIN billing_ledgerentry ON transaction_id = movement.id AND transaction_id >= %(since)s
                WHERE kind = 'usage' AND movement.id >= %(since)s GROUP BY movement.id
            ) AS booked ON booked.id = job_id
            WHERE cost IS DISTINCT FROM booked.revenue
        """,
    ),
    Check(
        name="balances_are_entries",
        sums=True,
        holds="each account's balance, and the promotional part of it, is the sum of its entries",
        offenders=f"""
            SELECT 'organization ' || coalesce(account.organization_id, booked.organization_id) AS subject,
                abs(coalesce(balance, 0) - coalesce(credit, 0))
                + abs(coalesce(promotional, 0) - coalesce(given, 0)) AS drift
            FROM billing_account account
            FULL JOIN (
                SELECT organization_id, sum(amount) AS credit,
                    coalesce(sum(amount) FILTER (WHERE account = 'promotional_credit'), 0) AS given
                FROM {ENTRIES}
                WHERE account IN ('promotional_credit', 'customer_credit') GROUP BY organization_id
            ) AS booked USING (organization_id)
            WHERE coalesce(balance, 0) <> coalesce(credit, 0) OR coalesce(promotional, 0) <> coalesce(given, 0)
        """,  # noqa: S608 - our own SQL
    ),
    Check(
        name="held_is_pending",
        holds="what each account holds is the sum of its pending reservations",
        offenders="""
            SELECT 'organization ' || organization_id AS subject, coalesce(held, 0) - coalesce(pending, 0) AS drift
            FROM billing_account
            FULL JOIN (
                SELECT organization_id, sum(amount) AS pending
                FROM billing_reservation WHERE state = 'pending' GROUP BY organization_id
            ) AS reserved USING (organization_id)
            WHERE coalesce(held, 0) <> coalesce(pending, 0)
        """,
    ),
    Check(
        name="budgets_hold_pending",
        holds="what each budget's period holds is the sum of the pending reservations that name it",
        offenders="""
            SELECT 'budget period ' || id AS subject, held - coalesce(pending, 0) AS drift
            FROM billing_budgetperiod
            LEFT JOIN (
                SELECT period_id, sum(amount) AS pending
                FROM billing_reservation, unnest(budgets) AS period_id WHERE state = 'pending' GROUP BY period_id
            ) AS reserved ON period_id = id
            WHERE held <> coalesce(pending, 0)
        """,
    ),
    Check(
        name="budgets_are_spent",
        sums=True,
        holds="what each budget's period has spent since it was set is the cost of the requests that name it",
        offenders="""
            SELECT 'budget period ' || id AS subject, spent - spent_before - coalesce(cost, 0) AS drift
            FROM billing_budgetperiod
            LEFT JOIN (
                SELECT period_id, sum(cost) AS cost
                FROM (
                    SELECT period_id, cost
                    FROM billing_usagerecord record
                    JOIN billing_reservation hold ON hold.job_id = record.job_id, unnest(budgets) AS period_id
                    WHERE budgets <> '{}' AND record.job_id >= %(sealed)s AND hold.job_id >= %(sealed)s
                    UNION ALL
                    SELECT budget_period_id, amount FROM billing_sealedsum
                    WHERE account = 'budget' AND month < %(until)s
                ) AS spending
                GROUP BY period_id
            ) AS billed ON period_id = id
            WHERE spent - spent_before <> coalesce(cost, 0)
        """,
    ),
    Check(
        name="grants_cover_promotional",
        holds="the promotional credit of each account is left of its grants",
        offenders="""
            SELECT 'organization ' || organization_id AS subject, promotional - coalesce(remaining, 0) AS drift
            FROM billing_account
            LEFT JOIN (
                SELECT organization_id, sum(remaining) AS remaining FROM billing_grant GROUP BY organization_id
            ) AS given USING (organization_id)
            WHERE promotional > coalesce(remaining, 0)
        """,
    ),
    Check(
        name="transactions_are_zero",
        holds="each ledger transaction has legs, and they sum to zero",
        offenders="""
            SELECT kind || ' ' || movement.id AS subject, coalesce(sum(amount), 0) AS drift
            FROM billing_ledgertransaction movement
            LEFT JOIN billing_ledgerentry entry ON transaction_id = movement.id AND transaction_id >= %(since)s
            WHERE movement.id >= %(since)s
            GROUP BY movement.id HAVING count(entry.id) < 2 OR sum(amount) <> 0
        """,
    ),
    Check(
        name="stripes_money_is_booked",
        sums=True,
        holds="each paid payment through Stripe, and each refund, is its ledger transaction's cash",
        offenders="""
            SELECT subject, moved.amount + coalesce(sum(entry.amount), 0) AS drift
            FROM (
                SELECT 'payment ' || id AS subject, movement_id, amount
                FROM billing_stripepayment WHERE state = 'paid'
                UNION ALL SELECT 'refund ' || id, movement_id, -amount FROM billing_striperefund
            ) AS moved
            LEFT JOIN billing_ledgerentry entry ON transaction_id = movement_id AND account = 'cash'
            GROUP BY subject, moved.amount HAVING moved.amount + coalesce(sum(entry.amount), 0) <> 0
        """,
    ),
    Check(
        name="posted_is_recorded",
        holds="each posted reservation has a usage record within it, and each record a posted reservation",
        offenders="""
            SELECT 'job ' || job_id AS subject, coalesce(cost, 0) AS drift
            FROM (
                SELECT job_id, amount, organization_id FROM billing_reservation
                WHERE state = 'posted' AND job_id >= %(since)s
            ) AS posted
            FULL JOIN (
                SELECT job_id, cost, organization_id FROM billing_usagerecord WHERE job_id >= %(since)s
            ) AS record USING (job_id)
            WHERE cost IS NULL OR amount IS NULL OR cost > amount
                OR posted.organization_id <> record.organization_id
        """,
    ),
]
"""`register` adds those of rooms that this one does not know."""


def register(check: Check) -> None:
    """Have another room's check run with ours."""
    if all(check.name != known.name for known in CHECKS):
        CHECKS.append(check)
