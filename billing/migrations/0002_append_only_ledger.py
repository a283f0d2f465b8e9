"""What no code may do, whoever connects: change what is booked, or book what does not sum to zero."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

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
"""

SUMS_TO_ZERO = """
CREATE FUNCTION require_zero_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM billing_ledgerentry WHERE transaction_id = NEW.transaction_id) <> 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero', NEW.transaction_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER sums_to_zero AFTER INSERT ON billing_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_zero_sum();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0001_initial")]
    operations: ClassVar = [
        migrations.RunSQL(
            APPEND_ONLY,
            """
            DROP TRIGGER append_only ON billing_ledgertransaction;
            DROP TRIGGER append_only ON billing_ledgerentry;
            DROP TRIGGER append_only ON billing_usagerecord;
            DROP FUNCTION refuse_change;
            """,
        ),
        migrations.RunSQL(
            SUMS_TO_ZERO,
            "DROP TRIGGER sums_to_zero ON billing_ledgerentry; DROP FUNCTION require_zero_sum;",
        ),
    ]
