-- The first day of the period of a budget that runs now; a total has one period, from 1970. `billing.budgets.start_of`
-- says the same in Python.
CREATE OR REPLACE FUNCTION billing_budget_start(period text) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT CASE period
        WHEN 'day' THEN (now() AT TIME ZONE 'UTC')::date
        WHEN 'month' THEN date_trunc('month', now() AT TIME ZONE 'UTC')::date
        ELSE DATE '1970-01-01'
    END
$$;

-- Holds the cost of each job's cap, or refuses the job; see billing/reservations.py. Each job is decided by itself: a
-- refusal writes nothing and undoes nothing of another.
--
-- jobs     A JSON array of objects with id, organization_id, api_key_id, priced_as, cap_ms (the audio that the hold
--          covers; `raise_hold.sql` raises it) and hold_seconds (after which the hold expires). Jobs of one organization
--          are decided in their order in the array. Other members are ignored.
-- without  Ids of jobs in the array to leave out.
-- patient  Whether to wait for accounts that another transaction has locked. If not, their jobs are `busy`, and the
--          function waits for no lock, so that it cannot deadlock.
--
-- Returns a row for each job: its id, its outcome and a detail.
--   held       The reservation is written.
--   busy       The account is locked; only if not patient.
--   price      The price book has no row of this name.
--   suspended  The organization has an invoice to pay first.
--   credit     The hold would pass what the organization may spend. The detail is the hold in dollars.
--   budget     The hold would pass a budget. The detail is its scope, period and amount.
--
-- Whoever moves an organization's money locks its account's row first, in order of the organizations' ids, and its
-- budgets only then. So nothing can change between what is read here after the lock and what is written. The account
-- is written once, however many of its jobs are admitted.
CREATE OR REPLACE FUNCTION billing_reserve(jobs json, without uuid[], patient boolean)
RETURNS TABLE (job_id uuid, outcome text, detail text) LANGUAGE plpgsql AS $$
DECLARE
    job record;
    organization uuid;
    -- What the organization may still hold, after the jobs of the array so far.
    available numeric;
    budget record;
    periods bigint[];
    -- Of the jobs held so far.
    organizations uuid[];
    holds numeric[];
BEGIN
    IF patient THEN
        PERFORM FROM billing_account
        WHERE organization_id IN (
            SELECT asked.organization_id FROM json_to_recordset(jobs) AS asked (id uuid, organization_id uuid)
            WHERE asked.id <> ALL (without)
        )
        ORDER BY organization_id FOR NO KEY UPDATE;
    END IF;

    FOR job IN
        WITH asked AS MATERIALIZED (
            SELECT * FROM ROWS FROM (json_to_recordset(jobs) AS (
                id uuid, organization_id uuid, api_key_id uuid, priced_as text, cap_ms bigint, hold_seconds float
            )) WITH ORDINALITY AS asked (id, organization_id, api_key_id, priced_as, cap_ms, hold_seconds, position)
            WHERE asked.id <> ALL (without)
        ), account AS MATERIALIZED (
            SELECT organization_id, balance + credit_limit - held AS available, suspended_at
            FROM billing_account WHERE organization_id IN (SELECT organization_id FROM asked)
            FOR NO KEY UPDATE SKIP LOCKED
        )
        SELECT asked.*, account.organization_id AS owner, account.available, suspended_at, price.id AS price_id,
            billing_cost(cap_ms, dollars_per_minute) AS hold,
            EXISTS (SELECT FROM billing_budget WHERE organization_id = asked.organization_id) AS budgeted
        FROM asked LEFT JOIN account USING (organization_id) LEFT JOIN LATERAL (
            -- The price that is valid now: the organization's own, else everybody's.
            SELECT book.id, dollars_per_minute FROM billing_price book
            WHERE book.model = asked.priced_as
                AND (book.organization_id = asked.organization_id OR book.organization_id IS NULL)
                AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now())
            ORDER BY book.organization_id NULLS LAST, valid_from DESC LIMIT 1
        ) AS price ON true
        ORDER BY organization_id, position
    LOOP
        IF organization IS DISTINCT FROM job.organization_id THEN
            organization := job.organization_id;
            available := job.available;
        END IF;
        job_id := job.id;
        detail := '';
        IF job.price_id IS NULL THEN
            outcome := 'price';
        ELSIF job.owner IS NULL AND NOT patient THEN
            outcome := 'busy';
        ELSIF job.suspended_at IS NOT NULL THEN
            outcome := 'suspended';
        ELSIF job.owner IS NULL OR available < job.hold THEN
            outcome := 'credit';
            detail := job.hold::text;
        ELSE
            outcome := 'held';
            periods := '{}';
            IF job.budgeted THEN
                -- Of the budgets that have not enough left, the smallest: the one that the client is told of.
                SELECT CASE WHEN api_key_id IS NULL THEN 'organization' ELSE 'key' END AS scope, period, amount
                INTO budget
                FROM billing_budget LEFT JOIN billing_budgetperiod so_far
                    ON so_far.budget_id = billing_budget.id AND so_far.start = billing_budget_start(period)
                WHERE organization_id = job.organization_id
                    AND (api_key_id IS NULL OR api_key_id = job.api_key_id)
                    AND coalesce(so_far.held + so_far.spent, 0) + job.hold > amount
                ORDER BY amount LIMIT 1;
                IF FOUND THEN
                    outcome := 'budget';
                    detail := concat_ws(' ', budget.scope, budget.period, budget.amount);
                ELSE
                    -- A period is made by the first job that falls into it.
                    WITH period AS (
                        INSERT INTO billing_budgetperiod AS so_far (budget_id, start, held, spent)
                        SELECT id, billing_budget_start(period), job.hold, 0 FROM billing_budget
                        WHERE organization_id = job.organization_id
                            AND (api_key_id IS NULL OR api_key_id = job.api_key_id)
                        ON CONFLICT (budget_id, start) DO UPDATE SET held = so_far.held + EXCLUDED.held
                        RETURNING id
                    )
                    SELECT coalesce(array_agg(id), '{}') INTO periods FROM period;
                END IF;
            END IF;
        END IF;
        IF outcome = 'held' THEN
            INSERT INTO billing_reservation
                (job_id, organization_id, amount, price_id, budgets, state, created_at, expires_at)
            VALUES (job.id, job.organization_id, job.hold, job.price_id, periods, 'pending',
                now(), now() + make_interval(secs => job.hold_seconds));
            available := available - job.hold;
            organizations := organizations || job.organization_id;
            holds := holds || job.hold;
        END IF;
        RETURN NEXT;
    END LOOP;

    IF holds IS NOT NULL THEN
        UPDATE billing_account account SET held = held + new.hold
        FROM (
            SELECT one.organization_id, sum(one.hold) AS hold
            FROM unnest(organizations, holds) AS one (organization_id, hold) GROUP BY one.organization_id
        ) AS new
        WHERE account.organization_id = new.organization_id;
    END IF;
END $$;
