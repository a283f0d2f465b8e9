"""GET /v1/usage: what the caller's organization used, as JSON or CSV."""

from __future__ import annotations

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

from gateway.rest import ManagementView
from usage import rollups, usage, usage_table
from usage.usage import COLUMNS, Query
from usage.usage_table import KeyNames

MAX_HOURS = timedelta(days=31)
MAX_DAYS = timedelta(days=366)


@extend_schema_field(OpenApiTypes.STR)
class Moment(serializers.Field[datetime, str, str, Any]):
    """An ISO date, which is its midnight in UTC, or an ISO date and time that is on a whole hour of UTC."""

    default_error_messages: ClassVar = {
        "invalid": "write an ISO date such as 2026-11-01, or a date and time on a whole hour such as "
        "2026-11-01T15:00:00Z.",
        "split_hour": "usage is summed up by hours of UTC, and this moment is not on one: write a date and time "
        "that is on a whole hour in UTC, such as 2026-11-01T15:00:00Z.",
    }

    def to_internal_value(self, data: str) -> datetime:
        try:
            day, moment = parse_date(data), parse_datetime(data)
        except ValueError:
            self.fail("invalid")
        if day is not None:
            return datetime.combine(day, time(), UTC)
        if moment is None:
            self.fail("invalid")
        try:
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:  # the first or the last day of the calendar, in a zone beyond it
            self.fail("invalid")
        # Buckets are hours of UTC, and a whole hour of a zone such as +05:45 is not one of them.
        if (moment.minute, moment.second, moment.microsecond) != (0, 0, 0):
            self.fail("split_hour")
        return moment


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
        names = KeyNames(organization_id)
        query = Query(
            organization_id=organization_id,
            start=wanted["start"],
            end=wanted["end"],
            bucket=wanted["bucket"],
            group_by=wanted["group_by"],
            keys=_ids(names, wanted["key"]),
            models=tuple(wanted["model"]),
            voices=tuple(wanted["voice"]),
        )
        rollups.refresh(organization_id=organization_id)
        lines = usage.report(query)
        if wanted["format"] == "csv":
            return usage_table.as_csv(lines, query, names)
        return Response(
            {
                "object": "list",
                "start": usage_table.iso(query.start),
                "end": usage_table.iso(query.end),
                "bucket": query.bucket,
                "group_by": list(query.group_by),
                "data": [usage_table.as_json(line, query, names) for line in lines],
                "total": usage_table.sums(usage.total(lines)),
            }
        )


def _ids(names: KeyNames, wanted: list[str]) -> tuple[UUID, ...]:
    """The keys called sk-<public id>. Raises ValidationError for what is none of this organization."""
    by_name = names.by_name
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise serializers.ValidationError({"key": f"your organization has no key {unknown[0]!r}."})
    return tuple(by_name[name] for name in wanted)
