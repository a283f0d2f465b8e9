"""The console's pages for the customer of the dashboard's benchmark, each the whole of Django's work for it."""

from __future__ import annotations

import statistics
import time

from django.test import Client

from tests.benchmarks import budget, dashboard

PAGES = (
    *("", "start", "usage", "usage?by=key", "usage?range=90d&by=voice", "usage.csv?by=key"),
    *("requests", "requests?outcome=failed", "requests?voice=voice-3", "requests/{request}"),
    *("keys", "billing", "members", "activity"),
)
REPEATS = budget.number(40, least=2)


def run() -> dict[str, tuple[float, float, int]]:
    """Print and return each page's milliseconds, median and 95th percentile, and its bytes."""
    from accounts.models import Membership
    from usage.models import RequestLog, UsageRollup

    if not UsageRollup.objects.exists():
        dashboard.run()
    organization_id = UsageRollup.objects.order_by("-requests").values_list("organization_id", flat=True)[0]
    rows = RequestLog.objects.filter(organization_id=organization_id)
    request = f"req_{rows.values_list('id', flat=True)[0].hex}"
    client = Client(SERVER_NAME="localhost")
    client.force_login(
        Membership.objects.select_related("user").get(organization=organization_id, role="owner").user
    )
    print(f"a customer with {rows.count():,} requests\n{'page':28} {'p50 ms':>8} {'p95 ms':>8} {'kB':>6}")
    measured = {}
    for page in PAGES:
        address = f"/console/org_{organization_id.hex}/{page.format(request=request)}"
        size = len(client.get(address).content)  # the first loads the templates
        taken = [_milliseconds(client, address) for _ in range(REPEATS)]
        measured[page] = (statistics.median(taken), statistics.quantiles(taken, n=20)[-1], size)
        print(f"{page or 'overview':28} {measured[page][0]:8.1f} {measured[page][1]:8.1f} {size / 1000:6.1f}")
    return measured


def _milliseconds(client: Client, address: str) -> float:
    began = time.perf_counter()
    answer = client.get(address)
    taken = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise AssertionError(f"{address}: {answer.status_code}")
    return taken
