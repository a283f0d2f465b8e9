"""The request log may lose where a request came from, and nothing else."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

FORGET = """
CREATE FUNCTION refuse_change_of_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - ARRAY['client_address', 'user_agent']
            = to_jsonb(OLD) - ARRAY['client_address', 'user_agent']
        AND (NEW.client_address IS NULL OR NEW.client_address = OLD.client_address)
        AND NEW.user_agent IN (OLD.user_agent, '')
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the request log is append-only' USING ERRCODE = 'restrict_violation';
END $$;

DROP TRIGGER append_only ON gateway_requestlog;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON gateway_requestlog
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_log();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("gateway", "0003_errors_of_an_organization")]
    operations: ClassVar = [
        migrations.RunSQL(
            FORGET,
            """
            DROP TRIGGER append_only ON gateway_requestlog;
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON gateway_requestlog
                FOR EACH ROW EXECUTE FUNCTION refuse_change();
            DROP FUNCTION refuse_change_of_log;
            """,
        ),
    ]
