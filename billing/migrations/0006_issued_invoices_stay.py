"""What no code may do, whoever connects: change an invoice that was issued, or leave the order of its states."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# What the customer got stays as it is; what is paid of it, and the state that says so, move on.
ISSUED_INVOICE_STAYS = """
CREATE FUNCTION refuse_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['state', 'paid', 'credited', 'sent_at', 'ended_at'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'invoice % cannot be deleted: void it instead', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'draft' AND to_jsonb(OLD) - moving <> to_jsonb(NEW) - moving THEN
        RAISE EXCEPTION 'invoice % is issued and cannot be changed: issue a credit note instead', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('draft', 'open'), ('draft', 'paid'),
        ('open', 'paid'), ('open', 'void'), ('open', 'uncollectible'),
        ('paid', 'open'), ('paid', 'void'), ('paid', 'uncollectible'), ('uncollectible', 'paid')
    ) THEN
        RAISE EXCEPTION 'invoice %: from % to % leads no way', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER issued_stays BEFORE UPDATE OR DELETE ON billing_invoice
    FOR EACH ROW EXECUTE FUNCTION refuse_invoice_change();
"""

LINES_COME_WITH_THE_DRAFT = """
CREATE FUNCTION refuse_line_of_issued() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    invoice_state text;
BEGIN
    IF TG_TABLE_NAME = 'billing_invoiceline' THEN
        SELECT state INTO invoice_state FROM billing_invoice WHERE id = NEW.invoice_id;
    ELSE
        SELECT state INTO invoice_state FROM billing_invoice invoice
        JOIN billing_invoiceline line ON line.invoice_id = invoice.id WHERE line.id = NEW.line_id;
    END IF;
    IF invoice_state <> 'draft' THEN
        RAISE EXCEPTION 'the invoice is issued and takes no more lines' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER of_a_draft BEFORE INSERT ON billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION refuse_line_of_issued();
CREATE TRIGGER of_a_draft BEFORE INSERT ON billing_invoiceday
    FOR EACH ROW EXECUTE FUNCTION refuse_line_of_issued();
"""

APPEND_ONLY = ("invoiceline", "invoiceday", "invoicemovement", "creditnote", "dunningstep")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0005_invoices")]
    operations: ClassVar = [
        migrations.RunSQL(
            ISSUED_INVOICE_STAYS,
            "DROP TRIGGER issued_stays ON billing_invoice; DROP FUNCTION refuse_invoice_change;",
        ),
        migrations.RunSQL(
            LINES_COME_WITH_THE_DRAFT,
            """
            DROP TRIGGER of_a_draft ON billing_invoiceline;
            DROP TRIGGER of_a_draft ON billing_invoiceday;
            DROP FUNCTION refuse_line_of_issued;
            """,
        ),
        *(
            migrations.RunSQL(
                f"""
                CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_{table}
                    FOR EACH ROW EXECUTE FUNCTION refuse_change()
                """,
                f"DROP TRIGGER append_only ON billing_{table}",
            )
            for table in APPEND_ONLY
        ),
    ]
