"""The table of Django's cache, in which sign-in counts attempts."""

from typing import Any

from django.core.management import call_command
from django.db import migrations


def make_table(apps: Any, schema_editor: Any) -> None:
    call_command("createcachetable", "cache", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_playground_keys"),
    ]

    operations = [
        migrations.RunPython(make_table, migrations.RunPython.noop),
    ]
