"""`make bench`: every benchmark, on embedded servers of its own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests import environment  # sets VAR_DIR before Django reads it

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from config.embedded import EmbeddedPostgres, EmbeddedValkey  # noqa: E402
from tests.benchmarks import billing, console, dashboard, higgs, invoices, requests, verification  # noqa: E402


def main() -> None:
    var_dir = Path(environment.VAR_DIR)
    print(f"{os.cpu_count()} cores, {tempfile.gettempdir()}, PostgreSQL with fsync, one gateway, one worker\n")
    servers = EmbeddedPostgres(var_dir), EmbeddedValkey(var_dir)
    for server in servers:
        server.start()
    try:
        # The last two bring records that are in no ledger.
        for benchmark in (requests, higgs, billing, invoices, verification, dashboard, console):
            benchmark.run()
            print()
    finally:
        for server in reversed(servers):
            server.stop()


main()
