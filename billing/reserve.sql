-- Holds the cost of a job's cap, or refuses the job; see billing/reservations.py.
--
-- Parameters: job_id, organization_id, api_key_id, model, cap_ms (the longest audio that the job may make), lasts (an
-- interval, after which the hold expires).
--
-- Nothing here reads first and writes later: a conditional UPDATE decides on the account, and a conditional upsert on
-- each budget. The account's row is locked before any budget's, as everywhere. A refusal is raised, so that it undoes
-- whatever the statement has written by then. An organization without budgets pays one look into an index for them.

-- What the cap costs at the price that is valid now: the organization's own, else everybody's. No row: no price.
WITH price AS (
    SELECT id, billing_cost(%(cap_ms)s, dollars_per_minute) AS hold FROM (
        SELECT id, dollars_per_minute FROM billing_price
        WHERE model = %(model)s AND (organization_id = %(organization_id)s OR organization_id IS NULL)
            AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now())
        ORDER BY organization_id NULLS LAST, valid_from DESC LIMIT 1
    ) AS valid
),

-- Takes the hold from what the account may spend. No row: not enough credit, or suspended, or no account.
account AS (
    UPDATE billing_account SET held = held + price.hold FROM price
    WHERE organization_id = %(organization_id)s AND balance + credit_limit - held >= price.hold
        AND suspended_at IS NULL
    RETURNING organization_id
),

-- The budgets that the job counts towards, the organization's and the key's, and the first day of the period that runs
-- now; a total has one period, from 1970. billing.budgets.start_of says the same in Python.
budget AS (
    SELECT budget.id, budget.amount, period,
        CASE WHEN api_key_id IS NULL THEN 'organization' ELSE 'key' END AS scope,
        CASE period
            WHEN 'day' THEN (now() AT TIME ZONE 'UTC')::date
            WHEN 'month' THEN date_trunc('month', now() AT TIME ZONE 'UTC')::date
            ELSE DATE '1970-01-01'
        END AS start
    FROM account JOIN billing_budget budget USING (organization_id)
    WHERE api_key_id IS NULL OR api_key_id = %(api_key_id)s
),

-- Takes the hold from each budget's period: makes the period with its first job, else adds to it. A budget that has
-- not enough left gives no row. The first condition is for the INSERT, the second for the UPDATE, which sees the
-- period's row alone and has to look its budget's amount up.
period AS (
    INSERT INTO billing_budgetperiod AS so_far (budget_id, start, held, spent)
    SELECT budget.id, budget.start, price.hold, 0 FROM budget, price WHERE price.hold <= budget.amount
    ON CONFLICT (budget_id, start) DO UPDATE SET held = so_far.held + EXCLUDED.held
    WHERE so_far.held + so_far.spent + EXCLUDED.held
        <= (SELECT amount FROM billing_budget WHERE id = so_far.budget_id)
    RETURNING id, budget_id
),

-- Of the budgets that gave no row, the smallest: the one that the client is told of.
refusal AS (
    SELECT scope, budget.period, amount FROM budget
    WHERE budget.id NOT IN (SELECT budget_id FROM period) ORDER BY amount LIMIT 1
),

-- The reservation, which names the periods that hold its amount, too.
reservation AS (
    INSERT INTO billing_reservation
        (job_id, organization_id, amount, price_id, budgets, state, created_at, expires_at)
    SELECT %(job_id)s, account.organization_id, price.hold, price.id, ARRAY(SELECT id FROM period), 'pending',
        now(), now() + %(lasts)s
    FROM account, price WHERE NOT EXISTS (SELECT FROM refusal)
)

-- Raises the refusal, if there is one, by its first reason; billing.reservations makes an exception of it.
SELECT CASE
    WHEN NOT EXISTS (SELECT FROM price) THEN billing_refuse('price', NULL)
    WHEN NOT EXISTS (SELECT FROM account) THEN billing_refuse(
        CASE WHEN EXISTS (
            SELECT FROM billing_account WHERE organization_id = %(organization_id)s AND suspended_at IS NOT NULL
        ) THEN 'suspended' ELSE 'credit' END,
        (SELECT hold::text FROM price))
    ELSE (SELECT billing_refuse('budget', concat_ws(' ', scope, period, amount)) FROM refusal)
END
