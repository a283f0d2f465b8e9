"""What no code may do, whoever connects: leave an organization without its owner, change or pad the audit log."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# Looked at when the transaction ends, so that a transfer may take the role before it gives it.
HAS_AN_OWNER = """
CREATE FUNCTION require_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM accounts_organization WHERE id = OLD.organization_id)
        AND NOT EXISTS (SELECT FROM accounts_membership WHERE organization_id = OLD.organization_id AND role = 'owner')
    THEN
        RAISE EXCEPTION 'organization % has no owner', OLD.organization_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER organization_has_an_owner
    AFTER DELETE OR UPDATE ON accounts_membership DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION require_owner();
"""

APPEND_ONLY = """
CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accounts_auditevent
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit();

ALTER TABLE accounts_auditevent ADD CONSTRAINT audit_detail_is_bounded CHECK (octet_length(detail::text) <= 4096);
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0003_people")]
    operations: ClassVar = [
        migrations.RunSQL(
            HAS_AN_OWNER,
            "DROP TRIGGER organization_has_an_owner ON accounts_membership; DROP FUNCTION require_owner;",
        ),
        migrations.RunSQL(
            APPEND_ONLY,
            """
            ALTER TABLE accounts_auditevent DROP CONSTRAINT audit_detail_is_bounded;
            DROP TRIGGER append_only ON accounts_auditevent;
            DROP FUNCTION refuse_change_of_audit;
            """,
        ),
    ]
