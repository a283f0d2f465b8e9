"""GET /v1/usage: what the caller's organization used, as JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from billing import pricing
from gateway import rollups, usage
from gateway.rest import ManagementView
from gateway.usage import COLUMNS, PERCENTILES, Line, Query

MAX_HOURS = timedelta(days=31)
MAX_DAYS = timedelta(days=366)


@extend_schema_field(OpenApiTypes.STR)
class Moment(serializers.Field[datetime, str, str, Any]):
    """An ISO date, which is its midnight in UTC, or an ISO date and time on a whole hour."""

    default_error_messages: ClassVar = {
        "invalid": "write an ISO date such as 2026-11-01, or a date and time on a whole hour such as "
        "2026-11-01T15:00:00Z."
    }

    def to_internal_value(self, data: str) -> datetime:
        try:
            day, moment = parse_date(data), parse_datetime(data)
        except ValueError:
            self.fail("invalid")
        if day is not None:
            return datetime.combine(day, time(), UTC)
        if moment is None or (moment.minute, moment.second, moment.microsecond) != (0, 0, 0):
            self.fail("invalid")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class Several(serializers.ListField):
    """`name=a&name=b`, `name[]=a&name[]=b` or `name=a,b`."""

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        query: Any = dictionary
        given = [*query.getlist(self.field_name), *query.getlist(f"{self.field_name}[]")]
        return [part.strip() for value in given for part in value.split(",") if part.strip()]


class UsageQuery(serializers.Serializer[Any]):
    start = Moment(required=False)
    end = Moment(required=False)
    bucket = serializers.ChoiceField(["hour", "day", "month", "total"], default="day")
    group_by = Several(child=serializers.ChoiceField(list(COLUMNS)), max_length=len(COLUMNS))
    key = Several(child=serializers.CharField(max_length=100))
    model = Several(child=serializers.CharField(max_length=100))
    voice = Several(child=serializers.CharField(max_length=100))
    format = serializers.ChoiceField(["json", "csv"], default="json")

    def to_internal_value(self, data: Any) -> Any:
        for name in data:
            if name.removesuffix("[]") not in self.fields:
                raise serializers.ValidationError({name: "there is no such parameter."}, code="unknown")
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fill the range in, this month up to now, and keep it within what one answer can hold."""
        now = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        midnight = now.replace(hour=0)
        end = attrs.setdefault("end", now if attrs["bucket"] == "hour" else midnight + timedelta(days=1))
        default = (
            end - timedelta(days=1) if attrs["bucket"] == "hour" else min(end, midnight).replace(day=1, hour=0)
        )
        start = attrs.setdefault("start", default)
        if start >= end:
            raise serializers.ValidationError({"end": "it must be later than start."})
        longest = MAX_HOURS if attrs["bucket"] == "hour" else MAX_DAYS
        if end - start > longest:
            raise serializers.ValidationError(
                {"start": f"at most {longest.days} days at a time by this bucket."}, code="too_long"
            )
        attrs["group_by"] = tuple(dict.fromkeys(attrs["group_by"]))
        return attrs


class UsageView(ManagementView):
    """Sums over buckets of time (UTC), `end` not included; live to the last answer."""

    def get(self, request: Request) -> HttpResponse:
        asked = UsageQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        organization_id = self.principal(request).organization_id
        keys = _Keys(organization_id)
        query = Query(
            organization_id=organization_id,
            start=wanted["start"],
            end=wanted["end"],
            bucket=wanted["bucket"],
            group_by=wanted["group_by"],
            keys=keys.ids(wanted["key"]),
            models=tuple(wanted["model"]),
            voices=tuple(wanted["voice"]),
        )
        rollups.refresh(organization_id=organization_id)
        lines = usage.report(query)
        rows = [_as_json(line, query, keys) for line in lines]
        if wanted["format"] == "csv":
            return _as_csv(rows, query, keys)
        return Response(
            {
                "object": "list",
                "start": _iso(query.start),
                "end": _iso(query.end),
                "bucket": query.bucket,
                "group_by": list(query.group_by),
                "data": rows,
                "total": _sums(usage.total(lines)),
            }
        )


class _Keys:
    """The organization's keys, as they may be shown."""

    def __init__(self, organization_id: UUID) -> None:
        keys = ApiKey.objects.filter(organization_id=organization_id).only("id", "public_id", "name")
        self._by_id = {key.id: key for key in keys}

    def ids(self, names: list[str]) -> tuple[UUID, ...]:
        """The keys called sk-<public id>. Raises ValidationError for what is none of this organization."""
        by_name = {f"sk-{key.public_id}": key.id for key in self._by_id.values()}
        unknown = [name for name in names if name not in by_name]
        if unknown:
            raise serializers.ValidationError({"key": f"your organization has no key {unknown[0]!r}."})
        return tuple(by_name[name] for name in names)

    def shown(self, key_id: UUID) -> dict[str, str]:
        key = self._by_id.get(key_id)
        return {"key": f"sk-{key.public_id}" if key else str(key_id), "key_name": key.name if key else ""}


def _as_json(line: Line, query: Query, keys: _Keys) -> dict[str, Any]:
    shown: dict[str, Any] = {"start": _iso(line.start or query.start)}
    for group, value in zip(query.group_by, line.group, strict=True):
        shown |= keys.shown(value) if group == "key" else {group: value}
    return shown | _sums(line)


def _sums(line: Line) -> dict[str, Any]:
    return {
        "requests": line.requests,
        "errors": line.errors,
        "duration_ms": line.duration_ms,
        "cost_usd": pricing.show(line.cost),
        "latency_ms": {f"p{percent}": line.percentile(percent) for percent in PERCENTILES},
    }


def _as_csv(rows: list[dict[str, Any]], query: Query, keys: _Keys) -> HttpResponse:
    """One row a line, latencies in columns of their own; the header is there for no rows too."""
    empty = _as_json(Line(group=("",) * len(query.group_by)), query, keys)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_flat(empty))
    writer.writerows([_safe(value) for value in _flat(row).values()] for row in rows)
    name = f"usage-{query.start:%Y-%m-%d}-{query.end:%Y-%m-%d}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    latency = {f"latency_{name}_ms": value for name, value in row["latency_ms"].items()}
    return {name: value for name, value in row.items() if name != "latency_ms"} | latency


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as text: customers name their keys."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
