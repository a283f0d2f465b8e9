"""A deleted organization has no owner, and the audit log may lose whom it names, and nothing else."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from accounts.models import AuditEvent

REQUIRE_OWNER = """
CREATE OR REPLACE FUNCTION require_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM accounts_organization WHERE id = OLD.organization_id {alive})
        AND NOT EXISTS (SELECT FROM accounts_membership WHERE organization_id = OLD.organization_id AND role = 'owner')
    THEN
        RAISE EXCEPTION 'organization % has no owner', OLD.organization_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""

REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {unless}
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""

# Each may keep what it says or become empty; what was done, when and in which organization stays.
UNLESS_IT_FORGETS = """
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - ARRAY['actor', 'address', 'subject', 'detail']
            = to_jsonb(OLD) - ARRAY['actor', 'address', 'subject', 'detail']
        AND NEW.actor IN (OLD.actor, '') AND NEW.subject IN (OLD.subject, '')
        AND (NEW.address IS NULL OR NEW.address = OLD.address)
        AND (NEW.detail = OLD.detail OR NEW.detail = '{}'::jsonb)
    THEN
        RETURN NEW;
    END IF;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0020_visits")]
    operations: ClassVar = [
        migrations.AddField(
            "organization", "deleted_at", models.DateTimeField(blank=True, editable=False, null=True)
        ),
        migrations.AlterField(
            "auditevent", "action", models.CharField(choices=AuditEvent.Action.choices, max_length=32)
        ),
        migrations.RunSQL(
            REQUIRE_OWNER.format(alive="AND deleted_at IS NULL"),
            REQUIRE_OWNER.format(alive=""),
        ),
        migrations.RunSQL(
            REFUSE_CHANGE.format(unless=UNLESS_IT_FORGETS),
            REFUSE_CHANGE.format(unless=""),
        ),
    ]
