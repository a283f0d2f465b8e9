-- Bills finished jobs and releases their holds; see billing/settlement.py. One row of `record` a job, its usage record,
-- and none for a job of which nothing was done: it is posted already, was never admitted, or costs more than its hold.
--
-- These queries follow one named `usage` in a WITH, whose columns are the members of billing.settlement.Usage. No job is
-- there twice.
--
-- Each FOR UPDATE waits for whoever else moves these jobs or these accounts, and then sees what they left: `given` is
-- taken from the promotional credit that is there, and a job that was posted meanwhile is missing in `hold`. Both take
-- their locks in the order of the ids, so that two batches cannot wait for each other. All parts that write join
-- `account`, so that they write together or not at all.

-- The reservation of each job and what the job costs at its price. `amount` was held at admission; `held` is still
-- held, which is nothing once the hold was voided or has expired (`late`).
hold AS (
    SELECT usage.*, reservation.organization_id, amount, budgets, state <> 'pending' AS late,
        CASE state WHEN 'pending' THEN amount ELSE 0 END AS held,
        dollars_per_minute, billing_cost(duration_ms, dollars_per_minute) AS cost
    FROM usage JOIN billing_reservation reservation USING (job_id) JOIN billing_price price ON price.id = price_id
    WHERE state <> 'posted'
    ORDER BY job_id
    FOR UPDATE OF reservation
),

-- The accounts as they were. `missing` is by how much the balance, less the holds, is below the floor: above zero only
-- where a late settlement has passed it.
before AS (
    SELECT organization_id, promotional, overdraft, held - balance - credit_limit AS missing
    FROM billing_account account
    WHERE organization_id IN (SELECT organization_id FROM hold WHERE cost <= amount)
    ORDER BY organization_id
    FOR UPDATE OF account
),

-- The jobs that are billed. `given` is the part that promotional credit pays, which is spent first, by one job after
-- the other; the late ones come last.
job AS (
    SELECT hold.*,
        GREATEST(0, LEAST(cost, promotional - (sum(cost) OVER one_by_one - cost))) AS given
    FROM hold JOIN before USING (organization_id)
    WHERE cost <= amount
    WINDOW one_by_one AS (PARTITION BY organization_id ORDER BY late, job_id)
),

-- What each account gives. `overdraft` is how far the balance may pass the floor: settlements in time only let it
-- fall, down to what is still missing after them. Late ones may then raise it to what is `missing` after all.
total AS (
    SELECT organization_id, sum(cost) AS cost, sum(given) AS given, sum(held) AS held, bool_or(late) AS late,
        missing - sum(held) + sum(cost) AS missing,
        CASE WHEN bool_and(late) THEN overdraft
            ELSE GREATEST(0, LEAST(overdraft, missing - sum(held) + sum(cost) FILTER (WHERE NOT late))) END AS overdraft
    FROM job JOIN before USING (organization_id)
    GROUP BY organization_id, missing, overdraft
),

-- Moves the money. `booked_at` is read with the account locked and lies in no closed month: closing a month locks the
-- account, too, so that what is settled after it belongs to the next month, and what an invoice sums up is complete.
account AS (
    UPDATE billing_account SET
        balance = balance - cost,
        promotional = promotional - given,
        held = billing_account.held - total.held,
        overdraft = CASE WHEN late THEN GREATEST(total.overdraft, missing) ELSE total.overdraft END
    FROM total WHERE billing_account.organization_id = total.organization_id
    RETURNING total.organization_id, GREATEST(clock_timestamp(), invoiced_until) AS booked_at
),

-- The reservations are over. Each becomes posted once, so that a repeat of this statement finds no `hold`.
posted AS (
    UPDATE billing_reservation SET state = 'posted', late = job.late
    FROM job JOIN account USING (organization_id) WHERE billing_reservation.job_id = job.job_id
),

-- What each budget's period held becomes what it spent.
period AS (
    UPDATE billing_budgetperiod SET held = billing_budgetperiod.held - part.held, spent = spent + cost
    FROM (
        SELECT budget, sum(held) AS held, sum(cost) AS cost
        FROM job JOIN account USING (organization_id), unnest(budgets) AS budget GROUP BY budget
    ) AS part
    WHERE id = budget
),

-- The ledger's transactions, with the jobs' ids. Free audio moves no money and has none.
movement AS (
    INSERT INTO billing_ledgertransaction (id, kind, cause, organization_id, created_at)
    SELECT job_id, 'usage', job_id::text, organization_id, booked_at
    FROM job JOIN account USING (organization_id) WHERE cost > 0
),

-- Their entries, which sum to zero: from the promotional credit and the customer's own to revenue.
legs AS (
    INSERT INTO billing_ledgerentry (transaction_id, account, amount)
    SELECT job_id, leg.account, leg.amount FROM job JOIN account USING (organization_id), LATERAL (VALUES
        ('promotional_credit', -given), ('customer_credit', given - cost), ('revenue', cost)
    ) AS leg (account, amount) WHERE leg.amount <> 0
),

-- The usage records: what was generated, at which price, for how much.
record AS (
    INSERT INTO billing_usagerecord (job_id, organization_id, api_key_id, model, voice, samples, duration_ms,
        dollars_per_minute, cost, created_at)
    SELECT job_id, organization_id, api_key_id, model, voice, samples, duration_ms,
        dollars_per_minute, cost, booked_at
    FROM job JOIN account USING (organization_id)
    RETURNING job_id, organization_id, api_key_id, model, voice, samples, duration_ms, dollars_per_minute, cost,
        created_at
)
