"""`make bench`: every benchmark, on embedded servers of its own; `python -m tests.benchmarks wire`: that one.

`history=1_000_000` runs one over so many records.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests import environment  # sets VAR_DIR before Django reads it

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from launch.embedded import EmbeddedPostgres, EmbeddedValkey  # noqa: E402
from tests.benchmarks import (  # noqa: E402
    billing,
    console,
    dashboard,
    fuzz,
    higgs,
    history,
    invoices,
    litellm_proxy,
    requests,
    streams,
    verification,
    wire,
)


def main() -> None:
    var_dir = Path(environment.VAR_DIR)
    print(f"{os.cpu_count()} cores, {tempfile.gettempdir()}, PostgreSQL with fsync, one gateway, one worker\n")
    servers = EmbeddedPostgres(var_dir), EmbeddedValkey(var_dir)
    for server in servers:
        server.start()
    try:
        # The last three bring records that are in no ledger.
        all_of_them = (
            wire, streams, litellm_proxy, requests, fuzz, higgs,
            billing, invoices, verification, history, dashboard, console,
        )  # fmt: skip
        named = {module.__name__.rpartition(".")[2]: module for module in all_of_them}
        for asked in sys.argv[1:] or named:
            name, _, number = asked.partition("=")
            print(f"# {asked}")
            named[name].run(*[int(number)] if number else [])
            print()
    finally:
        for server in reversed(servers):
            server.stop()


main()
