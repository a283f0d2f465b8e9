"""What no code may do, whoever connects: change what is booked, book what does not sum to zero, bill another cost."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations

from billing import partitions

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: book a correction instead', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_ledgertransaction
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_usagerecord
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_operatoract
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

# A price that was promised stays: only its end may be set.
PRICE_IS_A_PROMISE = """
CREATE TRIGGER price_is_a_promise
    BEFORE DELETE OR UPDATE OF id, organization_id, model, dollars_per_minute, valid_from ON billing_price
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

# Each statement's legs sum to zero, so each transaction's do, and no leg can be added to one later.
SUMS_TO_ZERO = """
CREATE FUNCTION require_zero_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lopsided uuid;
BEGIN
    SELECT transaction_id INTO lopsided FROM inserted GROUP BY transaction_id HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero', lopsided USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER sums_to_zero AFTER INSERT ON billing_ledgerentry REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION require_zero_sum();
"""

# billing.pricing.cost in SQL, in whole nano-dollars so that nothing is rounded before the half is seen.
COST = """
CREATE FUNCTION billing_cost(duration_ms bigint, dollars_per_minute numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (whole + CASE WHEN rest > 30000 OR rest = 30000 AND mod(whole, 2) = 1 THEN 1 ELSE 0 END) * 0.000000001
    FROM (SELECT duration_ms * dollars_per_minute * 1000000000 AS parts) AS exact,
         LATERAL (SELECT div(parts, 60000) AS whole, mod(parts, 60000) AS rest) AS nano
$$;

ALTER TABLE billing_usagerecord ADD CONSTRAINT usage_cost_is_the_formula
    CHECK (cost = billing_cost(duration_ms, dollars_per_minute));
"""

# How a statement of ours undoes itself: billing.reservations reads what it says.
REFUSE = """
CREATE FUNCTION billing_refuse(what text, how_much text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'BR001', MESSAGE = what, DETAIL = coalesce(how_much, '');
END $$;
"""


def make_partitions(apps: Any, schema_editor: Any) -> None:
    partitions.ensure_partitions("billing_usagerecord")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0001_initial")]
    operations: ClassVar = [
        migrations.RunSQL(
            APPEND_ONLY,
            """
            DROP TRIGGER append_only ON billing_ledgertransaction;
            DROP TRIGGER append_only ON billing_ledgerentry;
            DROP TRIGGER append_only ON billing_usagerecord;
            DROP TRIGGER append_only ON billing_operatoract;
            DROP FUNCTION refuse_change;
            """,
        ),
        migrations.RunSQL(PRICE_IS_A_PROMISE, "DROP TRIGGER price_is_a_promise ON billing_price"),
        migrations.RunSQL(
            SUMS_TO_ZERO,
            "DROP TRIGGER sums_to_zero ON billing_ledgerentry; DROP FUNCTION require_zero_sum;",
        ),
        migrations.RunSQL(
            COST,
            "ALTER TABLE billing_usagerecord DROP CONSTRAINT usage_cost_is_the_formula; DROP FUNCTION billing_cost;",
        ),
        migrations.RunSQL(REFUSE, "DROP FUNCTION billing_refuse"),
        migrations.RunPython(make_partitions, migrations.RunPython.noop),
    ]
