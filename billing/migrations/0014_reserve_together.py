"""Holds are made by a function, for many jobs in one statement; a refusal is an answer of it and no error."""

from __future__ import annotations

from importlib import import_module
from typing import ClassVar

from django.db import migrations

from billing import reservations

_before = import_module("billing.migrations.0002_append_only_ledger")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0013_recent_proofs")]
    operations: ClassVar = [
        migrations.RunSQL(
            reservations.FUNCTION,
            "DROP FUNCTION billing_reserve; DROP FUNCTION billing_budget_start;",
        ),
        migrations.RunSQL("DROP FUNCTION billing_refuse", _before.REFUSE),
    ]
