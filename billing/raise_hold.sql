-- Raises the hold of a job that is being spoken until it covers cap_ms of audio; see billing/reservations.py. Where the
-- organization may not hold that much, the hold covers as much as there is money for.
--
-- Returns one row: an outcome, a detail, and the milliseconds of audio that the hold covers now.
--   held       It covers more than it did.
--   gone       The job has no pending hold.
--   suspended, credit, budget   As of billing_reserve: not one millisecond more can be held. Nothing was changed.
--
-- Locks the reservation, then the account, then the budgets' periods, as a settlement does. While the account is locked
-- nobody else changes what is held of it or of its budgets.
CREATE OR REPLACE FUNCTION billing_raise_hold(job uuid, cap_ms bigint)
RETURNS TABLE (outcome text, detail text, covered_ms bigint) LANGUAGE plpgsql AS $$
DECLARE
    hold record;
    account record;
    budget record;
    room numeric;
    more numeric;
BEGIN
    detail := '';
    covered_ms := 0;
    SELECT reservation.organization_id, amount, budgets, dollars_per_minute AS price INTO hold
    FROM billing_reservation reservation JOIN billing_price price ON price.id = price_id
    WHERE job_id = job AND state = 'pending' FOR UPDATE OF reservation;
    IF NOT FOUND THEN
        outcome := 'gone';
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT balance + credit_limit - held AS available, suspended_at INTO STRICT account
    FROM billing_account WHERE organization_id = hold.organization_id FOR NO KEY UPDATE;
    IF account.suspended_at IS NOT NULL THEN
        outcome := 'suspended';
        RETURN NEXT;
        RETURN;
    END IF;
    -- The budget that has the least left, of those that the job was admitted under.
    SELECT CASE WHEN api_key_id IS NULL THEN 'organization' ELSE 'key' END AS scope, period, limits.amount,
        limits.amount - so_far.held - so_far.spent AS available
    INTO budget
    FROM billing_budgetperiod so_far JOIN billing_budget limits ON limits.id = budget_id
    WHERE so_far.id = ANY (hold.budgets)
    ORDER BY available LIMIT 1;

    room := LEAST(account.available, budget.available);
    more := billing_cost(cap_ms, hold.price) - hold.amount;
    covered_ms := cap_ms;
    IF more > room THEN
        covered_ms := floor((hold.amount + GREATEST(room, 0)) * 60000 / hold.price);
        more := billing_cost(covered_ms, hold.price) - hold.amount;
        IF more <= 0 THEN
            covered_ms := 0;
            IF budget.available <= account.available THEN
                outcome := 'budget';
                detail := concat_ws(' ', budget.scope, budget.period, budget.amount);
            ELSE
                outcome := 'credit';
                detail := billing_cost(cap_ms, hold.price)::text;
            END IF;
            RETURN NEXT;
            RETURN;
        END IF;
    END IF;
    outcome := 'held';
    IF more > 0 THEN
        UPDATE billing_reservation SET amount = amount + more WHERE job_id = job;
        UPDATE billing_account SET held = held + more WHERE organization_id = hold.organization_id;
        UPDATE billing_budgetperiod SET held = held + more WHERE id = ANY (hold.budgets);
    END IF;
    RETURN NEXT;
END $$;
