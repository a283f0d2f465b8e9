-- Bills a finished job and releases its hold; see billing/settlement.py. One row, the usage record, or none where
-- nothing was done: the job is posted already, was never admitted, or costs more than its hold.
--
-- Parameters: those of billing.settlement.Usage.
--
-- The two FOR UPDATE wait for whoever else moves this job or this account, and then see what it left: `given` is taken
-- from the promotional credit that is there, and a job that was posted meanwhile is gone from `hold`. All parts that
-- write go by `account`, so that they write together or not at all.

-- The reservation and what the job costs at its price. `amount` was held at admission; `held` is still held, which is
-- nothing once the hold was voided or has expired (`late`).
WITH hold AS (
    SELECT job_id, reservation.organization_id, amount, budgets, state <> 'pending' AS late,
        CASE state WHEN 'pending' THEN amount ELSE 0 END AS held,
        dollars_per_minute, billing_cost(%(duration_ms)s, dollars_per_minute) AS cost
    FROM billing_reservation reservation JOIN billing_price price ON price.id = price_id
    WHERE job_id = %(job_id)s AND state <> 'posted'
    FOR UPDATE OF reservation
),

-- The account as it was. `given` is the part that promotional credit pays, which is spent first. `missing` is by how
-- much the balance, less the other holds, will be below the floor: above zero only where a late settlement, this one
-- or an earlier one, has passed it. No row where the cost is above the hold.
before AS (
    SELECT account.organization_id, LEAST(promotional, cost) AS given,
        (account.held - hold.held) - (balance - cost) - credit_limit AS missing
    FROM billing_account account JOIN hold USING (organization_id) WHERE cost <= amount
    FOR UPDATE OF account
),

-- Moves the money. `overdraft` is how far the balance may pass the floor: a late settlement may raise it to what is
-- missing, any other only lets it fall. `booked_at` is read with the account locked and lies in no closed month:
-- closing a month locks the account, too, so that what is settled after it belongs to the next month, and what an
-- invoice sums up is complete.
account AS (
    UPDATE billing_account SET
        balance = balance - cost,
        promotional = promotional - given,
        held = billing_account.held - hold.held,
        overdraft = CASE WHEN late
            THEN GREATEST(overdraft, missing) ELSE GREATEST(0, LEAST(overdraft, missing)) END
    FROM hold, before WHERE billing_account.organization_id = before.organization_id
    RETURNING given, GREATEST(clock_timestamp(), invoiced_until) AS booked_at
),

-- The reservation is over. It becomes posted once, so that a repeat of this statement finds no `hold`.
posted AS (
    UPDATE billing_reservation SET state = 'posted', late = hold.late
    FROM hold, account WHERE billing_reservation.job_id = hold.job_id
),

-- What each budget's period held becomes what it spent.
period AS (
    UPDATE billing_budgetperiod SET held = billing_budgetperiod.held - hold.held, spent = spent + cost
    FROM hold, account WHERE id = ANY (budgets)
),

-- The ledger's transaction, with the job's id. Free audio moves no money and has none.
movement AS (
    INSERT INTO billing_ledgertransaction (id, kind, cause, organization_id, created_at)
    SELECT job_id, 'usage', job_id::text, organization_id, booked_at FROM hold, account WHERE cost > 0
),

-- Its entries, which sum to zero: from the promotional credit and the customer's own to revenue.
legs AS (
    INSERT INTO billing_ledgerentry (transaction_id, account, amount)
    SELECT job_id, leg.account, leg.amount FROM hold, account, LATERAL (VALUES
        ('promotional_credit', -given), ('customer_credit', given - cost), ('revenue', cost)
    ) AS leg (account, amount) WHERE leg.amount <> 0
),

-- The usage record: what was generated, at which price, for how much.
record AS (
    INSERT INTO billing_usagerecord (job_id, organization_id, api_key_id, model, voice, samples, duration_ms,
        dollars_per_minute, cost, created_at)
    SELECT job_id, organization_id, %(api_key_id)s, %(model)s, %(voice)s, %(samples)s, %(duration_ms)s,
        dollars_per_minute, cost, booked_at
    FROM hold, account
    RETURNING *
)

SELECT record.*, late FROM record, hold
