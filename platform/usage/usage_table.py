"""Usage as rows: for the API's JSON, and for the CSV that the API and the console hand out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse

from accounts.models import ApiKey
from billing import pricing
from usage.usage import PERCENTILES, Query, UsageBucket


class KeyNames:
    """The organization's keys, as they may be shown."""

    def __init__(self, organization_id: UUID) -> None:
        keys = ApiKey.objects.filter(organization_id=organization_id).only("id", "public_id", "name")
        self._by_id = {key.id: key for key in keys}

    @property
    def by_name(self) -> dict[str, UUID]:
        """The keys' ids by sk-<public id>."""
        return {f"sk-{key.public_id}": key.id for key in self._by_id.values()}

    def shown(self, key_id: UUID) -> dict[str, str]:
        key = self._by_id.get(key_id)
        return {"key": f"sk-{key.public_id}" if key else str(key_id), "key_name": key.name if key else ""}


def as_json(line: UsageBucket, query: Query, keys: KeyNames) -> dict[str, Any]:
    shown: dict[str, Any] = {"start": iso(line.start or query.start)}
    for group, value in zip(query.group_by, line.group, strict=True):
        shown |= keys.shown(value) if group == "key" else {group: value}
    return shown | sums(line)


def sums(line: UsageBucket) -> dict[str, Any]:
    return {
        "requests": line.requests,
        "errors": line.errors,
        "duration_ms": line.duration_ms,
        "cost_usd": pricing.show(line.cost),
        "latency_ms": {f"p{percent}": line.percentile(percent) for percent in PERCENTILES},
    }


def as_csv(lines: Iterable[UsageBucket], query: Query, keys: KeyNames) -> HttpResponse:
    """One row a line, latencies in columns of their own; the header is there for no rows too."""
    empty = as_json(UsageBucket(group=("",) * len(query.group_by)), query, keys)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_flat(empty))
    writer.writerows([_safe(value) for value in _flat(as_json(line, query, keys)).values()] for line in lines)
    name = f"usage-{query.start:%Y-%m-%d}-{query.end:%Y-%m-%d}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    latency = {f"latency_{name}_ms": value for name, value in row["latency_ms"].items()}
    return {name: value for name, value in row.items() if name != "latency_ms"} | latency


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as text: customers name their keys."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
