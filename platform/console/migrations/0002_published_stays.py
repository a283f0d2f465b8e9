"""What no code may do, whoever connects: change or delete what was announced. It ends, once."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

PUBLISHED_STAYS = """
CREATE FUNCTION refuse_change_of_announcement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL OR to_jsonb(OLD) - 'ended_at' <> to_jsonb(NEW) - 'ended_at' THEN
        RAISE EXCEPTION 'announcement % was read by people: end it and publish another', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER published_stays BEFORE UPDATE OR DELETE ON console_announcement
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_announcement();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("console", "0001_announcements")]
    operations: ClassVar = [
        migrations.RunSQL(
            PUBLISHED_STAYS,
            "DROP TRIGGER published_stays ON console_announcement; DROP FUNCTION refuse_change_of_announcement;",
        ),
    ]
