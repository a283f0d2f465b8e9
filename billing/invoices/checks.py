"""The proof of the invoices, as part of that of the books (`billing.verification`)."""

from __future__ import annotations

from billing.checks import ENTRIES, Check
from billing.invoices.selectors import UNBILLED

_RECORDS = """(
    SELECT organization_id, cost, created_at FROM billing_usagerecord WHERE job_id >= %(sealed)s
    UNION ALL
    SELECT organization_id, amount, booked_in::timestamp AT TIME ZONE 'UTC' FROM billing_sealedsum
    WHERE account = 'usage' AND month < %(until)s
)"""
"""Usage records; of a sealed month one sum for each month of settlement: invoices are of whole months."""

CHECKS = (
    Check(
        name="closed_usage_is_invoiced",
        sums=True,
        holds="the usage of each closed month is the sum of its invoice's lines, and of their days",
        offenders="""
            SELECT 'invoice ' || invoice.id AS subject,
                greatest(abs(coalesce(used, 0) - coalesce(lines, 0)), abs(coalesce(lines, 0) - coalesce(days, 0)),
                    abs(coalesce(lines, 0) - exact)) AS drift
            FROM billing_invoice invoice
            LEFT JOIN LATERAL (
                SELECT sum(cost) AS used FROM billing_usagerecord record
                WHERE record.organization_id = invoice.organization_id
                    AND record.created_at >= start AND record.created_at < "end"
            ) AS usage ON true
            LEFT JOIN LATERAL (
                SELECT sum(line.exact) AS lines FROM billing_invoiceline line WHERE invoice_id = invoice.id
            ) AS line ON true
            LEFT JOIN LATERAL (
                SELECT sum(day.exact) AS days
                FROM billing_invoiceday day JOIN billing_invoiceline line ON line.id = line_id
                WHERE invoice_id = invoice.id
            ) AS day ON true
            WHERE state <> 'void' AND priced_at IS NOT NULL
                AND ("end" > %(until)s::timestamp AT TIME ZONE 'UTC' OR invoice.id >= %(sealed)s)
                AND (used IS DISTINCT FROM lines OR lines IS DISTINCT FROM days OR lines IS DISTINCT FROM exact)
        """,
    ),
    Check(
        name="usage_is_invoiced_or_unbilled",
        sums=True,
        holds="each organization's booked usage is what its invoices bill and what is unbilled",
        offenders=f"""
            SELECT 'organization ' || organization_id AS subject,
                coalesce(booked, 0) - coalesce(invoiced, 0) - coalesce(cost, 0) AS drift
            FROM (
                SELECT organization_id, sum(amount) AS booked
                FROM (
                    SELECT organization_id, amount
                    FROM billing_ledgertransaction movement
                    JOIN billing_ledgerentry ON transaction_id = movement.id
                    WHERE kind = 'usage' AND account = 'revenue'
                        AND movement.id >= %(sealed)s AND transaction_id >= %(sealed)s
                    UNION ALL
                    SELECT organization_id, amount FROM billing_sealedsum
                    WHERE account = 'usage' AND month < %(until)s
                ) AS revenue
                GROUP BY organization_id
            ) AS ledger
            FULL JOIN (
                SELECT organization_id, sum(line.exact) AS invoiced
                FROM billing_invoice invoice JOIN billing_invoiceline line ON invoice_id = invoice.id
                WHERE state <> 'void' GROUP BY organization_id
            ) AS invoice USING (organization_id)
            FULL JOIN ({UNBILLED.format(records=_RECORDS, only="")}) AS unbilled USING (organization_id)
            WHERE coalesce(booked, 0) <> coalesce(invoiced, 0) + coalesce(cost, 0)
                AND NOT EXISTS (
                    SELECT FROM billing_invoice unpriced
                    WHERE unpriced.organization_id = ledger.organization_id AND priced_at IS NULL
                )
        """,  # noqa: S608 - our own SQL
    ),
    Check(
        name="receivable_is_open_invoices",
        sums=True,
        holds="what each organization owes in the ledger is what is left to pay of its open invoices",
        offenders=f"""
            SELECT 'organization ' || organization_id AS subject,
                coalesce(owed, 0) - coalesce(unpaid, 0) AS drift
            FROM (
                SELECT organization_id, -sum(amount) AS owed
                FROM {ENTRIES}
                WHERE account = 'receivable' GROUP BY organization_id
            ) AS ledger
            FULL JOIN (
                SELECT organization_id, sum(total - paid - credited) AS unpaid
                FROM billing_invoice WHERE state = 'open' GROUP BY organization_id
            ) AS invoice USING (organization_id)
            WHERE coalesce(owed, 0) <> coalesce(unpaid, 0)
        """,  # noqa: S608 - our own SQL
    ),
    Check(
        name="invoices_add_up",
        sums=True,
        holds="each invoice's subtotal is the sum of its lines, rounded once each, and its movements are its sums",
        offenders="""
            SELECT 'invoice ' || number AS subject,
                abs(subtotal - coalesce(amounts, 0)) + coalesce(unrounded, 0)
                + abs(coalesce(receivable, 0) - CASE WHEN state = 'open' THEN total - paid - credited ELSE 0 END)
                + abs(coalesce(tax_booked, 0)
                    - CASE WHEN state = 'void' THEN 0 ELSE tax - coalesce(tax_credited, 0) END) AS drift
            FROM billing_invoice invoice
            LEFT JOIN (
                SELECT invoice_id, sum(amount) AS amounts,
                    sum(greatest(0, abs(exact - amount) - 0.005)) AS unrounded
                FROM billing_invoiceline GROUP BY invoice_id
            ) AS line ON line.invoice_id = invoice.id
            LEFT JOIN (
                SELECT invoice_id, sum(tax) AS tax_credited FROM billing_creditnote GROUP BY invoice_id
            ) AS note ON note.invoice_id = invoice.id
            LEFT JOIN (
                SELECT invoice_id, -sum(amount) FILTER (WHERE account = 'receivable') AS receivable,
                    sum(amount) FILTER (WHERE account = 'tax_payable') AS tax_booked
                FROM billing_invoicemovement JOIN billing_ledgerentry USING (transaction_id) GROUP BY invoice_id
            ) AS movement ON movement.invoice_id = invoice.id
            WHERE state <> 'draft' AND (
                subtotal <> coalesce(amounts, 0) OR unrounded > 0
                OR coalesce(receivable, 0) <> CASE WHEN state = 'open' THEN total - paid - credited ELSE 0 END
                OR coalesce(tax_booked, 0)
                    <> CASE WHEN state = 'void' THEN 0 ELSE tax - coalesce(tax_credited, 0) END
            )
        """,
    ),
    Check(
        name="numbers_have_no_gaps",
        sums=True,
        holds="each series has as many documents as its last number, numbered from one",
        offenders="""
            SELECT 'series ' || coalesce(name, series) AS subject, 0 AS drift
            FROM billing_numberseries
            FULL JOIN (
                SELECT substring(number FROM '^(.*)-') AS series, count(*) AS documents,
                    max(substring(number FROM '[0-9]+$')::int) AS highest
                FROM (
                    SELECT number FROM billing_invoice WHERE number IS NOT NULL
                    UNION ALL SELECT number FROM billing_creditnote
                ) AS document GROUP BY series
            ) AS numbered ON series = name
            WHERE last IS DISTINCT FROM documents OR documents IS DISTINCT FROM highest
        """,
    ),
)
