"""`make bench`: every benchmark, on embedded servers of its own; `make bench ARGS=wire`: that one.

BENCH_BUDGET makes them shorter (see `budget.py`)."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from tests import environment  # sets VAR_DIR before Django reads it

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from launch.embedded import EmbeddedPostgres, EmbeddedValkey  # noqa: E402
from tests import migrated  # noqa: E402
from tests.benchmarks import (  # noqa: E402
    batches,
    billing,
    cancels,
    chaos,
    console,
    dashboard,
    finishing,
    fuzz,
    higgs,
    history,
    invoices,
    litellm_proxy,
    long_texts,
    requests,
    speakers,
    stream_input,
    streams,
    verification,
    wire,
)

VALKEY_MEMORY = "4gb"
"""2,000 streams of pcm16 send 96 MB a second; with half a gigabyte each would keep its last two entries."""

# The last four bring jobs that do not end, or records that are in no ledger: after them the books are not right.
BENCHMARKS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        chaos, batches, wire, streams, cancels, stream_input, speakers, long_texts, litellm_proxy, requests, fuzz,
        higgs, invoices, verification, finishing, billing, history, dashboard, console,
    )
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or BENCHMARKS
    var_dir = Path(environment.VAR_DIR)
    print(f"{os.cpu_count()} cores, {tempfile.gettempdir()}, PostgreSQL with fsync, one gateway, one worker\n")
    servers = postgres, valkey = EmbeddedPostgres(var_dir), EmbeddedValkey(var_dir)
    valkey.memory = VALKEY_MEMORY
    try:
        migrated.start(postgres)
        valkey.start()
        for name in names:
            print(f"# {name}", flush=True)
            BENCHMARKS[name].run()
            print(flush=True)
    finally:
        for server in reversed(servers):
            server.stop()


main()
